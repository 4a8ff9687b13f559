"""PostgreSQL goes away in every way it can: the program stays, says so, and goes on where it was."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests import pg
from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess, until
from tests.outage.postgres import BreakablePostgres

LONG = "CHAOS" in os.environ
AWAY_SECONDS = 60.0 if LONG else 10.0
RUNS = 3

PLUGIN = """
def works(ctx):
    mark(ctx, f"began-{ctx.run_id}")
    number = 0
    while not marked(ctx, f"go-{ctx.run_id}"):
        number += 1
        ctx.log.warning("line %d", number)
        time.sleep(0.05)
    mark(ctx, f"did-{ctx.run_id}")
    return {"rows_affected": number, "found": "what took long to find"}

def counts_itself(ctx):
    (Path(ctx.settings.environ["MARKS"]) / f"counted-{ctx.run_id}-{time.monotonic_ns()}").touch()
"""
JOBS = """
[[jobs]]
name = "long"
single_instance = false
[[jobs.steps]]
type = "python"
name = "work"
callable = "work:works"
[[jobs.steps]]
type = "python"
name = "count"
callable = "work:counts_itself"
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[BreakablePostgres]:
    with tempfile.TemporaryDirectory(prefix="nomaflow-outage-") as folder:
        before = pg.OPTIONS["max_connections"]
        pg.OPTIONS["max_connections"] = "60"
        server = BreakablePostgres(Path(folder))
        try:
            server.start()
            yield server
        finally:
            pg.OPTIONS["max_connections"] = before
            server.stop()


FAULTS = {
    "stopped at once and started": (BreakablePostgres.away, 0.0),
    "all backends terminated": (BreakablePostgres.terminated, 0.0),
    "stopped": (BreakablePostgres.away, AWAY_SECONDS),
    "frozen": (BreakablePostgres.frozen, AWAY_SECONDS + 4),
    "read-only": (BreakablePostgres.read_only, AWAY_SECONDS),
    "out of connections": (BreakablePostgres.crowded, AWAY_SECONDS),
}


@pytest.mark.postgresql
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_is_ridden_out(fault: str, postgres: BreakablePostgres, tmp_path: Path) -> None:
    begin, seconds = FAULTS[fault]
    name = "outage_" + "".join(letter if letter.isalnum() else "_" for letter in fault)
    postgres.execute(f"CREATE DATABASE {name}")
    repo = AppsRepo(tmp_path / "repo", pg.url_of(postgres.port, name)).plugin(PLUGIN)
    repo.jobs(JOBS + python_job("quick", "noop", "single_instance = false"))
    with ServerProcess(repo) as server:
        server.until_health("ok", within=15)
        running = [server.start("long") for _ in range(RUNS)]
        for run in running:
            until(lambda run=run: repo.marked(f"began-{run}"), within=15, what=f"{run} to begin")  # type: ignore[misc]
        outage: AbstractContextManager[None] = begin(postgres)
        with outage:
            began = time.monotonic()
            if seconds:
                health = server.until_health("degraded", within=9)
                told = time.monotonic() - began
                assert health["ok"]
                assert health["reasons"]["database"]
                for run in running:  # their steps end while nothing can be stored
                    (repo.marks / f"go-{run}").touch()
                    until(lambda run=run: repo.marked(f"did-{run}"), within=15, what=f"{run} to work")  # type: ignore[misc]
                refused = server.ask("quick")
                assert refused.status_code == 503, refused.text
                assert refused.headers["content-type"] == "application/problem+json"
                time.sleep(max(0.0, seconds - (time.monotonic() - began)))  # the fault
        over = time.monotonic()
        if not seconds:
            for run in running:
                (repo.marks / f"go-{run}").touch()
        ended = [server.ended(run, within=20) for run in running]
        caught_up = time.monotonic() - over
        server.until_health("ok", within=20)
        for run in ended:
            assert (run["status"], run["reason"]) == ("succeeded", None)
            work = run["steps"][0]
            assert work["output"]["found"] == "what took long to find"
            assert len(list(repo.marks.glob(f"counted-{run['run_id']}-*"))) == 1, "each step ran once"
            lines = [line for line in server.lines(run["run_id"]) if line.startswith("line ")]
            assert lines == [f"line {number}" for number in range(1, work["rows_affected"] + 1)]
        assert server.ended(server.start("quick"), within=20)["status"] == "succeeded"
        assert server.alive
        if seconds:
            print(f"\n{fault}: told after {told:.1f} s, all ended {caught_up:.1f} s after it was over")
        said = "".join(server.said)
        assert "Traceback" not in said, said
