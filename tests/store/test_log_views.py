"""Counts and search in a log, bounded by the lines that one request looks at."""

import pytest

from liberty.database import Database
from liberty.jobs.store import log_views, logs
from tests.factories import claimed, line


async def written(database: Database) -> int:
    run, fence = await claimed(database)
    lines = [
        line(number, f"Row {number} 50% of C:\\temp", "ERROR" if number % 10 == 0 else "INFO", step)
        for number in range(1, 41)
        for step in ("first" if number <= 20 else "second",)
    ]
    assert await database.write(logs.append, fence, lines)
    return run.number


async def test_lines_are_counted_by_step_and_level(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await written(database)
    parts = await database.read(log_views.parts, number, 0)
    assert sorted((part.step, part.level, part.count, part.first, part.last) for part in parts) == [
        ("first", "ERROR", 2, 10, 20),
        ("first", "INFO", 18, 1, 19),
        ("second", "ERROR", 2, 30, 40),
        ("second", "INFO", 18, 21, 39),
    ]
    monkeypatch.setattr(log_views, "LOOKED_THROUGH", 15)
    some = await database.read(log_views.parts, number, 10)
    assert sum(part.count for part in some) == 15
    assert (min(part.first for part in some), max(part.last for part in some)) == (11, 25)


@pytest.mark.parametrize(
    ("text", "level", "expected"),
    [
        ("ROW 1", None, [1, *range(10, 20)]),
        ("row 1", "ERROR", [10]),
        ("50%", "WARNING", [10, 20, 30, 40]),
        ("5_%", None, []),
        ("c:\\TEMP", "ERROR", [10, 20, 30, 40]),
        ("nowhere", None, []),
    ],
)
async def test_a_text_is_found_whatever_its_case(
    database: Database, text: str, level: str | None, expected: list[int]
) -> None:
    number = await written(database)
    found = await database.read(log_views.matches, number, text, 0, level=level)
    assert found.lines == expected


async def test_a_search_goes_on_where_it_stopped(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await written(database)
    monkeypatch.setattr(log_views, "LOOKED_THROUGH", 12)
    seen: list[int] = []
    after = 0
    while after < 40:
        found = await database.read(log_views.matches, number, "row", after, level="ERROR", limit=1)
        seen += found.lines
        assert found.searched_to > after
        after = found.searched_to
    assert seen == [10, 20, 30, 40]


async def test_the_shape_tells_level_and_step_of_every_line_and_where_tries_begin(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, fence = await claimed(database)
    started = "step copy · type=python · try 2 of 3"
    lines = [
        line(1, "run started", "INFO", None),
        line(2, "detail", "DEBUG", "copy"),
        line(3, started, "INFO", "copy")._replace(logger="nomaflow"),
        line(4, started, "INFO", "copy")._replace(logger="somebody.else"),
        line(5, "broken", "ERROR", "copy"),
        line(6, "run failed", "WARNING", None),
    ]
    assert await database.write(logs.append, fence, lines)
    whole = await database.read(log_views.shape, run.number, 0)
    assert whole.levels == "IDIIEW"
    assert whole.parts == [(None, 1), ("copy", 4), (None, 1)]
    assert whole.tries == [(3, started)]
    monkeypatch.setattr(log_views, "SHAPED", 2)
    some = await database.read(log_views.shape, run.number, 1)
    assert (some.levels, some.parts) == ("DI", [("copy", 2)])
