"""The id of the run that code works for, for rows that should say so; whoever runs steps sets it."""

from contextvars import ContextVar

current_run_id: ContextVar[str | None] = ContextVar("liberty_etl_run_id", default=None)
