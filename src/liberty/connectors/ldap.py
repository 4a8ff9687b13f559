"""Directories: bound to and searched page by page, in threads. The only file that knows the LDAP library."""

import asyncio
import logging
import re
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal

from liberty.connectors.http_policy import HttpPolicy
from liberty.connectors.ldap_config import LdapPoolConfig
from liberty.errors import Invalid, LibertyError, NotFound
from liberty.secrets import redactor

type Scope = Literal["base", "one", "subtree"]

MAX_THREADS = 16
"""Waiting for directories; others wait for one of these. Apart from the threads that resolve names."""

_log = logging.getLogger("liberty.connectors")
_SCOPES = {"base": "BASE", "one": "LEVEL", "subtree": "SUBTREE"}
_NO_SUCH_OBJECT = 32
_INVALID_DN, _INVALID_CREDENTIALS = 34, 49
_BUSY = frozenset({51, 52})
"""busy, unavailable: worth another try later."""


class BindRefused(LibertyError):  # noqa: N818 - called by what it says
    """The directory does not let us in. Trying again would only lock the account."""

    code = "forbidden"
    final = True


@dataclass(frozen=True, slots=True)
class LdapEntry:
    """One entry, its values as they came."""

    dn: str
    attributes: dict[str, list[bytes]]


class LdapPool:
    """A directory as `connectors.toml` declares it. Each search has a connection of its own, and closes it."""

    kind = "ldap"

    def __init__(
        self, name: str, config: LdapPoolConfig, policy: HttpPolicy | None = None, *, trusted: bool = True
    ) -> None:
        """`policy` says whether an address that a job names may be reached; `trusted` as for HTTP."""
        self.name = name
        self.config = config
        self._policy = policy
        self._trusted = trusted

    async def search(
        self,
        base: str,
        search_filter: str = "(objectClass=*)",
        *,
        scope: Scope = "subtree",
        attributes: Sequence[str] = (),
        page_size: int | None = None,
    ) -> AsyncGenerator[list[LdapEntry]]:
        """The entries, page by page; without `attributes` all of them that users see.

        Raises:
            BindRefused: wrong credentials. NotFound: no such base. Invalid: a filter or base that is none.
            ConnectionError, TimeoutError: as they say. LibertyError: the answer would not be complete.
        """
        session = _Session(self)
        try:
            await _in_thread(session.open, session.abort)
            cookie: bytes | None = None
            while True:
                entries, cookie = await _in_thread(
                    lambda cookie=cookie: session.page(  # type: ignore[misc]
                        base, search_filter, scope, attributes, page_size or self.config.page_size, cookie
                    ),
                    session.abort,
                )
                yield entries
                if not cookie:
                    return
        finally:
            session.leave()

    async def test(self) -> str | None:
        """Bind, and ask the server what it is. Raises like `search`."""
        wanted = ("vendorName", "vendorVersion", "dnsHostName", "supportedLDAPVersion")
        async for page in self.search("", scope="base", attributes=wanted):
            for entry in page:
                known = {name.lower(): values for name, values in entry.attributes.items()}
                said = [known[name][0].decode("utf-8", "replace") for name in _TOLD if known.get(name)]
                return " ".join(said) or None
        return None

    def warn(self) -> None:
        """Say it when the server's certificate is not checked, or the password would be sent in the open."""
        scheme, host, _ = self.config.address()
        if scheme == "ldap" and not self.config.start_tls:
            if self.config.bind_password is not None and host not in ("localhost", "127.0.0.1", "::1"):
                _log.warning(
                    "ldap %s: the password is sent UNENCRYPTED; use ldaps:// or start_tls", self.name
                )
        elif not self.config.verify_ssl:
            _log.warning("ldap %s: certificates are NOT verified (verify_ssl = false)", self.name)


def directory_at(
    server: str, bind_dn: str | None, bind_password: str | None, policy: HttpPolicy, *, trusted: bool
) -> LdapPool:
    """A directory that a job names itself; one without `ldaps://` is asked for TLS. Raises Invalid for no address."""
    from pydantic import ValidationError

    encrypted = server.lower().startswith("ldaps://")
    try:
        config = LdapPoolConfig(
            url=server, bind_dn=bind_dn, bind_password=bind_password, start_tls=not encrypted
        )
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise Invalid(f"server {server!r} {said.removeprefix('Value error, ')}") from None
    return LdapPool(server, config, policy, trusted=trusted)


_TOLD = ("vendorname", "vendorversion", "dnshostname")


def escaped_for_filter(value: str) -> str:
    """A value as it stands in a search filter, whatever is in it (RFC 4515)."""
    _library()
    from ldap3.utils.conv import escape_filter_chars

    escaped: str = escape_filter_chars(value)
    return escaped


def escaped_for_dn(value: str) -> str:
    """A value as it stands in a distinguished name (RFC 4514)."""
    _library()
    from ldap3.utils.dn import escape_rdn

    escaped: str = escape_rdn(value)
    return escaped


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="liberty-ldap")


async def _in_thread[T](work: Callable[[], T], abort: Callable[[], None]) -> T:
    """Do it in a thread. On cancel the thread is told to stop and not waited for."""
    asked = asyncio.get_running_loop().run_in_executor(_threads(), work)
    try:
        return await asyncio.shield(asked)
    except asyncio.CancelledError:
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        abort()
        raise


@cache
def _library() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old names of pyasn1, which it uses
        import ldap3
    module: ModuleType = ldap3
    return module


class _Session:
    """One connection, used by one thread at a time; `abort` may be called from any other."""

    def __init__(self, pool: LdapPool) -> None:
        self._pool = pool
        self._config = pool.config
        self._connection: Any = None
        self._aborted = threading.Event()

    def open(self) -> None:
        """Connect, encrypt, bind. Raises BindRefused, Forbidden, ConnectionError, TimeoutError."""
        self._pool.warn()
        scheme, host, port = self._config.address()
        problem: Exception | None = None
        for address in self._addresses(host, port):
            try:
                self._connect(scheme, host, address, port)
                break
            except OSError as error:
                self._close()
                problem = error
        else:
            raise problem or ConnectionError(f"{self._at} has no address")
        self._bind()

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ConnectionError(f"{self._at}: the name cannot be resolved: {error}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if self._pool._policy is not None:  # noqa: SLF001 - its own session
            for address in addresses:
                self._pool._policy.check(address, host=host, port=port, trusted=self._pool._trusted)  # noqa: SLF001
        return addresses

    def _connect(self, scheme: str, host: str, address: str, port: int) -> None:
        ldap3 = _library()
        server = ldap3.Server(
            address,
            port=port,
            use_ssl=scheme == "ldaps",
            tls=_tls(self._config, host),
            get_info=ldap3.NONE,
            connect_timeout=self._config.connect_timeout,
        )
        self._connection = ldap3.Connection(
            server,
            user=self._config.bind_dn,
            password=self._config.bind_password,
            authentication=ldap3.SIMPLE if self._config.bind_dn is not None else ldap3.ANONYMOUS,
            auto_referrals=False,  # it would give the password to whatever server is named
            read_only=True,
            check_names=False,
            return_empty_attributes=False,
            receive_timeout=self._config.timeout,
        )
        self._asked(lambda: self._connection.open(read_server_info=False))
        if self._config.start_tls and not self._asked(
            lambda: self._connection.start_tls(read_server_info=False)
        ):
            raise ConnectionError(f"{self._at} does not begin TLS")

    def _bind(self) -> None:
        if self._asked(lambda: self._connection.bind(read_server_info=False)):
            return
        result = self._connection.result
        who = f"as {self._config.bind_dn!r}" if self._config.bind_dn is not None else "anonymously"
        said = _said(result)
        if result["result"] in _BUSY:
            raise ConnectionError(f"{self._at} could not be bound to {who}: {said}")
        raise BindRefused(f"{self._at} refuses to be bound to {who}: {said}; it was asked once")

    def page(
        self,
        base: str,
        search_filter: str,
        scope: Scope,
        attributes: Sequence[str],
        size: int,
        cookie: bytes | None,
    ) -> tuple[list[LdapEntry], bytes | None]:
        """One page and the cookie of the next."""
        ldap3 = _library()
        self._asked(
            lambda: self._connection.search(
                base,
                search_filter,
                search_scope=getattr(ldap3, _SCOPES[scope]),
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes) or [ldap3.ALL_ATTRIBUTES],
                paged_size=None if scope == "base" else size,
                paged_cookie=cookie,
            )
        )
        result = self._connection.result
        code = result["result"]
        if code == _NO_SUCH_OBJECT:
            raise NotFound(f"{self._at} has no entry {base!r} to search below: {_said(result)}")
        if code == _INVALID_DN:
            raise Invalid(f"{base!r} is not a distinguished name: {_said(result)}")
        if code in _BUSY:
            raise ConnectionError(f"{self._at}: {_said(result)}")
        if code != 0:
            # Also the limits of size and time: half an answer must never pass for a whole one.
            raise LibertyError(f"{self._at} did not answer the search completely: {_said(result)}")
        entries = [
            LdapEntry(entry["dn"], dict(entry["raw_attributes"]))
            for entry in self._connection.response
            if entry["type"] == "searchResEntry"
        ]
        self._connection.response = None
        control = (result.get("controls") or {}).get(_PAGED)
        return entries, (control["value"]["cookie"] or None) if control else None

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What the library answers; its errors as TimeoutError, ConnectionError and ours."""
        _library()
        from ldap3.core import exceptions as known

        if self._aborted.is_set():
            raise ConnectionError(f"{self._at}: given up")
        try:
            return ask()
        except (known.LDAPInvalidFilterError, known.LDAPObjectClassError) as error:
            raise Invalid(f"the search filter cannot be used: {_plain(error)}") from None
        except known.LDAPInvalidDnError as error:
            raise Invalid(f"not a distinguished name: {_plain(error)}") from None
        except (known.LDAPExceptionError, OSError) as error:
            text = _plain(error)
            if "timed out" in text or "temporarily unavailable" in text:
                raise TimeoutError(f"{self._at} gave no answer in time: {text}") from None
            if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
                raise ConnectionError(f"{self._at}: its certificate is not believed: {text}") from None
            raise ConnectionError(f"{self._at}: {text}") from None

    @property
    def _at(self) -> str:
        scheme, host, port = self._config.address()
        return f"ldap {self._pool.name}: {scheme}://{host}:{port}"

    def abort(self) -> None:
        """Make whatever a thread is waiting for fail."""
        self._aborted.set()
        self._shut()

    def leave(self) -> None:
        """Close the connection without asking: the server sees that it is closed."""
        self._aborted.set()
        self._close()

    def _close(self) -> None:
        self._shut()
        sock = getattr(self._connection, "socket", None)
        if sock is not None:
            with suppress(OSError):
                sock.close()

    def _shut(self) -> None:
        sock = getattr(self._connection, "socket", None)
        if sock is not None:
            with suppress(OSError, ValueError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


_PAGED = "1.2.840.113556.1.4.319"


def _tls(config: LdapPoolConfig, host: str) -> Any:
    """Python's own checks of certificate and name instead of the library's."""
    ldap3 = _library()

    class Checked(ldap3.Tls):  # type: ignore[misc,name-defined]
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            try:
                context = ssl.create_default_context(cafile=config.ca_file)
            except OSError as error:
                raise ConnectionError(f"ca_file {config.ca_file!r} cannot be read: {error}") from None
            if not config.verify_ssl:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            connection.socket = context.wrap_socket(
                connection.socket, do_handshake_on_connect=do_handshake, server_hostname=host
            )

    return Checked()


def _said(result: dict[str, Any]) -> str:
    text = f"{result.get('description', '')} ({result.get('result')})"
    more = str(result.get("message") or "").strip("\0 \n")
    return _plain_text(f"{text}: {more}" if more else text)


def _plain(error: BaseException) -> str:
    return _plain_text(str(error) or type(error).__name__)


def _plain_text(text: str) -> str:
    return redactor.redact(re.sub(r"[\x00-\x1f\x7f]+", " ", text))[:500]
