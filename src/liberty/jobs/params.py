"""Parameters: how the values of a definition and of one fire become what a step gets.

Later wins: job `params`, step `op_kwargs`, per-fire `params`, per-fire `op_kwargs` of the step. What stands in a
definition is substituted; what a caller sends is data and never is.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from liberty.errors import Invalid, did_you_mean
from liberty.jobs.declared import coerce_declared
from liberty.jobs.job import SCHEDULE_KEY, Job, NamedSchedule, Preset
from liberty.jobs.lookup import Scope, look_up
from liberty.jobs.run import Overrides
from liberty.jobs.steps import StepConfig
from liberty.jobs.tokens import (
    TOKEN,
    as_text,
    environment_token,
    has_token,
    single_token,
    split_token,
    substitute,
    tokens_in,
)

INJECTED = frozenset({"connectors", "ctx", "context", "settings"})
"""Arguments the framework supplies: a caller of one fire may not send them."""

MAX_OVERRIDE_BYTES = 64 * 1024

_RUN_TIME_FACTS = frozenset({"run.id", "run.started_at", "ctx:run_id", "ctx.run_id", "ctx:started_at"})

type CallableParams = Callable[[str], frozenset[str] | None]
"""The parameter names a callable declares; None when that is not known."""


def resolve(value: Any, scope: Scope) -> Any:
    """`value` with its tokens replaced by what `scope` says. Raises Invalid naming the token."""
    return substitute(value, lambda token: look_up(token, scope))


def expand_named(job: Job, overrides: Overrides, scope: Scope, schedule: str | None = None) -> Overrides:
    """`overrides` with the values of the preset they name, and of the schedule that fired, beneath their own.

    `schedule` is the key of a fire. Values of presets and schedules stand in the definition, so they are
    substituted; from here on all of it is data. Raises NotFound for one that does not exist.
    """
    if overrides.preset is not None:
        preset = job.preset(overrides.preset)
        overrides = _on_top_of(preset, job, overrides, scope)
        overrides = replace(
            overrides,
            step_enabled={**preset.step_enabled, **overrides.step_enabled},
            log_level=overrides.log_level or preset.log_level,
        )
    if schedule is not None and schedule.startswith(SCHEDULE_KEY):
        entry = job.schedule_entry(schedule.removeprefix(SCHEDULE_KEY))
        overrides = _on_top_of(entry, job, overrides, scope)
    return overrides


def _on_top_of(named: Preset | NamedSchedule, job: Job, overrides: Overrides, scope: Scope) -> Overrides:
    params = _JobParams(job, overrides.params, scope)
    kwargs = {name: substitute(values, params.look_up) for name, values in named.op_kwargs.items()}
    return replace(
        overrides,
        params={**substitute(named.params, params.look_up), **overrides.params},
        op_kwargs={
            name: {**kwargs.get(name, {}), **overrides.op_kwargs.get(name, {})}
            for name in [*kwargs, *(name for name in overrides.op_kwargs if name not in kwargs)]
        },
    )


def check_overrides(job: Job, overrides: Overrides, callable_params: CallableParams) -> None:
    """Refuse what the caller of one fire may not send. Raises Invalid naming the key.

    A param must be declared by the job, stand in a step's `op_kwargs`, or be named by the signature of a step's
    callable. `overrides` must be expanded, so that one gate sees everything.
    """
    for name in [
        *overrides.step_enabled,
        *overrides.op_kwargs,
        *([overrides.from_step] if overrides.from_step else []),
    ]:
        if name not in job.step_names:
            raise Invalid(f"job {job.name!r} has no step {name!r}{did_you_mean(name, job.step_names)}")
    _check_size(overrides)
    declared = set(job.params) | {spec.name for spec in job.param_specs}
    for named in job.value_sets:
        declared |= set(named.params)
    by_step = {step.name: accepted_by(step, callable_params) for step in job.steps}
    anywhere = declared.union(*by_step.values())
    for key, value in overrides.params.items():
        if key not in anywhere or (key in INJECTED and key not in declared):
            raise Invalid(f"job {job.name!r} has no param {key!r}{did_you_mean(key, anywhere - INJECTED)}")
        _check_shape(key, value, job.params.get(key))
    for name, values in overrides.op_kwargs.items():
        accepted = declared.union(by_step[name], *(named.op_kwargs.get(name, ()) for named in job.value_sets))
        for key in values:
            if key not in accepted or (key in INJECTED and key not in declared):
                near = did_you_mean(key, accepted - INJECTED)
                raise Invalid(f"step {name!r} of job {job.name!r} has no param {key!r}{near}")
    coerce_declared(job, overrides.params, complete=False)


def snapshot_params(job: Job, overrides: Overrides, scope: Scope) -> dict[str, Any]:
    """The job-level params of one fire, as they are stored with the run: JSON values.

    A value of the definition that needs the environment or the run's own facts is kept as written and looked up
    when the run starts, so no secret is stored. Raises Invalid, also when a required param is missing.
    """
    params = _JobParams(job, overrides.params, scope)
    kept = {key: job.params[key] for key in params.definitions if params.deferred(key)}
    ready = {key: params.value(key) for key in [*params.definitions, *params.data] if key not in kept}
    coerced = coerce_declared(job, {**ready, **dict.fromkeys(kept)}, complete=False)
    for spec in job.param_specs:
        if spec.required and coerced.get(spec.name) is None and spec.name not in kept:
            raise Invalid(f"job {job.name!r} needs a value for param {spec.name!r} ({spec.type})")
    order = [*job.params, *(key for key in overrides.params if key not in job.params)]
    return {key: kept[key] if key in kept else jsonable(coerced[key], key) for key in order}


def run_params(job: Job, snapshot: Mapping[str, Any], overrides: Overrides, scope: Scope) -> dict[str, Any]:
    """The job-level params a run works with: the stored snapshot, what was kept as written looked up now.

    Declared params get their types, dates included. `job` is the definition the run stores.
    """
    params = _JobParams(job, {}, scope)
    pending = {
        key
        for key, value in snapshot.items()
        if key not in overrides.params and job.params.get(key) == value and has_token(value)
        if params.deferred(key)
    }
    params.data.update({key: value for key, value in snapshot.items() if key not in pending})
    return coerce_declared(job, {key: params.value(key) for key in snapshot})


def replay_params(
    then: Job, snapshot: Mapping[str, Any], before: Overrides, now: Job, overrides: Overrides, scope: Scope
) -> dict[str, Any]:
    """The snapshot of a replay: the same values, the new per-fire ones on top.

    `then` and `before` are the definition and the overrides of the run that is replayed, `now` the definition the
    new run uses. A value the old run looked up at its start is taken as `now` writes it.
    """
    fresh = snapshot_params(now, replace(overrides, params={**before.params, **overrides.params}), scope)
    old = _JobParams(then, before.params, scope)
    kept = {key for key in old.definitions if key in snapshot and old.deferred(key)}
    same = {key: value for key, value in snapshot.items() if key not in kept and key not in overrides.params}
    return {**fresh, **same}


def step_params(
    step: StepConfig, job_params: Mapping[str, Any], overrides: Overrides, scope: Scope
) -> tuple[dict[str, Any], frozenset[str]]:
    """The merged params of one step, and the keys that were addressed to this very step.

    `job_params` is what `run_params` returned; the step's own `op_kwargs` are substituted here.
    """
    written = getattr(step, "op_kwargs", {})
    addressed = overrides.op_kwargs.get(step.name, {})
    own = written
    if has_token(written):
        own = resolve(written, replace(scope, step=step.name, params=job_params, kwargs=job_params))
    if not isinstance(own, Mapping):
        raise Invalid(f"step {step.name!r}, key 'op_kwargs': {written!r} is not a table")
    merged = {
        **job_params,
        **own,
        **{key: job_params.get(key, value) for key, value in overrides.params.items()},
        **addressed,
    }
    return merged, frozenset(own) | frozenset(addressed)


@runtime_checkable
class Rendered(Protocol):
    """A step type that wants to know the definition its rendered form came from."""

    def rendered_from(self, template: Any) -> None: ...


def render_step(step: StepConfig, scope: Scope) -> StepConfig:
    """`step` with the tokens of its own keys replaced; the same object when it has none.

    `scope.kwargs` must hold what `step_params` merged. `op_kwargs` stays as written: its values are already in
    there. Raises Invalid naming step and key.
    """
    left_alone = step.structural | {"op_kwargs"}
    wanted = [name for name in step.model_fields_set if name not in left_alone and _has_token(step, name)]
    if not wanted:
        return step
    values = step.model_dump(exclude_unset=True, by_alias=True, warnings=False)
    for name in wanted:
        try:
            escape = step.escapes.get(name)
            values[name] = (
                resolve(values[name], scope) if escape is None else _escaped(values[name], scope, escape)
            )
        except Invalid as error:
            raise Invalid(f"step {step.name!r}, key {name!r}: {error.message}") from error
    try:
        rendered = type(step).model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"step {step.name!r}, key {key!r} after substitution: {first['msg']}") from None
    if isinstance(rendered, Rendered):
        rendered.rendered_from(step)
    return rendered


def _escaped(text: str, scope: Scope, escape: Callable[[str], str]) -> Any:
    """`text` with its tokens replaced by escaped values, so that none of them can be more than a value there.

    A text that is one token and nothing else is replaced by the value as it is; so is what the environment says,
    which is the operator's.
    """
    if single_token(text) is not None:
        return resolve(text, scope)

    def filled(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        token = match[2].strip()
        value = as_text(look_up(token, scope))
        return value if environment_token(token) is not None else escape(value)

    return TOKEN.sub(filled, text)


def jsonable(value: Any, key: str = "value") -> Any:
    """`value` as JSON holds it: dates as ISO text, tuples as lists. Raises Invalid naming what JSON cannot hold."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid(f"{key}: {value} cannot be stored; JSON has no such number")
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): jsonable(item, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item, f"{key}.{index}") for index, item in enumerate(value)]
    raise Invalid(f"{key}: a {type(value).__name__} cannot be stored")


class _JobParams:
    """The params of a definition, each looked up once and in the order they need each other."""

    def __init__(self, job: Job, data: Mapping[str, Any], scope: Scope) -> None:
        self.data = dict(data)
        self.definitions = {key: value for key, value in job.params.items() if key not in data}
        self._scope = scope
        self._known: dict[str, Any] = {}
        self._open: list[str] = []

    def value(self, key: str) -> Any:
        if key in self.data:
            return self.data[key]
        if key not in self._known:
            if key in self._open:
                raise Invalid(f"params refer to each other in a circle: {' -> '.join([*self._open, key])}")
            self._open.append(key)
            self._known[key] = substitute(self.definitions[key], self.look_up)
            self._open.pop()
        return self._known[key]

    def look_up(self, token: str) -> Any:
        name = _sibling(token)
        if name is None:
            return look_up(token, self._scope)
        if name in self.data or name in self.definitions:
            return look_up(token, replace(self._scope, params={name: self.value(name)}, kwargs=None))
        known = [*self.definitions, *self.data]
        raise Invalid(f"${{{token}}}: no param {name!r}{did_you_mean(name, known)}")

    def deferred(self, key: str, asking: frozenset[str] = frozenset()) -> bool:
        """True when the value of `key` must not, or cannot, be known before the run starts."""
        if key in self.data or key in asking or key not in self.definitions:
            return False
        for token in tokens_in(self.definitions[key]):
            name = _sibling(token)
            if name is None:
                if environment_token(token) is not None or token in _RUN_TIME_FACTS:
                    return True
            elif self.deferred(name, asking | {key}):
                return True
        return False


def _sibling(token: str) -> str | None:
    root, rest = split_token(token)
    return rest.split(".")[0] if root in {"params", "kw"} and rest else None


def accepted_by(step: StepConfig, callable_params: CallableParams = lambda _: None) -> frozenset[str]:
    """The params that `step` takes: written in its `op_kwargs`, declared by its callable, or mentioned in a token."""
    op_kwargs = getattr(step, "op_kwargs", {})
    written = frozenset(op_kwargs) if isinstance(op_kwargs, Mapping) else frozenset[str]()
    reference = getattr(step, "callable", None)
    named = callable_params(reference) if isinstance(reference, str) else None
    mentioned = {
        name
        for key in step.model_fields_set
        for token in tokens_in(_plain(step, key))
        if (name := _sibling(token))
    }
    return written | (named or frozenset()) | mentioned


def _has_token(step: StepConfig, name: str) -> bool:
    return has_token(_plain(step, name))


def _plain(step: StepConfig, name: str) -> Any:
    value = getattr(step, name)
    return (
        value.model_dump(exclude_unset=True, by_alias=True, warnings=False)
        if hasattr(value, "model_dump")
        else value
    )


def _check_size(overrides: Overrides) -> None:
    try:
        size = len(json.dumps([overrides.params, overrides.op_kwargs], allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"params must be JSON values: {error}") from None
    if size > MAX_OVERRIDE_BYTES:
        raise Invalid(f"params are {size} bytes of JSON; at most {MAX_OVERRIDE_BYTES} are accepted")


def _check_shape(key: str, value: Any, default: Any) -> None:
    if isinstance(default, str | bool | int | float) and isinstance(value, dict | list):
        kind = "a table" if isinstance(value, dict) else "a list"
        raise Invalid(f"param {key!r} is a single value, not {kind}")
