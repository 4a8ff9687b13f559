"""What a person is asked before a run: the declared params and those of the steps' functions, as one typed form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import Job, ParamSpec, Preset
from liberty.jobs.params import INJECTED
from liberty.jobs.run import Json
from liberty.jobs.service.hidden_text import shown
from liberty.jobs.service.loose import loose
from liberty.jobs.steps import StepConfig
from liberty.jobs.steps.python import PythonStep
from liberty.jobs.tokens import has_token
from liberty.plugins.functions import FieldKind, PluginFunction, PluginParameter
from liberty.secrets import MASK, is_secret_name

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

type Origin = Literal["declared", "params", "preset", "op_kwargs", "callable"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One value to ask for. `default` is what the run gets when nothing is sent.

    `is_token`: the default is looked up when the run starts. `picker`: the value is the name of such a thing.
    `origin`: where it is known from; `steps`: which steps take it.
    """

    name: str
    kind: FieldKind
    description: str
    default: Json
    has_default: bool
    is_token: bool
    required: bool
    optional: bool
    choices: list[Json] | None
    picker: Literal["connector", "pool"] | None
    is_secret: bool
    origin: Origin
    steps: list[str]


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step: whether it runs unless told otherwise, and the values that are its own."""

    name: str
    type: str
    enabled: bool
    callable: str | None
    description: str
    fields: list[FormField]


@dataclass(frozen=True, slots=True)
class RunForm:
    """Everything that may be sent with a run of the job."""

    job: str
    log_level: str
    log_levels: list[str]
    fields: list[FormField]
    steps: list[StepForm]
    presets: list[Preset]


def form_of(job: Job, generation: Generation) -> RunForm:
    """The form of a job's run."""
    functions = {found.ref: found for found in generation.plugins.functions()}
    signatures = {
        step.name: functions.get(step.callable) for step in job.steps if isinstance(step, PythonStep)
    }
    takers = {name: _parameters(found) for name, found in signatures.items()}
    specs = {spec.name: spec for spec in job.param_specs}
    names = [*specs, *(key for key in job.params if key not in specs)]
    names += sorted({key for preset in job.presets for key in preset.params if key not in names})
    fields = [
        _shared(
            name, job, specs.get(name), {step: known[name] for step, known in takers.items() if name in known}
        )
        for name in names
    ]
    steps = [_step(step, signatures.get(step.name), set(names)) for step in job.steps]
    return RunForm(job.name, job.log_level, list(LOG_LEVELS), fields, steps, list(job.presets))


def preset_shown(preset: Preset) -> dict[str, Any]:
    """A preset's values, secrets masked."""
    return {
        "name": preset.name,
        "description": preset.description,
        "params": {key: _shown(key, value) for key, value in preset.params.items()},
        "op_kwargs": {
            step: {key: _shown(key, value) for key, value in values.items()}
            for step, values in preset.op_kwargs.items()
        },
        "step_enabled": dict(preset.step_enabled),
        "log_level": preset.log_level,
        "schedule": preset.schedule,
    }


def _parameters(function: PluginFunction | None) -> Mapping[str, PluginParameter]:
    return {} if function is None else {p.name: p for p in function.parameters if p.name not in INJECTED}


def _shared(name: str, job: Job, spec: ParamSpec | None, takers: Mapping[str, PluginParameter]) -> FormField:
    parameter = next(iter(takers.values()), None)
    has_default = name in job.params
    default = job.params.get(name)
    kind: FieldKind = spec.type if spec is not None else _kind(default, parameter)
    choices = list(spec.choices) if spec is not None and spec.choices is not None else None
    if choices is None and parameter is not None and parameter.choices is not None:
        choices = list(parameter.choices)
    return _field(
        name,
        kind,
        description=spec.description if spec is not None and spec.description else _about(parameter),
        default=default,
        has_default=has_default,
        required=spec is not None and spec.required and not has_default,
        optional=spec is None or not spec.required,
        choices=choices,
        origin="declared" if spec is not None else "params" if has_default else "preset",
        steps=takers,
    )


def _step(step: StepConfig, function: PluginFunction | None, shared: set[str]) -> StepForm:
    written: Mapping[str, Any] = step.op_kwargs if isinstance(step, PythonStep) else {}
    parameters = _parameters(function)
    fields = []
    for name in [*parameters, *(key for key in written if key not in parameters)]:
        parameter = parameters.get(name)
        is_written = name in written
        if not is_written and name in shared:
            continue  # it is asked for once, for all steps
        default = written[name] if is_written else parameter.value if parameter is not None else None
        has_default = is_written or (parameter is not None and not parameter.required)
        fields.append(
            _field(
                name,
                _kind(default if is_written else None, parameter),
                description=_about(parameter),
                default=default,
                has_default=has_default,
                required=not has_default,
                optional=parameter is None or parameter.optional,
                choices=list(parameter.choices) if parameter is not None and parameter.choices else None,
                origin="op_kwargs" if is_written else "callable",
                steps=[step.name],
            )
        )
    return StepForm(
        name=step.name,
        type=step.type,
        enabled=step.enabled,
        callable=step.callable if isinstance(step, PythonStep) else None,
        description=function.summary if function is not None else "",
        fields=fields,
    )


def _field(
    name: str,
    kind: FieldKind,
    *,
    description: str,
    default: Any,
    has_default: bool,
    required: bool,
    optional: bool,
    choices: list[Any] | None,
    origin: Origin,
    steps: Iterable[str],
) -> FormField:
    return FormField(
        name=name,
        kind=kind,
        description=description,
        default=_shown(name, default),
        has_default=has_default,
        is_token=has_token(default),
        required=required,
        optional=optional,
        choices=None if choices is None else [loose(choice) for choice in choices],
        picker=_picker(name),
        is_secret=is_secret_name(name),
        origin=origin,
        steps=list(steps),
    )


def _shown(name: str, value: Any) -> Json:
    plain = loose(value)
    if isinstance(plain, str):
        return shown(plain, name)
    return MASK if is_secret_name(name) and plain is not None else plain


def _about(parameter: PluginParameter | None) -> str:
    return parameter.description if parameter is not None else ""


def _kind(default: Any, parameter: PluginParameter | None) -> FieldKind:
    """By the annotation, else by the kind of the value; a token may stand for anything."""
    if parameter is not None and parameter.kind != "any":
        return parameter.kind
    match default:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "any" if has_token(default) else "string"
        case list() | tuple():
            return "list"
        case dict():
            return "table"
    return "any"


def _picker(name: str) -> Literal["connector", "pool"] | None:
    if name == "connector" or name.endswith("_connector"):
        return "connector"
    return "pool" if name == "pool" or name.endswith("_pool") else None
