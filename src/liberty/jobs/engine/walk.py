"""Walks a run's steps in order: who is skipped and why, what each is given, how often it is tried."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from liberty.clock import Clock
from liberty.errors import Invalid, LibertyError, StorageFull
from liberty.jobs.conditions import evaluate
from liberty.jobs.engine import narrate
from liberty.jobs.engine.attempt import StepOutcome, attempt, failure
from liberty.jobs.engine.execution import Execution
from liberty.jobs.engine.progress import StepProgress
from liberty.jobs.engine.retry import delay_before
from liberty.jobs.engine.scope import Scope as LogScope
from liberty.jobs.engine.scope import current_scope
from liberty.jobs.engine.snapshots import snapshot
from liberty.jobs.lookup import Scope, look_up, step_view
from liberty.jobs.params import render_step, run_params, step_params
from liberty.jobs.run import (
    ABORTED,
    FAILED,
    PARTIAL_SUCCESS,
    SKIPPED,
    SUCCEEDED,
    Status,
    StepError,
    StepRun,
)
from liberty.jobs.steps import base
from liberty.jobs.steps.base import Host, RunContext, StepConfig, StepFailed, StepLog
from liberty.jobs.triggers.zones import server_timezone

SHOWN_AFTER_SECONDS = 0.02  # a step that ends sooner is stored once, ended

DISABLED = "skipped: disabled"
EARLIER_FAILED = "skipped: earlier step failed"
NOTHING_FAILED = "skipped: no step failed"
LARGEST_COUNT = 2**63 - 1  # what a column holds; a larger sum of rows stays there
CONDITION = "skipped: condition"
RUN_ABORTED = "skipped: run aborted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ends."""

    status: Status
    reason: str | None = None


class Recorder(Protocol):
    """Where the walk's records go."""

    async def save(self, execution: Execution, steps: list[StepRun], current: str | None) -> None:
        """Store the records as they are; raises when the run is no longer ours."""
        ...


class Walk:
    """One pass over the steps of one run."""

    def __init__(
        self, execution: Execution, host: Host, recorder: Recorder, clock: Clock, log: StepLog
    ) -> None:
        self._execution = execution
        self._host = host
        self._recorder = recorder
        self._clock = clock
        self._log = log
        self._job = execution.job
        self._overrides = execution.run.overrides
        self._records: dict[str, StepRun] = {}
        self._views: dict[str, Mapping[str, Any]] = {}
        self._params: dict[str, Any] = {}
        self._failed = False
        self._partial = False
        self._previous_rows: int | None = None
        self._open: StepProgress | None = None
        self.unsaved: list[StepRun] = []
        self.rows_affected: int | None = None

    async def run(self) -> Verdict:
        """Run every step that is due; the verdict for the run. Cancellation passes through."""
        run = self._execution.run
        if self._job.params or self._job.param_specs or run.params:
            self._params = run_params(self._job, run.params, self._overrides, self._scope())
        stand_ins = {record.name: record for record in self._execution.queued.stand_ins}
        for index, step in enumerate(self._job.steps):
            if step.name in stand_ins:
                self._keep(replace(stand_ins[step.name], index=index))
                continue
            reason = self._why_skipped(step)
            if reason is not None:
                self._skip(index, step, reason)
                continue
            status = await self._step(index, step)
            if _stopped_too_late():
                raise asyncio.CancelledError
            if status == ABORTED:
                self.skip_rest(RUN_ABORTED)
                return Verdict(ABORTED, f"cancelled by step {step.name!r}")
        if self._failed:
            return Verdict(FAILED)
        return Verdict(PARTIAL_SUCCESS if self._partial else SUCCEEDED)

    def abandon(self, reason: str) -> None:
        """The run was stopped: the step in progress ends `aborted`, the later ones did not run."""
        if self._open is not None:
            now = self._clock.now()
            self._open.try_ended(ABORTED, now)
            self._keep(self._open.record(ABORTED, reason=reason, finished_at=now))
            self._open = None
        self.skip_rest(RUN_ABORTED)

    def skip_rest(self, reason: str) -> None:
        for index, step in enumerate(self._job.steps):
            if step.name not in self._records:
                self._skip(index, step, reason, quiet=True)

    def _why_skipped(self, step: StepConfig) -> str | None:
        if not self._overrides.step_enabled.get(step.name, step.enabled):
            return DISABLED
        if self._failed and step.run_on == "success":
            return EARLIER_FAILED
        if not self._failed and step.run_on == "failure":
            return NOTHING_FAILED
        return None

    def _skip(self, index: int, step: StepConfig, reason: str, *, quiet: bool = False) -> None:
        record = StepRun(index, step.name, step.type, SKIPPED, reason, (), None, None, None, None, None, None)
        self._keep(record)
        if not quiet:
            narrate.step_skipped(step, reason)

    def _keep(self, stored: StepRun, output: object = None) -> None:
        """Note a step's final record: as stored, and with its whole output for later steps."""
        self.unsaved.append(stored)
        whole = replace(stored, output=output) if output is not None else stored  # type: ignore[arg-type]  # in memory only
        self._records[stored.name] = whole
        self._views[stored.name] = step_view(
            stored.status,
            whole.output,
            rows_affected=stored.rows_affected,
            error=stored.error.message if stored.error else None,
        )
        if stored.rows_affected is not None:
            total = (self.rows_affected or 0) + stored.rows_affected
            self.rows_affected = max(-LARGEST_COUNT, min(total, LARGEST_COUNT))
        if stored.status != SKIPPED:
            self._previous_rows = stored.rows_affected

    def _scope(self, step: str | None = None, kwargs: Mapping[str, Any] | None = None) -> Scope:
        run = self._execution.run
        return Scope(
            job=run.job,
            now=self._clock.now(),
            app=run.app,
            timezone=self._job.timezone or server_timezone(),
            run_id=run.run_id,
            trigger=run.trigger,
            scheduled_at=run.scheduled_at,
            started_at=run.started_at,
            session_user=self._execution.trigger.session_user,
            step=step,
            params=self._params,
            kwargs=kwargs,
            steps=self._views,
            environ=self._execution.generation.settings.environ or os.environ,
        )

    async def _step(self, index: int, step: StepConfig) -> Status:
        scope = self._scope(step.name)
        self._execution.current_step = step.name
        log_scope = LogScope(self._execution.log, step.name)
        current_scope.set(log_scope)
        progress = StepProgress(index, step, self._clock.now())
        try:
            if step.condition is not None and not evaluate(
                step.condition, lambda token: look_up(token, scope)
            ):
                self._skip(index, step, CONDITION)
                return SKIPPED
            params, explicit = step_params(step, self._params, self._overrides, scope)
            rendered = render_step(step, replace(scope, kwargs=params) if params else scope)
            given = _input_of(rendered, params)
            progress.input = snapshot(given) if given else given
        except Invalid as error:
            return self._close(progress, failure(error), 0.0)
        finally:
            current_scope.set(log_scope)
        return await self._try(rendered, progress, self._context(index, step, params, explicit))

    def _context(
        self, index: int, step: StepConfig, params: dict[str, Any], explicit: frozenset[str]
    ) -> RunContext:
        run, trigger = self._execution.run, self._execution.trigger
        fire = f"{run.schedule}:{run.scheduled_at.isoformat()}" if run.scheduled_at else run.run_id
        return RunContext(
            run_id=run.run_id,
            job_id=run.job,
            trigger=trigger,
            app=run.app,
            step_name=step.name,
            step_index=index,
            log_level=self._overrides.log_level or self._job.log_level,
            params=params,
            explicit=explicit,
            prev_rows_affected=self._previous_rows,
            parent_chain=list(run.parent_chain),
            idempotency_key=f"{run.job}:{fire}:{step.name}",
            log=self._log,
            previous=self._records,
            cancelled=self._execution.is_stopping,
            host=self._host,
        )

    async def _try(self, rendered: StepConfig, progress: StepProgress, ctx: RunContext) -> Status:
        step = progress.step
        policy = self._job.retry_of(step)
        number = 1
        while True:
            progress.current = (number, self._clock.now())
            clock = time.monotonic()
            narrate.try_started(step, number, policy.attempts)
            # A try of its own: what `attempt` sets in the context must not outlive it.
            outcome = await self._attempt(rendered, progress, replace(ctx, attempt=number))
            seconds = time.monotonic() - clock
            if outcome.status != FAILED or number >= policy.attempts or outcome.kind not in policy.retry_on:
                break
            number += 1
            wait = delay_before(number, policy) * base.backoff_scale
            progress.try_ended(outcome.status, self._clock.now(), outcome.error, wait)
            narrate.step_ended(step, outcome, seconds, None)
            narrate.retry_scheduled(step, number, policy.attempts, wait)
            self._open = progress
            await self._save([progress.record()], step.name)
            await asyncio.sleep(wait)
        self._open = None
        return self._close(progress, outcome, seconds)

    async def _attempt(self, rendered: StepConfig, progress: StepProgress, ctx: RunContext) -> StepOutcome:
        """One try. A record that says the step runs is stored once it has run for `SHOWN_AFTER_SECONDS`."""
        self._open = progress
        opening: list[asyncio.Task[None]] = []

        def show() -> None:
            saving, self.unsaved = [*self.unsaved, progress.record()], []
            opening.append(asyncio.create_task(self._save(saving, progress.step.name)))

        timer = asyncio.get_running_loop().call_later(SHOWN_AFTER_SECONDS, show)
        try:
            return await attempt(rendered, ctx)
        finally:
            timer.cancel()
            self._execution.log.finish_lines()
            if opening:
                await _to_its_end(opening[0])

    async def _save(self, records: list[StepRun], current: str) -> None:
        """Store records now, or, on a full disk, with the later ones: a step does not wait for space."""
        try:
            await self._recorder.save(self._execution, records, current)
        except StorageFull:
            self.unsaved = [*records, *self.unsaved]

    def _close(self, progress: StepProgress, outcome: StepOutcome, seconds: float) -> Status:
        step, now = progress.step, self._clock.now()
        output: object = None
        if outcome.result is not None:
            try:
                progress.keep(outcome.result)
                output = outcome.result.output
                if output is None:
                    output = outcome.result.extras or None
            except LibertyError as error:
                outcome = failure(
                    StepFailed(f"the result of step {step.name!r} cannot be stored: {error.message}")
                )
        if progress.current is None and not progress.tried:
            progress.current = (1, now)
        progress.try_ended(outcome.status, now, outcome.error)
        reason = _reason(outcome.error)
        self._keep(
            progress.record(outcome.status, reason=reason, finished_at=now, error=outcome.error), output
        )
        narrate.step_ended(step, outcome, seconds, progress.rows_affected)
        if outcome.status == FAILED:
            self._partial = self._partial or step.continue_on_error
            self._failed = self._failed or not step.continue_on_error
        return outcome.status


def _stopped_too_late() -> bool:
    """The step was past the point of no return when it was told to stop: it counts as it ended, the run stops here."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _to_its_end(saving: "asyncio.Task[None]") -> None:
    """Wait for a write even when cancelled meanwhile: the run's end must not overtake the records in it."""
    cancelled = False
    while not saving.done():
        try:
            await asyncio.wait((saving,))
        except asyncio.CancelledError:
            cancelled = True
    saving.result()
    if cancelled:
        raise asyncio.CancelledError


def _reason(error: StepError | None) -> str | None:
    return error.message if error is not None and error.type == "TimeoutError" else None


def _input_of(step: StepConfig, params: dict[str, Any]) -> dict[str, Any]:
    """What a reader wants to see: a python step's arguments, any other step's keys after substitution."""
    if step.type == "python":
        return params
    own = step.model_dump(exclude=set(step.structural), exclude_unset=True, by_alias=True, warnings=False)
    return {**own, "params": {**own.get("params", {}), **params}} if params else own
