"""The catalogue, operating jobs, and looking ahead."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from liberty.api.models.base import Answer, Body, Instant, ProblemItem, Values
from liberty.api.models.runs import RunModel


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


class PlanModel(Answer):
    """What a run would do now."""

    job: str
    definition_version: int | None
    params: Any
    steps: list[PlannedStepModel]


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
