"""`kill -9` of a server under load, again and again: what was answered is there, and the file is sound."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess, intact

KILLS = 300 if "CHAOS" in os.environ else 15
READY_SECONDS = 5.0 if "CHAOS" in os.environ else 15.0  # a shared machine is slower
PARALLEL = 20

PLUGIN = """
def floods(ctx):
    while True:
        for number in range(100):
            ctx.log.warning("line %d %s", number, "x" * 80)
        time.sleep(0.01)

async def pauses():
    await asyncio.sleep(0.2)
"""


def ask_until_killed(server: ServerProcess, name: str) -> dict[str, str]:
    """The runs that were promised, by their keys."""
    promised: dict[str, str] = {}
    while True:
        key = f"{name}-{len(promised)}"
        try:
            answer = server.ask("quick", **{"Idempotency-Key": key})
        except httpx.HTTPError:
            return promised
        assert answer.status_code == 202, answer.text
        promised[key] = answer.json()["run_id"]


@pytest.mark.timeout(60 + KILLS * 12)
def test_no_answer_is_lost_and_the_file_is_sound_however_often_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    repo = AppsRepo(tmp_path / "repo", f"sqlite+aiosqlite:///{path}").plugin(PLUGIN)
    repo.app(log_truncate_kb=100_000, max_concurrent_runs=4)
    repo.jobs(
        python_job("quick", "pauses", "single_instance = false")
        + python_job("flood", "floods", "single_instance = false", timeout_seconds=3)
    )
    seed = int(time.time())
    print(f"\nseed {seed}")
    dice = random.Random(seed)
    by_key: dict[str, str] = {}
    slowest = 0.0
    for turn in range(KILLS):
        with ServerProcess(repo) as server:
            slowest = max(slowest, server.until_ready())
            for key, run in dice.sample(sorted(by_key.items()), min(5, len(by_key))):
                answer = server.ask("quick", **{"Idempotency-Key": key})
                assert answer.json()["run_id"] == run, "the same key is the same run after a crash too"
            server.start("flood")
            with ThreadPoolExecutor(4) as workers:
                answers = [
                    workers.submit(ask_until_killed, server, f"{turn}-{worker}") for worker in range(4)
                ]
                time.sleep(dice.uniform(0.05, 0.8))  # when it is killed is up to chance
                server.kill()
            for answered in answers:
                by_key |= answered.result()
        assert intact(path)
    promised = set(by_key.values())
    with ServerProcess(repo) as server:
        missing = [run for run in promised if server.client.get(f"/admin/jobs/runs/{run}").status_code != 200]
        assert missing == []
        print(f"{KILLS} kills, {len(promised)} runs promised, slowest start {slowest:.1f} s")
        assert len(promised) == len(by_key)
        assert slowest <= READY_SECONDS
        assert server.stop() == 0


@pytest.mark.timeout(120)
def test_a_run_that_was_just_answered_outlives_a_kill(tmp_path: Path, database_url: str) -> None:
    repo = AppsRepo(tmp_path / "repo", database_url).plugin("")
    repo.jobs(python_job("quick", "noop", "single_instance = false"))
    previous: tuple[str, str] | None = None
    for pause in (0.0, 0.01, 0.05):
        with ServerProcess(repo) as server:
            if previous is not None:
                key, run = previous
                answer = server.ask("quick", **{"Idempotency-Key": key})
                assert answer.json()["run_id"] == run
                assert server.ended(run, within=20)["job"] == "quick"
            key = f"key-{pause}"
            answer = server.ask("quick", **{"Idempotency-Key": key})
            time.sleep(pause)  # 0 to 50 ms after the answer
            server.kill()
            assert answer.status_code == 202
            previous = (key, answer.json()["run_id"])


@pytest.mark.timeout(60)
def test_twenty_requests_with_one_key_at_once_are_one_run(tmp_path: Path, database_url: str) -> None:
    repo = AppsRepo(tmp_path / "repo", database_url).plugin("")
    repo.jobs(python_job("quick", "noop", "single_instance = false"))
    with ServerProcess(repo) as server, ThreadPoolExecutor(PARALLEL) as several:
        asking = [several.submit(server.ask, "quick", **{"Idempotency-Key": "one"}) for _ in range(PARALLEL)]
        answers = [asked.result(30) for asked in asking]
        assert {answer.status_code for answer in answers} <= {200, 202}
        assert len({answer.json()["run_id"] for answer in answers}) == 1
        assert len(server.client.get("/admin/jobs/runs", params={"job": "quick"}).json()["items"]) == 1
