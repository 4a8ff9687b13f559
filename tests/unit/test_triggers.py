"""Schedules: what they accept, what they refuse, and that every instant is right, checked against a walking oracle."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liberty.errors import Invalid
from liberty.jobs.triggers import Schedule, between, parse_schedule, preview
from liberty.jobs.triggers.base import first_instant_at_or_after
from liberty.jobs.triggers.zones import detect_timezone

MINUTE = timedelta(minutes=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def due(schedule: Schedule, after: datetime, count: int) -> list[str]:
    return [f"{instant:%m-%d %H:%M:%S}" for instant in preview(schedule, after, count)]


# -- reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@hourly", ["01-01 01:00:00", "01-01 02:00:00"]),
        ("@daily", ["01-02 00:00:00", "01-03 00:00:00"]),
        ("@weekly", ["01-04 00:00:00", "01-11 00:00:00"]),
        ("@monthly", ["02-01 00:00:00", "03-01 00:00:00"]),
        ("@yearly", ["01-01 00:00:00", "01-01 00:00:00"]),
        ("0 9 * * MON-FRI", ["01-01 09:00:00", "01-02 09:00:00", "01-05 09:00:00"]),
        ("0 9 * * 0", ["01-04 09:00:00", "01-11 09:00:00"]),
        ("0 9 * * 7", ["01-04 09:00:00", "01-11 09:00:00"]),
        ("0 9 * * sat-sun", ["01-03 09:00:00", "01-04 09:00:00", "01-10 09:00:00"]),
        ("0 9 * * 0-0", ["01-04 09:00:00", "01-11 09:00:00"]),
        ("0 9 * * SUN-MON", ["01-04 09:00:00", "01-05 09:00:00", "01-11 09:00:00"]),
        ("0 0 13 * FRI", ["01-02 00:00:00", "01-09 00:00:00", "01-13 00:00:00"]),
        ("0 0 1 jan,JUL *", ["07-01 00:00:00", "01-01 00:00:00"]),
        ("10-12/2 0 * * *", ["01-01 00:10:00", "01-01 00:12:00"]),
    ],
)
def test_unix_cron(text: str, expected: list[str]) -> None:
    assert due(parse_schedule(text, "UTC"), utc(2026, 1, 1), len(expected)) == expected


def test_sixth_field_is_seconds_and_stands_last() -> None:
    schedule = parse_schedule("5 0 * * * */20", "UTC")
    assert due(schedule, utc(2026, 1, 1), 4) == [
        "01-01 00:05:00",
        "01-01 00:05:20",
        "01-01 00:05:40",
        "01-02 00:05:00",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("61 * * * *", "'61' is no minute"),
        ("* * * * * 60", "'60' is no second"),
        ("0 0 * * 8", "'8' is no day-of-week"),
        ("0 0 30 2 *", "never due"),
        ("0 0 31 4,6 *", "never due"),
        ("0 0 31 2,4 */2", "never due"),
        ("* * *", "has 3 fields"),
        ("* * * * * * *", "has 7 fields"),
        ("@dayly", "did you mean '@daily'"),
        ("every 0m", "between 1 second and 366 days"),
        ("every soon", "no length of time"),
        ("every 15m x", "no length of time"),
        ("every", "no length of time"),
        ("   ", "empty"),
        ("*/0 * * * *", "'*/0' is no minute"),
    ],
)
def test_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words.replace("*", r"\*").replace("(", r"\(")):
        parse_schedule(text, "UTC")


def test_unknown_zone_names_the_nearest() -> None:
    with pytest.raises(Invalid, match="did you mean 'Europe/Paris'"):
        parse_schedule("@daily", "Europe/Pari")


def test_schedule_says_itself_in_words() -> None:
    assert parse_schedule("*/15 9-17 * * 1-5", "UTC").text().startswith("Every 15 minutes")
    assert parse_schedule("30 2 * * *", "UTC").text() == "At 02:30"
    assert parse_schedule("30 2 * * *", "UTC").text("fr") == "À 02:30"
    assert parse_schedule("every 15m", "UTC").text() == "Every 15 minutes"
    assert parse_schedule("every 1h30m", "UTC").text() == "Every 1 hour 30 minutes"
    assert parse_schedule("every 1d", "UTC").text("fr") == "Tous les jours"


def test_leap_day_is_found_years_ahead() -> None:
    assert due(parse_schedule("0 0 29 2 *", "UTC"), utc(2096, 3, 1), 1) == ["02-29 00:00:00"]
    assert preview(parse_schedule("0 0 29 2 *", "UTC"), utc(2096, 3, 1), 1)[0].year == 2104


def test_between_includes_its_end_and_not_its_start() -> None:
    schedule = parse_schedule("every 15m", "UTC")
    found = list(between(schedule, utc(2026, 1, 1), utc(2026, 1, 1, 0, 30)))
    assert found == [utc(2026, 1, 1, 0, 15), utc(2026, 1, 1, 0, 30)]


def test_server_zone_comes_from_the_environment_first() -> None:
    assert detect_timezone({"TZ": ":Asia/Tokyo"}) == "Asia/Tokyo"
    assert ZoneInfo(detect_timezone({"TZ": "Not/AZone"})).key


# -- clock changes


def test_fixed_time_in_the_spring_gap_fires_once_right_after_it() -> None:
    schedule = parse_schedule("30 2 * * *", "Europe/Paris")
    assert due(schedule, utc(2026, 3, 28, 12), 2) == ["03-29 01:00:00", "03-30 00:30:00"]
    several = parse_schedule("0,20,40 2 * * *", "Europe/Paris")
    assert due(several, utc(2026, 3, 28, 12), 2) == ["03-29 01:00:00", "03-30 00:00:00"]
    with_seconds = parse_schedule("30 2 * * * 5", "Europe/Paris")
    assert due(with_seconds, utc(2026, 3, 28, 12), 2) == ["03-29 01:00:00", "03-30 00:30:05"]


def test_fixed_time_in_the_repeated_hour_fires_the_first_time_only() -> None:
    schedule = parse_schedule("30 2 * * *", "Europe/Paris")
    assert due(schedule, utc(2026, 10, 24, 12), 2) == ["10-25 00:30:00", "10-26 01:30:00"]
    assert due(schedule, utc(2026, 10, 25, 0, 30), 1) == ["10-26 01:30:00"]


def test_wildcards_follow_real_time() -> None:
    hourly = parse_schedule("0 * * * *", "Europe/Paris")
    assert due(hourly, utc(2026, 10, 24, 22, 30), 4) == [
        "10-24 23:00:00",
        "10-25 00:00:00",
        "10-25 01:00:00",
        "10-25 02:00:00",
    ]
    in_the_gap = parse_schedule("*/30 2 * * *", "Europe/Paris")
    assert due(in_the_gap, utc(2026, 3, 28, 12), 1) == ["03-30 00:00:00"]
    repeated = parse_schedule("*/30 2 * * *", "Europe/Paris")
    assert len(list(between(repeated, utc(2026, 10, 24, 12), utc(2026, 10, 25, 12)))) == 4


def test_a_skipped_calendar_day_fires_once_after_it() -> None:
    schedule = parse_schedule("30 2 * * *", "Pacific/Apia")
    found = preview(schedule, utc(2011, 12, 29, 13), 3)
    local = [f"{instant.astimezone(ZoneInfo('Pacific/Apia')):%d %H:%M}" for instant in found]
    assert local == ["31 00:00", "31 02:30", "01 02:30"]


def test_intervals_stand_on_the_clock_whenever_they_are_asked() -> None:
    quarter = parse_schedule("every 15m", "Asia/Kathmandu")
    assert due(quarter, utc(2026, 1, 1, 0, 7, 13), 2) == ["01-01 00:15:00", "01-01 00:30:00"]
    daily = parse_schedule("every 1d", "Europe/Paris")
    assert due(daily, utc(2026, 3, 28, 12), 3) == ["03-28 23:00:00", "03-29 22:00:00", "03-30 22:00:00"]
    weekly = parse_schedule("@every 1w", "UTC")
    assert [instant.weekday() for instant in preview(weekly, utc(2026, 1, 1), 3)] == [0, 0, 0]
    odd = parse_schedule("every 7m", "UTC")
    first = odd.next_after(utc(2026, 1, 1))
    assert first is not None
    assert odd.next_after(first - timedelta(seconds=1)) == first
    assert odd.next_after(first) == first + timedelta(minutes=7)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("text", ["every 2h", "every 45m", "every 30s", "every 1h"])
def test_interval_is_never_longer_than_it_says(zone: str, text: str) -> None:
    schedule = parse_schedule(text, zone)
    length = {"every 2h": 7200, "every 45m": 2700, "every 30s": 30, "every 1h": 3600}[text]
    for change in (
        utc(2026, 3, 29),
        utc(2026, 10, 25),
        utc(2026, 4, 4, 12),
        utc(2026, 3, 8),
        utc(2026, 11, 1),
    ):
        found = preview(schedule, change, 40)
        assert all(
            timedelta(0) < later - earlier <= timedelta(seconds=length) for earlier, later in pairwise(found)
        )


# -- the oracle: walk minute by minute, look at the wall clock, apply the daylight rule as it is written


ZONES = [
    "Europe/Paris",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
]
NIGHTS = [  # around clock changes and around nothing in particular
    utc(2026, 3, 28, 20),
    utc(2026, 10, 24, 20),
    utc(2026, 3, 8, 3),
    utc(2026, 11, 1, 2),
    utc(2026, 4, 4, 10),
    utc(2026, 10, 3, 10),
    utc(2026, 12, 31, 12),
    utc(2009, 10, 31, 20),
]


def matches(field: str, value: int, low: int, high: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" or (step and not last) else int(last or first)
        if start <= value <= end and (value - start) % int(step or 1) == 0:
            return True
    return False


def matches_wall(fields: list[str], wall: datetime) -> bool:
    minute, hour, day, month, weekday = fields
    on_day = matches(day, wall.day, 1, 31)
    sunday_first = wall.isoweekday() % 7
    on_weekday = matches(weekday, sunday_first, 0, 6) or (sunday_first == 0 and matches(weekday, 7, 0, 7))
    either = not day.startswith("*") and not weekday.startswith("*")
    return (
        matches(minute, wall.minute, 0, 59)
        and matches(hour, wall.hour, 0, 23)
        and matches(month, wall.month, 1, 12)
        and ((on_day or on_weekday) if either else (on_day and on_weekday))
    )


def walk(text: str, zone: str, start: datetime, minutes: int) -> Iterator[datetime]:
    fields = text.split()
    fixed = not fields[0].startswith("*") and not fields[1].startswith("*")
    place = ZoneInfo(zone)
    before = start.astimezone(place).replace(tzinfo=None)
    for step in range(1, minutes + 1):
        instant = start + step * MINUTE
        local = instant.astimezone(place)
        wall = local.replace(tzinfo=None, fold=0)
        # A wall time seen for the second time: it was passed when the clock had not been turned back yet.
        repeated = first_instant_by_scan(wall, place, instant) < instant
        if not fixed:
            hit = matches_wall(fields, wall)
        else:
            skipped = []
            missing = before + MINUTE
            while wall - before > MINUTE and missing < wall:
                skipped.append(missing)
                missing += MINUTE
            hit = (matches_wall(fields, wall) and not repeated) or any(
                matches_wall(fields, minute) for minute in skipped
            )
        before = wall
        if hit:
            yield instant


def first_instant_by_scan(wall: datetime, place: ZoneInfo, instant: datetime) -> datetime:
    for back in (60, 61, 59, 30):
        earlier = instant - back * MINUTE
        if earlier.astimezone(place).replace(tzinfo=None, fold=0) == wall:
            return earlier
    return instant


def field_texts(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.tuples(st.sampled_from(["*"]), st.integers(1, 12)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    single = number.map(str)
    return st.one_of(
        st.just("*"), single, ranges, steps, st.lists(single, min_size=2, max_size=3).map(",".join)
    )


EXPRESSIONS = st.tuples(
    field_texts(0, 59),
    field_texts(0, 5),
    st.just("*") | field_texts(1, 31),
    st.just("*"),
    st.just("*") | field_texts(0, 7),
).map(" ".join)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=EXPRESSIONS, zone=st.sampled_from(ZONES), start=st.sampled_from(NIGHTS))
def test_cron_agrees_with_walking_minute_by_minute(text: str, zone: str, start: datetime) -> None:
    minutes = 16 * 60
    expected = list(walk(text, zone, start, minutes))
    found = list(between(parse_schedule(text, zone), start, start + minutes * MINUTE))
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(
    text=EXPRESSIONS
    | st.sampled_from(["every 15m", "every 7m", "every 2h", "every 3d", "@daily", "0 0 29 2 *"]),
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),
)
def test_next_is_strictly_later_and_the_first(text: str, zone: str, start: datetime) -> None:
    schedule = parse_schedule(text, zone)
    after = start.replace(tzinfo=UTC)
    instant = schedule.next_after(after)
    assert instant is not None
    assert instant > after
    assert instant.tzinfo is UTC
    # Nothing lies between: asking from just before the answer gives the same answer.
    assert schedule.next_after(max(after, instant - timedelta(seconds=1))) == instant


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "Africa/Casablanca"])
def test_daily_job_fires_exactly_once_per_local_date(zone: str) -> None:
    schedule = parse_schedule("15 0 * * *", zone)
    place = ZoneInfo(zone)
    start, end = utc(2010, 1, 1, 12), utc(2014, 1, 1, 12)
    dates = [instant.astimezone(place).date() for instant in between(schedule, start, end)]
    assert len(dates) == len(set(dates))
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(dates))


def test_first_instant_after_a_gap_is_the_change_itself() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert first_instant_at_or_after(datetime(2026, 3, 29, 2, 30), paris) == utc(2026, 3, 29, 1)
    assert first_instant_at_or_after(datetime(2026, 10, 25, 2, 30), paris) == utc(2026, 10, 25, 0, 30)
