"""A small HTTP/1.1 client with one kept-open connection: a load generator must not eat the cores it measures."""

import asyncio
import json
from typing import Any

ANSWER_SECONDS = 60.0


class RequestRefusedError(RuntimeError):
    """An answer that is no success."""

    def __init__(self, request: str, status: int, body: bytes) -> None:
        super().__init__(f"{request} was answered {status}: {body[:500].decode(errors='replace')}")
        self.status = status


class Connection(asyncio.Protocol):
    """One connection, one request at a time; answers need a Content-Length."""

    def __init__(self, port: int, token: str | None) -> None:
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._head = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{authorization}"
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self._needed = 0

    @classmethod
    async def open(cls, port: int, token: str | None = None) -> "Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(port, token), "127.0.0.1", port)
        return connection

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    async def get(self, path: str) -> Any:
        """The JSON answered. Raises RequestRefusedError, ConnectionError."""
        return json.loads(await self.request("GET", path))

    async def post(self, path: str, body: Any) -> Any:
        """The same for a request with a JSON body."""
        return json.loads(await self.request("POST", path, json.dumps(body).encode()))

    async def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body answered. Raises RequestRefusedError, ConnectionError."""
        assert self._transport is not None
        assert self._answer is None, "one request at a time"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(f"{method} {path}{self._head}{kind}\r\n".encode() + body)
        try:
            status, answered = await asyncio.wait_for(self._answer, ANSWER_SECONDS)
        finally:
            self._answer = None
        if not 200 <= status < 300:
            raise RequestRefusedError(f"{method} {path}", status, answered)
        return answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a TCP stream
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < self._needed:
            return
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end])
        start = end + 4
        self._needed = start + _content_length(head)
        if len(self._received) < self._needed:
            return
        body = bytes(self._received[start : self._needed])
        self._received.clear()
        self._needed = 0
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without Content-Length: {head!r}")
