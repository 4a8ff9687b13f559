"""What a step is given and what it gives back. Plugin authors import from here; so does every step type."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from liberty.jobs.marks import CopyMark
from liberty.jobs.run import Status, StepRun, Trigger

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry
    from liberty.plugins import PluginSet
    from liberty.settings import Settings

backoff_scale: float = 1.0
"""Retry waits are multiplied by this; `liberty.testing.no_backoff()` sets 0 so that plugin tests never wait."""

type RetryReason = Literal["error", "timeout", "connection"]


class StepFailed(Exception):  # noqa: N818 - the name is part of the plugin contract
    """Raised by a step to fail it; the retry policy applies."""


class StepCancelled(Exception):  # noqa: N818 - the name is part of the plugin contract
    """Raised by a step to end step and run as `aborted`; never retried."""


@dataclass(slots=True)
class StepResult:
    """What a step achieved. `extras` is the step's stored output; `rows_affected` counts in the run's total.

    `output`, when given, is what later steps of the same run see instead of `extras` (a whole HTTP body, all
    rows); it is never stored.
    """

    rows_affected: int | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    output: Any = None


class RetryPolicy(BaseModel):
    """How often a failing step is tried, and how long to wait in between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(1, ge=1, le=100, description="Total tries, the first included.")
    backoff: Literal["fixed", "exponential"] = Field(
        "fixed", description="`fixed` waits base_seconds each time; `exponential` doubles it."
    )
    base_seconds: float = Field(60, ge=0, le=86_400, description="Seconds before the second try.")
    max_delay_seconds: float = Field(600, ge=0, le=86_400, description="No wait is longer than this.")
    jitter: bool = Field(
        True, description="Spread waits by up to 25 % so that retries do not arrive together."
    )
    retry_on: tuple[RetryReason, ...] = Field(
        ("error", "timeout", "connection"), description="Kinds of failure that are tried again."
    )


class PoolNames(Protocol):
    """Which database pool a connector works on; `ConnectorRegistry` knows it."""

    def pool_of(self, connector: str) -> str | None:
        """The pool of a SQL connector, or the pool itself of that name; None for anything else."""
        ...


class StepConfig(BaseModel):
    """The keys every step type has. A step type subclasses this, adds its own keys and `execute`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    structural: ClassVar[frozenset[str]] = frozenset(
        {"type", "name", "enabled", "timeout_seconds", "condition", "continue_on_error", "run_on", "retry"}
    )
    """Keys in which `${…}` is not substituted before `execute`."""
    escapes: ClassVar[Mapping[str, Callable[[str], str]]] = {}
    """Keys that are texts of a language, and how a value is written in it."""

    type: str
    name: str = Field("", description="Unique in the job; default `<callable>` or `<type>-<n>`.")
    enabled: bool = Field(True, description="false: recorded as skipped, the job goes on.")
    timeout_seconds: float = Field(
        3600, gt=0, description="Seconds for one try; then it failed and may be retried."
    )
    condition: str | None = Field(
        None, description="Run only when true, e.g. `${steps.count.row_count} > 0`."
    )
    continue_on_error: bool = Field(
        False, description="A failure does not stop the job; it ends partial-success."
    )
    run_on: Literal["success", "failure", "always"] = Field(
        "success", description="When to run: after success so far, only after a failure, or in any case."
    )
    retry: RetryPolicy | None = Field(None, description="Overrides the job's retry policy.")

    async def execute(self, ctx: "RunContext") -> StepResult:
        """Do the work once. Runs on the work loop; must let CancelledError pass and end within 2 s of it."""
        raise TypeError(f"{type(self).__name__} does not define execute (run {ctx.run_id})")

    async def preview(self, ctx: "RunContext") -> dict[str, Any]:  # noqa: ARG002 - for step types that look further
        """What `execute` would do, found out without changing anything. Here: the keys as they are rendered."""
        return self.model_dump(
            exclude=set(self.structural), exclude_unset=True, by_alias=True, warnings=False
        )

    def pools(self, connectors: PoolNames) -> frozenset[str]:  # noqa: ARG002 - for step types that use a database
        """The database pools this step works on; a name that is known only at run time is left out."""
        return frozenset()

    def default_name(self, index: int) -> str:
        """The name of a step that has none; `index` counts from 0."""
        return f"{self.type}-{index + 1}"


def pool_used(connectors: PoolNames, connector: str, pool: str | None) -> frozenset[str]:
    """The one pool behind `connector`, or `pool` when the step chooses another; empty while a name holds a token."""
    if pool is not None:
        return frozenset() if "${" in pool else frozenset({pool})
    found = None if "${" in connector else connectors.pool_of(connector)
    return frozenset() if found is None else frozenset({found})


class Host(Protocol):
    """What the engine lends to a running step. Only built-in steps use it; plugins use `RunContext`."""

    @property
    def connectors(self) -> "ConnectorRegistry": ...
    @property
    def settings(self) -> "Settings": ...
    @property
    def plugins(self) -> "PluginSet": ...

    async def call_sync(self, ctx: "RunContext", function: Callable[[], Any]) -> Any:
        """Run user code that blocks in the bounded step threads, with the run's context variables.

        On cancel the thread is asked to stop (`ctx.is_cancelled()`), waited for during the grace period, then
        left behind and counted.
        """
        ...

    async def call_import(self, ctx: "RunContext", function: Callable[[], Any]) -> Any:
        """Like `call_sync`, for importing a plugin: does not wait for threads that steps keep."""
        ...

    async def call_async(self, ctx: "RunContext", function: Callable[[], Awaitable[Any]]) -> Any:
        """Run a user's coroutine function on the plugin loop."""
        ...

    async def call_process(
        self,
        ctx: "RunContext",
        callable: str,  # noqa: A002 - the step's key
        op_kwargs: Mapping[str, Any],
    ) -> StepResult:
        """Run a plugin's function in a process of its own. On cancel that process is killed.

        The process logs, and how it ended is the step's outcome; nothing more is to be said about either.
        """
        ...

    async def call_job(self, ctx: "RunContext", job: str, params: Mapping[str, Any]) -> "ChildRun": ...

    async def copy_mark(self, ctx: "RunContext") -> CopyMark | None:
        """How far this step's incremental copies have come; None when there was none yet."""
        ...

    async def move_copy_mark(self, ctx: "RunContext", mark: CopyMark) -> bool:
        """Keep where the next copy goes on; `mark.revision` is that of the mark it follows. False when it was set anew
        meanwhile, and so is left alone."""
        ...

    def progressed(self, ctx: "RunContext", facts: Mapping[str, Any]) -> None:
        """Tell those who follow the run how far this step has come; about once a second."""
        ...

    async def delete_history(self, *, older_than: timedelta, keep_failed: bool, limit: int) -> int:
        """Delete up to `limit` final runs; how many went. For the built-in retention job."""
        ...


@dataclass(frozen=True, slots=True)
class ChildRun:
    """The outcome of a run started by `call_job`."""

    run_id: str
    job: str
    status: Status
    reason: str | None
    rows_affected: int | None


class StepLog:
    """`ctx.log`: writes to the run's log at any level, `%`-style arguments allowed."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, message: object, *args: object) -> None:
        self._logger.debug(message, *args)

    def info(self, message: object, *args: object) -> None:
        self._logger.info(message, *args)

    def warning(self, message: object, *args: object) -> None:
        self._logger.warning(message, *args)

    def error(self, message: object, *args: object) -> None:
        self._logger.error(message, *args)

    def exception(self, message: object, *args: object) -> None:
        self._logger.error(message, *args, exc_info=True)  # noqa: LOG014 - called from the author's handler


@dataclass(slots=True, kw_only=True)
class RunContext:
    """Everything a step may know about its run, and the way to its connectors. Also called `StepContext`.

    `params` is the merged snapshot (job params, op_kwargs, per-fire values, later wins) and `explicit` names
    the keys that were addressed to this very step. `idempotency_key` stays the same over all tries of one step
    of one fire, so a callee can recognise a repetition.
    """

    run_id: str
    job_id: str
    trigger: Trigger
    app: str = "_default"
    step_name: str = ""
    step_index: int = 0
    attempt: int = 1
    log_level: str = "INFO"
    params: dict[str, Any] = field(default_factory=dict)
    explicit: frozenset[str] = frozenset()
    prev_rows_affected: int | None = None
    parent_chain: list[tuple[str, str]] = field(default_factory=list)
    idempotency_key: str = ""
    log: StepLog
    previous: Mapping[str, StepRun] = field(default_factory=dict)
    cancelled: Callable[[], bool] = lambda: False
    host: Host

    @property
    def scheduled_at(self) -> datetime | None:
        """The instant the fire was due; None for a run nobody scheduled."""
        return self.trigger.scheduled_at

    @property
    def session_user(self) -> str:
        """Account name of whoever triggered the run, or `cron`, `api`, `cli`."""
        return self.trigger.session_user

    @property
    def connectors(self) -> "ConnectorRegistry":
        return self.host.connectors

    @property
    def settings(self) -> "Settings":
        return self.host.settings

    def get_connector(self, name: str) -> Any:
        """The SQL or API connector of that name; NotFound names the known ones."""
        return self.host.connectors.get(name)

    def is_cancelled(self) -> bool:
        """True once an abort, a timeout or a shutdown wants this step to end. Callable from any thread."""
        return self.cancelled()

    def previous_step(self, name: str) -> StepRun:
        """The record of an earlier step: `.output`, `.status`, `.rows_affected`. LookupError names the known ones."""
        try:
            return self.previous[name]
        except KeyError:
            known = ", ".join(self.previous) or "none yet"
            raise LookupError(f"no earlier step {name!r}; earlier steps: {known}") from None
