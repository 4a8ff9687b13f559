"""For tests of plugins: a context, a clock and connectors that behave like the real ones without a server."""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from liberty.connectors import ConnectorRegistry
from liberty.errors import NotFound, did_you_mean
from liberty.jobs.marks import CopyMark
from liberty.jobs.run import SUCCEEDED, Json, Status, StepRun, Trigger, TriggerKind
from liberty.jobs.steps import base
from liberty.jobs.steps.base import ChildRun, RunContext, StepLog, StepResult
from liberty.jobs.steps.python import PythonStep
from liberty.plugins import Plugins, PluginSet
from liberty.settings import Settings, load_settings

_START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = _START) -> None:
        if now.tzinfo is None:
            raise ValueError("FakeClock needs an aware datetime, e.g. datetime(2026, 1, 1, tzinfo=UTC)")
        self._now = now.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float | timedelta) -> datetime:
        """Move both clocks forward; returns the new time."""
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta(0):
            raise ValueError("a monotonic clock cannot be turned back")
        self._now += step
        self._monotonic += step.total_seconds()
        return self._now


class RecordingLog(StepLog):
    """`ctx.log` in memory: `calls` lists `(LEVEL, message)` in order, arguments filled in."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("liberty.testing"))
        self.calls: list[tuple[str, str]] = []

    def debug(self, message: object, *args: object) -> None:
        self._record("DEBUG", message, args)

    def info(self, message: object, *args: object) -> None:
        self._record("INFO", message, args)

    def warning(self, message: object, *args: object) -> None:
        self._record("WARNING", message, args)

    def error(self, message: object, *args: object) -> None:
        self._record("ERROR", message, args)

    def exception(self, message: object, *args: object) -> None:
        self._record("ERROR", message, args)

    def _record(self, level: str, message: object, args: tuple[object, ...]) -> None:
        self.calls.append((level, str(message) % args if args else str(message)))


class StubConnectors(ConnectorRegistry):
    """A registry in which the given names stand for the given objects."""

    def __init__(self, stubs: Mapping[str, object]) -> None:
        super().__init__()
        self._stubs = dict(stubs)

    def get(self, name: str) -> Any:
        if name in self._stubs:
            return self._stubs[name]
        return super().get(name)

    def sql(self, name: str) -> Any:
        return self.get(name)

    def api(self, name: str) -> Any:
        return self.get(name)

    def names(self) -> list[str]:
        return sorted({*self._stubs, *super().names()})

    def __contains__(self, name: object) -> bool:
        return name in self._stubs or super().__contains__(name)


@dataclass(slots=True)
class FakeHost:
    """What a fake context works with.

    `children` answers `call_job`, by job name; `called_jobs` tells what was asked. `copy_marks` holds the marks of
    incremental copies, by step name; `progress` what steps told of theirs.
    """

    connectors: ConnectorRegistry
    settings: Settings
    plugins: PluginSet
    children: Mapping[str, ChildRun] = field(default_factory=dict)
    called_jobs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    copy_marks: dict[str, CopyMark] = field(default_factory=dict)
    progress: list[Mapping[str, Any]] = field(default_factory=list)

    async def call_sync(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        return await asyncio.to_thread(function)

    async def call_import(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        return await asyncio.to_thread(function)

    async def call_async(self, ctx: RunContext, function: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002 - see Host
        return await function()

    async def call_process(
        self,
        ctx: RunContext,
        callable: str,  # noqa: A002 - see Host
        op_kwargs: Mapping[str, Any],
    ) -> StepResult:
        """In a test there is no second process: a debugger and a patch reach the function."""
        return await PythonStep(callable=callable, op_kwargs=dict(op_kwargs)).execute(ctx)

    async def call_job(self, ctx: RunContext, job: str, params: Mapping[str, Any]) -> ChildRun:  # noqa: ARG002 - see Host
        self.called_jobs.append((job, dict(params)))
        try:
            return self.children[job]
        except KeyError:
            raise NotFound(f"no job {job!r} among children{did_you_mean(job, self.children)}") from None

    def progressed(self, ctx: RunContext, facts: Mapping[str, Any]) -> None:  # noqa: ARG002 - see Host
        self.progress.append(facts)

    async def copy_mark(self, ctx: RunContext) -> CopyMark | None:
        return self.copy_marks.get(ctx.step_name)

    async def move_copy_mark(self, ctx: RunContext, mark: CopyMark) -> bool:
        self.copy_marks[ctx.step_name] = replace(mark, revision=mark.revision + 1)
        return True

    async def delete_history(self, *, older_than: timedelta, keep_failed: bool, limit: int) -> int:  # noqa: ARG002 - see Host
        return 0


@dataclass(slots=True, kw_only=True)
class FakeContext(RunContext):
    """A RunContext whose log is in memory and that can be cancelled by the test."""

    log: RecordingLog
    host: FakeHost
    cancel_requested: bool = False

    def cancel(self) -> None:
        """From now on `is_cancelled()` is true."""
        self.cancel_requested = True

    def is_cancelled(self) -> bool:
        return self.cancel_requested or self.cancelled()


def build_fake_ctx(
    *,
    connectors: ConnectorRegistry | Mapping[str, object] | None = None,
    settings: Settings | None = None,
    plugins: PluginSet | None = None,
    previous: Mapping[str, StepRun | dict[str, Any]] | None = None,
    session_user: str | None = None,
    trigger: Trigger | TriggerKind | None = None,
    children: Mapping[str, ChildRun] | None = None,
    **fields: Any,
) -> FakeContext:
    """A context for calling a step function in a test.

    Args:
        connectors: a real registry (see `memory_registry`), or objects by the name that `get_connector` takes.
        settings: default: the settings of a server nobody configured.
        plugins: the generation `python` steps resolve in; default: no plugins.
        previous: earlier steps by name; a dict stands for a step that succeeded with that output.
        session_user: who triggered the run; default: `alice`, signed in.
        trigger: a Trigger, or one of `cron`, `manual`, `api`, `cli`, `call_job`.
        children: outcomes of `call_job`, by job name.
        **fields: any other field of RunContext: `params={"period": "2026-04"}`, `run_id="r-7"`, `log_level="DEBUG"`…
    """
    if not isinstance(connectors, ConnectorRegistry):
        connectors = StubConnectors(connectors or {})
    earlier = {
        name: step if isinstance(step, StepRun) else step_run(name, output=step)
        for name, step in (previous or {}).items()
    }
    params = dict(fields.pop("params", {}))
    return FakeContext(
        run_id=fields.pop("run_id", "r-1"),
        job_id=fields.pop("job_id", "fake-job"),
        step_name=fields.pop("step_name", "fake-step"),
        idempotency_key=fields.pop("idempotency_key", "fake-job/r-1/fake-step"),
        trigger=_trigger(trigger, session_user),
        params=params,
        explicit=frozenset(fields.pop("explicit", params)),
        previous=earlier,
        log=RecordingLog(),
        host=FakeHost(
            connectors=connectors,
            settings=settings or default_settings(),
            plugins=plugins or Plugins(_nowhere()).snapshot(),
            children=dict(children or {}),
        ),
        **fields,
    )


def step_run(
    name: str,
    *,
    output: Json = None,
    status: str = SUCCEEDED,
    rows_affected: int | None = None,
    index: int = 0,
    type: str = "python",  # noqa: A002 - the name of the field
) -> StepRun:
    """The record of an earlier step, as `ctx.previous_step` returns it."""
    return StepRun(
        index=index,
        name=name,
        type=type,
        status=Status(status),
        reason=None,
        attempts=(),
        started_at=_START,
        finished_at=_START,
        rows_affected=rows_affected,
        input=None,
        output=output,
        error=None,
    )


def default_settings() -> Settings:
    """The settings of a server started without any file or variable."""
    return load_settings({}, cwd=_nowhere())


def memory_registry(*pools: str) -> ConnectorRegistry:
    """A real registry over SQLite databases in memory, one per pool name (default: one called `default`).

    A pool's name is a connector too: `registry.get("default")`, `registry.pools.engine("default")`. The data lasts
    until `await registry.close()`.
    """
    return ConnectorRegistry({"pools": {name: {"url": "sqlite://"} for name in pools or ("default",)}})


@contextmanager
def no_backoff() -> Iterator[None]:
    """Inside the block failing steps are tried again at once, whatever their retry policy says."""
    before = base.backoff_scale
    base.backoff_scale = 0.0
    try:
        yield
    finally:
        base.backoff_scale = before


def _trigger(trigger: Trigger | TriggerKind | None, session_user: str | None) -> Trigger:
    if isinstance(trigger, Trigger):
        return trigger
    if trigger in (None, "manual", "api"):
        return Trigger(kind=trigger or "manual", by=f"user:{session_user or 'alice'}")
    by = {"cron": "cron", "cli": f"cli:{session_user or 'alice'}"}
    return Trigger(
        kind=trigger, by=by.get(trigger, "job:parent@r-1"), scheduled_at=_START if trigger == "cron" else None
    )


def _nowhere() -> Path:
    return Path(tempfile.gettempdir(), "nomaflow-no-such-folder")
