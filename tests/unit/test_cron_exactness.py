"""Every instant of a schedule is right: compared with an oracle that reads cron by itself and walks the clock.

A fixed set of examples by default, in under a minute. `CRON_EXAMPLES=20000 ./test tests/unit/test_cron_exactness.py
--timeout 7200` tries that many new ones per property.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from liberty.errors import Invalid
from liberty.jobs.triggers import between, parse_schedule, preview

EXAMPLES = int(os.environ.get("CRON_EXAMPLES", "0"))
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
FIRST, LAST = datetime(2007, 1, 1, tzinfo=UTC), datetime(2037, 12, 1, tzinfo=UTC)
SLOWEST_CPU_SECONDS = 0.5
"""Of one `next_after`; a few milliseconds are usual. Generous, because the machine may be busy."""

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "America/St_Johns",  # half hours; until 2011 at one minute past midnight
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Chatham",  # 45 minutes
    "Pacific/Apia",  # 30 December 2011 does not exist
    "America/Sao_Paulo",  # gaps at midnight
    "Africa/Casablanca",  # summer time suspended in Ramadan
    "Atlantic/Azores",  # clocks go back to midnight
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Gaza",
    "America/Havana",
    "Africa/Cairo",
    "Antarctica/Troll",  # two hours
    "America/Caracas",  # half an hour for good, in 2007 and 2016
    "Asia/Pyongyang",
    "Asia/Kathmandu",
)


def examples(count: int, share: float = 1.0) -> settings:
    """`count` examples that are always the same, or as many new ones as were asked for."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)) if EXAMPLES else count,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# -- the oracle

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def read_field(text: str, low: int, high: int, names: list[str]) -> set[int]:
    def number(word: str) -> int:
        return names.index(word.upper()) + low if word.upper() in names else int(word)

    found: set[int] = set()
    for term in text.split(","):
        span, slash, step = term.partition("/")
        start, dash, end = span.partition("-")
        if span == "*":
            first, last = low, high
        else:
            first = number(start)
            last = number(end) if dash else high if slash else first
            if names is WEEKDAYS and dash and last == 0 < first:
                last = 7  # a range that ends on Sunday
        found.update(range(first, last + 1, int(step or 1)))
    return found


@dataclass(frozen=True)
class Rule:
    """A cron expression as the manual page of Unix cron explains it."""

    text: str

    @property
    def fields(self) -> list[str]:
        return self.text.split()

    @property
    def fixed(self) -> bool:
        return not self.fields[0].startswith("*") and not self.fields[1].startswith("*")

    @property
    def unit(self) -> timedelta:
        return SECOND if len(self.fields) == 6 else MINUTE

    def sets(self) -> tuple[set[int], ...]:
        minute, hour, day, month, weekday, *second = self.fields
        return (
            read_field(second[0], 0, 59, []) if second else {0},
            read_field(minute, 0, 59, []),
            read_field(hour, 0, 23, []),
            read_field(day, 1, 31, []),
            read_field(month, 1, 12, MONTHS),
            {number % 7 for number in read_field(weekday, 0, 7, WEEKDAYS)},
        )

    def matcher(self) -> "Matcher":
        either = not self.fields[2].startswith("*") and not self.fields[4].startswith("*")
        return Matcher(*self.sets(), either)

    def instants(self, place: ZoneInfo, begin: datetime, end: datetime, warm_up: timedelta) -> list[datetime]:
        """Every instant in (begin, end], by looking at the clock at each minute or second."""
        matches = self.matcher()
        at = begin.replace(second=0, microsecond=0) - warm_up
        latest = wall(at, place)
        found = []
        while at + self.unit <= end:
            at += self.unit
            shown = wall(at, place)
            if not self.fixed:
                hit = matches(shown)
            else:
                # A time counts when the clock first reaches it, or jumps over it.
                hit = shown > latest and (
                    matches(shown) or any(matches(passed) for passed in steps(latest, shown, self.unit))
                )
                latest = max(latest, shown)
            if hit and at > begin:
                found.append(at)
        return found


@dataclass(frozen=True)
class Matcher:
    seconds: set[int]
    minutes: set[int]
    hours: set[int]
    days: set[int]
    months: set[int]
    weekdays: set[int]
    either: bool

    def __call__(self, shown: datetime) -> bool:
        return (
            shown.minute in self.minutes
            and shown.hour in self.hours
            and shown.second in self.seconds
            and self.day(shown)
        )

    def day(self, shown: date) -> bool:
        by_day, by_week = shown.day in self.days, shown.isoweekday() % 7 in self.weekdays
        return shown.month in self.months and ((by_day or by_week) if self.either else (by_day and by_week))


def wall(at: datetime, place: ZoneInfo) -> datetime:
    return at.astimezone(place).replace(tzinfo=None, fold=0)


def steps(after: datetime, before: datetime, unit: timedelta) -> Iterator[datetime]:
    between_them = after + unit
    while between_them < before:
        yield between_them
        between_them += unit


@cache
def changes(zone: str) -> list[datetime]:
    """The instants, to the minute, at which the zone's clock was or will be changed."""
    place = ZoneInfo(zone)
    found = []
    for number in range((LAST - FIRST).days):
        day = FIRST + number * DAY
        if (day + DAY).astimezone(place).utcoffset() != day.astimezone(place).utcoffset():
            found.append(
                next(
                    day + n * MINUTE
                    for n in range(1, 1441)
                    if (day + n * MINUTE).astimezone(place).utcoffset() != day.astimezone(place).utcoffset()
                )
            )
    return found


# -- what is tried


def field(low: int, high: int, likely: st.SearchStrategy[int], names: list[str]) -> st.SearchStrategy[str]:
    number = likely | st.integers(low, high)
    word = number.map(str)
    if names:
        word |= st.sampled_from(names) | st.sampled_from(names).map(str.lower)
    pair = st.tuples(number, number).map(sorted).map(lambda both: f"{both[0]}-{both[1]}")
    step = st.integers(1, 17).map(str)
    stepped = st.tuples(st.just("*") | pair | number.map(str), step).map("/".join)
    term = word | pair | stepped
    return st.one_of(
        word, pair, stepped, st.lists(term | st.just("*"), min_size=2, max_size=3).map(",".join), st.just("*")
    )


MINUTES = field(0, 59, st.sampled_from([0, 30, 59]), [])
HOURS = field(0, 23, st.sampled_from([0, 1, 2, 3, 23]), [])
DAYS = st.just("*") | field(1, 31, st.sampled_from([1, 28, 29, 30, 31]), [])
MONTHS_FIELD = st.just("*") | field(1, 12, st.sampled_from([3, 10]), MONTHS)
WEEKDAYS_FIELD = st.just("*") | field(0, 7, st.sampled_from([0, 7]), WEEKDAYS)
EVERY_DAY = st.tuples(MINUTES, HOURS, st.just("* * *")).map(" ".join)
FIVE = EVERY_DAY | st.tuples(MINUTES, HOURS, DAYS, MONTHS_FIELD, WEEKDAYS_FIELD).map(" ".join)
SIX = st.tuples(EVERY_DAY, field(0, 59, st.sampled_from([0, 30, 59]), [])).map(" ".join)


@st.composite
def nights(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and an instant there, most often shortly before a clock change."""
    zone = draw(st.sampled_from(ZONES))
    anywhen = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)).map(
        lambda at: at.replace(tzinfo=UTC)
    )
    if not changes(zone) or draw(st.integers(0, 4)) == 0:
        return zone, draw(anywhen)
    change = draw(st.sampled_from(changes(zone)))
    return zone, change - draw(st.integers(-3 * 3600, 3 * 3600) | st.integers(-3 * 3600, 20 * 3600)) * SECOND


def loads(text: str, zone: str) -> bool:
    try:
        parse_schedule(text, zone)
    except Invalid:
        return False
    return True


@examples(250)
@given(text=FIVE, night=nights())
@example(text="* 3-3/2 * * *", night=("UTC", datetime(2026, 1, 1, tzinfo=UTC)))
@example(text="0,20,40 2 * * *", night=("Europe/Paris", datetime(2026, 3, 29, 1, tzinfo=UTC)))
@example(text="30 0 * * *", night=("America/Sao_Paulo", datetime(2018, 11, 4, 1, tzinfo=UTC)))
@example(text="*/10 23 * * *", night=("America/St_Johns", datetime(2010, 11, 6, 22, tzinfo=UTC)))
@example(text="59 23 30 12 *", night=("Pacific/Apia", datetime(2011, 12, 30, 0, tzinfo=UTC)))
@example(text="15 0 * * *", night=("Atlantic/Azores", datetime(2026, 10, 24, 20, tzinfo=UTC)))
def test_five_fields_agree_with_walking_minute_by_minute(text: str, night: tuple[str, datetime]) -> None:
    zone, begin = night
    if not loads(text, zone):
        return
    end = begin + 30 * HOUR
    expected = Rule(text).instants(ZoneInfo(zone), begin, end, warm_up=4 * HOUR)
    assert list(between(parse_schedule(text, zone), begin, end)) == expected


@examples(25, share=0.1)
@given(text=SIX, night=nights())
@example(text="0-59 2 * * * *", night=("Europe/Paris", datetime(2026, 3, 29, 0, tzinfo=UTC)))
@example(text="59 1 * * * */7", night=("Australia/Lord_Howe", datetime(2026, 4, 4, 14, tzinfo=UTC)))
def test_seconds_agree_with_walking_second_by_second(text: str, night: tuple[str, datetime]) -> None:
    zone, begin = night
    end = begin + 2 * HOUR
    expected = Rule(text).instants(ZoneInfo(zone), begin, end, warm_up=2 * HOUR + MINUTE)
    schedule = parse_schedule(text, zone)
    found = between(schedule, begin, end)
    if len(expected) > 500:  # every second: the beginning, and around each change
        assert [instant for instant, _ in zip(found, range(500), strict=False)] == expected[:500]
        for change in changes(zone):
            if begin <= change - MINUTE and change + MINUTE <= end:
                near = [at for at in expected if change - MINUTE < at <= change + MINUTE]
                assert list(between(schedule, change - MINUTE, change + MINUTE)) == near
    else:
        assert list(found) == expected


@examples(200)
@given(text=FIVE, night=nights())
def test_a_date_far_ahead_is_the_first_that_matches(text: str, night: tuple[str, datetime]) -> None:
    """Whatever the span: no date between now and the answer matches, and the answer's does."""
    zone, begin = night
    if not loads(text, zone):
        return
    place, matches = ZoneInfo(zone), Rule(text).matcher()
    due = parse_schedule(text, zone).next_after(begin)
    assert due is not None
    assert due > begin
    passed = wall(begin, place).date() + 2 * DAY
    until = wall(due, place).date() - 2 * DAY
    assert not any(matches.day(passed + n * DAY) for n in range(max(0, (until - passed).days)))
    assert parse_schedule(text, zone).next_after(due - SECOND) == due


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Paris", "30 2 * * *"),
        ("America/New_York", "59 1 * * *"),
        ("America/St_Johns", "0 0 * * *"),
        ("Australia/Lord_Howe", "15 2 * * *"),
        ("Pacific/Chatham", "45 2 * * *"),
        ("Pacific/Apia", "30 2 * * *"),
        ("America/Sao_Paulo", "0 0 * * *"),
        ("Africa/Casablanca", "30 2 * * *"),
        ("Atlantic/Azores", "0 0 * * *"),
        ("Asia/Beirut", "59 23 * * *"),
        ("America/Havana", "5 0 * * *"),
    ],
)
def test_a_daily_job_fires_once_on_every_local_date(zone: str, text: str) -> None:
    place = ZoneInfo(zone)
    begin, end = datetime(2008, 1, 1, 12, tzinfo=UTC), datetime(2028, 1, 1, 12, tzinfo=UTC)
    found = list(between(parse_schedule(text, zone), begin, end))
    assert all(earlier < later for earlier, later in pairwise(found))
    dates = Counter(wall(at, place).date() for at in found)
    days = [min(dates) + n * DAY for n in range((max(dates) - min(dates)).days + 1)]
    expected = dict.fromkeys(days, 1)
    if zone == "Pacific/Apia":  # what was due on the day that was left out comes right after it
        del expected[date(2011, 12, 30)]
        expected[date(2011, 12, 31)] = 2
    assert dates == expected


@examples(200)
@given(day=DAYS, month=MONTHS_FIELD, weekday=WEEKDAYS_FIELD)
def test_a_date_that_never_comes_is_refused(day: str, month: str, weekday: str) -> None:
    text = f"0 0 {day} {month} {weekday}"
    *_, days, months, weekdays = Rule(text).sets()
    longest = max((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[number - 1] for number in months)
    possible = min(days) <= longest or Rule(text).matcher().either
    assert weekdays
    assert loads(text, "Europe/Paris") == possible


SLOW = [
    "* * 29 2 */7",
    "* * 29 2 */7 *",
    "*/7 */5 29 2 */6",
    "0-59 2 * * * *",
    "0-59 0-23 * * * *",
    "0 0 29 2 */7",
]


@examples(150)
@given(text=FIVE | SIX | st.sampled_from(SLOW), night=nights())
@example(text="0-59 0-5 * * * *", night=("Pacific/Apia", datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC)))
@example(text="0-59 0-5 * * * *", night=("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)))
@example(text="0-59 2 * * * *", night=("Europe/Paris", datetime(2026, 10, 25, 1, tzinfo=UTC)))
def test_the_next_instant_is_found_at_once(text: str, night: tuple[str, datetime]) -> None:
    zone, begin = night
    if loads(text, zone):
        started = time.process_time()
        parse_schedule(text, zone).next_after(begin)
        assert time.process_time() - started < SLOWEST_CPU_SECONDS


@pytest.mark.parametrize("text", ["* * * * *", "0 2 * * *", "every 15m", "every 7m", "every 2d"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
def test_time_has_an_end(text: str, zone: str) -> None:
    assert parse_schedule(text, zone).next_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) is None


# -- intervals

OF_THE_DAY = st.sampled_from([n for n in range(1, 1441) if 1440 % n == 0])  # minutes


@examples(250)
@given(minutes=OF_THE_DAY, night=nights())
def test_an_interval_counts_from_each_local_midnight(minutes: int, night: tuple[str, datetime]) -> None:
    zone, begin = night
    place, end = ZoneInfo(zone), begin + 30 * HOUR
    at = begin.replace(second=0, microsecond=0) - 30 * HOUR
    latest, midnight, expected = wall(at, place).date(), None, []
    while at + MINUTE <= end:
        at += MINUTE
        today = wall(at, place).date()
        if today > latest:
            latest, midnight = today, at
        if midnight is None or at <= begin:
            continue
        passed = (at - midnight) // MINUTE
        if passed == 0 or (minutes < 1440 and passed % minutes == 0):
            expected.append(at)
    assert list(between(parse_schedule(f"every {minutes}m", zone), begin, end)) == expected


@examples(150)
@given(
    text=st.tuples(st.integers(1, 400), st.sampled_from("smhd")).map(
        lambda pair: f"every {pair[0]}{pair[1]}"
    ),
    night=nights(),
    restarts=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_a_restart_does_not_move_an_interval(
    text: str, night: tuple[str, datetime], restarts: list[float]
) -> None:
    zone, begin = night
    if not loads(text, zone):
        return
    schedule = parse_schedule(text, zone)
    found = [begin, *preview(schedule, begin, 12)]
    for restart in restarts:
        again = begin + (found[-2] - begin) * restart
        assert schedule.next_after(again) == next(at for at in found if at > again)
