"""The runs page and the run page: counts, export, many at once; the waterfall, what changed, two runs compared."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response, StreamingResponse

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models.run_pages import (
    BulkBody,
    BulkModel,
    BulkReplayBody,
    ChangesModel,
    CompareModel,
    RunCountsModel,
    RunQueryBody,
    RunStoryModel,
)
from liberty.api.runs import RunQuery, overrides_of
from liberty.jobs.service import ReplayRequest
from liberty.jobs.service.find_runs import Outcome, capped
from liberty.jobs.service.find_runs import Query as Wanted
from liberty.jobs.service.instants import parse_instant

router = resource("runs", "/admin/jobs/runs")
"""Comes before the routes of one run, whose id would take these words."""


@router.get("/counts", responses={200: {"model": RunCountsModel}})
async def count_runs(asked: Guarded, query: RunQuery) -> Response:
    """How many runs of each status fit the filter; its own `status` is left out of account."""
    return json_answer(capped(await asked.services.pages.finder.counts(query, asked.caller)))


@router.get(
    "/export",
    responses={200: {"content": {"text/csv": {}}, "description": "A line for each run, newest first."}},
)
async def export_runs(asked: Guarded, query: RunQuery) -> Response:
    """Every run that fits the filter, as CSV for spreadsheets: no cell begins like a formula."""
    return StreamingResponse(
        asked.services.pages.finder.csv(query, asked.caller),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="runs.csv"'},
    )


@router.get("/compare", responses={200: {"model": CompareModel}})
async def compare_runs(
    asked: Guarded,
    a: Annotated[str, Query(examples=["r-1842"])],
    b: Annotated[str, Query(examples=["r-1843"])],
) -> Response:
    """Two runs side by side: definition, params, code, steps."""
    return json_answer(await asked.services.pages.comparer.compare(a, b, asked.caller))


@router.post("/abort", responses={200: {"model": BulkModel}})
async def abort_runs(asked: Guarded, body: BulkBody) -> Response:
    """Ask many runs to stop. Each is answered for; one that may not be aborted is `not_found`."""
    finder = asked.services.pages.finder
    ids = body.run_ids
    if body.filter is not None:
        ids = await finder.matching(_query(body.filter), asked.caller, final=False, limit=body.limit)
    return _bulk(await finder.abort_all(ids or [], asked.caller))


@router.post("/replay", responses={200: {"model": BulkModel}})
async def replay_runs(asked: Guarded, body: BulkReplayBody) -> Response:
    """Run many again, oldest first when a filter names them. Each is answered for."""
    asked.services.refuse_while_stopping()
    finder = asked.services.pages.finder
    ids = body.run_ids
    if body.filter is not None:
        ids = await finder.matching(_query(body.filter), asked.caller, final=True, limit=body.limit)
        ids.reverse()
    wanted = body.replay
    request = ReplayRequest(wanted.definition, wanted.from_step, overrides_of(wanted))
    return _bulk(await finder.replay_all(ids or [], request, asked.caller))


@router.get("/{run_id}/story", responses={200: {"model": RunStoryModel}})
async def show_story(run_id: str, asked: Guarded) -> Response:
    """One run on a time axis, with medians of the last 20 successes and the plugin's source where it broke."""
    return json_answer(await asked.services.pages.stories.document(run_id, asked.caller))


@router.get("/{run_id}/changes", responses={200: {"model": ChangesModel}})
async def show_changes(run_id: str, asked: Guarded) -> Response:
    """What is different from the last success of the job before this run."""
    return json_answer(await asked.services.pages.comparer.changes(run_id, asked.caller))


def _query(body: RunQueryBody) -> Wanted:
    return Wanted(
        jobs=body.job,
        statuses=body.status,
        since=parse_instant(body.since, "from") if body.since else None,
        until=parse_instant(body.until, "to", end_of_day=True) if body.until else None,
        triggers=body.trigger,
        user=body.user,
        text=body.text,
    )


def _bulk(outcomes: list[Outcome]) -> Response:
    return json_answer(
        {
            "items": [
                {
                    "run_id": one.run_id,
                    "ok": one.error is None,
                    "status": one.status,
                    "new_run_id": one.new_run_id,
                    "code": None if one.error is None else one.error.code,
                    "detail": None if one.error is None else one.error.message,
                }
                for one in outcomes
            ],
            "done": sum(one.error is None for one in outcomes),
            "refused": sum(one.error is not None for one in outcomes),
        }
    )
