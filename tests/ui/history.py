"""Past runs for pages to show, written into the store as they would stand there: one letter for each due instant."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert

from liberty.database import Tx
from liberty.jobs.store.tables import runs
from tests.server import Server

_STATUS = {"f": "failed", "p": "partial-success", "a": "aborted"}
_REASON = {
    "m": "missed: no scheduler was running",
    "h": "skipped: paused by user:alice",
    "k": "single-instance, previous still running",
    "f": "step say: ValueError: no such airport",
    "a": "aborted by user:alice",
}


def remember(
    server: Server,
    job: str,
    letters: str,
    *,
    app: str = "hello",
    every: timedelta = timedelta(hours=1),
    seconds: Sequence[float] = (20,),
    key: str | None = "main",
    until: datetime | None = None,
) -> None:
    """Runs of `job`, the last one due just before `until` (now). Letters are those of `due_instants.OUTCOMES`."""
    end = until or datetime.now(UTC)
    rows = []
    for index, letter in enumerate(letters):
        due = end - every * (len(letters) - index)
        ran = letter not in "mhkq"
        late = timedelta(minutes=5 if letter == "l" else 0)
        begun = due + late if ran else None
        took = timedelta(seconds=seconds[index % len(seconds)])
        rows.append(
            {
                "job": job,
                "app": app,
                "status": _STATUS.get(letter, "succeeded" if ran else "skipped"),
                "reason": _REASON.get(letter),
                "trigger": "cron" if key else "manual",
                "triggered_by": "cron" if key else "user:alice",
                "schedule": key,
                "scheduled_at": due if key else None,
                "queued_at": begun or due,
                "started_at": begun,
                "finished_at": due if begun is None else begun + took,
                "rows_affected": 1 if ran else None,
                "params": json.dumps({}),
                "exclusive": False,
                "caught_up": letter == "c",
            }
        )
    server.lane.submit(server.runtime.database.write(_write, rows)).result(20)


async def _write(tx: Tx, rows: list[dict[str, Any]]) -> None:
    await tx.many(insert(runs).values({name: bindparam(name) for name in rows[0]}), rows)
