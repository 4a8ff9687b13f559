"""The jobs page: states, strips of due instants, durations; and the load that is to come."""

from typing import Literal

from pydantic import Field

from liberty.api.models.base import Answer, Instant, ProblemItem
from liberty.api.models.jobs import PauseModel


class StripModel(Answer):
    """The last due instants, oldest first: parallel lists, and one letter of `outcomes` each."""

    due: list[int] = Field(description="Milliseconds since 1970, UTC.", examples=[[1764590400000]])
    outcomes: str = Field(
        description="A letter for each; the page's `outcomes` has the words.", examples=["s"]
    )
    durations: list[int | None] = Field(
        description="Milliseconds; null when it did not run.", examples=[[58210]]
    )
    runs: list[int] = Field(description="The n of `r-n`.", examples=[[1842]])
    stands_for: dict[str, int] = Field(
        description="By position: the row stands for that many instants, missed or held together.",
        examples=[{"0": 288}],
    )


class ScheduleWordsModel(Answer):
    """One schedule of a job in words."""

    key: str = Field(examples=["main"])
    schedule: str = Field(examples=["*/30 * * * *"])
    timezone: str = Field(examples=["Europe/Paris"])
    text: str = Field(examples=["Every 30 minutes"])
    enabled: bool


class LastRunModel(Answer):
    """The newest run of a job."""

    run_id: str = Field(examples=["r-1842"])
    status: str = Field(examples=["succeeded"])
    reason: str | None
    trigger: str = Field(examples=["cron"])
    queued_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    duration_ms: int | None = Field(examples=[58210])


class OverviewJobModel(Answer):
    """A job of the jobs page."""

    name: str = Field(examples=["flights-nightly"])
    app: str = Field(examples=["reporting"])
    description: str
    tags: list[str] = Field(examples=[["etl", "nightly"]])
    enabled: bool
    state: Literal[
        "up", "failing", "late", "paused", "frozen", "quarantined", "disabled", "never-due", "manual"
    ] = Field(description="`late`: a run waits for more than a minute. Whether one runs is in `running`.")
    problems: list[ProblemItem] = Field(description="Why it is quarantined or never due.")
    pause: PauseModel | None
    failures_in_a_row: int = Field(
        description="Up to 10; failed runs and timeouts, aborts by people left out.", examples=[3]
    )
    failing_since: Instant | None
    late_since: Instant | None
    schedules: list[ScheduleWordsModel]
    next_fire_at: Instant | None
    last_run: LastRunModel | None
    running: int = Field(description="Runs in progress now.")
    in_flight: int = Field(description="The same with those that wait.")
    p50_ms: int | None = Field(examples=[58210])
    p95_ms: int | None = Field(examples=[91044])
    measured_runs: int = Field(
        description="Successes the two are taken from: those of the strip, or the last 20 if it has fewer."
    )
    step_count: int
    strip: StripModel


class OverviewModel(Answer):
    """Every job you may read, by name."""

    at: Instant
    outcomes: dict[str, str] = Field(
        description="What a letter of a strip means.", examples=[{"s": "succeeded", "m": "missed"}]
    )
    items: list[OverviewJobModel]


class LoadEventModel(Answer):
    """A fire to come that is worth a label: of a job that fires at most hourly."""

    at: Instant
    job: str
    schedule: str
    preset: str | None
    held: Literal["paused", "frozen"] | None
    expected_ms: int | None
    pools: list[str]


class RepeatingModel(Answer):
    """A job that fires more often than hourly, told once."""

    job: str
    fires: int
    text: str = Field(examples=["Every 5 minutes"])


class PoolLoadModel(Answer):
    """How many connections runs are expected to need of a pool, at most, in each slot of time."""

    pool: str = Field(examples=["warehouse"])
    limit: int = Field(description="`max_runs`, else its connections.", examples=[10])
    peak: int
    peak_at: Instant | None
    over_limit: bool
    needed: list[int] = Field(description="One number for each slot.")


class TogetherModel(Answer):
    """Several runs that begin in one minute."""

    at: Instant
    jobs: list[str]


class BandModel(Answer):
    """A span of time: a freeze, or a time without scheduler. `until` null: no end is known."""

    since: Instant
    until: Instant | None
    text: str = Field(examples=["frozen by user:alice: core switch upgrade"])


class LoadModel(Answer):
    """What the next hours will bring, against the limits of the pools; the busiest pool comes first."""

    since: Instant
    until: Instant
    slot_seconds: int = Field(examples=[300])
    truncated: bool = Field(description="There were more than 10,000 fires; the later ones are left out.")
    pools: list[PoolLoadModel]
    events: list[LoadEventModel]
    repeating: list[RepeatingModel]
    together: list[TogetherModel]
    freezes: list[BandModel]
