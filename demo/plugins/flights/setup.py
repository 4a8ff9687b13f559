"""Builds the demo's operational database: every flight that left New York City in 2013, from the CSV files.

The files in `nycflights13/` hold 'NA' where nothing was recorded; here that becomes NULL. Numbers become integers
and floats, times become UTC timestamps. The file appears under its name only when it is complete.
"""

import csv
import gzip
import os
import sqlite3
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "nycflights13"

# In SQLite the type of a column decides how a value given as text is stored: '517' becomes 517 in an INTEGER column.
TABLES = {
    "airlines": """
        carrier TEXT PRIMARY KEY,
        name TEXT NOT NULL
    """,
    "airports": """
        faa TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        lat REAL NOT NULL,
        lon REAL NOT NULL,
        alt INTEGER NOT NULL,
        tz INTEGER,
        dst TEXT,
        tzone TEXT
    """,
    "planes": """
        tailnum TEXT PRIMARY KEY,
        year INTEGER,
        type TEXT NOT NULL,
        manufacturer TEXT NOT NULL,
        model TEXT NOT NULL,
        engines INTEGER NOT NULL,
        seats INTEGER NOT NULL,
        speed INTEGER,
        engine TEXT NOT NULL
    """,
    "weather": """
        origin TEXT NOT NULL,
        year INTEGER NOT NULL,
        month INTEGER NOT NULL,
        day INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        temp REAL,
        dewp REAL,
        humid REAL,
        wind_dir INTEGER,
        wind_speed REAL,
        wind_gust REAL,
        precip REAL NOT NULL,
        pressure REAL,
        visib REAL NOT NULL,
        time_hour TIMESTAMP NOT NULL,
        PRIMARY KEY (time_hour, origin)
    """,
    "flights": """
        year INTEGER NOT NULL,
        month INTEGER NOT NULL,
        day INTEGER NOT NULL,
        dep_time INTEGER,
        sched_dep_time INTEGER NOT NULL,
        dep_delay INTEGER,
        arr_time INTEGER,
        sched_arr_time INTEGER NOT NULL,
        arr_delay INTEGER,
        carrier TEXT NOT NULL,
        flight INTEGER NOT NULL,
        tailnum TEXT,
        origin TEXT NOT NULL,
        dest TEXT NOT NULL,
        air_time INTEGER,
        distance INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        minute INTEGER NOT NULL,
        time_hour TIMESTAMP NOT NULL,
        PRIMARY KEY (time_hour, carrier, flight)
    """,
}


def ensure_operational_database(*, settings) -> dict:
    """Step: builds the database when it is missing. In real life it would be there, and this step would not."""
    path = settings.paths.apps_repo / "data" / "operational.db"
    built = build_operational_database(path)
    return {"path": path.name, "built": built}


def build_operational_database(path: Path) -> bool:
    """Build the database at `path` unless it is there; tells whether it was built."""
    path = Path(path)
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    try:
        _fill(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _fill(path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        # Nobody reads the file before it is complete, and an interrupted build starts again from nothing.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns})")
            _load(database, table)
        database.execute("COMMIT")
    finally:
        database.close()


def _load(database: sqlite3.Connection, table: str) -> None:
    optional = {
        name for _, name, _, not_null, *_ in database.execute(f"PRAGMA table_info({table})") if not not_null
    }
    with gzip.open(SOURCE / f"{table}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = next(rows)
        values = ", ".join(_value_of(column, column in optional) for column in columns)
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - names of our own files
        database.executemany(insert, rows)


def _value_of(column: str, is_optional: bool) -> str:
    """The SQL that makes a column's value from the text in the file."""
    if column == "time_hour":  # 2013-01-01T10:00:00Z
        return "replace(rtrim(?, 'Z'), 'T', ' ')"
    return "nullif(?, 'NA')" if is_optional else "?"
