"""Starting a run and looking at one, without the general machinery: what hundreds of requests a second go through.

The routes are ordinary ones to the access table and the OpenAPI document. They are only matched and called directly,
because matching every route and solving dependencies costs more than the request itself.
"""

import re
from collections.abc import Callable, Coroutine, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from liberty.api.access import guard, required
from liberty.api.errors import Asgi, Receive, Send, answer_to
from liberty.api.models import RunBody
from liberty.errors import LibertyError

if TYPE_CHECKING:
    from fastapi import FastAPI

_PATHS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "POST": ("/admin/jobs/{name:path}/run", re.compile(r"/admin/jobs/(?P<name>.+)/run")),
    "GET": ("/admin/jobs/runs/{run_id}", re.compile(r"/admin/jobs/runs/(?P<run_id>r-\d+)")),
}
"""By method: the template of the route, and the paths that are taken to it directly."""
_BODY: TypeAdapter[RunBody | None] = TypeAdapter(RunBody | None)


class HotRoute(APIRoute):
    """A route whose endpoint takes what its path names and `asked`; one that changes something, the request too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint
        changes = "POST" in (self.methods or ())

        async def handle(request: Request) -> Response:
            asked = await required(await guard(request))
            if not changes:
                return await endpoint(**request.path_params, asked=asked)
            return await endpoint(
                **request.path_params,
                asked=asked,
                body=_parsed(await request.body()),
                idempotency_key=request.headers.get("idempotency-key"),
            )

        return handle


def hot_path(app: Asgi, api: "FastAPI") -> Asgi:
    """`app`, but requests for a hot route go straight to it in `api`."""
    routes = {route.path: route for route in api.routes if isinstance(route, HotRoute)}
    direct = {
        method: (path, routes[template], routes[template].get_route_handler())
        for method, (template, path) in _PATHS.items()
    }

    async def quick(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        hot = direct.get(scope["method"]) if scope["type"] == "http" else None
        found = hot[0].fullmatch(scope["path"]) if hot is not None else None
        if hot is None or found is None:
            await app(scope, receive, send)
            return
        _, route, handle = hot
        scope["app"], scope["route"], scope["path_params"] = api, route, found.groupdict()
        request = Request(scope, receive)
        try:
            response = await handle(request)
        except (LibertyError, RequestValidationError, HTTPException) as error:
            response = answer_to(request, error)
        await response(scope, receive, send)

    return quick


def _parsed(text: bytes) -> RunBody | None:
    if not text or text == b"{}":
        return None
    try:
        return _BODY.validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None
