"""Whether this process lives: answered from memory, before anything heavy is loaded and while all else is stuck."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

from liberty import __version__
from liberty.troubles import Troubles

type Phase = Literal["starting", "ok", "stopping"]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATHS = frozenset({"/healthz", "/api/healthz", "/health"})


@dataclass(slots=True)
class Liveness:
    """What `/healthz` says: the phase of the process, or `degraded` and why while something in `troubles` is wrong."""

    phase: Phase = "starting"
    troubles: Troubles = field(default_factory=Troubles)

    @property
    def status_code(self) -> int:
        return 503 if self.phase == "stopping" else 200

    def document(self) -> dict[str, Any]:
        reasons = self.troubles.reasons
        status = "degraded" if reasons and self.phase == "ok" else self.phase
        found: dict[str, Any] = {"ok": self.phase != "stopping", "status": status, "version": __version__}
        if reasons:
            found["note"] = "; ".join(reasons.values())
            found["reasons"] = reasons
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
