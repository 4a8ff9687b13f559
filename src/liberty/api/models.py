"""Requests as they are checked, and answers as the OpenAPI document shows them. `jobs/service/wire.py` makes them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

type Instant = Annotated[
    str, Field(description="RFC 3339, UTC, milliseconds.", examples=["2026-03-29T01:00:00.000Z"])
]
type Values = dict[str, Any]
type Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Answer(BaseModel):
    """What the server sends."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """What a client sends; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


# -- errors


class ProblemItem(Answer):
    """One thing wrong in a definition or a request."""

    message: str
    file: str | None = None
    line: int | None = None
    job: str | None = None
    key: str | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; `code` is stable."""

    type: str = Field(examples=["urn:nomaflow:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_found"])
    problems: list[ProblemItem] | None = None


# -- runs


class RunModel(Answer):
    """A run, as lists show it."""

    run_id: str = Field(examples=["r-1842"])
    job: str = Field(examples=["flights-nightly"])
    app: str = Field(examples=["reporting"])
    status: Literal[
        "queued", "running", "aborting", "succeeded", "failed", "partial-success", "aborted", "skipped"
    ]
    reason: str | None = Field(examples=["single-instance, previous still running"])
    trigger: Literal["cron", "manual", "api", "cli", "call_job"]
    triggered_by: str = Field(examples=["user:alice"])
    scheduled_at: Instant | None
    queued_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    duration_ms: int | None
    rows_affected: int | None
    params: Values
    replay_of: str | None
    definition_version: int | None
    replica: str | None
    current_step: str | None


class StepErrorModel(Answer):
    """Why a try failed."""

    type: str = Field(examples=["RuntimeError"])
    message: str
    traceback: str | None


class AttemptModel(Answer):
    """One try of a step."""

    number: int
    status: str
    started_at: Instant
    finished_at: Instant | None
    error: StepErrorModel | None
    wait_seconds: float | None


class StepModel(Answer):
    """One step of a run."""

    index: int
    name: str
    type: str = Field(examples=["sql_copy"])
    status: Literal["running", "succeeded", "failed", "skipped", "aborted"]
    reason: str | None
    attempt: int
    attempts: list[AttemptModel]
    started_at: Instant | None
    finished_at: Instant | None
    duration_ms: int | None
    rows_affected: int | None
    input: Any = Field(description="Params and kwargs after substitution, secrets masked.")
    output: Any = Field(description="The step's result; at most 100 KiB, then `truncated` is true.")
    error: StepErrorModel | None


class LogLineModel(Answer):
    """A line of a run's log; `seq` counts from 1 without gap."""

    seq: int
    ts: Instant
    level: Level
    logger: str = Field(examples=["nomaflow.python"])
    step: str | None
    message: str


class ParentModel(Answer):
    """A run that called this one."""

    job: str
    run_id: str


class OverridesModel(Answer):
    """What whoever asked for the run had changed."""

    params: Values
    op_kwargs: dict[str, Values]
    step_enabled: dict[str, bool]
    log_level: str | None
    preset: str | None
    from_step: str | None


class RunDetailModel(RunModel):
    """A run with its steps and the last 1,000 lines of its log."""

    abort_requested_by: str | None
    parent_chain: list[ParentModel]
    overrides: OverridesModel
    steps: list[StepModel]
    logs: list[LogLineModel]
    log_lines: int = Field(description="Lines kept in all.")
    log_dropped: int = Field(description="Lines dropped because the log was too long.")
    truncated: bool


class RunPageModel(Answer):
    """Newest first; `next_cursor` leads to older ones."""

    items: list[RunModel]
    next_cursor: str | None


class RunQueuedModel(Answer):
    """What became of the request; `skipped` with its reason when the job may not start now."""

    run_id: str = Field(examples=["r-1843"])
    job: str
    status: str = Field(examples=["queued"])
    reason: str | None


class ReplayQueuedModel(RunQueuedModel):
    """The new run and the one it repeats."""

    replay_of: str


class LogPageModel(Answer):
    """Lines in order. `next_cursor` is the number to go on after, null when there are no more now."""

    items: list[LogLineModel]
    next_cursor: str | None
    last_seq: int
    dropped: int
    truncated: bool
    status: str


class RunBody(Body):
    """Values for this run alone; every key may be left out."""

    params: Values = Field(default_factory=dict, examples=[{"period": "2026-05"}])
    op_kwargs: dict[str, Values] = Field(default_factory=dict, examples=[{"purge": {"max_age_days": 7}}])
    step_enabled: dict[str, bool] = Field(default_factory=dict)
    log_level: Level | None = None
    preset: str | None = None


class ReplayBody(RunBody):
    """How to repeat a run: by default with the same params and the job as it is defined today."""

    definition: Literal["same", "current"] = "current"
    from_step: str | None = None


# -- sign-in


class LoginBody(Body):
    """A user name and a password."""

    username: str = Field(max_length=200)
    password: str = Field(max_length=1024)


class RefreshBody(Body):
    """The refresh token of an earlier answer; it can be used once."""

    refresh_token: str = Field(max_length=1024)


class TokensModel(Answer):
    """Bearer tokens; `expires_in` is seconds."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    refresh_token: str


class MeModel(Answer):
    """Who is asking. `csrf_token` is there for browser sessions only."""

    name: str
    kind: Literal["session", "token", "cli"]
    superuser: bool
    permissions: list[str]
    scope: list[str] | None
    csrf_token: str | None


# -- jobs


class PauseModel(Answer):
    """What holds a job, or all jobs, back."""

    since: Instant
    until: Instant | None
    reason: str | None
    then: Literal["drop", "latest", "all"]
    by: str = Field(examples=["user:alice"])


class JobModel(Answer):
    """A job of the list."""

    name: str
    app: str
    description: str
    tags: list[str]
    enabled: bool
    schedule: str | None = Field(examples=["0 2 * * *"])
    timezone: str | None = Field(examples=["Europe/Paris"])
    state: Literal["scheduled", "manual", "disabled", "paused", "frozen", "quarantined"]
    problems: list[ProblemItem]
    next_fire_at: Instant | None
    last_run: RunModel | None
    in_flight: int
    step_count: int
    pause: PauseModel | None


class JobListModel(Answer):
    """Every job you may read, by name."""

    items: list[JobModel]
    next_cursor: None


class JobDetailModel(JobModel):
    """A job with its definition, secrets masked, and its last 50 runs."""

    definition: Values
    definition_version: int | None
    file: str
    line: int | None
    runs: list[RunModel]


# -- operating


class PauseBody(Body):
    """Until when (absent: until resumed), and why."""

    until: str | None = Field(None, examples=["2026-06-01T06:00:00Z"])
    reason: str | None = None


class FreezeBody(PauseBody):
    """`then`: what happens at the end to what fell due meanwhile."""

    then: Literal["drop", "latest", "all"] = "drop"


class FreezeModel(Answer):
    """Whether all schedules are held back."""

    frozen: bool
    freeze: PauseModel | None


class WhyModel(Answer):
    """What became of an instant."""

    at: Instant
    verdict: Literal["ran", "ran late", "skipped", "missed", "not due", "future", "paused"]
    run_id: str | None
    text: str = Field(examples=["due 2026-05-31 02:00 Europe/Paris; ran at 02:00:00 as r-1842, succeeded"])


class PlannedStepModel(Answer):
    """A step as it would run; `unresolved` says what is known only once earlier steps have run."""

    index: int
    name: str
    type: str
    enabled: bool
    condition: str | None
    run_on: str
    attempts: int
    timeout_seconds: float | None
    input: Any
    unresolved: str | None


class PlanModel(Answer):
    """What a run would do now."""

    job: str
    definition_version: int | None
    params: Any
    steps: list[PlannedStepModel]


class BackfillBody(Body):
    """The span, both ends included; `only_missing` leaves out instants that have a run."""

    model_config = ConfigDict(extra="forbid", validate_by_name=False)

    since: str = Field(alias="from", examples=["2026-05-01"])
    until: str = Field(alias="to", examples=["2026-05-31"])
    only_missing: bool = True


class BackfillModel(Answer):
    """The instants, and the runs made so far; `one_at_a_time`: the others follow as each run ends."""

    job: str
    instants: list[Instant]
    run_ids: list[str]
    one_at_a_time: bool


# -- schedule


class DueModel(Answer):
    """One instant of one schedule."""

    at: Instant
    job: str
    schedule: str = Field(examples=["main"])
    preset: str | None


class CalendarModel(Answer):
    """What is due when; `truncated` beyond 10,000 instants."""

    items: list[DueModel]
    truncated: bool


class PreviewModel(Answer):
    """A schedule in words and its next instants."""

    schedule: str
    timezone: str
    text: str = Field(examples=["At 02:00"])
    next: list[Instant]


class ValidateBody(Body):
    """The text of a `jobs.toml`."""

    toml: str


class ValidationModel(Answer):
    """`ok` when there is no problem."""

    ok: bool
    problems: list[ProblemItem]


class ParameterModel(Answer):
    """A parameter as written in the source."""

    name: str
    annotation: str | None
    default: str | None
    required: bool


class CallableModel(Answer):
    """A function that a python step may call."""

    ref: str = Field(examples=["flights.delays:summarise"])
    name: str
    module: str
    line: int
    summary: str
    parameters: list[ParameterModel]
    takes_any: bool
    is_async: bool


class CallablesModel(Answer):
    """Every such function."""

    items: list[CallableModel]


# -- configuration


class ConfigModel(Answer):
    """A file's values, secrets hidden. `hash` names this version of the file."""

    section: Literal["app", "connectors", "jobs"]
    file: str
    hash: str
    values: Any


class ConfigChange(Body):
    """Set the key at `path`, or remove it. An index one past the end of a list of tables appends."""

    path: list[str | int] = Field(min_length=1, examples=[["jobs", 0, "schedule"]])
    value: Any = None
    remove: bool = False


class ConfigBody(Body):
    """Changes in order, and the hash of the version they were made on. A key left out keeps its secret."""

    hash: str
    changes: list[ConfigChange]
    job: str | None = None


class ReloadModel(Answer):
    """What was loaded."""

    reloaded_at: Instant
    jobs: int
    quarantined: int
    problems: list[ProblemItem]


class PluginReloadModel(Answer):
    """The modules of the plugin."""

    plugin: str
    modules: list[str]


class ReplicaModel(Answer):
    """A process that runs jobs on this history."""

    id: str
    host: str
    pid: int
    role: str
    version: str
    started_at: Instant
    beat_at: Instant


class InFlightModel(RunModel):
    """A run of this process."""

    elapsed_ms: int
    stopping: str | None


class TechnicalModel(Answer):
    """The state of the machinery."""

    scheduler: Literal["active", "standby", "error"]
    last_tick_at: Instant | None
    last_fire_at: Instant | None
    next_fire_at: Instant | None
    queue_depth: int
    replica: str
    replicas: list[ReplicaModel]
    running: int
    in_flight: list[InFlightModel]
    waiting: int
    busy_threads: int
    abandoned_threads: int
    abandoned_coroutines: int
    plugin_loops_retired: int
    jobs: int
    quarantined: int
    pools: list[Values]
    recent_failures: list[RunModel]
