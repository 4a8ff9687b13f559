"""What a well-formed definition must also satisfy: schedules, conditions, tokens and names that fit together."""

from collections.abc import Iterable, Iterator
from typing import Any

from liberty.errors import Invalid, did_you_mean
from liberty.jobs.conditions import compile_condition
from liberty.jobs.declared import coerce_value
from liberty.jobs.job import Job, NamedSchedule, Preset
from liberty.jobs.lookup import FACTS, ROOTS, split_step, unknown_token
from liberty.jobs.params import accepted_by
from liberty.jobs.steps import StepConfig
from liberty.jobs.tokens import (
    BARE_WORDS,
    DATE_TOKENS,
    environment_token,
    has_token,
    split_token,
    tokens_in,
)
from liberty.jobs.triggers import parse_schedule, server_timezone, zone
from liberty.jobs.triggers.cron import ALIASES
from liberty.jobs.validation import Finding, Path
from liberty.secrets import is_secret_name

_STEP_ROOTS = frozenset({"steps", "out", "previous_step", "prev"})


def check_consistency(job: Job) -> list[Finding]:
    """Everything wrong between the parts of `job`; empty when it can run."""
    return [
        *_schedules(job),
        *_overlap(job),
        *_declarations(job),
        *_presets(job),
        *_named_schedules(job),
        *(finding for index, step in enumerate(job.steps) for finding in _step(job, index, step)),
    ]


def _schedules(job: Job) -> Iterator[Finding]:
    yield from _schedule(job.schedule, job.timezone, ())
    for index, preset in enumerate(job.presets):
        yield from _schedule(preset.schedule, preset.timezone or job.timezone, ("presets", index))
    for index, entry in enumerate(job.schedules):
        yield from _schedule(
            entry.schedule, entry.timezone or job.timezone, ("schedules", index), required=True
        )


def _schedule(
    text: str | None, timezone: str | None, path: Path, *, required: bool = False
) -> Iterator[Finding]:
    if timezone:
        try:
            zone(timezone)
        except Invalid as error:
            yield Finding((*path, "timezone"), error.message)
            return
    if required or (text and text.strip()):
        try:
            parse_schedule(text or "", timezone)
        except Invalid as error:
            yield Finding((*path, "schedule"), error.message)


def _overlap(job: Job) -> Iterator[Finding]:
    if job.overlap_rule is not None and not job.single_instance:
        yield Finding(
            ("overlap",),
            f"single_instance = false lets runs overlap, so overlap = {job.overlap_rule!r} says nothing; drop one",
        )
    elif job.max_queued is not None and job.overlap not in ("queue", "allow"):
        yield Finding(
            ("max_queued",),
            f"no run of this job waits, because overlap is {job.overlap!r}; max_queued goes with overlap = 'queue' "
            "or single_instance = false",
        )


def _declarations(job: Job) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, spec in enumerate(job.param_specs):
        path: Path = ("param_specs", index)
        if spec.name in seen:
            yield Finding((*path, "name"), f"param {spec.name!r} is declared twice")
        seen.add(spec.name)
        if spec.default is not None and not has_token(spec.default):
            try:
                coerce_value(spec, spec.default)
            except Invalid as error:
                yield Finding((*path, "default"), error.message)
        if spec.required and spec.default is None:
            for name in _fires_without(job, spec.name):
                yield Finding(
                    path, f"param {spec.name!r} is required and has no default, so {name} can never run"
                )
    for key, value in job.params.items():
        for token in tokens_in(value):
            path = _param_path(job, key)
            if split_token(token)[0] in _STEP_ROOTS:
                yield Finding(
                    path, f"${{{token}}}: params are known before any step runs; use it in a step instead"
                )
            elif message := _token_problem(job, token, (), set(job.params) | seen):
                yield Finding(path, message)


def _fires_without(job: Job, param: str) -> Iterator[str]:
    if job.schedule:
        yield "its schedule"
    for preset in job.presets:
        if preset.schedule and param not in preset.params:
            yield f"the schedule of preset {preset.name!r}"
    for entry in job.schedules:
        if param not in entry.params:
            yield f"schedule {entry.name!r}"


def _param_path(job: Job, key: str) -> Path:
    for index, spec in enumerate(job.param_specs):
        if spec.name == key:
            return ("param_specs", index, "default")
    return ("params", key)


def _presets(job: Job) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, preset in enumerate(job.presets):
        path: Path = ("presets", index)
        if preset.name.lower() in seen:
            yield Finding((*path, "name"), f"two presets are called {preset.name!r}")
        seen.add(preset.name.lower())
        yield from _known_steps(job, preset.op_kwargs, (*path, "op_kwargs"))
        yield from _known_steps(job, preset.step_enabled, (*path, "step_enabled"))
        yield from _tokens_of(job, preset, path, "preset")


def _named_schedules(job: Job) -> Iterator[Finding]:
    names: set[str] = set()
    rules = {_rule(job.schedule, job.timezone): "the job's own schedule"} if job.schedule else {}
    for preset in job.presets:
        if preset.schedule:
            rules.setdefault(
                _rule(preset.schedule, preset.timezone or job.timezone), f"preset {preset.name!r}"
            )
    for index, entry in enumerate(job.schedules):
        path: Path = ("schedules", index)
        if entry.name.lower() in names:
            yield Finding(
                (*path, "name"), f"two schedules are called {entry.name!r}; names are unique in a job"
            )
        names.add(entry.name.lower())
        rule = _rule(entry.schedule, entry.timezone or job.timezone)
        if rule in rules:
            yield Finding(
                (*path, "schedule"),
                f"{entry.schedule!r} in {rule[1]} is {rules[rule]} already; a job fires once at an instant",
            )
        rules.setdefault(rule, f"schedule {entry.name!r}")
        yield from _known_steps(job, entry.op_kwargs, (*path, "op_kwargs"))
        yield from _known_values(job, entry, path)
        yield from _tokens_of(job, entry, path, "schedule")


def _rule(text: str, timezone: str | None) -> tuple[str, str]:
    written = " ".join(text.lower().split())
    return ALIASES.get(written, written), timezone or server_timezone()


def _known_steps(job: Job, steps: Iterable[str], path: Path) -> Iterator[Finding]:
    for name in steps:
        if name not in job.step_names:
            yield Finding((*path, name), f"the job has no step {name!r}{did_you_mean(name, job.step_names)}")


def _known_values(job: Job, entry: NamedSchedule, path: Path) -> Iterator[Finding]:
    """A schedule sends what the job declares, of the declared type. What a callable takes cannot be seen from here."""
    specs = {spec.name: spec for spec in job.param_specs}
    by_step = {step.name: accepted_by(step) for step in job.steps}
    declared = {*job.params, *specs, *(key for preset in job.presets for key in preset.params)}
    known = declared.union(*by_step.values())
    for key, value in entry.params.items():
        if key not in known:
            near = did_you_mean(key, known) or "; declare it in [jobs.params]"
            yield Finding((*path, "params", key), f"the job has no param {key!r}{near}")
        elif key in specs and not has_token(value):
            try:
                coerce_value(specs[key], value)
            except Invalid as error:
                yield Finding((*path, "params", key), error.message)
    for step in job.steps:
        accepted = declared | by_step[step.name]
        for key in entry.op_kwargs.get(step.name, ()):
            if step.type != "python" and key not in accepted:
                near = did_you_mean(key, accepted)
                yield Finding(
                    (*path, "op_kwargs", step.name, key), f"step {step.name!r} has no param {key!r}{near}"
                )


def _tokens_of(job: Job, named: Preset | NamedSchedule, path: Path, what: str) -> Iterator[Finding]:
    for key, values in (("params", named.params), ("op_kwargs", named.op_kwargs)):
        for token in tokens_in(values):
            variable = environment_token(token)
            if split_token(token)[0] in _STEP_ROOTS:
                yield Finding(
                    (*path, key), f"${{{token}}}: the values of a {what} are known before any step runs"
                )
            elif variable is not None and (variable.explicit or is_secret_name(variable.name)):
                yield Finding(
                    (*path, key),
                    f"${{{token}}}: the values of a {what} are stored with the run; put a secret into the step",
                )
            elif message := _token_problem(job, token, (), set(job.params)):
                yield Finding((*path, key), message)


def _step(job: Job, index: int, step: StepConfig) -> Iterator[Finding]:
    path: Path = ("steps", index)
    earlier = job.step_names[:index]
    params = _known_params(job)
    if step.condition is not None:
        try:
            tokens = compile_condition(step.condition).tokens
        except Invalid as error:
            yield Finding((*path, "condition"), error.message)
        else:
            for token in tokens:
                if message := _token_problem(job, token, earlier, params):
                    yield Finding((*path, "condition"), message)
    for key in step.model_fields_set - step.structural:
        # A set, so that one mistake made in many values of a key is told once.
        for token in sorted(set(tokens_in(_plain(step, key)))):
            if message := _token_problem(job, token, earlier, params):
                yield Finding((*path, _written(step, key)), message)


def _known_params(job: Job) -> set[str] | None:
    """Every param a step may see; None when a callable's signature may bring in more."""
    if any(step.type == "python" for step in job.steps):
        return None
    return (
        set(job.params)
        | {spec.name for spec in job.param_specs}
        | {key for named in job.value_sets for key in named.params}
    )


def _token_problem(job: Job, token: str, earlier: tuple[str, ...], params: set[str] | None) -> str | None:
    """What is wrong with a token, as far as a definition can tell; None when nothing is."""
    if token in DATE_TOKENS or token in BARE_WORDS:
        return None
    variable = environment_token(token)
    if variable is not None:
        near = did_you_mean(token, BARE_WORDS) if token.islower() and "_" not in token else ""
        return f"unknown token ${{{token}}}{near}" if near else None
    root, rest = split_token(token)
    if root not in ROOTS or not rest:
        return unknown_token(token)
    if root in {"steps", "out"}:
        return _step_problem(job, token, rest, earlier)
    if root in {"previous_step", "prev"}:
        return None if earlier else f"${{{token}}}: no step runs before this one"
    if root in FACTS:
        return None if rest in FACTS[root] else f"unknown token ${{{token}}}{did_you_mean(rest, FACTS[root])}"
    name = rest.split(".")[0]
    if params is not None and name not in params and rest not in params:
        return f"${{{token}}}: the job has no param {name!r}{did_you_mean(name, params)}"
    return None


def _step_problem(job: Job, token: str, rest: str, earlier: tuple[str, ...]) -> str | None:
    if split_step(rest, earlier) is not None:
        return None
    name = rest.split(".")[0]
    if split_step(rest, job.step_names) is not None:
        return f"${{{token}}}: step {name!r} does not run before this one"
    return f"${{{token}}}: the job has no step {name!r}{did_you_mean(name, job.step_names)}"


def _plain(step: StepConfig, key: str) -> Any:
    value = getattr(step, key)
    return value.model_dump(exclude_unset=True, warnings=False) if hasattr(value, "model_dump") else value


def _written(step: StepConfig, key: str) -> str:
    return type(step).model_fields[key].alias or key
