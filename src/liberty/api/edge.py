"""What holds for every request and answer: size and type of bodies, headers that keep browsers out of trouble."""

from collections.abc import MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from liberty.api.errors import Asgi, Receive, Send, problem

MAX_BODY_BYTES = 1024 * 1024
TOO_LARGE = f"a request body has at most {MAX_BODY_BYTES} bytes"
NO_NUL = "the query holds the character NUL, which databases cannot hold"
ONLY_JSON = "send JSON with the header Content-Type: application/json"

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CSP = (
    b"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_POLICY = (b"content-security-policy", _CSP)
_NO_STORE = (b"cache-control", b"no-store")


def edge(app: Asgi) -> Asgi:
    """`app` behind those rules."""

    async def checked(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *_ALWAYS]
                brought = [name for name, _ in headers]
                if b"cache-control" not in brought:
                    headers.append(_NO_STORE)
                if b"content-security-policy" not in brought:
                    headers.append(_POLICY)
                message["headers"] = headers
            await send(message)

        if b"%00" in scope["query_string"]:
            await problem(400, NO_NUL)(scope, receive, with_headers)
            return
        if scope["method"] not in _CHANGING:
            await app(scope, receive, with_headers)
            return
        length, content_type, chunked = _about_body(scope["headers"])
        if length > MAX_BODY_BYTES:
            await problem(413, TOO_LARGE)(scope, receive, with_headers)
            return
        if (length or chunked) and content_type != b"application/json":
            await problem(415, ONLY_JSON)(scope, receive, with_headers)
            return
        await app(scope, _counted(receive) if chunked else receive, with_headers)

    return checked


def _about_body(headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes, bool]:
    length, content_type, chunked = 0, b"", False
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() else MAX_BODY_BYTES + 1
        elif name == b"content-type":
            content_type = value.partition(b";")[0].strip().lower()
        elif name == b"transfer-encoding":
            chunked = True
    return length, content_type, chunked


def _counted(receive: Receive) -> Receive:
    """A body without a length is cut off when it grows too large."""
    seen = 0

    async def counting() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counting
