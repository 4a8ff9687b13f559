"""Runs the child of a `call_job` step in its parent's place: a run of its own, stopped when the parent is stopped."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from liberty.bus import Bus
from liberty.clock import Clock
from liberty.database import Database
from liberty.jobs.engine.admission import admit
from liberty.jobs.engine.execution import Execution, Queued
from liberty.jobs.engine.persist import persist
from liberty.jobs.engine.requests import new_run
from liberty.jobs.engine.runner import Runner
from liberty.jobs.events import RunMoved
from liberty.jobs.run import ABORTED, QUEUED, Overrides, Run, Trigger
from liberty.jobs.steps.base import ChildRun, RunContext, StepFailed
from liberty.jobs.store import runs
from liberty.jobs.store.queue import JOB_GATE

CALLER_STOPPED = "the calling run was stopped"


class ChildRuns:
    """Called on the work loop by the host of the parent's step."""

    def __init__(self, database: Database, clock: Clock, bus: Bus, runner: Runner) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._runner = runner

    async def __call__(
        self, parent: Execution, ctx: RunContext, job: str, params: Mapping[str, Any]
    ) -> ChildRun:
        """Queue the child under the same rules as any run, run it, say how it ended.

        Raises StepFailed when the job already is among the callers, NotFound when there is no such job.
        """
        chain = (*parent.run.parent_chain, (parent.run.job, parent.run.run_id))
        path = [name for name, _ in chain]
        generation = parent.generation
        target = generation.catalogue.get(job)
        if target.name in path:
            raise StepFailed(f"call_job would go round in circles: {' → '.join([*path, target.name])}")
        trigger = Trigger(
            "call_job",
            f"job:{parent.run.job}@{parent.run.run_id}",
            scheduled_at=parent.run.scheduled_at,
            parent_chain=chain,
        )
        level = "DEBUG" if ctx.log_level == "DEBUG" else None
        overrides = Overrides(params=dict(params), log_level=level)
        new = new_run(target, generation, trigger, overrides, self._clock.now()).repeatable()
        # It runs in its parent's place, pools included: waiting for one that the parent holds would never end.
        new = replace(new, gates=tuple(gate for gate in new.gates if gate.key.startswith(JOB_GATE)))
        child = await self._queued(
            asyncio.ensure_future(
                persist(self._database, admit, new, target.depends_on, None, None, self._clock.now())
            )
        )
        self._bus.publish(RunMoved(child))
        if child.status == QUEUED:
            child = await self._executed(Queued(child, target, generation)) or child
        return ChildRun(child.run_id, child.job, child.status, child.reason, child.rows_affected)

    async def _queued(self, making: "asyncio.Future[runs.Enqueued]") -> Run:
        """The child's row; when the parent is stopped meanwhile the row is ended, not left to wait."""
        try:
            return (await asyncio.shield(making)).run
        except asyncio.CancelledError:
            child = (await making).run
            ended = await persist(
                self._database,
                runs.end_unclaimed,
                child.number,
                ABORTED,
                self._clock.now(),
                reason=CALLER_STOPPED,
            )
            self._bus.publish(RunMoved(ended or child))
            raise

    async def _executed(self, queued: Queued) -> Run | None:
        """The child's final row; when the parent is stopped the child is stopped first."""
        self._runner.expect(queued.run.number)
        task = asyncio.create_task(self._runner.execute(queued), name=queued.run.run_id)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._runner.stop(queued.run.number, "abort", CALLER_STOPPED)
            await asyncio.wait((task,))
            raise
