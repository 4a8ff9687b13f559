"""What a run would do, worked out the way a run works it out, with nothing written and nothing run."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import Invalid, NotFound
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run, scope_of
from liberty.jobs.job import Job
from liberty.jobs.lookup import Scope
from liberty.jobs.params import render_step, run_params, step_params
from liberty.jobs.run import Json, Overrides, Trigger
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.looking import PREVIEW_SECONDS, PreviewHost, previewed
from liberty.jobs.service.loose import loose
from liberty.jobs.steps import StepConfig
from liberty.jobs.steps.base import RunContext, StepLog
from liberty.secrets import redactor


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as it would run. `unresolved` says which values are known only when earlier steps have run."""

    index: int
    name: str
    type: str
    enabled: bool
    condition: str | None
    run_on: str
    attempts: int
    timeout_seconds: float | None
    input: Json
    unresolved: str | None
    preview: Json
    """What it would do; None for a step that is disabled or unresolved."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The params a run would have, and its steps."""

    job: str
    definition_version: int | None
    params: Json
    steps: list[PlannedStep]


class Planner:
    """Renders definitions, and lets each step look at what it would do."""

    def __init__(self, *, database: Database, clock: Clock, current: Callable[[], Generation]) -> None:
        self._database = database
        self._clock = clock
        self._current = current

    async def plan(self, name: str, caller: Caller, *, preset: str | None = None) -> Plan:
        """The plan of a run that would start now. Raises NotFound, Conflict when quarantined, Invalid.

        It takes the right to run the job: previews show data that a run would read.
        """
        job = caller.job(self._current().catalogue, name, "run")
        return await self.plan_of(job, caller, Overrides(preset=preset))

    async def plan_of(
        self, job: Job, caller: Caller, overrides: Overrides, *, only: str | None = None
    ) -> Plan:
        """The same for any definition; `only` names the one step to look at. The right to run it was checked before."""
        generation = self._current()
        trigger = Trigger(caller.via, caller.by)
        now = self._clock.now()
        new = new_run(job, generation, trigger, overrides, now)
        scope = replace(scope_of(job, trigger, now, generation), started_at=now)
        params = run_params(job, new.params, new.overrides, scope)
        scope = replace(scope, params=params)
        deadline = asyncio.get_running_loop().time() + PREVIEW_SECONDS
        steps = []
        for index, step in enumerate(job.steps):
            if only is not None and step.name != only:
                continue
            rendered = _rendered(step, new.overrides, scope)
            planned = _planned(index, step, job, new.overrides, rendered)
            if isinstance(rendered, _Rendered) and planned.enabled:
                ctx = self._context(index, step, job, trigger, rendered, generation)
                planned = replace(planned, preview=await previewed(rendered.step, ctx, deadline))
            steps.append(planned)
        return Plan(
            job=job.name,
            definition_version=new.definition_version,
            params=redactor.redact_value(loose(params)),
            steps=steps,
        )

    def _context(
        self,
        index: int,
        step: StepConfig,
        job: Job,
        trigger: Trigger,
        rendered: "_Rendered",
        generation: Generation,
    ) -> RunContext:
        return RunContext(
            run_id="preview",
            job_id=job.name,
            trigger=trigger,
            app=job.app,
            step_name=step.name,
            step_index=index,
            params=rendered.params,
            explicit=rendered.explicit,
            log=StepLog(logging.getLogger("nomaflow.preview")),
            host=PreviewHost(generation, self._database),
        )


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A step with its tokens replaced, and the params it gets."""

    step: StepConfig
    params: dict[str, Any]
    explicit: frozenset[str]


def _rendered(step: StepConfig, overrides: Overrides, scope: Scope) -> _Rendered | str:
    """The step as it would run, or why that is known only when earlier steps have run."""
    try:
        own = replace(scope, step=step.name)
        params, explicit = step_params(step, scope.params, overrides, own)
        return _Rendered(render_step(step, replace(own, kwargs=params)), params, explicit)
    except (Invalid, NotFound) as error:
        return redactor.redact(error.message)


def _planned(
    index: int, step: StepConfig, job: Job, overrides: Overrides, rendered: _Rendered | str
) -> PlannedStep:
    given = _shown(step, {}) if isinstance(rendered, str) else _shown(rendered.step, rendered.params)
    return PlannedStep(
        index=index,
        name=step.name,
        type=step.type,
        enabled=overrides.step_enabled.get(step.name, step.enabled),
        condition=step.condition,
        run_on=step.run_on,
        attempts=job.retry_of(step).attempts,
        timeout_seconds=step.timeout_seconds,
        input=redactor.redact_value(loose(given)),
        unresolved=rendered if isinstance(rendered, str) else None,
        preview=None,
    )


def _shown(step: StepConfig, params: dict[str, Any]) -> dict[str, Any]:
    own = step.model_dump(exclude=set(step.structural), exclude_unset=True, by_alias=True, warnings=False)
    return {**own, "params": {**own.get("params", {}), **params}} if params else own
