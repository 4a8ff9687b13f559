"""The disk with the run history is full: nothing is promised that cannot be kept, and what runs is ended."""

import re

import pytest

from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess, SmallDisk, intact, until

PLUGIN = """
def chats(ctx):
    mark(ctx, f"began-{ctx.run_id}")
    number = 0
    while not marked(ctx, "go"):
        for _ in range(10):
            number += 1
            ctx.log.warning("line %d", number)
        time.sleep(0.05)
    return {"rows_affected": number}
"""
RUNS = 3


@pytest.mark.timeout(180)
def test_a_full_disk_refuses_new_runs_sheds_logs_and_ends_what_runs(disk: SmallDisk) -> None:
    database = disk.folder / "history.db"
    repo = AppsRepo(disk.folder.parent / "repo", f"sqlite+aiosqlite:///{database}").plugin(PLUGIN)
    repo.jobs(
        python_job("quick", "noop", "single_instance = false")
        + python_job("chatty", "chats", "single_instance = false")
    )
    with ServerProcess(repo) as server:
        server.until_health("ok", within=10)
        until((disk.folder / "history.db-ballast").exists, within=10, what="the ballast")
        running = [server.start("chatty") for _ in range(RUNS)]
        for run in running:
            until(lambda run=run: repo.marked(f"began-{run}"), within=10, what=f"{run} to begin")  # type: ignore[misc]

        disk.fill(server)
        promised = []
        refused = 0
        while refused < 20:
            answer = server.ask("quick")
            if answer.status_code == 202:
                promised.append(answer.json()["run_id"])
                assert len(promised) < 3000, "the disk does not fill"
                continue
            assert answer.status_code in (507, 503), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] in ("storage_full", "unavailable")
            refused += 1
        assert answer.status_code == 507
        health = server.until_health("degraded", within=8)
        assert health["ok"]
        assert "full" in health["reasons"]["database"]

        (repo.marks / "go").touch()
        if disk.mounted:  # the space kept back is enough to end them while nothing else can be written
            ended = [server.ended(run, within=20) for run in running]
            assert server.health()["status"] == "degraded"
            assert not (disk.folder / "history.db-ballast").exists()
            assert server.ask("quick").status_code == 507
        disk.free(server)
        ended = [server.ended(run, within=20) for run in running]
        assert server.alive
        server.until_health("ok", within=15)
        until((disk.folder / "history.db-ballast").exists, within=10, what="the ballast")
        for run in ended:
            assert run["status"] == "succeeded"
            lines = server.lines(run["run_id"])
            kept = [line for line in lines if line.startswith("line ")]
            cut = [re.match(r"log cut: (\d+) lines dropped here: the disk", line) for line in lines]
            dropped = [int(found.group(1)) for found in cut if found]
            emitted = run["rows_affected"]
            assert len(kept) + sum(dropped) - emitted in range(5), (len(kept), dropped, emitted)
            assert run["log_dropped"] == sum(dropped)
            assert kept[-1] == f"line {emitted}"
            if disk.mounted:
                assert len(dropped) == 1
        for promise in promised:
            server.ended(promise, within=20)
        server.ended(server.start("quick"), within=10)
        assert server.stop() == 0
    assert intact(database)
