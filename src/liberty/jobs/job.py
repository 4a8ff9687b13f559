"""Definitions: what a job is, as its file says. Facts about its runs live in `run.py`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from liberty.errors import NotFound, did_you_mean
from liberty.jobs.steps.base import RetryPolicy, StepConfig
from liberty.jobs.triggers import Schedule, parse_schedule

DEFAULT_APP = "_default"
RESERVED_NAMES = frozenset(
    {"runs", "health", "schedule", "callables", "cron-preview", "validate", "freeze", "retention"}
)
"""Fixed routes beside `/admin/jobs/{name}`: a job of such a name could not be reached."""

type ParamType = Literal["string", "int", "float", "bool", "date", "datetime"]
type LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_channels(value: Any) -> Any:
    listed = _as_list(value)
    if isinstance(listed, bool) or (
        isinstance(listed, list | tuple) and all(isinstance(c, str) for c in listed)
    ):
        return listed
    raise ValueError("must be true, false or a list of channels")


type Channels = Annotated[bool | tuple[str, ...], BeforeValidator(_as_channels)]


class _Definition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ParamSpec(_Definition):
    """A declared parameter of a job: what the Run dialog asks for and what a caller may send."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$", description="Name in `${params.<name>}`.")
    type: ParamType = Field("string", description="Values are converted to this; others are refused.")
    default: Any = Field(None, description="Value when the caller gives none; tokens allowed.")
    description: str = Field("", description="Shown beside the field.")
    choices: tuple[Any, ...] | None = Field(None, description="The only values allowed.")
    required: bool = Field(False, description="A run needs a value for it.")


class Alerts(_Definition):
    """Who hears about what. `true` means the default recipients, a list names channels."""

    on_failure: Channels = Field(True, description="A run failed or was aborted.")
    on_success: Channels = Field(False, description="A run succeeded.")
    on_skipped: Channels = Field(False, description="A due run was skipped.")
    on_recovery: Channels = Field(True, description="First success after a failure that was announced.")
    after_failures: int = Field(
        1, ge=1, le=1000, description="Announce a failure only from this many in a row."
    )
    on_long_run_minutes: float | None = Field(None, gt=0, description="Warn when a run takes longer.")
    late_after_minutes: float | None = Field(
        None, gt=0, description="Warn when nothing started that long after it was due."
    )
    recipients: tuple[str, ...] = Field(
        (), description="Channels or addresses; default: the transports' own."
    )


class Preset(_Definition):
    """A named set of per-fire values for the Run dialog; with a schedule it also fires by itself."""

    name: str = Field(min_length=1, max_length=64, description="Unique in the job.")
    description: str = Field("", description="Shown in the Run dialog.")
    params: dict[str, Any] = Field(default_factory=dict, description="Values for the run.")
    op_kwargs: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Values for single steps, by step name."
    )
    step_enabled: dict[str, bool] = Field(default_factory=dict, description="Steps switched on or off.")
    log_level: LogLevel | None = Field(None, description="Log level of the run.")
    schedule: str | None = Field(None, description="When set, the preset fires by itself.")
    timezone: str | None = Field(None, description="IANA zone of the schedule; default: the job's.")
    enabled: bool = Field(True, description="false: the preset's schedule is ignored.")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition was written."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fire:
    """One schedule of a job. `key` tells a job's schedules apart: `main`, or `preset:<name>`."""

    key: str
    schedule: Schedule
    preset: str | None = None


class Job(_Definition):
    """A job as its file defines it, every default filled in. Never changes; an edit makes another Job."""

    name: str = Field(description="Unique without case; letters, digits, - and _.")
    app: str = Field(DEFAULT_APP, description="Group of the job, used in permissions.")
    description: str = Field("", description="What the job is for.")
    tags: tuple[str, ...] = Field((), description="Free words to filter by.")
    enabled: bool = Field(True, description="false: schedules are ignored; manual and API runs still work.")
    schedule: str | None = Field(
        None,
        description="Cron (five fields, optional sixth = seconds), @daily…, or 'every 15m'. Absent: manual only.",
    )
    timezone: str | None = Field(None, description="IANA zone of the schedule; default: the server's.")
    single_instance: bool = Field(True, description="A run that would overlap another is skipped.")
    timeout_seconds: float | None = Field(
        None, gt=0, description="Seconds for the whole run; then it is aborted."
    )
    depends_on: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        (), description="Jobs whose latest run must have succeeded."
    )
    log_level: LogLevel = Field("INFO", description="Lowest level that is kept.")
    catchup: Literal["latest", "all", "none"] = Field(
        "latest", description="Fires missed while nobody was up: run the latest, all, or none."
    )
    catchup_window_seconds: float = Field(3600, ge=0, description="Older missed fires are not caught up.")
    params: dict[str, Any] = Field(default_factory=dict, description="Values every step sees.")
    param_specs: tuple[ParamSpec, ...] = Field(
        (), description="Declarations, when params are given as a list."
    )
    retry: RetryPolicy = Field(
        default_factory=lambda: RetryPolicy.model_validate({}), description="Per step."
    )
    alerts: Alerts | None = Field(None, description="Who is told about the outcome.")
    presets: tuple[Preset, ...] = Field((), description="Named parameter sets.")
    install_step: int | None = Field(None, ge=1, description="Place in the order of installation jobs.")
    steps: tuple[SerializeAsAny[StepConfig], ...] = Field(min_length=1, description="Run in this order.")
    origin: Origin = Field(Origin("<memory>"), exclude=True)

    @property
    def fires(self) -> tuple[Fire, ...]:
        """The schedules in force: the job's own while it is enabled, and those of its enabled presets."""
        own = (Fire("main", parse_schedule(self.schedule, self.timezone)),) if self.schedule else ()
        presets = tuple(
            Fire(
                f"preset:{preset.name}",
                parse_schedule(preset.schedule, preset.timezone or self.timezone),
                preset.name,
            )
            for preset in self.presets
            if preset.schedule and preset.enabled
        )
        return (own if self.enabled else ()) + presets

    @property
    def step_names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    def step(self, name: str) -> StepConfig:
        """The step called `name`. Raises NotFound naming the nearest."""
        for step in self.steps:
            if step.name == name:
                return step
        raise NotFound(f"job {self.name!r} has no step {name!r}{did_you_mean(name, self.step_names)}")

    def preset(self, name: str) -> Preset:
        """The preset called `name`. Raises NotFound naming the nearest."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = [preset.name for preset in self.presets]
        raise NotFound(f"job {self.name!r} has no preset {name!r}{did_you_mean(name, known)}")

    def retry_of(self, step: StepConfig) -> RetryPolicy:
        """The policy in force for `step`: its own, else the job's."""
        return step.retry or self.retry


__all__ = [
    "DEFAULT_APP",
    "RESERVED_NAMES",
    "Alerts",
    "Fire",
    "Job",
    "Origin",
    "ParamSpec",
    "Preset",
    "RetryPolicy",
]
