"""Looking ahead and checking: the calendar, the cron preview, validation, the callables of plugins."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import CalendarModel, CallablesModel, PreviewModel, ValidateBody, ValidationModel
from liberty.jobs.service import wire
from liberty.jobs.service.instants import parse_instant

router = resource("schedule", "/admin/jobs")


@router.get("/schedule", responses={200: {"model": CalendarModel}})
async def calendar(
    asked: Guarded,
    since: Annotated[str | None, Query(alias="from", description="Default: now.")] = None,
    until: Annotated[
        str | None, Query(alias="to", description="Default: a day later; at most 31 days.")
    ] = None,
) -> Response:
    """Every instant due in a span for the jobs you may read, and what it will meet: clock changes, overlaps, crowds.

    The instants come from the function that fires. Overlaps are foreseen from how long the latest runs took.
    """
    found = await asked.services.schedule.calendar(
        asked.caller,
        since=parse_instant(since, "from") if since else None,
        until=parse_instant(until, "to", end_of_day=True) if until else None,
    )
    return json_answer(wire.calendar(found))


@router.get("/cron-preview", responses={200: {"model": PreviewModel}})
async def preview(
    asked: Guarded,
    schedule: Annotated[str | None, Query(examples=["0 2 * * *"])] = None,
    expression: Annotated[str | None, Query(include_in_schema=False)] = None,
    timezone: Annotated[str | None, Query(examples=["Europe/Paris"])] = None,
    since: Annotated[str | None, Query(alias="from", description="Default: now.")] = None,
    count: Annotated[int, Query(ge=1, le=100)] = 5,
) -> Response:
    """A schedule in words and when it fires next. 422 when it is invalid or never due."""
    found = await asked.services.schedule.preview(
        schedule or expression or "",
        timezone=timezone,
        since=parse_instant(since, "from") if since else None,
        count=count,
    )
    return json_answer(wire.preview(found))


@router.post("/validate", responses={200: {"model": ValidationModel}})
async def validate(asked: Guarded, body: ValidateBody) -> Response:
    """What is wrong with the text of a `jobs.toml`; nothing is saved."""
    name = Path("jobs.toml")
    found = await asyncio.to_thread(asked.services.config.problems_of_jobs, body.toml, name)
    return json_answer({"ok": not found, "problems": [problem.as_dict() for problem in found]})


@router.get("/callables", responses={200: {"model": CallablesModel}})
async def callables(asked: Guarded) -> Response:
    """The functions of plugins that a python step may call, read from their source."""
    plugins = asked.services.runtime.plugins
    return json_answer(
        {"items": [wire.callable_of(found) for found in await asyncio.to_thread(plugins.functions)]}
    )
