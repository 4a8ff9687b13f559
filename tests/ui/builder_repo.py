"""What the builder's tests edit: a job of every kind of step, functions with typed arguments, two small databases."""

import sqlite3
from pathlib import Path

from tests.server import lay_out

WORK = '''\
"""Functions of the builder's tests."""
from typing import Literal


def match(month: str, mode: Literal["full", "delta"] = "delta", limit: int = 100, strict: bool = False):
    """Match planes to flights.

    Args:
        month: which month, such as 2013-11
        limit: at most so many
    """
    return {"rows_affected": limit, "month": month, "mode": mode}
'''
JOBS = '''\
# The desk's jobs.
[[jobs]]
name = "board"
[[jobs.steps]]
type = "python"
name = "show"
callable = "flights.work:match"
op_kwargs = { month = "2013-11" }

# Nightly load of New York flights. Owner: data desk.
[[jobs]]
name = "flights-nightly"
app = "reporting"
description = "Flights of one month to the delay board"
tags = ["etl", "nightly"]
schedule = "30 2 * * *"
timezone = "America/New_York"
single_instance = true
timeout_seconds = 1800
catchup = "latest"

[jobs.params]
month_key = "2013-11"
dry_run = false

[jobs.retry]
attempts = 3
backoff = "exponential"
base_seconds = 15

[[jobs.steps]]
type = "sql_copy"
name = "stage-flights"
mode = "overwrite"
batch_size = 10000 # the feed's own
guard = { max_delete_pct = 5 }

[jobs.steps.source]
connector = "feed"
query = """
select * from flights
where month_key = :month_key
"""
params = { month_key = "${params.month_key}" }

[jobs.steps.target]
connector = "warehouse"
table = "flights"

# Tail numbers of the feed have blanks.
[[jobs.steps]]
type = "sql_query"
name = "fix-tailnums"
connector = "warehouse"
query = "update flights set tailnum = trim(tailnum)"

[[jobs.steps]]
type = "python"
name = "match-planes"
callable = "flights.work:match"
op_kwargs = { month = "${params.month_key}", limit = 50 }

[[jobs.steps]]
type = "call_job"
name = "refresh-board"
target_job = "board"
'''
LINE = """
[[jobs]]
name = "{name}" # kept
schedule = "0 6 * * *"
[[jobs.steps]]
type = "python"
name = "one"
callable = "flights.work:match"
op_kwargs = {{ month = "1" }}
# the second
[[jobs.steps]]
type = "python"
name = "two"
callable = "flights.work:match"
op_kwargs = {{ month = "2" }}
[[jobs.steps]]
type = "python"
name = "three"
callable = "flights.work:match"
op_kwargs = {{ month = "3" }}
"""
FLIGHTS = """
CREATE TABLE flights (flight INTEGER PRIMARY KEY, carrier TEXT, tailnum TEXT, dep_delay REAL, month_key TEXT);
"""


LINES = ("order", "sides", "past", "places", "leave", "broken-text")
"""Jobs of three steps, one for each test that changes one."""


def builder_repo(folder: Path) -> Path:
    """An apps repo with a feed of 20 flights and a warehouse that holds 24."""
    config = lay_out(folder, jobs=JOBS + "".join(LINE.format(name=name) for name in LINES))
    work = folder / "plugins" / "flights"
    work.mkdir()
    (work / "__init__.py").write_text("")
    (work / "work.py").write_text(WORK)
    pools = []
    for name, rows in (("feed", 20), ("warehouse", 24)):
        with sqlite3.connect(folder / f"{name}.db") as made:
            made.executescript(FLIGHTS)
            made.executemany(
                "INSERT INTO flights VALUES (?, ?, ?, ?, ?)",
                [(number, "UA", f"N{number:03} ", number / 2, "2013-11") for number in range(rows)],
            )
        made.close()
        pools.append(
            f'[pools.{name}]\nurl = "sqlite+aiosqlite:///{folder}/{name}.db"\n'
            f'[connectors.{name}]\ntype = "sql"\npool = "{name}"\n'
        )
    (config / "connectors.toml").write_text("".join(pools))
    return config
