"""What is doubtful about a definition that can run: functions that are not there, odd schedules."""

from collections.abc import Iterator
from datetime import datetime

from liberty.errors import Problem, did_you_mean
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import Job
from liberty.jobs.params import INJECTED
from liberty.jobs.service.schedule_warnings import warnings_of
from liberty.jobs.steps.python import PythonStep
from liberty.jobs.tokens import has_token
from liberty.jobs.triggers import Schedule, parse_schedule


def doubts(job: Job, generation: Generation, now: datetime) -> Iterator[Problem]:
    """One problem each. Functions are looked up when a run starts, so a missing one keeps nothing from being saved."""
    functions = {found.ref: found for found in generation.plugins.functions()}
    for index, step in enumerate(job.steps):
        if not isinstance(step, PythonStep) or has_token(step.callable):
            continue
        at = f"steps[{index}]"
        found = functions.get(step.callable)
        if found is None:
            if not step.callable.startswith("liberty."):
                near = did_you_mean(step.callable, functions)
                yield Problem(
                    f"the plugins folder defines no function {step.callable!r}{near}",
                    job=job.name,
                    key=f"{at}.callable",
                )
            continue
        names = {parameter.name for parameter in found.parameters}
        for key in step.op_kwargs:
            if not found.takes_any and key not in names and key not in INJECTED:
                yield Problem(
                    f"{step.callable} takes no {key!r}{did_you_mean(key, names)}",
                    job=job.name,
                    key=f"{at}.op_kwargs.{key}",
                )
        given = {*step.op_kwargs, *job.params}
        given |= {spec.name for spec in job.param_specs}
        missing = [p.name for p in found.parameters if p.required and p.name not in given]
        if missing:
            yield Problem(
                f"{step.callable} needs a value for {', '.join(missing)}; give it in op_kwargs or in the job's params",
                job=job.name,
                key=f"{at}.callable",
            )
    for key, schedule in _schedules(job):
        for warning in warnings_of(schedule, now):
            yield Problem(warning.text, job=job.name, key=key)


def _schedules(job: Job) -> Iterator[tuple[str, Schedule]]:
    if job.schedule:
        yield "schedule", parse_schedule(job.schedule, job.timezone)
    for index, entry in enumerate(job.schedules):
        yield f"schedules[{index}].schedule", job.parsed(entry)
    for index, preset in enumerate(job.presets):
        if preset.schedule:
            yield f"presets[{index}].schedule", job.parsed(preset)
