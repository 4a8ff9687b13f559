"""The FastAPI application: routers, guard, errors, edges, OpenAPI."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from liberty import __version__
from liberty.api import (
    config,
    connectors_text,
    data_sources,
    definitions,
    docs,
    drafts,
    health,
    incidents,
    job_versions,
    jobs,
    lanes,
    log_pane,
    logs,
    metrics,
    operate,
    overview,
    run_pages,
    runs,
    schedule,
    sign_in,
    technical,
)
from liberty.api.access import check_complete
from liberty.api.answers import json_answer
from liberty.api.edge import edge
from liberty.api.errors import Asgi, boundary, install
from liberty.api.hot_path import hot_path
from liberty.api.pages import Pages
from liberty.api.services import Services

ROUTERS: Mapping[str, APIRouter] = {
    "health": health.router,
    "metrics": metrics.router,
    "sign-in": sign_in.router,
    "run pages": run_pages.router,
    "runs": runs.runs_router,
    "logs": logs.router,
    "log pane": log_pane.router,
    "overview": overview.router,
    "lanes": lanes.router,
    "data sources": data_sources.router,
    "jobs": jobs.router,
    "incidents": incidents.router,
    "schedule": schedule.router,
    "technical": technical.router,
    "configuration": config.router,
    "connectors file": connectors_text.router,
    "drafts": drafts.router,
    "definitions": definitions.router,
    "versions": job_versions.router,
    # What ends in a word of its own after a job's name comes before the name alone, which takes the rest.
    "start": runs.start_router,
    "operating": operate.router,
    "job": jobs.catch_all,
}
"""In the order in which paths are tried."""


def build(services: Services, events: Iterable[str]) -> tuple[FastAPI, Asgi]:
    """The application, and the same behind its edges, which is what is served.

    `events` are what sockets handle. Raises Internal when a route or event is missing in the access table.
    """
    app = FastAPI(
        title="Nomaflow",
        version=__version__,
        description="Jobs, runs and their logs.",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    for router in ROUTERS.values():
        # Not `include_router`: routes are then matched one by one, by their own path, which the guard looks up.
        app.router.routes.extend(router.routes)

    async def openapi(_: Request) -> Response:
        return json_answer(app.openapi())

    async def documentation(_: Request) -> Response:
        return HTMLResponse(docs.page(app.openapi()))

    app.add_route("/openapi.json", openapi, methods=["GET"], include_in_schema=False)
    app.add_route("/docs", documentation, methods=["GET"], include_in_schema=False)
    app.router.routes.extend(Pages().routes())
    install(app)
    check_complete(served_routes(app.routes), events)
    return app, edge(boundary(hot_path(app, app)))


def served_routes(routes: Iterable[BaseRoute]) -> Iterable[tuple[str, str]]:
    """Every (method, path template) that can be called, HEAD left out."""
    for route in routes:
        if isinstance(route, Route | APIRoute):
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, route.path
