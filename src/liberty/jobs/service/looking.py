"""Previews of steps: what one would do, asked within a time limit, cut to a size, secrets masked."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from liberty.connectors import ConnectorRegistry
from liberty.database import Database
from liberty.errors import Invalid
from liberty.jobs.engine.attempt import attempt_preview
from liberty.jobs.engine.generation import Generation
from liberty.jobs.marks import CopyMark
from liberty.jobs.run import Json, StepError
from liberty.jobs.service.loose import loose
from liberty.jobs.steps.base import ChildRun, RunContext, StepConfig, StepResult
from liberty.jobs.store import marks
from liberty.plugins import PluginSet
from liberty.secrets import MASK, is_secret_name, redactor
from liberty.settings import Settings

PREVIEW_SECONDS = 20.0
"""For all steps of a plan together: below what clients wait for an answer."""
PREVIEW_BYTES = 100 * 1024
TEXT_LIMIT = 500
"""Characters of one value that are shown."""


async def previewed(step: StepConfig, ctx: RunContext, deadline: float) -> Json:
    """The step's preview; `{"error": …}` when it cannot be had. `deadline` is on the clock of the loop."""
    found = await attempt_preview(step, ctx, deadline)
    if isinstance(found, StepError):
        return {"error": _cut(found.message.partition("\n")[0])}
    masked: Json = redactor.redact_value(loose(_masked(found)))
    return _fitted(masked)


def _masked(value: Any) -> Any:
    """Without values under a secret's name; long ones cut."""
    match value:
        case Mapping():
            return {
                key: MASK if is_secret_name(str(key)) and item is not None else _masked(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_masked(item) for item in value]
        case bytes() | bytearray() | memoryview():
            return _cut("\\x" + bytes(value)[:TEXT_LIMIT].hex())
        case str():
            return _cut(value)
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case _:
            return value


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}…"


def _fitted(preview: Json) -> Json:
    """As many of the rows as fit into the size; without anything when even that is too much."""
    if not isinstance(preview, dict):
        return preview
    while len(json.dumps(preview)) > PREVIEW_BYTES:
        rows = preview.get("rows")
        if not isinstance(rows, list) or not rows:
            return {"error": f"the preview is larger than {PREVIEW_BYTES // 1024} KiB"}
        preview = {**preview, "rows": rows[: len(rows) // 2], "rows_cut": True}
    return preview


class PreviewHost:
    """What a preview is lent: connectors, and marks to read. Whatever would run something is refused."""

    def __init__(self, generation: Generation, database: Database) -> None:
        self._generation = generation
        self._database = database

    @property
    def connectors(self) -> ConnectorRegistry:
        return self._generation.connectors

    @property
    def settings(self) -> Settings:
        return self._generation.settings

    @property
    def plugins(self) -> PluginSet:
        return self._generation.plugins.snapshot()

    async def copy_mark(self, ctx: RunContext) -> CopyMark | None:
        found = await self._database.read(marks.get, ctx.job_id, ctx.step_name)
        return None if found is None else found.mark

    async def move_copy_mark(self, ctx: RunContext, mark: CopyMark) -> bool:  # noqa: ARG002 - see Host
        _refuse()

    def progressed(self, ctx: RunContext, facts: Mapping[str, Any]) -> None:
        """Nothing runs here."""

    async def call_sync(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        _refuse()

    async def call_import(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        _refuse()

    async def call_async(self, ctx: RunContext, function: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002 - see Host
        _refuse()

    async def call_process(self, ctx: RunContext, callable: str, op_kwargs: Mapping[str, Any]) -> StepResult:  # noqa: A002, ARG002 - see Host
        _refuse()

    async def call_job(self, ctx: RunContext, job: str, params: Mapping[str, Any]) -> ChildRun:  # noqa: ARG002 - see Host
        _refuse()

    async def delete_history(self, *, older_than: timedelta, keep_failed: bool, limit: int) -> int:  # noqa: ARG002 - see Host
        _refuse()


def _refuse() -> NoReturn:
    raise Invalid("a preview runs no code and changes nothing")
