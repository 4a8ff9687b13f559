"""Operating jobs: enable, disable, pause, resume, freeze, backfill, and asking why."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Asked, Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import (
    BackfillBody,
    BackfillModel,
    BackfillPageModel,
    BackfillStateModel,
    FreezeBody,
    FreezeModel,
    JobModel,
    MarkModel,
    MarkPageModel,
    PauseBody,
    PlanModel,
    WhyModel,
)
from liberty.jobs.service import wire
from liberty.jobs.service.backfill import Order
from liberty.jobs.service.instants import parse_instant

router = resource("operating", "/admin")


@router.post("/jobs/{name:path}/enable", responses={200: {"model": JobModel}})
async def enable_job(name: str, asked: Guarded) -> Response:
    """Let the job's schedule fire: written to the job's file, comments kept."""
    return await _job(asked, await asked.services.operations.set_enabled(name, asked.caller, enabled=True))


@router.post("/jobs/{name:path}/disable", responses={200: {"model": JobModel}})
async def disable_job(name: str, asked: Guarded) -> Response:
    """Keep the job's schedule from firing; it can still be run by hand."""
    return await _job(asked, await asked.services.operations.set_enabled(name, asked.caller, enabled=False))


@router.post("/jobs/{name:path}/pause", responses={200: {"model": JobModel}})
async def pause_job(name: str, asked: Guarded, body: PauseBody | None = None) -> Response:
    """Hold the job's schedules back for a while. `then`: drop, run the latest or run all of what fell due meanwhile."""
    wanted = body or PauseBody()
    until = parse_instant(wanted.until, "until") if wanted.until else None
    name = await asked.services.operations.pause(
        name, asked.caller, until=until, reason=wanted.reason, then=wanted.then
    )
    return await _job(asked, name)


@router.post("/jobs/{name:path}/resume", responses={200: {"model": JobModel}})
async def resume_job(name: str, asked: Guarded) -> Response:
    """End a pause. 409 when the job is not paused."""
    return await _job(asked, await asked.services.operations.resume(name, asked.caller))


@router.get("/jobs/{name:path}/why", responses={200: {"model": WhyModel}})
async def why(
    name: str,
    asked: Guarded,
    at: Annotated[str | None, Query(description="Default: the last instant the job was due.")] = None,
) -> Response:
    """What became of an instant: did the job run, and if not, why."""
    return json_answer(wire.why(await asked.services.explainer.why(name, at, asked.caller)))


@router.get("/jobs/{name:path}/plan", responses={200: {"model": PlanModel}})
async def plan(name: str, asked: Guarded, preset: str | None = None) -> Response:
    """What a run would do now: resolved values, and for each step a preview. Nothing is written.

    A statement of `sql_query` that changes rows is tried out in a transaction that is undone.
    """
    return json_answer(wire.plan(await asked.services.planner.plan(name, asked.caller, preset=preset)))


@router.get("/jobs/{name:path}/marks", responses={200: {"model": MarkPageModel}})
async def list_marks(name: str, asked: Guarded) -> Response:
    """How far the incremental steps of a job have come."""
    found = await asked.services.marks.of_job(name, asked.caller)
    return json_answer({"items": [wire.mark(mark) for mark in found]})


@router.delete("/jobs/{name:path}/marks/{step}", responses={200: {"model": MarkModel}})
async def reset_mark(
    name: str,
    step: str,
    asked: Guarded,
    value: Annotated[
        str | None, Query(description="Go on from here; default: copy everything again.")
    ] = None,
) -> Response:
    """Let the next copy of a step take everything, or go on from a value."""
    return json_answer(wire.mark(await asked.services.marks.reset(name, step, asked.caller, value=value)))


@router.post("/jobs/{name:path}/backfill", status_code=202, responses={202: {"model": BackfillModel}})
async def backfill(name: str, asked: Guarded, body: BackfillBody) -> Response:
    """Queue a run for each past instant of the job's schedules, at most 1,000. They go on over restarts."""
    asked.services.refuse_while_stopping()
    made = await asked.services.backfills.start(
        name,
        asked.caller,
        since=parse_instant(body.since, "from"),
        until=parse_instant(body.until, "to", end_of_day=True),
        order=Order(body.only_missing, body.newest_first, body.max_concurrent),
    )
    return json_answer(wire.backfill(made), 202)


@router.get("/jobs/{name:path}/backfills", responses={200: {"model": BackfillPageModel}})
async def list_backfills(name: str, asked: Guarded) -> Response:
    """The newest 50 backfills of a job and how far they are."""
    found = await asked.services.backfills.all_of(name, asked.caller)
    return json_answer({"items": [wire.backfill_state(row, counts) for row, counts in found]})


@router.post("/jobs/{name:path}/backfills/{number}/cancel", responses={200: {"model": BackfillStateModel}})
async def cancel_backfill(name: str, number: int, asked: Guarded) -> Response:
    """Call a backfill off: what waits ends, what runs is aborted. 409 when that was done before."""
    row = await asked.services.backfills.cancel(name, number, asked.caller)
    return json_answer(wire.backfill_state(row, None))


@router.get("/freeze", responses={200: {"model": FreezeModel}})
async def show_freeze(asked: Guarded) -> Response:
    """Whether all schedules are held back."""
    return _freeze(asked)


@router.post("/freeze", responses={200: {"model": FreezeModel}})
async def freeze(asked: Guarded, body: FreezeBody | None = None) -> Response:
    """Hold all schedules back. `then`: drop, run the latest or run all of what fell due meanwhile."""
    wanted = body or FreezeBody()
    until = parse_instant(wanted.until, "until") if wanted.until else None
    await asked.services.operations.freeze(asked.caller, until=until, reason=wanted.reason, then=wanted.then)
    return _freeze(asked)


@router.delete("/freeze", responses={200: {"model": FreezeModel}})
async def unfreeze(asked: Guarded) -> Response:
    """Let schedules fire again."""
    await asked.services.operations.unfreeze(asked.caller)
    return _freeze(asked)


def _freeze(asked: Asked) -> Response:
    frozen = asked.services.operations.frozen
    return json_answer(
        {"frozen": frozen is not None, "freeze": None if frozen is None else wire.pause(frozen)}
    )


async def _job(asked: Asked, name: str) -> Response:
    detail = await asked.services.jobs.detail(name, asked.caller)
    return json_answer(wire.job(detail.view))
