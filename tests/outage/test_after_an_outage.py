"""After an outage nobody is taken for dead whose heartbeat could not be stored either."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from liberty.database import Database
from liberty.jobs.engine.replica import this_process
from liberty.jobs.store import replicas, runs
from tests.factories import AppsRepo, claimed, eventually, python_job
from tests.outage.faults import LostAnswers, losing

LONG_AGO = timedelta(minutes=5)
TIME_TO_BEAT = timedelta(seconds=1)


async def beat_at(database: Database, replica: str) -> datetime:
    return next(one.beat_at for one in await database.read(replicas.everyone) if one.id == replica)


@pytest.mark.parametrize("lives", [True, False])
async def test_another_replica_gets_the_time_to_show_that_it_lives(
    lives: bool, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.jobs.engine.presence.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("liberty.jobs.engine.presence.DEAD_AFTER", TIME_TO_BEAT)
    repo = AppsRepo(tmp_path / "repo", database_url).plugin("").jobs(python_job("quick", "noop"))
    with losing(monkeypatch, "before", frozenset({"_beat"})) as made:
        async with repo.running() as program:
            lossy: LostAnswers = made[0]
            mine = program.runtime.engine.replica
            lossy.armed = lossy.always = True
            before = datetime.now(UTC)
            other = replace(
                this_process("server", "1", before - LONG_AGO), id="elsewhere-1", host="elsewhere"
            )
            await lossy.real.write(replicas.register, other)
            run, _ = await claimed(lossy.real, owner=other.id)
            lost = lossy.lost["_beat"]
            await eventually(lambda: lossy.lost["_beat"] > lost + 2, what="heartbeats to be lost")
            lossy.armed = False
            over = datetime.now(UTC)

            async def beaten_since() -> bool:
                return await beat_at(lossy.real, mine) > over

            await eventually(beaten_since)
            if lives:
                await lossy.real.write(replicas.beat, other.id, datetime.now(UTC))

            async def judged() -> bool:
                return await beat_at(lossy.real, mine) > over + 2 * TIME_TO_BEAT

            await eventually(judged)
            found = await lossy.real.read(runs.get, run.number)
            assert found is not None
            assert str(found.status) == ("running" if lives else "failed")
