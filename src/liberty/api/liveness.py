"""Whether this process lives: answered from memory, before anything heavy is loaded and while all else is stuck."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

from liberty import __version__

type Phase = Literal["starting", "ok", "degraded", "stopping"]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATHS = frozenset({"/healthz", "/api/healthz", "/health"})


@dataclass(slots=True)
class Liveness:
    """What `/healthz` says. `note` tells an operator what is wrong while `degraded`."""

    phase: Phase = "starting"
    note: str | None = None

    @property
    def status_code(self) -> int:
        return 503 if self.phase == "stopping" else 200

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"ok": self.phase != "stopping", "status": self.phase, "version": __version__}
        if self.note is not None:
            found["note"] = self.note
        return found

    async def answer(self, method: str, send: Send) -> None:
        """The response as ASGI messages."""
        allowed = method in ("GET", "HEAD")
        body = json.dumps(self.document()).encode() if allowed else b""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        status = self.status_code if allowed else 405
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
