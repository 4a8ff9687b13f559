"""How a running server is reached."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and what to show it."""

    url: str
    token: str | None
