"""Conditions: what they mean, and that a wrong one is refused with the place that is wrong."""

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liberty.errors import Invalid
from liberty.jobs.conditions import check, compile_condition, evaluate
from liberty.jobs.run import Status

FACTS: dict[str, Any] = {
    "steps.find-batch.row_count": 3,
    "steps.fetch.status": Status("succeeded"),
    "params.region": "EU",
    "params.dry": True,
    "params.day": date(2026, 3, 1),
    "nothing": None,
    "rows": [],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${steps.find-batch.row_count} > 0", True),
        ("${steps.find-batch.row_count} <= 2.5", False),
        ("${params.region} == 'EU'", True),
        ('${params.region} != "EU"', False),
        ("${params.region} in ['EU', \"US\"]", True),
        ("${params.region} in []", False),
        ("!(${params.region} in ['US'])", True),
        ("${steps.fetch.status} == 'SUCCEEDED'", True),
        ("${params.day} >= '2026-02-28'", True),
        ("${params.dry}", True),
        ("!${params.dry} || ${nothing} == null", True),
        ("${nothing} > 3", False),
        ("${nothing} <= 3", False),
        ("${nothing} == 3", False),
        ("null == null", True),
        ("${rows}", False),
        ("true && false || true", True),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("!!true", True),
        ("-1 < 0", True),
        (r"'it\'s' == \"it's\"".replace('\\"', '"'), True),
    ],
)
def test_meaning(text: str, expected: bool) -> None:
    assert evaluate(text, FACTS.__getitem__) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("x == 1", "write ${x} or quote the text"),
        ("1 = 2", "write =="),
        ("1 and 2", "write &&"),
        ("1 & 2", "write &&"),
        ("not true", "write !"),
        ("'abc", "not closed"),
        ("('a'", "parenthesis is not closed"),
        ("1 2", "operator is missing"),
        ("1 <", "value is missing"),
        ("${}", "empty"),
        ("${a", "a token is written"),
        ("'${params.x}' == 'a'", "without quotes"),
        ("1 in 2", "stands a list"),
        ("1 in [1 2]", "separated by commas"),
        ("1 + 2 == 3", "allowed are"),
        ("${a}.startsWith('x')", "allowed are"),
        ("__import__('os')", "write ${__import__}"),
        ("(" * 33 + "1" + ")" * 33, "nests deeper than 32"),
        ("1 == 1 " + " " * 5000, "at most 4096"),
    ],
)
def test_wrong_condition_says_where(text: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(text)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "${params.region} > 1",
        "${params.dry} == 'true'",
        "${params.dry} > false",
        "1 in ['1']",
        "${rows} < ${rows}",
    ],
)
def test_values_of_different_kinds_are_not_compared(text: str) -> None:
    with pytest.raises(Invalid, match=r"cannot compare|no order"):
        evaluate(text, FACTS.__getitem__)


def test_sides_that_do_not_matter_are_not_looked_up() -> None:
    asked: list[str] = []

    def lookup(token: str) -> bool:
        asked.append(token)
        return token == "yes"

    assert evaluate("${yes} || ${never}", lookup)
    assert not evaluate("${no} && ${never}", lookup)
    assert asked == ["yes", "no"]


def test_tokens_are_known_before_it_runs() -> None:
    assert compile_condition("${a.b} > 0 && ${ c } in ['x']").tokens == ("a.b", "c")


@given(st.text(alphabet="${}()[]!&|<>='\"\\ ,.abc01in", max_size=60))
def test_any_text_is_a_condition_or_invalid(text: str) -> None:
    with suppress(Invalid):
        compile_condition(text).holds(lambda _token: None)
