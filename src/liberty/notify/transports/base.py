"""What a transport is given and how it says that it failed."""

from dataclasses import dataclass

from liberty.bus import Bus
from liberty.connectors.http import HttpClient, HttpResponse
from liberty.secrets import redactor

MAX_ANSWER = 300
_TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Tools:
    """What transports send with."""

    http: HttpClient
    bus: Bus


class NotDelivered(Exception):  # noqa: N818 - a fact about a message
    """A channel did not take a message. `permanent`: trying again is of no use; `retry_after` is in seconds."""

    def __init__(self, answer: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(answer)
        self.answer = redactor.redact(answer)[:MAX_ANSWER]
        self.permanent = permanent
        self.retry_after = retry_after


def answer_of(response: HttpResponse) -> str:
    """`200 ok`, or NotDelivered for any other answer than a good one."""
    said = f"{response.status} {' '.join(response.text.split())[:200]}".strip()
    if response.ok:
        return redactor.redact(said)[:MAX_ANSWER]
    again = response.status >= 500 or response.status in _TRY_AGAIN
    wait = response.headers.get("retry-after", "")
    raise NotDelivered(said, permanent=not again, retry_after=float(wait) if wait.isdigit() else None)
