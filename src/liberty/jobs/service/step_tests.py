"""Trying out one step of a definition that is being written: as a look that changes nothing, or as a run of its own.

Such a run is real: it does what the step does. It is kept under `_test/<job>`, so that it counts for nothing that the
job's own runs count for (its history, its single instance, what depends on it, marks of incremental copies).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from liberty.auth.principal import TEST_PREFIX
from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import Conflict, Invalid, NotFound
from liberty.jobs.definition import build_job, definition_json, fingerprint
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run
from liberty.jobs.job import Job, Origin
from liberty.jobs.run import SUCCEEDED, Overrides, Run, StepRun, Trigger, run_number
from liberty.jobs.service.caller import Caller, app_of
from liberty.jobs.service.definitions import Definitions
from liberty.jobs.service.drafts import Drafts, refuse_draft
from liberty.jobs.service.hidden_text import unmasked
from liberty.jobs.service.plan import Plan, Planner
from liberty.jobs.store import runs, step_runs, versions

_OF_THE_JOB = frozenset({"name", "app", "params", "timezone", "timeout_seconds", "log_level", "description"})
"""What a test keeps of its job; schedules, dependencies, alerts and retries are left out."""
_OF_NO_TEST = frozenset({"condition", "run_on", "enabled", "continue_on_error", "retry"})


@dataclass(frozen=True, slots=True)
class StepTest:
    """The text of the draft, which of its steps, and with what.

    `name`: the saved job that the draft is of. `outputs_of`: a run whose outputs stand in for the earlier steps.
    """

    toml: str
    step: str
    name: str | None = None
    overrides: Overrides = field(default_factory=Overrides)
    outputs_of: str | None = None


class StepTests:
    """Needs the right to edit, which was checked before, and the right to run the job, which is checked here."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        engine: Engine,
        current: Callable[[], Generation],
        drafts: Drafts,
        definitions: Definitions,
        planner: Planner,
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._current = current
        self._drafts = drafts
        self._definitions = definitions
        self._planner = planner

    async def preview(self, test: StepTest, caller: Caller) -> Plan:
        """What the step would do, found out without changing anything. Raises Invalid for a draft with problems."""
        job = await self._draft(test, caller)
        return await self._planner.plan_of(job, caller, test.overrides, only=job.step(test.step).name)

    async def run(self, test: StepTest, caller: Caller) -> Run:
        """Run the step for real, as a run of `_test/<job>`. Raises as `preview`, and NotFound for the other run."""
        job = await self._draft(test, caller)
        records = await self._outputs(test, job, caller)
        tested = _only(job, test.step, [record.name for record in records])
        generation = self._current()
        now = self._clock.now()
        trigger = Trigger(caller.via, caller.by)
        overrides = test.overrides
        if records:
            trigger = replace(trigger, replay_of=run_number(test.outputs_of or ""))
            overrides = replace(overrides, from_step=test.step)
        new = new_run(tested, generation, trigger, overrides, now)
        definition = {tested.name: (fingerprint(tested), definition_json(tested))}
        numbers = await self._database.write(versions.remember, definition, now)
        new = replace(new, definition_version=numbers[tested.name])
        enqueued = await self._engine.enqueue(
            new, tested, generation, asker=caller.asker("test"), stand_ins=records
        )
        return enqueued.run

    async def _draft(self, test: StepTest, caller: Caller) -> Job:
        catalogue = self._current().catalogue
        name, own = None, ""
        if test.name is not None:
            name = caller.job_name(catalogue, test.name, "run")
            own = await self._definitions.text(name, caller)
        draft = self._drafts.check(unmasked(test.toml, own), name=name)
        refuse_draft(draft)
        job = draft.job
        if job is None:
            raise Invalid("the draft holds no job")
        saved = app_of(catalogue, job.name)
        for known, app in {(job.name, job.app), *({saved} if saved else ())}:
            if not caller.may("run", known, app):
                raise NotFound(f"no job {known!r}")
        job.step(test.step)
        return job

    async def _outputs(self, test: StepTest, job: Job, caller: Caller) -> tuple[StepRun, ...]:
        if test.outputs_of is None:
            return ()
        number = run_number(test.outputs_of)
        found = await self._database.read(runs.get, number) if number is not None else None
        run = caller.run(found, test.outputs_of, "read")
        if run.job.lower() != job.name.lower() and run.job.lower() != (test.name or "").lower():
            raise Conflict(f"run {run.run_id} is one of job {run.job!r}; choose a run of job {job.name!r}")
        earlier = job.step_names[: job.step_names.index(test.step)]
        stored = await self._database.read(step_runs.of_run, run.number)
        return tuple(record for record in stored if record.name in earlier and record.status == SUCCEEDED)


def _only(job: Job, step: str, kept: list[str]) -> Job:
    """A job of that one step, behind the ones whose outputs stand in, as `_test/<job>`."""
    table = json.loads(definition_json(job))
    test = {key: value for key, value in table.items() if key in _OF_THE_JOB}
    test["name"] = f"{TEST_PREFIX}{job.name}"
    test["single_instance"] = False
    test["steps"] = [
        {key: value for key, value in entry.items() if key not in _OF_NO_TEST} if name == step else entry
        for name, entry in zip(job.step_names, table["steps"], strict=True)
        if name == step or name in kept
    ]
    try:
        return build_job(test, origin=Origin("the draft"), builtin=True)
    except Invalid as error:
        raise Invalid(
            f"step {step!r} cannot be tried out alone: {error.problems[0].message if error.problems else error}; "
            "name a run of the job whose outputs stand in for the earlier steps"
        ) from error
