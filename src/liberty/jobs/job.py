"""Definitions: what a job is, as its file says. Facts about its runs live in `run.py`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from liberty.errors import NotFound, did_you_mean
from liberty.jobs.run import Overrides
from liberty.jobs.steps.base import PoolNames, RetryPolicy, StepConfig
from liberty.jobs.triggers import Schedule, parse_schedule

DEFAULT_APP = "_default"
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""What jobs and their schedules may be called."""

SCHEDULE_KEY = "schedule:"
PRESET_KEY = "preset:"
"""How the keys of fires begin that are not `main`."""

RESERVED_NAMES = frozenset(
    {"runs", "health", "schedule", "callables", "cron-preview", "validate", "freeze", "retention"}
)
"""Fixed routes beside `/admin/jobs/{name}`: a job of such a name could not be reached."""

type Overlap = Literal["skip", "queue", "replace", "allow"]
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
    of_last: int | None = Field(
        None, ge=1, le=1000, description="Count the failures among this many runs instead of in a row."
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


class NamedSchedule(_Definition):
    """One of several schedules of a job, with the values its runs get."""

    name: str = Field(pattern=f"^{NAME_PATTERN}$", description="Unique in the job; letters, digits, - and _.")
    schedule: str = Field(
        description="Cron (five fields, optional sixth = seconds), @daily…, or 'every 15m'."
    )
    timezone: str | None = Field(None, description="IANA zone of the schedule; default: the job's.")
    params: dict[str, Any] = Field(
        default_factory=dict, description="Values for the runs of this schedule; tokens allowed."
    )
    op_kwargs: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Values for single steps, by step name; tokens allowed."
    )
    enabled: bool = Field(True, description="false: this schedule is ignored.")
    description: str = Field("", description="What it is for.")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition was written."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fire:
    """One schedule of a job. `key` tells them apart: `main`, `schedule:<name>`, or `preset:<name>`."""

    key: str
    schedule: Schedule
    preset: str | None = None

    @property
    def overrides(self) -> Overrides:
        """What a run of this schedule is asked for with.

        The values of a `schedule:<name>` are not in here: they are text of the definition, found by the key when the
        run is made, so that nothing in `Overrides` is ever substituted.
        """
        return Overrides(preset=self.preset)


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
    schedules: tuple[NamedSchedule, ...] = Field((), description="Further schedules, each with a name.")
    single_instance: bool = Field(True, description="One run at a time; false: runs may overlap.")
    overlap_rule: Literal["skip", "queue", "replace"] | None = Field(
        None,
        alias="overlap",
        description="What a run does that finds another of its job running: it is skipped (the default), waits in "
        "the queue, or replaces it (the running one is aborted).",
    )
    max_queued: int | None = Field(
        None,
        ge=1,
        description="Runs of this job that may wait at once; further ones are skipped. Default: no limit.",
    )
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
        """The schedules in force: the job's own and its named ones while it is enabled, those of enabled presets."""
        own: list[Fire] = []
        if self.enabled:
            if self.schedule:
                own.append(Fire("main", parse_schedule(self.schedule, self.timezone)))
            own += [
                Fire(SCHEDULE_KEY + entry.name, self.parsed(entry))
                for entry in self.schedules
                if entry.enabled
            ]
        presets = [
            Fire(PRESET_KEY + preset.name, self.parsed(preset), preset.name)
            for preset in self.presets
            if preset.schedule and preset.enabled
        ]
        return (*own, *presets)

    def parsed(self, entry: NamedSchedule | Preset) -> Schedule:
        """The schedule of an entry, in its own zone or the job's. Raises Invalid when it has none."""
        return parse_schedule(entry.schedule or "", entry.timezone or self.timezone)

    @property
    def overlap(self) -> Overlap:
        """What becomes of a run that finds another of this job in flight; `allow` lets both run."""
        if not self.single_instance:
            return "allow"
        return self.overlap_rule or "skip"

    @property
    def value_sets(self) -> tuple[Preset | NamedSchedule, ...]:
        """Everything in the definition that sends values to a run under a name."""
        return (*self.presets, *self.schedules)

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

    def schedule_entry(self, name: str) -> NamedSchedule:
        """The schedule called `name`. Raises NotFound naming the nearest."""
        for entry in self.schedules:
            if entry.name == name:
                return entry
        known = [entry.name for entry in self.schedules]
        raise NotFound(f"job {self.name!r} has no schedule {name!r}{did_you_mean(name, known)}")

    def retry_of(self, step: StepConfig) -> RetryPolicy:
        """The policy in force for `step`: its own, else the job's."""
        return step.retry or self.retry


def pools_of(job: Job, connectors: PoolNames) -> frozenset[str]:
    """The database pools that runs of `job` use, as far as its definition tells: Python code may use others too."""
    return frozenset[str]().union(*(step.pools(connectors) for step in job.steps))


__all__ = [
    "DEFAULT_APP",
    "NAME_PATTERN",
    "PRESET_KEY",
    "RESERVED_NAMES",
    "SCHEDULE_KEY",
    "Alerts",
    "Fire",
    "Job",
    "NamedSchedule",
    "Origin",
    "Overlap",
    "ParamSpec",
    "Preset",
    "RetryPolicy",
    "pools_of",
]
