"""From the headers of a request or of a socket's handshake to who is asking, and whether a browser may be trusted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import urlsplit

from liberty.auth.principal import Principal
from liberty.auth.sessions import csrf_matches
from liberty.errors import Forbidden, Unauthenticated

SESSION_COOKIE = "nomaflow_session"
CSRF_HEADER = "x-csrf-token"
OS_USER_HEADER = "x-liberty-os-user"


class Authenticates(Protocol):
    """What this module needs of the accounts."""

    async def authenticate_bearer(self, token: str) -> Principal | None: ...
    async def authenticate_session(self, value: str) -> Principal | None: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks; `session` is the cookie's value when that is what proved it."""

    principal: Principal
    session: str | None = None


async def identify(accounts: Authenticates, headers: Mapping[str, str]) -> Credentials:
    """Who the request speaks for, by bearer token or else by session cookie. Raises Unauthenticated."""
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            principal = await accounts.authenticate_bearer(token.strip())
            if principal is not None:
                return Credentials(principal)
        raise Unauthenticated("the token is not valid, has expired or was revoked")
    value = session_value(headers.get("cookie"))
    if value is not None:
        principal = await accounts.authenticate_session(value)
        if principal is not None:
            return Credentials(principal, value)
        raise Unauthenticated("the session has ended; sign in again")
    raise Unauthenticated("sign in, or send a token: `Authorization: Bearer …`")


def session_value(cookie_header: str | None) -> str | None:
    """The session's cookie in a Cookie header."""
    if not cookie_header or SESSION_COOKIE not in cookie_header:
        return None
    try:
        found = SimpleCookie(cookie_header).get(SESSION_COOKIE)
    except CookieError:
        return None
    return found.value if found is not None else None


def check_change(headers: Mapping[str, str], session: str, allowed_origins: Iterable[str]) -> None:
    """Refuse a change that a foreign page may have sent with the cookie of this browser. Raises Forbidden."""
    check_origin(headers, allowed_origins)
    if not csrf_matches(session, headers.get(CSRF_HEADER, "")):
        raise Forbidden(
            f"a change from a browser needs the header {CSRF_HEADER}; GET /auth/me tells its value"
        )


def check_origin(
    headers: Mapping[str, str], allowed_origins: Iterable[str], *, required: bool = True
) -> None:
    """Refuse a page of another site: `Origin` must be this host or an allowed one. Raises Forbidden."""
    origin = headers.get("origin")
    if origin is None:
        if required:
            raise Forbidden("a request with a session cookie needs the header Origin")
        return
    if not is_own_origin(origin, headers.get("host", ""), allowed_origins):
        raise Forbidden("requests from this origin are not allowed; see [app] cors_origins")


def is_own_origin(origin: str, host: str, allowed_origins: Iterable[str]) -> bool:
    """Whether a page of `origin` belongs to this server, which was asked for as `host`, or is an allowed one."""
    if origin in allowed_origins:
        return True
    try:
        netloc = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return netloc != "" and netloc == host.lower()
