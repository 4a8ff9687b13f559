"""The catalogue, operating jobs, and looking ahead."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from liberty.api.models.base import Answer, Body, Instant, ProblemItem, Values
from liberty.api.models.runs import RunModel

type Overlap = Literal["skip", "queue", "replace", "allow"]


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
    state: Literal["scheduled", "manual", "disabled", "paused", "frozen", "quarantined", "never-due"]
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


class ScheduleModel(Answer):
    """One of a job's schedules; `enabled` is false when it, or the job, is switched off."""

    key: str = Field(description="What runs carry as their schedule.", examples=["main", "schedule:morning"])
    name: str | None = Field(description="Of an entry of [[jobs.schedules]].", examples=["morning"])
    preset: str | None = Field(description="The preset that brings this schedule.", examples=["last-year"])
    schedule: str = Field(examples=["0 9 * * MON-FRI"])
    timezone: str = Field(examples=["Europe/Paris"])
    text: str = Field(examples=["At 09:00, Monday through Friday"])
    description: str
    enabled: bool
    next: list[Instant] = Field(description="Up to three.")


class JobDetailModel(JobModel):
    """A job with its definition, secrets masked, and its last 50 runs."""

    schedules: list[ScheduleModel]
    overlap: Overlap | None = Field(description="What a run does that finds another of its job running.")
    definition: Values
    definition_version: int | None
    file: str
    line: int | None
    runs: list[RunModel]


class PauseBody(Body):
    """Until when (absent: until resumed), why, and what happens at the end to what fell due meanwhile."""

    until: str | None = Field(None, examples=["2026-06-01T06:00:00Z"])
    reason: str | None = None
    then: Literal["drop", "latest", "all"] = "drop"


class FreezeBody(PauseBody):
    """The same for all jobs."""


class FreezeModel(Answer):
    """Whether all schedules are held back."""

    frozen: bool
    freeze: PauseModel | None


class WhyModel(Answer):
    """What became of an instant."""

    at: Instant
    verdict: Literal["ran", "ran late", "caught up", "skipped", "missed", "paused", "future", "not due"]
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
    preview: Any = Field(examples=[{"statement": "DELETE", "rows_affected": 12}])


class PlanModel(Answer):
    """What a run would do now."""

    job: str
    definition_version: int | None
    params: Any
    steps: list[PlannedStepModel]


class MarkModel(Answer):
    """How far an incremental step has come. `kind` is null before the first copy; `start`: the next one takes all."""

    step: str = Field(examples=["copy-orders"])
    column: str | None = Field(examples=["updated_at"])
    kind: str | None = Field(examples=["timestamp"])
    value: str | None = Field(examples=["2026-05-01 10:00:00"])
    set_at: str | None = Field(examples=["2026-05-02T02:00:04.120Z"])
    set_by: str | None = Field(examples=["r-1842"])


class MarkPageModel(Answer):
    """The incremental steps of a job."""

    items: list[MarkModel]


class BackfillBody(Body):
    """The span, both ends included; `only_missing` leaves out instants that have succeeded or are being tried."""

    model_config = ConfigDict(extra="forbid", validate_by_name=False)

    since: str = Field(alias="from", examples=["2026-05-01"])
    until: str = Field(alias="to", examples=["2026-05-31"])
    only_missing: bool = True
    newest_first: bool = False
    max_concurrent: int = Field(default=1, ge=1, le=32)


class BackfillModel(Answer):
    """The instants in the order in which they run, and their runs; `backfill` is null when nothing was missing."""

    backfill: int | None = Field(examples=[3])
    job: str
    instants: list[Instant]
    run_ids: list[str]


class BackfillStateModel(Answer):
    """A backfill; `runs` counts its runs by status, and is null in the answer to a cancel."""

    backfill: int = Field(examples=[3])
    job: str
    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")
    only_missing: bool
    newest_first: bool
    max_concurrent: int
    requested_at: Instant
    requested_by: str = Field(examples=["user:alice"])
    cancelled_at: Instant | None
    cancelled_by: str | None
    runs: dict[str, int] | None = Field(examples=[{"succeeded": 12, "queued": 18}])


class BackfillPageModel(Answer):
    """Newest first."""

    items: list[BackfillStateModel]


class DueModel(Answer):
    """One instant of one schedule."""

    at: Instant
    local: str = Field(
        description="On the schedule's own clock, with its offset.", examples=["2026-03-29T03:00:00+02:00"]
    )
    timezone: str = Field(examples=["Europe/Paris"])
    job: str = Field(examples=["flights-nightly"])
    schedule: str = Field(
        description="`main`, `schedule:<name>` or `preset:<name>`.", examples=["schedule:morning"]
    )
    preset: str | None
    held: Literal["paused", "frozen"] | None = Field(description="What holds it back, as of now.")
    meets: Literal["skipped", "waits", "refused", "replaces", "alongside"] | None = Field(
        description="What becomes of it when the job's earlier run takes as long as usual; null: it meets none. "
        "`refused`: the queue of the job is full."
    )


class MovedModel(Answer):
    """A time that is skipped or repeated that night, and when it fires."""

    job: str = Field(examples=["flights-nightly"])
    schedule: str = Field(examples=["main"])
    wall: str = Field(description="On the wall clock.", examples=["2026-03-29T02:30:00"])
    at: Instant


class DaylightModel(Answer):
    """A night on which a zone's clock is changed."""

    date: str = Field(examples=["2026-03-29"])
    timezone: str = Field(examples=["Europe/Paris"])
    at: Instant
    before: str = Field(
        description="What the clock would show without the change.", examples=["2026-03-29T02:00:00"]
    )
    after: str = Field(description="What it shows.", examples=["2026-03-29T03:00:00"])
    moved: list[MovedModel] = Field(description="Fixed times in the skipped or repeated stretch.")
    text: str = Field(
        examples=["2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00"]
    )


class OverlapModel(Answer):
    """A job of which some fires will find the earlier run going, if runs take as long as usual."""

    job: str = Field(examples=["flights-nightly"])
    overlap: Overlap
    p95_seconds: float = Field(
        description="95 % of the latest runs took no longer, in seconds.", examples=[780.5]
    )
    measured_runs: int = Field(description="Succeeded runs that were measured: the latest, at most 100.")
    fires: int = Field(description="Fires of the job that are listed and not held back.")
    overlapping: int = Field(description="How many of them find the earlier run going.")
    text: str = Field(
        examples=[
            "sync takes up to 13 min (95 % of its last 40 successful runs); of 96 fires 48 will be skipped, …"
        ]
    )


class CrowdModel(Answer):
    """A minute in which five or more runs begin, and more than may run at once.

    A job that runs one at a time counts once, however often it fires in that minute.
    """

    at: Instant
    fires: int = Field(examples=[12])
    jobs: list[str]


class CalendarModel(Answer):
    """What is due when; `truncated` beyond 10,000 instants. The forecasts are about the instants that are listed."""

    items: list[DueModel]
    truncated: bool
    daylight: list[DaylightModel]
    overlaps: list[OverlapModel]
    crowded: list[CrowdModel]


class ScheduleWarningModel(Answer):
    """What to know about a schedule before saving it.

    daylight: clocks change at a time it names. often: more than once a minute. rare: less than once a year.
    ends: it has a last instant.
    """

    kind: Literal["daylight", "often", "rare", "ends"]
    at: Instant | None
    text: str = Field(
        examples=["2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00"]
    )


class PreviewModel(Answer):
    """A schedule in words, its next instants, and what to know about it."""

    schedule: str
    timezone: str
    text: str = Field(examples=["At 02:00"])
    next: list[Instant]
    warnings: list[ScheduleWarningModel]


class ValidateBody(Body):
    """The text of a `jobs.toml`."""

    toml: str


class ValidationModel(Answer):
    """`ok` when there is no problem."""

    ok: bool
    problems: list[ProblemItem]


class ParameterModel(Answer):
    """A parameter as written in the source, and what to ask for: kind of value, choices, the default as a value."""

    name: str
    annotation: str | None = Field(examples=["Literal['full', 'delta']"])
    default: str | None = Field(description="Source text.", examples=["'delta'"])
    required: bool
    kind: Literal["string", "int", "float", "bool", "date", "datetime", "list", "table", "any"]
    choices: list[Any] | None = Field(examples=[["full", "delta"]])
    optional: bool = Field(description="Whether None is allowed.")
    value: Any = Field(description="The default, where it is a plain value.")
    description: str = Field(description="From the docstring.")


class CallableModel(Answer):
    """A function that a python step may call."""

    ref: str = Field(examples=["flights.delays:summarise"])
    name: str
    module: str
    line: int
    summary: str = Field(description="First line of the docstring.")
    doc: str = Field(description="The whole docstring.")
    parameters: list[ParameterModel]
    takes_any: bool
    is_async: bool


class CallablesModel(Answer):
    """Every such function."""

    items: list[CallableModel]
