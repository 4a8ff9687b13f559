"""Errors a user sees: what, which one, where, and what it was probably meant to be."""

import pytest

from liberty.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    LibertyError,
    NotFound,
    Problem,
    TooMany,
    Unauthenticated,
    Unavailable,
    did_you_mean,
)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("is wrong"), "is wrong"),
        (Problem("is wrong", file="jobs.toml"), "jobs.toml: is wrong"),
        (Problem("is wrong", file="jobs.toml", line=3), "jobs.toml:3: is wrong"),
        (
            Problem("is wrong", "jobs.toml", 3, "nightly", "retry"),
            "jobs.toml:3: job 'nightly' key 'retry': is wrong",
        ),
        (Problem("is wrong", job="nightly"), "job 'nightly': is wrong"),
    ],
)
def test_a_problem_says_where_it_is(problem: Problem, text: str) -> None:
    assert str(problem) == text
    assert problem.as_dict()["message"] == "is wrong"


def test_every_kind_has_a_code_of_its_own() -> None:
    kinds = [NotFound, Conflict, Invalid, Unauthenticated, Forbidden, TooMany, Unavailable]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert LibertyError.code == Internal.code == "internal"


def test_an_error_carries_its_message_details_and_problems() -> None:
    error = Invalid("wrong", problems=iter([Problem("a")]), details={"x": 1})
    assert (error.message, str(error), error.details, error.problems) == (
        "wrong",
        "wrong",
        {"x": 1},
        (Problem("a"),),
    )
    assert Conflict("busy").details == {}


@pytest.mark.parametrize(
    ("name", "known", "says"),
    [
        ("shedule", ["schedule", "steps"], "; did you mean 'schedule'?"),
        ("SCHEDULE", ["schedule"], "; did you mean 'schedule'?"),
        ("nightly", ["Nightly-Run", "x"], "; did you mean 'Nightly-Run'?"),
        ("zzz", ["schedule"], ""),
        ("x", [], ""),
    ],
)
def test_the_nearest_known_name_is_offered(name: str, known: list[str], says: str) -> None:
    assert did_you_mean(name, known) == says
