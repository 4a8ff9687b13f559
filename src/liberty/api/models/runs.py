"""Runs, steps and log lines, and the requests that start them."""

from typing import Any, Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body, Instant, Level, Values


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
    caught_up: bool = Field(
        description="It was due while no scheduler could start it, and was started later."
    )
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
    backfill: int | None = Field(description="The backfill that made it.", examples=[3])


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
    """Newest first; `next_cursor` leads to older ones, `previous_cursor` with `direction=newer` to newer ones."""

    items: list[RunModel]
    next_cursor: str | None = Field(examples=["r-1801"])
    previous_cursor: str | None = Field(examples=["r-1850"])


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
