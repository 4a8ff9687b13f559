"""The one HTTP client: kept-open sessions per loop, addresses checked where they are connected to, answers capped."""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from liberty.connectors.http_policy import HttpPolicy, literal_of
from liberty.errors import Forbidden, Invalid, LibertyError
from liberty.secrets import redactor

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

DEFAULT_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10.0
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECTIONS_PER_HOST = 16
KEEP_ALIVE_SECONDS = 30.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
"""What another origin may see after a redirect; everything else may be a credential."""

type Headers = Mapping[str, str]


@dataclass(slots=True)
class HttpResponse:
    """An answer, read whole up to the cap.

    Attributes:
        status: the code; an error code is an answer too.
        headers: names in lower case; a repeated one is joined by `, `.
        body: decoded of its transfer and content encodings.
        truncated: the body was longer than the cap.
        url: where the answer came from, after redirects.
        redirects: the addresses passed on the way.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    url: str
    elapsed_ms: float = 0.0
    reason: str = ""
    redirects: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text, in the charset the answer names, else UTF-8."""
        charset = "utf-8"
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.lower() == "charset":
                charset = value.strip("\"' ")
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The decoded JSON body. Raises ValueError when it is none, or was cut."""
        return json.loads(self.body)


class HttpClients:
    """All clients of one registry, by name; raw URLs share the one called `raw`."""

    def __init__(self, policy: HttpPolicy) -> None:
        self.policy = policy
        self._clients: dict[str, HttpClient] = {}
        self._lock = threading.Lock()

    def client(self, name: str = "raw", *, verify_ssl: bool = True, proxy: str | None = None) -> "HttpClient":
        """The client of that name, made when first asked for."""
        with self._lock:
            found = self._clients.get(name)
            if found is None:
                found = self._clients[name] = HttpClient(self.policy, verify_ssl=verify_ssl, proxy=proxy)
            return found

    async def close_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the sessions of one loop; may be awaited on any loop."""
        for client in list(self._clients.values()):
            await client.close_loop(loop)

    async def close(self) -> None:
        for client in list(self._clients.values()):
            await client.close()


class HttpClient:
    """Sessions kept open: one per loop and per degree of trust, so that no request rides on a connection
    that its own rules would have refused."""

    def __init__(self, policy: HttpPolicy, *, verify_ssl: bool = True, proxy: str | None = None) -> None:
        self._policy = policy
        self._proxy = proxy
        self._verify_ssl = verify_ssl
        self._sessions: dict[tuple[asyncio.AbstractEventLoop, bool], aiohttp.ClientSession] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        origin_trusted: bool,
        headers: Headers | None = None,
        query: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        json_body: Any = None,
        auth: tuple[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        max_bytes: int = MAX_BODY_BYTES,
        follow_redirects: bool = True,
    ) -> HttpResponse:
        """Send a request and read its answer; an error status is returned like any other.

        Args:
            origin_trusted: scheme, host and port were written out in a definition, none of it came from a
                parameter or from another step's data.
            query: added to the URL's own query; None values are left out, lists repeat the name.
            json_body: sent as JSON when `body` is None and this is not.
            auth: user and password for HTTP Basic.
            timeout: seconds for everything: connecting, redirects, reading.
            max_bytes: of the decoded body.

        Raises:
            Invalid: the URL is not usable. Forbidden: the address may not be reached.
            TimeoutError, ConnectionError: as they say.
        """
        current = parse_url(url, query)
        sent = _request_headers(headers, auth)
        payload = body.encode() if isinstance(body, str) else body
        if payload is None and json_body is not None:
            payload = json.dumps(json_body, default=str).encode()
            sent.setdefault("Content-Type", "application/json")
        started = time.perf_counter()
        trusted, first_origin = origin_trusted, current.origin()
        passed: list[str] = []
        with _plain_errors(current, timeout):
            async with asyncio.timeout(timeout):
                while True:
                    response = await self._send(method, current, sent, payload, trusted, max_bytes)
                    target = _redirect_target(response, current) if follow_redirects else None
                    if target is None:
                        break
                    if len(passed) == MAX_REDIRECTS:
                        raise ConnectionError(f"{method} {first_origin}: more than {MAX_REDIRECTS} redirects")
                    if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                        method, payload = ("HEAD" if method == "HEAD" else "GET"), None
                        sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
                    if target.origin() != current.origin():
                        if payload is not None or self._proxy is not None:
                            break  # the body may hold a secret; behind a proxy the address cannot be checked
                        sent = {
                            name: value for name, value in sent.items() if name.lower() in _HARMLESS_HEADERS
                        }
                        trusted = False
                    passed.append(str(current))
                    current = target
        response.elapsed_ms = round((time.perf_counter() - started) * 1000, 3)
        response.redirects = passed
        return response

    async def _send(
        self, method: str, url: "URL", headers: Headers, payload: bytes | None, trusted: bool, max_bytes: int
    ) -> HttpResponse:
        import aiohttp

        attempt = _Attempt(url.raw_host or "", url.port or 0)
        token = _attempt.set(attempt)
        try:
            async with self._session(trusted).request(
                method, url, headers=headers, data=payload, allow_redirects=False, proxy=self._proxy
            ) as answer:
                content, truncated = await _read_capped(answer, max_bytes)
                return HttpResponse(
                    answer.status,
                    _joined(answer.headers.items()),
                    content,
                    truncated,
                    str(answer.url),
                    reason=answer.reason or "",
                )
        except aiohttp.ClientConnectorError:
            if attempt.refusal is not None:
                raise attempt.refusal from None
            raise
        finally:
            _attempt.reset(token)

    def _session(self, trusted: bool) -> "aiohttp.ClientSession":
        loop = asyncio.get_running_loop()
        session = self._sessions.get((loop, trusted))
        if session is None or session.closed:
            for key in [key for key in list(self._sessions) if key[0].is_closed()]:
                del self._sessions[key]
            session = self._sessions[(loop, trusted)] = _open_session(
                self._policy, trusted=trusted, verify_ssl=self._verify_ssl
            )
        return session

    async def close_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the sessions of one loop; may be awaited on any loop."""
        for key in [key for key in list(self._sessions) if key[0] is loop]:
            session = self._sessions.pop(key)
            if loop is asyncio.get_running_loop():
                await session.close()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(session.close(), loop))

    async def close(self) -> None:
        for loop in {key[0] for key in list(self._sessions)}:
            await self.close_loop(loop)


def parse_url(url: str, query: Mapping[str, Any] | None = None) -> "URL":
    """A URL that is safe to hand to the client. Raises Invalid saying what is wrong with it."""
    from yarl import URL

    if any(character <= " " or character in "\\\x7f" for character in url):
        raise Invalid("the URL holds a blank, a backslash or a control character; encode it as %XX")
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https") or "://" not in url:
        raise Invalid(f"the URL must start with http:// or https://, not {scheme[:20]!r}")
    try:
        split = urlsplit(url)
        parsed = URL(url)
        if not parsed.raw_host or parsed.port in (None, 0):
            raise ValueError("it names no host")
        literal_of(parsed.raw_host)
    except ValueError as error:
        raise Invalid(f"the URL cannot be used: {error}") from None
    if split.username is not None or split.password is not None or parsed.user is not None:
        raise Invalid("the URL holds a user or password; give them as `auth` so that they stay out of logs")
    pairs = [(name, text) for name, value in (query or {}).items() for text in _query_texts(value)]
    return parsed.extend_query(pairs) if pairs else parsed


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, in one spelling. Raises Invalid like `parse_url`."""
    parsed = parse_url(url)
    return f"{parsed.scheme}://{parsed.raw_host}:{parsed.port}"


def _query_texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _query_texts(item)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def basic_authorization(user: str, password: str) -> str:
    """The Authorization header of HTTP Basic. Raises Invalid for a user name with a colon, which would move it."""
    if ":" in user:
        raise Invalid(f"user {user!r} holds a colon, which HTTP Basic cannot carry")
    value = base64.b64encode(f"{user}:{password}".encode()).decode()
    redactor.register(value)
    return f"Basic {value}"


def _request_headers(headers: Headers | None, auth: tuple[str, str] | None) -> dict[str, str]:
    sent: dict[str, str] = {}
    for name, value in (headers or {}).items():
        if any(character in f"{name}{value}" for character in "\r\n\0"):
            raise Invalid(f"header {name!r} holds a line break")
        sent[str(name)] = str(value)
    if auth is not None and not any(name.lower() == "authorization" for name in sent):
        sent["Authorization"] = basic_authorization(*auth)
    return sent


def _redirect_target(response: HttpResponse, current: "URL") -> "URL | None":
    location = response.headers.get("location")
    if response.status not in _REDIRECTS or not location:
        return None
    from yarl import URL

    try:
        joined = current.join(URL(location.strip()))
    except ValueError as error:
        raise ConnectionError(f"{current.origin()} redirects to something that is no URL") from error
    return parse_url(str(joined))


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


async def _read_capped(answer: "aiohttp.ClientResponse", max_bytes: int) -> tuple[bytes, bool]:
    """The decoded body up to the cap; the connection of a longer one is closed rather than drained."""
    parts: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        parts.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            answer.close()
            return b"".join(parts)[:max_bytes], True
    return b"".join(parts), False


class _plain_errors:  # noqa: N801 - used as a `with` statement's verb
    """Turns the client library's errors into TimeoutError, ConnectionError and ours."""

    def __init__(self, url: "URL", timeout: float) -> None:
        self._origin = f"{url.scheme}://{url.raw_host}:{url.port}"
        self._timeout = timeout

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _traceback: object) -> Literal[False]:
        if error is None or isinstance(error, LibertyError):
            return False
        import aiohttp

        if isinstance(error, aiohttp.ConnectionTimeoutError):
            raise TimeoutError(f"{self._origin} did not accept a connection in time") from error
        if isinstance(error, TimeoutError):
            raise TimeoutError(
                f"{self._origin} did not answer completely within {self._timeout:g} s"
            ) from error
        if isinstance(error, aiohttp.InvalidURL):
            raise Invalid(f"{self._origin}: the URL cannot be used: {error}") from error
        if isinstance(error, (aiohttp.ClientError, OSError)) and type(error) is not ConnectionError:
            raise ConnectionError(f"{self._origin}: {error or type(error).__name__}") from error
        return False


@dataclass(slots=True)
class _Attempt:
    """The host a connection is being made for, and why it was refused, for the code below the client library."""

    host: str
    port: int
    refusal: Forbidden | None = None


_attempt: ContextVar[_Attempt] = ContextVar("liberty_http_attempt")


def _open_session(policy: HttpPolicy, *, trusted: bool, verify_ssl: bool) -> "aiohttp.ClientSession":
    import aiohttp

    def checked_socket(info: tuple[Any, ...]) -> socket.socket:
        """The one check: whatever was written, resolved or cached, this is the address that is connected to."""
        family, kind, protocol, _, address = info
        attempt = _attempt.get()
        try:
            policy.check(address[0], host=attempt.host, port=attempt.port, trusted=trusted)
        except Forbidden as error:
            attempt.refusal = error
            raise ConnectionRefusedError(error.message) from error
        return socket.socket(family, kind, protocol)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=aiohttp.ThreadedResolver(),
            ssl=verify_ssl,
            limit_per_host=CONNECTIONS_PER_HOST,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            socket_factory=checked_socket,
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "nomaflow"},
        trust_env=False,
        max_line_size=8_190,
        max_field_size=16_380,
    )
