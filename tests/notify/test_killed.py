"""`kill -9` right after a run's end: no incident is lost, none is told twice."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import AppsRepo, eventually
from tests.notify.conftest import Hook
from tests.notify.test_events import PLUGIN, hooked, job

KILLS = 6

DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from liberty.jobs.events import RunMoved
from tests.factories import AppsRepo

async def main():
    repo = AppsRepo.__new__(AppsRepo)
    repo.root, repo.keys = Path(sys.argv[1]), {}
    async with repo.running("server") as program:
        with program.runtime.bus.subscribe(RunMoved) as moved:
            await program.start(sys.argv[2])
            async for event in moved:
                if event.run.status.final:
                    await asyncio.sleep(float(sys.argv[3]))
                    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.timeout(180)
async def test_killed_servers_lose_and_repeat_nothing(repo: AppsRepo, hook: Hook) -> None:
    names = [f"job-{number}" for number in range(KILLS)]
    repo.plugin(PLUGIN).jobs("".join(job(name, "fails") for name in names)).notifications(hooked(hook))
    repo.marks.mkdir()
    root = Path(__file__).parents[2]
    for number, name in enumerate(names):
        words = [sys.executable, "-c", DIES, str(repo.root), name, str(number * 0.004)]
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == -9, done.stderr
    async with repo.running("server") as program:
        await eventually(
            lambda: set(names) <= {item["job"] for body in hook.bodies for item in body["items"]}
        )
        await settled_or_claimed(program.repo)
    messages: dict[str, set[str]] = {}
    for request, body in zip(hook.requests, hook.bodies, strict=True):
        for item in body["items"]:
            messages.setdefault(item["job"], set()).add(request.headers["Idempotency-Key"])
    assert {name: len(keys) for name, keys in messages.items()} == dict.fromkeys(names, 1)
    with sqlite3.connect(repo.database_url.split("///")[1]) as rows:
        assert dict(rows.execute("SELECT job, count(*) FROM ly2_incidents GROUP BY job")) == dict.fromkeys(
            names, 1
        )


async def settled_or_claimed(repo: AppsRepo) -> None:
    """Return when every event has become an incident; a message that died with its sender waits for its claim."""

    def taken() -> bool:
        with sqlite3.connect(repo.database_url.split("///")[1]) as rows:
            return rows.execute("SELECT count(*) FROM ly2_alert_events WHERE done_at IS NULL").fetchone() == (
                0,
            )

    await eventually(taken)
