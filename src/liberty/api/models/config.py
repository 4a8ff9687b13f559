"""The configuration and the state of the machinery."""

from typing import Any, Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body, Instant, ProblemItem, Values
from liberty.api.models.runs import RunModel


class ConfigModel(Answer):
    """A file's values, secrets hidden. `hash` names this version of the file."""

    section: Literal["app", "connectors", "jobs"]
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
    plugin_loops_retired: int
    jobs: int
    quarantined: int
    pools: list[Values]
    recent_failures: list[RunModel]
