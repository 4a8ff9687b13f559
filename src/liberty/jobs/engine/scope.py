"""Which run a line of code works for: the context variable that log capture and plugin code share."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liberty.jobs.engine.run_log import RunLog


@dataclass(frozen=True, slots=True)
class Scope:
    """The run, and the step of it, that the current task or thread belongs to."""

    log: "RunLog"
    step: str | None = None


current_scope: ContextVar[Scope | None] = ContextVar("liberty_run", default=None)
