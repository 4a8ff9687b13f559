"""Every error as RFC 9457 problem details with a stable code: the HTTP boundary, where nothing is let through."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from liberty.auth.credentials import SESSION_COOKIE, session_value
from liberty.errors import Invalid, LibertyError, TooMany

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"

STATUS_OF: Mapping[str, int] = {
    "not_found": 404,
    "conflict": 409,
    "invalid": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "too_many_requests": 429,
    "unavailable": 503,
    "storage_full": 507,
    "internal": 500,
}
_TITLES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "Bad request"),
    401: ("unauthenticated", "Not signed in"),
    403: ("forbidden", "Not allowed from here"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    409: ("conflict", "Conflict"),
    413: ("too_large", "Request too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
    422: ("invalid", "Invalid"),
    429: ("too_many_requests", "Too many requests"),
    500: ("internal", "Internal error"),
    503: ("unavailable", "Unavailable"),
    507: ("storage_full", "No space left"),
}

type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger("liberty.api")


def problem(
    status: int, detail: str, *, code: str | None = None, more: Mapping[str, Any] | None = None
) -> Response:
    """A problem document."""
    usual_code, title = _TITLES.get(status, ("error", "Error"))
    code = code or usual_code
    body = {
        "type": f"urn:nomaflow:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    text = json.dumps({**(more or {}), **body}, ensure_ascii=False, default=str)
    return Response(text.encode("utf-8", "backslashreplace"), status, media_type=MEDIA_TYPE)


def problem_of(error: LibertyError) -> Response:
    """The document for one of our own errors, `problems` and details included."""
    status = STATUS_OF[error.code]
    if status == 500:
        _log.error("internal error: %s", error.message, exc_info=error)
        return problem(500, "Internal error.")
    more = dict(error.details)
    if isinstance(error, Invalid) and error.problems:
        more["problems"] = [found.as_dict() for found in error.problems]
    response = problem(status, error.message, code=error.code, more=more)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.details.get("retry_after_seconds", 1))
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="nomaflow"'
    return response


def answer_to(request: Request, error: Exception) -> Response:
    """The document for any error that a route may raise on purpose."""
    if isinstance(error, LibertyError):
        response = problem_of(error)
        if response.status_code == 401 and "authorization" not in request.headers:
            _forget_session(request, response)
        return response
    if isinstance(error, RequestValidationError):
        found = _findings(error)
        detail = (
            "; ".join(f"{item['key']}: {item['message']}" for item in found) or "the request is not valid"
        )
        return problem(422, detail, more={"problems": found})
    if isinstance(error, HTTPException):
        response = problem(
            error.status_code, "no such page" if error.status_code == 404 else str(error.detail)
        )
        response.headers.update(error.headers or {})
        return response
    raise error


def install(app: "FastAPI") -> None:
    """Answer all errors of `app` with problem documents."""

    async def answer(request: Request, error: Exception) -> Response:
        return answer_to(request, error)

    async def last_resort(_: Request, __: Exception) -> Response:
        return problem(500, "Internal error.")

    for kind in (LibertyError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, last_resort)  # it is raised on, so the boundary logs it


def _forget_session(request: Request, response: Response) -> None:
    """A browser whose session has ended drops its cookie."""
    if session_value(request.headers.get("cookie")) is not None:
        response.delete_cookie(SESSION_COOKIE, path="/")


def _findings(error: RequestValidationError) -> list[dict[str, Any]]:
    """Where and what, never the value itself: it may be a password."""
    places = {"body", "query", "path", "header"}
    found = []
    for item in error.errors():
        location = [str(part) for part in item["loc"]]
        if location and location[0] in places:
            location = location[1:]
        key = ".".join(location) or "body"
        message = str(item["msg"])
        found.append({"file": None, "line": None, "job": None, "key": key, "message": message})
    return found


def boundary(app: Asgi) -> Asgi:
    """`app` with a last resort: whatever is raised is logged and answered 500, or ends the response it began."""

    async def guarded(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        began = False

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await app(scope, receive, note)
        except Exception:  # noqa: BLE001 - edge: the HTTP boundary
            _log.exception("%s %s failed", scope.get("method", ""), scope.get("path", ""))
            if not began and scope["type"] == "http":
                await problem(500, "Internal error.")(scope, receive, send)

    return guarded
