"""The jobs page: every job with its strip, and the load of the next hours."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models.overview import LoadModel, OverviewModel
from liberty.jobs.service.overview import MAX_STRIP

router = resource("overview", "/admin/overview")


@router.get("/jobs", responses={200: {"model": OverviewModel}})
async def overview(
    asked: Guarded,
    strip: Annotated[
        int, Query(ge=0, le=MAX_STRIP, description="Due instants to show of each job.")
    ] = MAX_STRIP,
) -> Response:
    """Every job you may read with its state, its last due instants, its durations and what comes next."""
    return json_answer(await asked.services.pages.overview.document(asked.caller, strip=strip))


@router.get("/load", responses={200: {"model": LoadModel}})
async def load(
    asked: Guarded, hours: Annotated[int, Query(ge=1, le=168, description="How far to look ahead.")] = 24
) -> Response:
    """What will run in the next hours, and how many connections of each pool that is expected to take."""
    return json_answer(await asked.services.pages.load.document(asked.caller, hours=hours))
