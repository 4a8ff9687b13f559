"""Starting runs, without the general machinery: what hundreds of requests a second go through.

The route is an ordinary one to the access table and the OpenAPI document. It is only matched and called directly,
because matching every route and solving dependencies costs more than the request itself.
"""

import re
from collections.abc import Callable, Coroutine, MutableMapping
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

_PATH = re.compile(r"/admin/jobs/(?P<name>.+)/run")
_BODY: TypeAdapter[RunBody | None] = TypeAdapter(RunBody | None)


class HotRoute(APIRoute):
    """A route whose endpoint takes `name`, `asked`, `body` and `idempotency_key`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint

        async def handle(request: Request) -> Response:
            asked = await required(await guard(request))
            return await endpoint(
                name=request.path_params["name"],
                asked=asked,
                body=_parsed(await request.body()),
                idempotency_key=request.headers.get("idempotency-key"),
            )

        return handle


def hot_path(app: Asgi, api: "FastAPI") -> Asgi:
    """`app`, but requests to start a run go straight to their route in `api`."""
    route = next(route for route in api.routes if isinstance(route, HotRoute))
    handle = route.get_route_handler()

    async def quick(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == "http" and scope["method"] == "POST":
            found = _PATH.fullmatch(scope["path"])
        if found is None:
            await app(scope, receive, send)
            return
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
