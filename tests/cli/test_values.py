"""What is written behind options."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liberty.cli.exits import UsageError
from liberty.cli.values import duration, instant, pairs, scalar, until

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ('"7"', "7"),
        ("007", "007"),
        ("True", "True"),
        ("", ""),
        ("2026-03-28", "2026-03-28"),
        ("[1]", "[1]"),
        ('{"a": 1}', '{"a": 1}'),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("@/etc/passwd", "@/etc/passwd"),
        ("${env:HOME}", "${env:HOME}"),
    ],
)
def test_a_value_is_a_json_scalar_or_its_own_text(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@given(st.text())
def test_any_text_is_read_and_numbers_are_finite(text: str) -> None:
    value = scalar(text)
    assert not isinstance(value, float) or math.isfinite(value)


def test_pairs_split_at_the_first_equals_sign() -> None:
    assert pairs(["a=1", "where=x = 2", "empty="]) == {"a": 1, "where": "x = 2", "empty": ""}


@pytest.mark.parametrize("texts", [["a"], ["=1"], ["a=1", "a=2"]])
def test_what_is_no_pair_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        pairs(texts)


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12H", 43200), ("90d", 7776000), ("2w", 1209600)]
)
def test_a_duration(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "1y", "99999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        duration(text)


def test_an_instant_keeps_the_zone_it_names() -> None:
    assert instant("2026-03-29T02:00+01:00", NOW) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert instant("2026-03-29T02:00Z", NOW) == datetime(2026, 3, 29, 2, tzinfo=UTC)


def test_an_instant_without_a_zone_is_local() -> None:
    assert instant("2026-03-29T12:00", NOW) == datetime(2026, 3, 29, 12).astimezone()
    assert instant("7:30", NOW) == NOW.astimezone().replace(hour=7, minute=30)


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "2026-13-01", "-1-01-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        instant(text, NOW)


def test_until_takes_both() -> None:
    assert until("2h", NOW) == NOW + timedelta(hours=2)
    assert until("2026-04-01T00:00Z", NOW) == datetime(2026, 4, 1, tzinfo=UTC)
