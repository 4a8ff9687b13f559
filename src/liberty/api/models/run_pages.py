"""The runs page: counts, bulk requests; the run page: what happened step by step, what changed, two runs compared."""

from typing import Any, Literal

from pydantic import Field, model_validator

from liberty.api.models.base import Answer, Body, Instant
from liberty.api.models.runs import ReplayBody, RunModel, StepErrorModel


class RunCountsModel(Answer):
    """Runs of each status that fit, counted up to 10,000."""

    counts: dict[str, int] = Field(examples=[{"succeeded": 9120, "failed": 14, "running": 2}])
    more: list[str] = Field(description="Statuses of which there are more than were counted.")
    looked_to: str | None = Field(
        description="With a trigger, user or text only the newest runs are looked through: down to this one.",
        examples=["r-1200"],
    )


class RunQueryBody(Body):
    """The filter of the runs page."""

    job: list[str] = Field(default_factory=list, examples=[["flights-nightly"]])
    status: list[str] = Field(default_factory=list, examples=[["failed"]])
    since: str | None = Field(None, alias="from", examples=["2026-05-01"])
    until: str | None = Field(None, alias="to", examples=["2026-05-31"])
    trigger: list[str] = Field(default_factory=list, examples=[["cron"]])
    user: str | None = None
    text: str | None = None


class BulkBody(Body):
    """The runs, by their ids or by a filter; a filter takes the newest `limit` that may be acted upon."""

    run_ids: list[str] | None = Field(None, max_length=500, examples=[["r-1842", "r-1843"]])
    filter: RunQueryBody | None = None
    limit: int = Field(100, ge=1, le=500, description="The most runs a filter may name.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "BulkBody":
        if (self.run_ids is None) == (self.filter is None):
            raise ValueError("give either run_ids or filter")
        return self


class BulkReplayBody(BulkBody):
    """The same, and how to repeat them."""

    replay: ReplayBody = Field(default_factory=ReplayBody)


class BulkItemModel(Answer):
    """What became of one of them."""

    run_id: str = Field(examples=["r-1842"])
    ok: bool
    status: str | None = Field(description="Of the run that was stopped or made.", examples=["queued"])
    new_run_id: str | None = Field(description="The replay.", examples=["r-1902"])
    code: str | None = Field(description="Why nothing was done.", examples=["conflict"])
    detail: str | None


class BulkModel(Answer):
    """One entry for each run, in the order in which they were taken."""

    items: list[BulkItemModel]
    done: int
    refused: int


class SourceLineModel(Answer):
    """A line of a plugin's file."""

    number: int = Field(examples=[42])
    text: str


class FrameModel(Answer):
    """A place in a plugin's file that a traceback names, with the lines around it."""

    file: str = Field(description="Below the plugins folder.", examples=["reporting/enrich.py"])
    line: int = Field(examples=[42])
    function: str = Field(examples=["match_planes"])
    changed: bool | None = Field(
        description="The file is another than the run had, so its lines may not be those; null: not known."
    )
    lines: list[SourceLineModel] = Field(description="Empty when the file is gone.")


class StoryTryModel(Answer):
    """One try: when it ran, and how long was waited after it."""

    number: int
    status: str
    started_at: Instant
    finished_at: Instant | None
    duration_ms: int | None
    wait_ms: int | None = Field(description="Back-off before the next try.")
    error: StepErrorModel | None


class StoryStepModel(Answer):
    """A step on the waterfall, steps that have not begun included."""

    index: int
    name: str
    type: str
    status: str = Field(description="A step's status, or `waiting`.", examples=["succeeded"])
    reason: str | None
    started_at: Instant | None
    finished_at: Instant | None
    duration_ms: int | None
    median_ms: int | None = Field(description="Of this step in the last 20 succeeded runs.")
    median_rows: int | None
    rows_in: int | None
    rows_out: int | None
    tries: list[StoryTryModel]
    error: StepErrorModel | None
    frames: list[FrameModel]


class NeighbourModel(Answer):
    """Another run of the job."""

    run_id: str = Field(examples=["r-1841"])
    status: str
    queued_at: Instant


class RunStoryModel(Answer):
    """Everything the waterfall draws."""

    run: RunModel
    now: Instant
    queue_wait_ms: int | None = Field(description="From queued to started, or to now.")
    waits_for: list[str] = Field(
        description="What it had to have room in, or waits for.", examples=[["pool warehouse"]]
    )
    median_ms: int | None = Field(description="Of the last 20 succeeded runs.")
    measured_runs: int
    steps: list[StoryStepModel]
    previous: NeighbourModel | None
    next: NeighbourModel | None
    last_success: NeighbourModel | None = Field(description="The last one before this run.")
    replays: list[NeighbourModel] = Field(description="Runs that repeat it, at most 20.")


class ChangeModel(Answer):
    """Something that is different."""

    kind: Literal["definition", "params", "plugin", "library", "python", "duration", "rows", "status"]
    name: str = Field(examples=["steps.match-planes.op_kwargs.min_match_pct"])
    before: Any = Field(examples=[85])
    after: Any = Field(examples=[92])
    text: str = Field(examples=["step match-planes: op_kwargs.min_match_pct was 85, is 92"])
    likely_cause: bool = Field(description="The error names it; true for the first entry only.")


class ChangesModel(Answer):
    """What is different from the last success before it, the most telling first, at most six."""

    run_id: str
    since: NeighbourModel | None = Field(description="Null when the job never succeeded before.")
    items: list[ChangeModel]
    more: int = Field(description="Differences that are not listed.")
    code_known: bool = Field(description="False: which plugin files and libraries a run had was not kept.")


class ComparedStepModel(Answer):
    """A step in both runs."""

    name: str
    status_a: str | None
    status_b: str | None
    duration_ms_a: int | None
    duration_ms_b: int | None
    rows_a: int | None
    rows_b: int | None
    tries_a: int
    tries_b: int


class CompareModel(Answer):
    """Two runs side by side."""

    a: RunModel
    b: RunModel
    same_job: bool
    items: list[ChangeModel] = Field(description="From `a` to `b`, at most 200.")
    more: int
    code_known: bool
    steps: list[ComparedStepModel]
