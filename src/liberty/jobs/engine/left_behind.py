"""Users' code that did not end when it was told to: what is known of it while it goes on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from liberty.jobs.steps.base import RunContext


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A thread or coroutine whose run has ended without it. `where` is its file and line when this was asked for."""

    kind: Literal["thread", "coroutine"]
    run_id: str
    job: str
    app: str
    step: str
    since: datetime
    where: str


def left_behind(
    kind: Literal["thread", "coroutine"], context: RunContext, since: datetime, where: str
) -> LeftBehind:
    """What a page shows of it."""
    return LeftBehind(kind, context.run_id, context.job_id, context.app, context.step_name, since, where)
