"""Liveness, readiness, and what this server is."""

import asyncio
from typing import Any

from fastapi import Request
from starlette.responses import Response

from liberty import __version__
from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.errors import problem
from liberty.api.services import Services
from liberty.clock import rfc3339
from liberty.errors import Unavailable
from liberty.jobs.store import listing

READY_SECONDS = 5.0

router = resource("health")

_ALIVE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": {"ok": True, "status": "ok", "version": __version__}}}},
    503: {"description": "The server is stopping."},
}


async def healthz(request: Request) -> Response:
    """Whether the process lives. Touches no database."""
    services: Services = request.app.state.services
    return json_answer(services.liveness.document(), services.liveness.status_code)


for _path in ("/healthz", "/api/healthz", "/health"):
    router.add_api_route(
        _path, healthz, methods=["GET"], responses=_ALIVE, include_in_schema=_path == "/healthz"
    )


@router.get("/ready", responses={503: {"description": "The run history cannot be reached."}})
async def ready(request: Request) -> Response:
    """Whether requests can be served: reads the run history."""
    services: Services = request.app.state.services
    try:
        async with asyncio.timeout(READY_SECONDS):
            await services.runtime.database.read(listing.queue_depth)
    except (TimeoutError, Unavailable):
        return problem(503, "the run history cannot be read")
    if services.liveness.phase == "stopping":
        return problem(503, "the server is stopping")
    return json_answer({"ready": True})


@router.get("/info")
async def info(asked: Guarded) -> Response:
    """What this server is."""
    runtime = asked.services.runtime
    return json_answer(
        {
            "name": runtime.settings.app.name,
            "version": __version__,
            "started_at": rfc3339(runtime.started_at),
            "replica": runtime.engine.replica,
            "database": runtime.database.dialect,
        }
    )
