"""The schedule page."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models.lanes import LanesModel
from liberty.jobs.service.instants import parse_instant
from liberty.jobs.service.lanes import MAX_LANES

router = resource("overview", "/admin/overview")


@router.get("/calendar", responses={200: {"model": LanesModel}})
async def lanes(
    asked: Guarded,
    since: Annotated[str | None, Query(alias="from", description="Default: a day ago.")] = None,
    until: Annotated[
        str | None, Query(alias="to", description="Default: seven days after; at most 10 days.")
    ] = None,
    job: Annotated[list[str] | None, Query(description="Only these jobs.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LANES)] = MAX_LANES,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """What became of past instants and what is to come, in a lane per job, by the hour."""
    return json_answer(
        await asked.services.pages.lanes.document(
            asked.caller,
            since=parse_instant(since, "from") if since else None,
            until=parse_instant(until, "to", end_of_day=True) if until else None,
            names=job or (),
            cursor=cursor,
            limit=limit,
        )
    )
