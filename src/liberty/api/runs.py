"""Runs: the list, one run, abort and replay."""

from typing import Annotated

from fastapi import Header, Query
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
from liberty.jobs.service.caller import app_of
from liberty.jobs.service.instants import parse_instant

runs_router = resource("runs", "/admin/jobs/runs")
start_router = resource("runs", "/admin/jobs")
start_router.route_class = HotRoute

MAX_KEY = 200


@runs_router.get("", responses={200: {"model": RunPageModel}})
async def list_runs(
    asked: Guarded,
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
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Runs of the jobs you may read, newest first."""
    page = await asked.services.runtime.reader.page(
        asked.caller,
        jobs=[_as_written(asked, name) for name in _words(job)],
        statuses=_words(status),
        since=parse_instant(since, "from") if since else None,
        until=parse_instant(until, "to", end_of_day=True) if until else None,
        limit=limit,
        cursor=cursor or None,
    )
    return json_answer({"items": [wire.run(item) for item in page.items], "next_cursor": page.next_cursor})


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
    request = ReplayRequest(wanted.definition, wanted.from_step, _overrides(wanted))
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
        _overrides(body) if body is not None else Overrides(),
        asked.caller,
        idempotency_key=idempotency_key,
    )
    return json_answer(_queued(run), 202)


def _as_written(asked: Guarded, name: str) -> str:
    """The name as the catalogue spells it; runs of a job that is gone are found under the name they ran as."""
    found = app_of(asked.services.runtime.generation.catalogue, name)
    return found[0] if found is not None else name


def _words(values: list[str] | None) -> list[str]:
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]


def _overrides(body: RunBody) -> Overrides:
    return Overrides(
        params=body.params,
        op_kwargs=body.op_kwargs,
        step_enabled=body.step_enabled,
        log_level=body.log_level,
        preset=body.preset,
    )


def _queued(run: Run) -> dict[str, str | None]:
    return {"run_id": run.run_id, "job": run.job, "status": str(run.status), "reason": run.reason}
