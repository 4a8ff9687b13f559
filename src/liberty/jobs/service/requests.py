"""Starting, aborting and replaying runs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import Conflict, Invalid
from liberty.jobs.definition import fingerprint, job_from_definition
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run, scope_of
from liberty.jobs.job import Job
from liberty.jobs.params import check_overrides, replay_params
from liberty.jobs.run import ABORTED, NewRun, Overrides, Run, StepRun, Trigger, run_number
from liberty.jobs.service.caller import Caller
from liberty.jobs.store import runs, step_runs, versions


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """How to replay: with which definition, from which step, and what to change on top of what was sent then."""

    definition: str = "current"
    from_step: str | None = None
    overrides: Overrides = field(default_factory=Overrides)


class RunRequests:
    """What callers ask the engine to do."""

    def __init__(
        self, *, database: Database, clock: Clock, engine: Engine, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._current = current

    async def start(
        self, name: str, overrides: Overrides, caller: Caller, *, idempotency_key: str | None = None
    ) -> Run:
        """Queue a run of `name`; it may come back `skipped` with its reason.

        Raises NotFound, Conflict when the job is quarantined, Invalid for values it does not take.
        """
        generation = self._current()
        job = caller.job(generation.catalogue, name, "run")
        trigger = Trigger(caller.via, caller.by)
        new = new_run(job, generation, trigger, overrides, self._clock.now(), idempotency_key=idempotency_key)
        enqueued = await self._engine.enqueue(new, job, generation, asker=caller.asker("run"))
        return enqueued.run

    async def abort(self, run_id: str, caller: Caller) -> Run:
        """Ask a run to stop. Repeating it changes nothing. Raises NotFound, Conflict when the run has ended."""
        run = caller.run(await self._get(run_id), run_id, "abort")
        if run.status.final:
            raise Conflict(f"run {run.run_id} has already ended: {run.status}")
        moved = await self._engine.abort(run.number, caller.by, caller.principal, caller.address)
        if moved is not None:
            return moved
        now = caller.run(await self._get(run_id), run_id, "abort")
        if now.status.final and now.status != ABORTED:
            raise Conflict(f"run {run.run_id} has already ended: {now.status}")
        return now

    async def replay(self, run_id: str, request: ReplayRequest, caller: Caller) -> Run:
        """Make a new run like a finished one.

        Needs the right to run the job as it is today. Raises Conflict when the run is not final or, with
        `from_step`, when the definition of an earlier step has changed.
        """
        old = caller.run(await self._get(run_id), run_id, "run")
        if not old.status.final:
            raise Conflict(f"run {old.run_id} is {old.status}; only a run that has ended can be replayed")
        generation = self._current()
        current = caller.job(generation.catalogue, old.job, "run")
        then = await self._definition_then(old, current)
        if request.definition not in ("same", "current"):
            raise Invalid("definition is 'same' or 'current'")
        job, version = current, generation.versions.get(current.name)
        if request.definition == "same":
            job, version = then, old.definition_version
        stand_ins: tuple[StepRun, ...] = ()
        if request.from_step is not None:
            stand_ins = await self._stand_ins(old, then, job, request.from_step)
        new = self._replayed(
            old, then, job, request, Trigger(caller.via, caller.by, replay_of=old.number), generation
        )
        new = replace(new, definition_version=version)
        enqueued = await self._engine.enqueue(
            new, job, generation, asker=caller.asker("replay"), stand_ins=stand_ins
        )
        return enqueued.run

    def _replayed(
        self,
        old: Run,
        then: Job,
        job: Job,
        request: ReplayRequest,
        trigger: Trigger,
        generation: Generation,
    ) -> NewRun:
        wanted, before = request.overrides, old.overrides
        check_overrides(job, wanted, generation.plugins.signature_params)
        known = set(job.step_names)
        merged = Overrides(
            params={**before.params, **wanted.params},
            op_kwargs={
                step: {**before.op_kwargs.get(step, {}), **wanted.op_kwargs.get(step, {})}
                for step in {**before.op_kwargs, **wanted.op_kwargs}
                if step in known
            },
            step_enabled={
                k: v for k, v in {**before.step_enabled, **wanted.step_enabled}.items() if k in known
            },
            log_level=wanted.log_level or before.log_level,
            from_step=request.from_step,
        )
        trigger = replace(trigger, scheduled_at=old.scheduled_at)
        scope = scope_of(job, trigger, self._clock.now(), generation)
        return NewRun(
            job=job.name,
            app=job.app,
            trigger=trigger,
            params=replay_params(then, old.params, before, job, wanted, scope),
            overrides=merged,
            **generation.admission_of(job),
        )

    async def _definition_then(self, old: Run, current: Job) -> Job:
        if old.definition_version is None:
            return current
        text = await self._database.read(versions.definition, old.job, old.definition_version)
        return job_from_definition(text) if text is not None else current

    async def _stand_ins(self, old: Run, then: Job, job: Job, from_step: str) -> tuple[StepRun, ...]:
        names = list(job.step_names)
        if from_step not in names:
            job.step(from_step)
        at = names.index(from_step)
        changed = [
            step.name
            for index, step in enumerate(job.steps[:at])
            if index >= len(then.steps) or then.steps[index] != step
        ]
        if changed:
            raise Conflict(
                f"cannot replay from step {from_step!r}: earlier steps changed since {old.run_id}: "
                f"{', '.join(changed)}; replay with definition 'same', or from the first step",
                details={"changed_steps": changed, "then": fingerprint(then), "now": fingerprint(job)},
            )
        records = {record.name: record for record in await self._database.read(step_runs.of_run, old.number)}
        missing = [name for name in names[:at] if name not in records]
        if missing:
            raise Conflict(f"run {old.run_id} has no record of the steps {', '.join(missing)}")
        return tuple(records[name] for name in names[:at])

    async def _get(self, run_id: str) -> Run | None:
        number = run_number(run_id)
        return await self._database.read(runs.get, number) if number is not None else None
