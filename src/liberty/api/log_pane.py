"""Counts and search in a run's log, for a pane over a million lines."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.logs import level_of, line_number
from liberty.api.models.log_pane import LogMatchesModel, LogShapeModel, LogSummaryModel
from liberty.jobs.store.log_views import MAX_MATCHES

router = resource("runs", "/admin/jobs/runs")


@router.get("/{run_id}/logs/summary", responses={200: {"model": LogSummaryModel}})
async def summary(
    run_id: str,
    asked: Guarded,
    cursor: Annotated[str | None, Query(description="Count lines numbered above this.")] = None,
) -> Response:
    """How many lines of which level and step, and where the first error is."""
    return json_answer(
        await asked.services.pages.log_pane.summary(run_id, asked.caller, after=line_number(cursor))
    )


@router.get("/{run_id}/logs/shape", responses={200: {"model": LogShapeModel}})
async def shape(
    run_id: str,
    asked: Guarded,
    cursor: Annotated[str | None, Query(description="Lines numbered above this.")] = None,
) -> Response:
    """Level and step of each line, so that a pane knows where every line stands before it has read any."""
    return json_answer(
        await asked.services.pages.log_pane.shape(run_id, asked.caller, after=line_number(cursor))
    )


@router.get("/{run_id}/logs/search", responses={200: {"model": LogMatchesModel}})
async def search(
    run_id: str,
    asked: Guarded,
    q: Annotated[str, Query(min_length=1, max_length=200, description="A part of the message, in any case.")],
    level: Annotated[str | None, Query(description="This level and graver ones.")] = None,
    cursor: Annotated[str | None, Query(description="Search lines numbered above this.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_MATCHES)] = 1000,
) -> Response:
    """The numbers of the lines that hold a text."""
    return json_answer(
        await asked.services.pages.log_pane.search(
            run_id, q, asked.caller, after=line_number(cursor), level=level_of(level), limit=limit
        )
    )
