"""The schedule page: a lane of hours for each job, and the bands across all lanes."""

from typing import Literal

from pydantic import Field

from liberty.api.models.base import Answer, Instant
from liberty.api.models.jobs import CrowdModel, DaylightModel
from liberty.api.models.overview import BandModel


class PastCellModel(Answer):
    """What became of the instants of an hour: the worst of them."""

    at: Instant = Field(description="The first instant with that outcome.")
    outcome: Literal[
        "succeeded",
        "late",
        "caught up",
        "failed",
        "partial-success",
        "aborted",
        "missed",
        "held",
        "skipped",
        "queued",
        "running",
        "aborting",
    ]
    count: int = Field(description="Instants of the hour, those a summary stands for included.")
    of_that: int = Field(description="How many of them had this outcome.")
    run_id: str = Field(description="The newest row of that outcome.", examples=["r-1842"])
    duration_ms: int | None = Field(description="The longest.")


class ComingCellModel(Answer):
    """The first instant of an hour that is to come."""

    at: Instant
    schedule: str = Field(examples=["main"])
    several: bool = Field(description="The job fires again in the hour.")
    held: Literal["paused", "frozen"] | None


class LaneModel(Answer):
    """A job's lane."""

    job: str
    app: str
    tags: list[str]
    text: str = Field(examples=["Every 15 minutes"])
    timezone: str | None
    past: list[PastCellModel]
    coming: list[ComingCellModel]


class JobBandModel(BandModel):
    """A pause of one job."""

    job: str


class LanesModel(Answer):
    """Lanes by job name. Past instants are judged from the ledger, those to come worked out as the scheduler does."""

    since: Instant
    until: Instant
    now: Instant
    counts: dict[str, int] = Field(
        description="Instants by outcome, of the lanes shown.", examples=[{"succeeded": 1715, "missed": 10}]
    )
    lanes: list[LaneModel]
    next_cursor: str | None = Field(description="The last job shown, when there are more.")
    outages: list[BandModel] = Field(description="When nobody scheduled. At most 200, as the other bands.")
    freezes: list[BandModel]
    pauses: list[JobBandModel]
    daylight: list[DaylightModel]
    crowded: list[CrowdModel] = Field(
        description="Minutes to come in which more runs begin than may run; of each hour the first instants count."
    )
