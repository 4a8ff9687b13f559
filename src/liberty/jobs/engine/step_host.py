"""What a run's steps are lent: lanes to run in, connectors, settings, child runs."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from liberty.connectors import ConnectorRegistry
from liberty.jobs.engine import step_process
from liberty.jobs.engine.execution import Execution
from liberty.jobs.engine.plugin_loop import PluginLoop
from liberty.jobs.engine.step_threads import IMPORT_THREADS, StepThreads
from liberty.jobs.marks import CopyMark
from liberty.jobs.steps.base import ChildRun, RunContext, StepResult
from liberty.plugins import PluginSet
from liberty.settings import Settings


class ChildCaller(Protocol):
    """Starts the child run of a `call_job` step and waits for its end."""

    async def __call__(
        self, parent: Execution, ctx: RunContext, job: str, params: Mapping[str, Any]
    ) -> ChildRun: ...


class Lends(Protocol):
    """The runner, as far as steps need it."""

    threads: StepThreads
    plugin_loop: PluginLoop
    call_child: ChildCaller | None

    def step_progressed(self, execution: Execution, ctx: RunContext, facts: Mapping[str, Any]) -> None: ...
    async def delete_history(self, older_than: timedelta, *, keep_failed: bool, limit: int) -> int: ...
    async def copy_mark(self, job: str, step: str) -> CopyMark | None: ...
    async def move_copy_mark(self, job: str, step: str, mark: CopyMark, run_id: str) -> bool: ...


class StepHost:
    """What a run's steps are lent. The plugins are those of the moment the run began."""

    plugins: PluginSet

    def __init__(self, runner: Lends, execution: Execution) -> None:
        self._runner = runner
        self._execution = execution

    @property
    def connectors(self) -> ConnectorRegistry:
        return self._execution.generation.connectors

    @property
    def settings(self) -> Settings:
        return self._execution.generation.settings

    @property
    def _grace(self) -> float:
        return self.settings.jobs.abort_grace_seconds

    async def call_sync(self, ctx: RunContext, function: Callable[[], Any]) -> Any:
        return await self._runner.threads.call(ctx, function, self._grace)

    async def call_import(self, ctx: RunContext, function: Callable[[], Any]) -> Any:
        return await self._runner.threads.call(ctx, function, self._grace, spare=IMPORT_THREADS)

    async def call_async(self, ctx: RunContext, function: Callable[[], Awaitable[Any]]) -> Any:
        return await self._runner.plugin_loop.call(ctx, function, self._grace)

    async def call_process(
        self,
        ctx: RunContext,
        callable: str,  # noqa: A002 - the step's key
        op_kwargs: Mapping[str, Any],
    ) -> StepResult:
        return await step_process.call(ctx, callable, op_kwargs, self._grace)

    async def call_job(self, ctx: RunContext, job: str, params: Mapping[str, Any]) -> ChildRun:
        if self._runner.call_child is None:
            raise RuntimeError("no engine is attached to this runner")
        return await self._runner.call_child(self._execution, ctx, job, params)

    async def delete_history(self, *, older_than: timedelta, keep_failed: bool, limit: int) -> int:
        return await self._runner.delete_history(older_than, keep_failed=keep_failed, limit=limit)

    async def copy_mark(self, ctx: RunContext) -> CopyMark | None:
        return await self._runner.copy_mark(ctx.job_id, ctx.step_name)

    async def move_copy_mark(self, ctx: RunContext, mark: CopyMark) -> bool:
        return await self._runner.move_copy_mark(ctx.job_id, ctx.step_name, mark, ctx.run_id)

    def progressed(self, ctx: RunContext, facts: Mapping[str, Any]) -> None:
        self._runner.step_progressed(self._execution, ctx, facts)
