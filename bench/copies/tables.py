"""The tables that are copied: ten mixed columns of any length, and the flights of 2013."""

import csv
import gzip
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.postgres import libpq

FLIGHTS = Path(__file__).resolve().parents[2] / "demo" / "nycflights13" / "flights.csv.gz"


@dataclass(frozen=True, slots=True)
class Sample:
    """A table in PostgreSQL's types, in SQLite's, and in those a peer without a catalogue knows."""

    name: str
    typed: str
    sqlite: str
    plain: str
    rows: int

    def values(self) -> Iterator[Sequence[Any]]:
        """The rows as SQLite keeps them."""
        return _flights() if self.name == "flights" else _mixed(self.rows)


def mixed(rows: int) -> Sample:
    return Sample(
        "mixed",
        "id bigint PRIMARY KEY, a int, name text, note varchar(40), price numeric(12,2), ratio double precision, "
        "ok boolean, day date, at timestamp, uid uuid",
        "id INTEGER PRIMARY KEY, a INTEGER, name TEXT, note VARCHAR(40), price NUMERIC(12,2), ratio DOUBLE, "
        "ok BOOLEAN, day DATE, at DATETIME, uid UUID",
        "id bigint, a bigint, name text, note text, price double precision, ratio double precision, ok bigint, "
        "day text, at text, uid text",
        rows,
    )


def flights() -> Sample:
    whole = [
        "year",
        "month",
        "day",
        "dep_time",
        "sched_dep_time",
        "dep_delay",
        "arr_time",
        "sched_arr_time",
        "arr_delay",
    ]
    texts = ["carrier", "flight", "tailnum", "origin", "dest"]
    more = ["air_time", "distance", "hour", "minute"]

    def declared(number: str, text: str, moment: str) -> str:
        kinds = dict.fromkeys([*whole, *more, "flight"], number) | {
            name: text for name in texts if name != "flight"
        }
        return (
            ", ".join(f"{name} {kinds[name]}" for name in [*whole, *texts, *more]) + f", time_hour {moment}"
        )

    return Sample(
        "flights",
        declared("int", "text", "timestamptz"),
        declared("INTEGER", "TEXT", "TIMESTAMPTZ"),
        declared("bigint", "text", "text"),
        sum(1 for _ in _flights()),
    )


def _mixed(rows: int) -> Iterator[Sequence[Any]]:
    for i in range(1, rows + 1):
        note = f"note {i % 99}" if i % 7 else None
        day = f"20{i % 30:02d}-{1 + i % 12:02d}-{1 + i % 28:02d}"
        moment = f"{day} {i % 24:02d}:{i % 60:02d}:{i % 59:02d}"
        uid = f"{i * 2654435761 % 2**32:08x}-0000-4000-8000-{i:012x}"
        yield i, i % 1000, f"name {i}", note, i / 100, i / 7, i % 2, day, moment, uid


def _flights() -> Iterator[Sequence[Any]]:
    with gzip.open(FLIGHTS, "rt", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            # What is missing is empty or NA; moments are written as they come back.
            row[-1] = row[-1].replace("T", " ").replace("Z", "+00:00")
            yield [None if value in ("", "NA") else value for value in row]


def make_sqlite(file: Path, sample: Sample, *, fill: bool) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"DROP TABLE IF EXISTS {sample.name}")
        connection.execute(f"CREATE TABLE {sample.name} ({sample.sqlite})")
        if fill:
            marks = ", ".join("?" * len(next(iter(sample.values()))))
            connection.executemany(f"INSERT INTO {sample.name} VALUES ({marks})", sample.values())
        connection.commit()


async def make_postgresql(url: str, sample: Sample, declared: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(libpq(url))
    try:
        await connection.execute(f"DROP TABLE IF EXISTS {sample.name}")
        await connection.execute(f"CREATE TABLE {sample.name} ({declared})")
    finally:
        await connection.close()
