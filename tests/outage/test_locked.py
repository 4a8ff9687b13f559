"""Another program holds a lock on the history's file, or an old snapshot of it: nobody who asks notices."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess, intact, until

LONG = "CHAOS" in os.environ
LOCK_SECONDS = 10.0
SNAPSHOT_SECONDS = 30.0 if LONG else 12.0
MIB = 1024 * 1024

PLUGIN = """
def floods(ctx):
    number = 0
    while not marked(ctx, "go"):
        for _ in range(200):
            number += 1
            ctx.log.warning("line %d %s", number, "x" * 100)
        time.sleep(0.02)
"""


def shell(path: Path, statement: str) -> sqlite3.Connection:
    """Another program's connection that has begun."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute(statement)
    return connection


@pytest.mark.timeout(120)
def test_a_write_lock_held_for_ten_seconds_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    repo = AppsRepo(tmp_path / "repo", f"sqlite+aiosqlite:///{path}").plugin("")
    repo.jobs(python_job("quick", "noop", "single_instance = false"))
    with ServerProcess(repo) as server, ThreadPoolExecutor(9) as several:
        server.ended(server.start("quick"), within=10)
        other = shell(path, "BEGIN IMMEDIATE")
        asking = [several.submit(server.ask, "quick") for _ in range(8)]
        command = several.submit(
            subprocess.run,
            [str(Path(sys.executable).with_name("liberty-admin")), "job", "run", "quick"],
            cwd=repo.root,
            env={
                "PATH": os.environ["PATH"],
                "LIBERTY_APPS_DIR": str(repo.root / "config"),
                "LIBERTY_DATA_DIR": str(server.data),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        time.sleep(LOCK_SECONDS)  # the fault
        assert "database" in server.until_health("degraded", within=1)["reasons"]
        assert server.client.get("/admin/jobs/runs").status_code == 200
        assert not any(answer.done() for answer in asking)
        other.execute("ROLLBACK")
        other.close()
        for answer in asking:
            found = answer.result(30)
            assert found.status_code == 202, found.text
            server.ended(found.json()["run_id"], within=20)
        done = command.result(30)
        assert done.returncode == 0, done.stderr
        assert "locked" not in done.stdout + done.stderr
        server.until_health("ok", within=10)


@pytest.mark.timeout(180)
def test_an_old_snapshot_bounds_the_log_that_is_written_ahead(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    wal = tmp_path / "history.db-wal"
    repo = AppsRepo(tmp_path / "repo", f"sqlite+aiosqlite:///{path}").plugin(PLUGIN)
    repo.app(log_truncate_kb=1_000_000)
    repo.jobs(
        python_job("quick", "noop", "single_instance = false")
        + python_job("flood", "floods", "single_instance = false")
    )
    with ServerProcess(repo) as server:
        server.ended(server.start("quick"), within=10)
        reader = shell(path, "BEGIN")
        reader.execute("SELECT count(*) FROM ly2_job_runs").fetchone()
        floods = [server.start("flood") for _ in range(4)]
        largest = 0
        asked: list[str] = []
        stop = threading.Event()

        def watch() -> None:
            nonlocal largest
            while not stop.wait(0.05):
                largest = max(largest, wal.stat().st_size)

        watching = threading.Thread(target=watch)
        watching.start()
        ends = time.monotonic() + SNAPSHOT_SECONDS
        try:
            while time.monotonic() < ends:
                answer = server.ask("quick")
                assert answer.status_code == 202, answer.text
                asked.append(answer.json()["run_id"])
                time.sleep(0.1)  # each run writes some 100 KiB ahead, which nothing can bound
            while_held = largest
            reader.execute("ROLLBACK")
            reader.close()
            until(lambda: wal.stat().st_size <= 36 * MIB, within=20, what="the log to be short again")
        finally:
            stop.set()
            watching.join()
        (repo.marks / "go").touch()
        for run in [*floods, *asked[-20:]]:
            assert server.ended(run, within=60)["status"] == "succeeded"
        print(f"\nwrite-ahead log: {while_held / MIB:.1f} MiB while held, {len(asked)} runs asked for")
        assert while_held <= 64 * MIB
        assert server.stop() == 0
    assert intact(path)
