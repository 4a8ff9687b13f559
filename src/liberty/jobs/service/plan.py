"""What a run would do, worked out the way a run works it out, with nothing written and nothing run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from liberty.clock import Clock
from liberty.errors import Invalid, NotFound
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run, scope_of
from liberty.jobs.job import Job
from liberty.jobs.lookup import Scope
from liberty.jobs.params import render_step, run_params, step_params
from liberty.jobs.run import Json, Overrides, Trigger
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.loose import loose
from liberty.jobs.steps import StepConfig
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


@dataclass(frozen=True, slots=True)
class Plan:
    """The params a run would have, and its steps."""

    job: str
    definition_version: int | None
    params: Json
    steps: list[PlannedStep]


class Planner:
    """Renders definitions."""

    def __init__(self, *, clock: Clock, current: Callable[[], Generation]) -> None:
        self._clock = clock
        self._current = current

    def plan(self, name: str, caller: Caller, *, preset: str | None = None) -> Plan:
        """The plan of a run that would start now. Raises NotFound, Conflict when quarantined, Invalid."""
        generation = self._current()
        job = caller.job(generation.catalogue, name, "read")
        trigger = Trigger(caller.via, caller.by)
        now = self._clock.now()
        new = new_run(job, generation, trigger, Overrides(preset=preset), now)
        scope = replace(scope_of(job, trigger, now, generation), started_at=now)
        params = run_params(job, new.params, new.overrides, scope)
        scope = replace(scope, params=params)
        return Plan(
            job=job.name,
            definition_version=new.definition_version,
            params=redactor.redact_value(loose(params)),
            steps=[_planned(index, step, job, new.overrides, scope) for index, step in enumerate(job.steps)],
        )


def _planned(index: int, step: StepConfig, job: Job, overrides: Overrides, scope: Scope) -> PlannedStep:
    unresolved: str | None = None
    given: dict[str, Any]
    try:
        own = replace(scope, step=step.name)
        params, _ = step_params(step, scope.params, overrides, own)
        given = _shown(render_step(step, replace(own, kwargs=params)), params)
    except (Invalid, NotFound) as error:
        unresolved = redactor.redact(error.message)
        given = _shown(step, {})
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
        unresolved=unresolved,
    )


def _shown(step: StepConfig, params: dict[str, Any]) -> dict[str, Any]:
    own = step.model_dump(exclude=set(step.structural), exclude_unset=True, by_alias=True, warnings=False)
    return {**own, "params": {**own.get("params", {}), **params}} if params else own
