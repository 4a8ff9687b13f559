"""Runs: the list, one run, abort and replay."""

from typing import Annotated, Literal

from fastapi import Depends, Header, Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.hot_path import HotRoute
from liberty.api.models import (
    ReplayBody,
    ReplayQueuedModel,
    RunBody,
    RunDetailModel,
    RunModel,
    RunPageModel,
    RunQueuedModel,
)
from liberty.errors import Invalid
from liberty.jobs.run import Overrides, Run
from liberty.jobs.service import ReplayRequest, wire
from liberty.jobs.service.find_runs import Query as Wanted
from liberty.jobs.service.instants import parse_instant

runs_router = resource("runs", "/admin/jobs/runs")
start_router = resource("runs", "/admin/jobs")
start_router.route_class = HotRoute

MAX_KEY = 200


async def run_query(
    job: Annotated[list[str] | None, Query(description="One or more names, also with commas.")] = None,
    status: Annotated[
        list[str] | None, Query(description="One or more, any spelling, also with commas.")
    ] = None,
    since: Annotated[
        str | None, Query(alias="from", description="Date or date-time; runs queued at or after it.")
    ] = None,
    until: Annotated[
        str | None, Query(alias="to", description="Date (the whole day counts) or date-time.")
    ] = None,
    trigger: Annotated[
        list[str] | None, Query(description="cron, manual, api, cli, call_job; also with commas.")
    ] = None,
    user: Annotated[str | None, Query(description="A part of who asked for it.", examples=["alice"])] = None,
    text: Annotated[
        str | None, Query(description="A part of the run id, job, reason, user or params.")
    ] = None,
) -> Wanted:
    """The filter of every list of runs, as a query string says it."""
    return Wanted(
        jobs=_words(job),
        statuses=_words(status),
        since=parse_instant(since, "from") if since else None,
        until=parse_instant(until, "to", end_of_day=True) if until else None,
        triggers=_words(trigger),
        user=user,
        text=text,
    )


type RunQuery = Annotated[Wanted, Depends(run_query)]


@runs_router.get("", responses={200: {"model": RunPageModel}})
async def list_runs(
    asked: Guarded,
    query: RunQuery,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` or, with direction=newer, `previous_cursor`.")
    ] = None,
    direction: Annotated[
        Literal["older", "newer"], Query(description="newer: the runs that follow the cursor's.")
    ] = "older",
) -> Response:
    """Runs of the jobs you may read, newest first.

    With a trigger, user or text a page may be short, or empty, and have a `next_cursor` all the same.
    """
    found = await asked.services.pages.finder.page(
        query, asked.caller, limit=limit, cursor=cursor or None, newer=direction == "newer"
    )
    return json_answer(
        {
            "items": [wire.run(item) for item in found.items],
            "next_cursor": None if found.older is None else f"r-{found.older}",
            "previous_cursor": None if found.newer is None else f"r-{found.newer}",
        }
    )


async def show_run(run_id: str, asked: Guarded) -> Response:
    """One run with its steps and the last 1,000 lines of its log."""
    return json_answer(wire.run_detail(await asked.services.runtime.reader.detail(run_id, asked.caller)))


runs_router.add_api_route(
    "/{run_id}",
    show_run,
    methods=["GET"],
    responses={200: {"model": RunDetailModel}},
    route_class_override=HotRoute,
)


@runs_router.post("/{run_id}/abort", status_code=202, responses={202: {"model": RunModel}})
@runs_router.post("/{run_id}/cancel", status_code=202, include_in_schema=False)
async def abort_run(run_id: str, asked: Guarded) -> Response:
    """Ask a run to stop. 409 when it has ended."""
    return json_answer(wire.run(await asked.services.runtime.requests.abort(run_id, asked.caller)), 202)


@runs_router.post("/{run_id}/replay", status_code=202, responses={202: {"model": ReplayQueuedModel}})
async def replay_run(run_id: str, asked: Guarded, body: ReplayBody | None = None) -> Response:
    """Run again what has ended: same params, today's definition unless told otherwise."""
    asked.services.refuse_while_stopping()
    wanted = body or ReplayBody()
    request = ReplayRequest(wanted.definition, wanted.from_step, overrides_of(wanted))
    run = await asked.services.runtime.requests.replay(run_id, request, asked.caller)
    return json_answer({**_queued(run), "replay_of": f"r-{run.replay_of}"}, 202)


@start_router.post("/{name:path}/run", status_code=202, responses={202: {"model": RunQueuedModel}})
async def start_run(
    name: str,
    asked: Guarded,
    body: RunBody | None = None,
    idempotency_key: Annotated[
        str | None, Header(description="Repeating a request with the same key gives the same run.")
    ] = None,
) -> Response:
    """Start a run; it may come back `skipped` with the reason."""
    asked.services.refuse_while_stopping()
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_KEY:
        raise Invalid(f"Idempotency-Key has 1 to {MAX_KEY} characters")
    run = await asked.services.runtime.requests.start(
        name,
        overrides_of(body) if body is not None else Overrides(),
        asked.caller,
        idempotency_key=idempotency_key,
    )
    return json_answer(_queued(run), 202)


def _words(values: list[str] | None) -> list[str]:
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]


def overrides_of(body: RunBody) -> Overrides:
    """What a request wants changed."""
    return Overrides(
        params=body.params,
        op_kwargs=body.op_kwargs,
        step_enabled=body.step_enabled,
        log_level=body.log_level,
        preset=body.preset,
    )


def _queued(run: Run) -> dict[str, str | None]:
    return {"run_id": run.run_id, "job": run.job, "status": str(run.status), "reason": run.reason}
