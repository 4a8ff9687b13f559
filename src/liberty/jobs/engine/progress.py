"""A step while it runs: what is known of it so far, and the record that says so."""

from dataclasses import dataclass, field
from datetime import datetime

from liberty.jobs.engine.snapshots import snapshot
from liberty.jobs.run import RUNNING, Attempt, Json, Status, StepError, StepRun
from liberty.jobs.steps.base import StepConfig, StepResult


@dataclass(slots=True)
class StepProgress:
    """Changes as the step goes on; `record` is made only when somebody is to see it, as it costs more than the rest."""

    index: int
    step: StepConfig
    started_at: datetime
    input: Json = None
    output: Json = None
    rows_affected: int | None = None
    tried: list[Attempt] = field(default_factory=list)
    current: tuple[int, datetime] | None = None
    """Number and start of the try in progress."""

    def try_ended(
        self, status: Status, at: datetime, error: StepError | None = None, wait_seconds: float | None = None
    ) -> None:
        """The try in progress has ended; `wait_seconds` passes until the next one."""
        if self.current is not None:
            number, started = self.current
            self.tried.append(Attempt(number, status, started, at, error, wait_seconds))
            self.current = None

    def keep(self, result: StepResult) -> None:
        """Take in what is stored of a result. Raises Invalid for what JSON cannot hold."""
        extras = result.extras or None
        if extras is None and result.rows_affected is not None:
            extras = {"rows_affected": result.rows_affected}
        self.rows_affected = result.rows_affected
        self.output = snapshot(extras) if extras is not None else None

    def record(
        self,
        status: Status = RUNNING,
        *,
        reason: str | None = None,
        finished_at: datetime | None = None,
        error: StepError | None = None,
    ) -> StepRun:
        """The step as it is now."""
        tried = self.tried
        if self.current is not None:
            number, started = self.current
            tried = [*tried, Attempt(number, RUNNING, started, None)]
        return StepRun(
            self.index,
            self.step.name,
            self.step.type,
            status,
            reason,
            tuple(tried),
            self.started_at,
            finished_at,
            self.rows_affected,
            self.input,
            self.output,
            error,
        )
