"""The configuration and the state of the machinery."""

from typing import Any, Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body, Instant, ProblemItem, Values
from liberty.api.models.runs import RunModel


class ConfigModel(Answer):
    """A file's values, secrets hidden. `hash` names this version of the file."""

    section: Literal["app", "connectors", "jobs", "notifications"]
    file: str
    hash: str
    values: Any


class ConfigChange(Body):
    """Set the key at `path`, or remove it. An index one past the end of a list of tables appends."""

    path: list[str | int] = Field(min_length=1, max_length=32, examples=[["jobs", 0, "schedule"]])
    value: Any = None
    remove: bool = False


class ConfigBody(Body):
    """Changes in order, and the hash of the version they were made on. A key left out keeps its secret."""

    hash: str
    changes: list[ConfigChange]
    job: str | None = None


class FileTextModel(Answer):
    """A file's text, secrets masked by `***`. `hash` names this version of it."""

    file: str
    hash: str
    text: str
    problems: list[ProblemItem] = Field(description="What is wrong with it, with its lines.")


class FileTextBody(Body):
    """A text to save or to check. A mask that was left where it stood keeps its secret."""

    text: str = Field(max_length=1_000_000)
    hash: str | None = Field(None, description="The version it was made from; needed to save.")


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
    """A run in progress, here or in another replica; `waiting` is only known here."""

    elapsed_ms: int
    stopping: str | None
    waiting: Literal["thread"] | None
    usual_ms: int | None = Field(description="The median of the job's last 20 successes.")


class LagSampleModel(Answer):
    """The worst of ten seconds."""

    at: Instant
    worst_ms: float


class HolderModel(Answer):
    """Code that kept an event loop, or the interpreter, from others; without a run when it is none of a step's."""

    at: Instant
    lag_ms: int
    run_id: str | None
    step: str | None
    where: str = Field(examples=["/apps/plugins/reporting/fares.py:61 in upsert"])
    advice: str = Field(examples=["await something, or make the function a plain def"])


class LagModel(Answer):
    """How late this process answered in the last half hour, and why."""

    samples: list[LagSampleModel]
    holders: list[HolderModel]


class FailureModel(RunModel):
    """A run that failed or was aborted."""

    error: str | None = Field(
        description="The first step that failed, and how.", examples=["load: ValueError: rate 85 is below 92"]
    )


class AbandonedModel(Answer):
    """Code of a step that did not end when it was told to; `where` is its file and line now."""

    kind: Literal["thread", "coroutine"]
    run_id: str
    job: str
    step: str
    since: Instant
    where: str


class LeaseModel(Answer):
    """Which process follows the schedules; `epoch` grows with each change."""

    holder: str
    epoch: int
    since: Instant
    renewed_at: Instant
    expires_at: Instant


class TechnicalModel(Answer):
    """The state of the machinery."""

    scheduler: Literal["active", "standby", "error"]
    last_tick_at: Instant | None
    last_fire_at: Instant | None
    next_fire_at: Instant | None
    lease: LeaseModel | None
    never_due: list[str] = Field(description="Jobs with a schedule that has no further instant.")
    queue_depth: int
    replica: str
    replicas: list[ReplicaModel]
    running: int
    in_flight: list[InFlightModel]
    waiting: int
    busy_threads: int
    abandoned_threads: int
    abandoned_coroutines: int
    abandoned: list[AbandonedModel]
    lag: LagModel
    plugin_loops_retired: int
    jobs: int
    quarantined: int
    pools: list[Values]
    recent_failures: list[FailureModel]
