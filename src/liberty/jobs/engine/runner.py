"""Runs one claimed run from its first step to its final row. The only code that moves a running run."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from liberty.bus import Bus
from liberty.clock import Clock
from liberty.database import Database, Duplicate, Tx, essential
from liberty.errors import LibertyError, StorageFull, Unavailable
from liberty.etl.current_run import current_run_id
from liberty.jobs.engine import narrate
from liberty.jobs.engine.capture import capture
from liberty.jobs.engine.code_seen import CodeSeen
from liberty.jobs.engine.courtesy import courtesy
from liberty.jobs.engine.execution import Execution, Queued, Stop
from liberty.jobs.engine.persist import persist, persist_unless_full
from liberty.jobs.engine.plugin_loop import PluginLoop
from liberty.jobs.engine.run_log import RunLog, shed
from liberty.jobs.engine.scope import Scope, current_scope
from liberty.jobs.engine.stats import InFlight
from liberty.jobs.engine.step_host import ChildCaller, StepHost
from liberty.jobs.engine.step_threads import StepThreads
from liberty.jobs.engine.walk import Verdict, Walk
from liberty.jobs.events import LogGrew, RunMoved, StepMoved, StepProgressed
from liberty.jobs.job import Job
from liberty.jobs.marks import CopyMark
from liberty.jobs.run import ABORTED, ABORTING, FAILED, LogLine, Run, Status, StepRun
from liberty.jobs.steps.base import RunContext, StepLog
from liberty.jobs.store import alert_events, logs, marks, queue, retention, runs, step_runs
from liberty.jobs.store import code as code_store
from liberty.jobs.store.code import Code
from liberty.jobs.store.queue import Turn
from liberty.jobs.store.runs import Fence
from liberty.settings import Settings

BUSY_TRIES = 20
BUSY_SECONDS = (0.002, 0.02)  # between two questions at a gate where somebody else asks too
TURN_SECONDS = 0.5  # between two questions of a run that does not wait in the dispatcher
POLITE_LINES = 100  # of a log stored at once while other runs want to store something too
FULL_DISK_PAUSE_SECONDS = 1.0
"""Between attempts to store log lines while the disk is full; until then they wait in memory, within their limit."""

_log = logging.getLogger("nomaflow")


class NotOurs(Exception):  # noqa: N818 - a signal to stop writing, not a failure
    """The run's row no longer names this owner and epoch, or is final."""


class Runner:
    """Executes runs on the work loop and knows those in flight."""

    def __init__(self, *, database: Database, clock: Clock, bus: Bus, owner: str, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self.owner = owner
        self.threads = StepThreads(settings.jobs.sync_threads, settings.jobs.max_abandoned_threads)
        self.plugin_loop = PluginLoop()
        self._code = CodeSeen()
        self.active: dict[int, Execution] = {}
        self._claiming: dict[int, tuple[Stop, str] | None] = {}
        self._logs_wait_until = 0.0
        self.call_child: ChildCaller | None = None
        self.tells: Callable[[Job, Status], bool] = lambda _job, _status: False

    async def execute(self, queued: Queued, steps_ended: Callable[[], None] = lambda: None) -> Run | None:
        """Claim and run; the final row, or None when the run was taken or ended by someone else.

        `steps_ended` is called when no step runs any more and only the end remains to be stored.
        """
        number = queued.run.number
        self.expect(number)
        run: Run | None = queued.run
        try:
            if not queued.claimed:
                run = await self._claim(queued.run)
        finally:
            # It may have been offered twice, from here and from the queue; whoever is second finds it taken.
            stop = self._claiming.pop(number, None)
        task = asyncio.current_task()
        if run is None or task is None:
            return None
        generation, jobs = queued.generation, queued.generation.settings.jobs
        level = run.overrides.log_level or queued.job.log_level
        execution = Execution(
            run=run,
            queued=queued,
            fence=Fence(run.number, self.owner, run.epoch),
            log=RunLog(limit_bytes=jobs.log_truncate_kb * 1024, level=level, run_id=run.run_id),
            task=task,
        )
        generation.hold()
        courtesy.want()
        self.active[number] = execution
        if stop is not None:
            execution.stop(*stop)
        outer = current_scope.get()
        current_scope.set(Scope(execution.log))
        caller_run = current_run_id.set(run.run_id)
        capture.begin(level)
        try:
            return await self._run(execution, steps_ended)
        finally:
            capture.end(level)
            current_run_id.reset(caller_run)
            current_scope.set(outer)
            self.active.pop(number, None)
            generation.release()

    async def _claim(self, run: Run) -> Run | None:
        """Claim a run, in its turn; None when it was taken, ended, or is stopped while it waits."""
        number = run.number
        if not run.gates:
            return await persist(self._database, runs.claim, number, self.owner, self._clock.now())
        while (turn := await self._ask_for_turn(number)) is Turn.LATER:
            if (stop := self._claiming.get(number)) is not None:
                await persist(
                    self._database, runs.end_unclaimed, number, ABORTED, self._clock.now(), reason=stop[1]
                )
                return None
            await asyncio.sleep(TURN_SECONDS)
        return turn if isinstance(turn, Run) else None

    async def claim_in_turn(self, number: int) -> Run | Turn:
        """Claim a run with gates, to be executed next, or say why not."""
        self.expect(number)
        turn: Run | Turn = Turn.LATER
        try:
            turn = await self._ask_for_turn(number)
        finally:
            if not isinstance(turn, Run):
                self._claiming.pop(number, None)
        return turn

    async def _ask_for_turn(self, number: int) -> Run | Turn:
        for _ in range(BUSY_TRIES):
            if (turn := await self._ask_once(number)) is not Turn.BUSY:
                return turn
            await asyncio.sleep(random.uniform(*BUSY_SECONDS))  # noqa: S311 - to get out of step, no secret
        return Turn.LATER

    async def _ask_once(self, number: int) -> Run | Turn:
        lock = self._database.dialect == "postgresql"
        try:
            return await self._database.write(queue.claim_in_turn, number, self.owner, self._clock, lock=lock)
        except Duplicate:  # a run of the job that was not in the line is in progress
            return Turn.LATER
        except Unavailable as error:
            _log.debug("run r-%d asks for its turn again later: %s", number, error.message)
            return Turn.LATER

    def knows(self, number: int) -> bool:
        """Whether a run is in progress here, from its claim to its stored end."""
        return number in self.active or number in self._claiming

    def in_flight(self) -> list[InFlight]:
        """What is in progress here."""
        now = time.monotonic()
        return [
            InFlight(
                execution.run,
                execution.current_step,
                now - execution.began,
                execution.stopping,
                "thread" if execution.run.run_id in self.threads.waiting else None,
            )
            for execution in self.active.values()
        ]

    def expect(self, number: int) -> None:
        """A run is about to be claimed here: a stop that comes before it is active counts."""
        self._claiming.setdefault(number, None)

    def stop(self, number: int, how: Stop, reason: str) -> None:
        """Stop a run of this process, also one whose claim has not come back from the database yet."""
        execution = self.active.get(number)
        if execution is not None:
            execution.stop(how, reason)
        elif number in self._claiming:
            self._claiming[number] = (how, reason)

    def stop_all(self, how: Stop, reason: str) -> None:
        """Stop every run that this process has claimed or is claiming."""
        for number in [*self.active, *self._claiming]:
            self.stop(number, how, reason)

    async def _run(self, execution: Execution, steps_ended: Callable[[], None]) -> Run | None:
        run, job = execution.run, execution.job
        self._bus.publish(RunMoved(run))
        narrate.run_started(run)
        host = StepHost(self, execution)
        walk = Walk(execution, host, self, self._clock, StepLog(logging.getLogger(f"liberty.jobs.{run.job}")))
        loop = asyncio.get_running_loop()
        timer = None
        if job.timeout_seconds is not None:
            reason = f"timeout after {job.timeout_seconds:g}s"
            timer = loop.call_later(job.timeout_seconds, execution.stop, "timeout", reason)
        try:
            host.plugins = await execution.generation.plugins.settled_snapshot()
            execution.code = await self._code.of(host.plugins)
            verdict = await walk.run()
        except asyncio.CancelledError:
            if execution.stopping is None:
                raise
            execution.task.uncancel()
            execution.finishing = True
            verdict = Verdict(ABORTED, execution.reason)
            walk.abandon(execution.reason or "aborted")
            narrate.stop_requested(run.run_id, execution.reason or "aborted")
        except NotOurs:
            execution.log.close()
            narrate.not_ours(run.run_id)
            return None
        except LibertyError as error:
            verdict = Verdict(FAILED, error.message)
            walk.skip_rest("skipped: run failed")
        except BaseException as error:
            defect = f"defect of the engine: {type(error).__name__}: {error}"
            walk.abandon(defect)
            await self._finish(execution, walk, Verdict(FAILED, defect))
            raise
        finally:
            if timer is not None:
                timer.cancel()
        execution.finishing = True
        steps_ended()
        return await self._finish(execution, walk, verdict)

    async def _finish(self, execution: Execution, walk: Walk, verdict: Verdict) -> Run | None:
        courtesy.want()
        current_scope.set(Scope(execution.log))
        seconds = time.monotonic() - execution.began
        narrate.run_ended(execution.run.run_id, execution.job.name, verdict.status, seconds, verdict.reason)
        # The clock may have been set back meanwhile; a run never ends before it starts.
        now = max(self._clock.now(), execution.run.started_at or execution.run.queued_at)
        try:
            if execution.flushing is not None:
                await execution.flushing
            lines, dropped = execution.log.close()
            tells = partial(self.tells, execution.job)
            end = (execution.fence, walk.unsaved, verdict, walk.rows_affected, now, tells)
            code = execution.code
            fresh = code if code is not None and not self._code.is_stored(code) else None
            try:
                ended = await persist_unless_full(
                    self._database, _end, *end, lines, dropped, code.digest if code else None, fresh
                )
                if fresh is not None:
                    self._code.stored(fresh)
            except StorageFull:
                lines, more = shed(lines)
                ended = await persist(self._database, _end_on_full_disk, *end, lines, dropped + more)
        except Exception:
            reason = "defect: the last records of the run could not be stored"
            ended = await persist(self._database, _end_bare, execution.fence, FAILED, now, reason=reason)
            if ended is not None:
                self._bus.publish(RunMoved(ended))
                await persist(
                    self._database, step_runs.close_open, ended.number, aborted=False, reason=reason, at=now
                )
            raise
        if ended is None:
            narrate.not_ours(execution.run.run_id)
            return None
        for record in walk.unsaved:
            self._publish_step(execution, record)
        if lines:
            self._bus.publish(LogGrew(ended.number, execution.log.seq))
        self._bus.publish(RunMoved(ended))
        return ended

    async def save(self, execution: Execution, steps: list[StepRun], current: str | None) -> None:
        """Store step records. Raises NotOurs when the run was taken away, StorageFull when there is no space now."""
        saving = persist_unless_full(self._database, step_runs.save, execution.fence, steps, current=current)
        if not await saving:
            raise NotOurs
        for record in steps:
            self._publish_step(execution, record)

    async def delete_history(self, older_than: timedelta, *, keep_failed: bool, limit: int) -> int:
        """Delete final runs that ended longer ago than `older_than`; how many went."""
        cutoff = self._clock.now() - older_than
        return await self._database.write(
            retention.delete_expired, cutoff, keep_failed=keep_failed, limit=limit
        )

    async def copy_mark(self, job: str, step: str) -> CopyMark | None:
        """How far the incremental copies of a step have come."""
        found = await self._database.read(marks.get, job, step)
        return None if found is None else found.mark

    async def move_copy_mark(self, job: str, step: str, mark: CopyMark, run_id: str) -> bool:
        """Keep a mark that follows the one of its revision. The rows are there, so an outage is waited out."""
        at = self._clock.now()
        return await persist(
            self._database, marks.move, job, step, mark, seen=mark.revision, at=at, by=run_id
        )

    def _publish_step(self, execution: Execution, record: StepRun) -> None:
        run = execution.run
        self._bus.publish(
            StepMoved(run.number, run.job, run.app, record.index, record.name, record.status, record.attempt)
        )

    def step_progressed(self, execution: Execution, ctx: RunContext, facts: Mapping[str, Any]) -> None:
        """Tell whoever follows the run how far a step has come."""
        run = execution.run
        self._bus.publish(StepProgressed(run.number, run.job, run.app, ctx.step_index, ctx.step_name, facts))

    async def flush_logs(self) -> None:
        """Start storing what the runs in flight have logged since the last call."""
        if time.monotonic() < self._logs_wait_until:
            return
        for execution in list(self.active.values()):
            if execution.flushing is None and execution.log.has_pending and not execution.finishing:
                lines = execution.log.take()
                execution.flushing = asyncio.ensure_future(self._append(execution, lines))

    async def _append(self, execution: Execution, lines: list[LogLine]) -> None:
        try:
            while lines:
                some = lines[:POLITE_LINES] if courtesy.wanted else lines
                if await persist_unless_full(self._database, logs.append, execution.fence, some):
                    self._bus.publish(LogGrew(execution.run.number, some[-1].seq))
                lines = lines[len(some) :]
        except StorageFull:
            execution.log.put_back(lines)
            self._logs_wait_until = time.monotonic() + FULL_DISK_PAUSE_SECONDS
        finally:
            execution.flushing = None


async def _end(
    tx: Tx,
    fence: Fence,
    steps: list[StepRun],
    verdict: Verdict,
    rows: int | None,
    now: datetime,
    tells: Callable[[Status], bool],
    lines: list[LogLine],
    dropped: int,
    code: str | None = None,
    fresh: Code | None = None,
) -> Run | None:
    """The final status, the last steps and the last lines, all or nothing. An abort granted meanwhile wins.

    `fresh` is what the digest `code` stands for, when that may not be known yet. `tells`: whether somebody may want
    to be told of a run that ends so.
    """
    counts: dict[str, Any] = {"rows_affected": rows, "lines": len(lines), "dropped": dropped}
    end = partial(runs.end, tx, fence, now=now, code=code, **counts)
    ended = await end(target=verdict.status, reason=verdict.reason)
    if ended is None:
        run = await runs.get(tx, fence.number)
        if run is not None and run.status == ABORTING:
            ended = await end(target=ABORTED, reason=f"aborted by {run.abort_requested_by}")
    if ended is not None:
        await step_runs.write(tx, fence.number, steps)
        await logs.add(tx, fence.number, lines)
        if tells(ended.status):
            await alert_events.add(tx, alert_events.of_run(ended))
        if fresh is not None:
            await code_store.remember(tx, fresh, now)
    return ended


@essential
async def _end_on_full_disk(tx: Tx, *args: Any) -> Run | None:
    return await _end(tx, *args)


@essential
async def _end_bare(tx: Tx, fence: Fence, target: Status, now: datetime, *, reason: str) -> Run | None:
    ended = await runs.end(tx, fence, target, now, reason=reason)
    if ended is not None:
        await alert_events.add(tx, alert_events.of_run(ended))
    return ended
