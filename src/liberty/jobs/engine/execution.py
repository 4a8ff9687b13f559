"""A run in this process: what it is made from, who owns it, and how it is told to stop."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.run_log import RunLog
from liberty.jobs.job import Job
from liberty.jobs.run import RUNNING, Run, StepRun, Trigger
from liberty.jobs.store.code import Code
from liberty.jobs.store.runs import Fence

type Stop = Literal["abort", "timeout", "shutdown"]


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that waits for a place, with the definition and the generation it was made from.

    `stand_ins` are the records of earlier steps that a replay does not run again. `claimed`: it is ours already.
    """

    run: Run
    job: Job
    generation: Generation
    stand_ins: tuple[StepRun, ...] = ()

    @property
    def claimed(self) -> bool:
        return self.run.status == RUNNING


@dataclass(slots=True)
class Execution:
    """A claimed run. `stop` may be called once; later calls change nothing. Work loop only."""

    run: Run
    queued: Queued
    fence: Fence
    log: RunLog
    task: "asyncio.Task[Run | None]"
    began: float = field(default_factory=time.monotonic)
    stopping: Stop | None = None
    reason: str | None = None
    finishing: bool = False
    current_step: str | None = None
    flushing: "asyncio.Future[None] | None" = None
    code: Code | None = None

    @property
    def job(self) -> Job:
        return self.queued.job

    @property
    def trigger(self) -> Trigger:
        """The trigger as the row tells it."""
        run = self.run
        return Trigger(
            run.trigger, run.triggered_by, run.scheduled_at, run.schedule, run.replay_of, run.parent_chain
        )

    @property
    def generation(self) -> Generation:
        return self.queued.generation

    def stop(self, how: Stop, reason: str) -> bool:
        """Cancel what the run is doing; it ends `aborted` with `reason`. False when it is already ending."""
        if self.stopping is not None or self.finishing:
            return False
        self.stopping = how
        self.reason = reason
        self.task.cancel()
        return True

    def hurry(self) -> None:
        """Wait no longer for code that was told to stop: a second cancel ends every wait for it."""
        if self.stopping is not None and not self.finishing:
            self.task.cancel()

    def is_stopping(self) -> bool:
        """For `ctx.is_cancelled`: readable from any thread."""
        return self.stopping is not None
