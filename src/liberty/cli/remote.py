"""Jobs and runs through a server's REST API, with the standard library's HTTP client."""

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from liberty.cli.exits import UsageError
from liberty.cli.os_user import os_user
from liberty.cli.server_address import Server
from liberty.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    LibertyError,
    NotFound,
    Problem,
    StorageFull,
    TooMany,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from liberty.jobs.service.operate import Then

type Document = dict[str, Any]

_ERRORS: dict[str, type[LibertyError]] = {
    error.code: error
    for error in (
        NotFound,
        Conflict,
        Invalid,
        Unauthenticated,
        Forbidden,
        TooMany,
        Unavailable,
        StorageFull,
        Internal,
    )
}
_BY_STATUS = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "invalid",
    429: "too_many_requests",
}
_TIMEOUT_SECONDS = 30.0
_SILENCE_SECONDS = 60.0
"""Longer than the server's pause between two signs of life on a stream."""
_LIVENESS_SECONDS = 1.0
_RECONNECTS = 5
_PAGE_LINES = 1000
_NOT_A_HEADER = re.compile(r"[^\x21-\x7e]")


class RemoteBackend:
    """Speaks to one server. A connection per question: a command asks few."""

    in_process = False

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self._address = _Address(server.url)
        self._headers = {
            "Accept": "application/json",
            "X-Liberty-Os-User": _NOT_A_HEADER.sub("?", os_user()),
        }
        if server.token is not None:
            if _NOT_A_HEADER.search(server.token):
                raise UsageError("the token holds characters that no token has; check LIBERTY_TOKEN")
            self._headers["Authorization"] = f"Bearer {server.token}"

    def close(self) -> None:
        """Nothing stays open."""

    # -- looking

    def jobs(self) -> list[Document]:
        return list(self._every_page("/admin/jobs"))

    def job(self, name: str) -> Document:
        return self._get(f"/admin/jobs/{_part(name)}")

    def runs(self, *, job: str | None, statuses: Sequence[str], limit: int) -> list[Document]:
        query = {"job": job, "status": ",".join(statuses) or None, "limit": limit}
        items: list[Document] = self._get("/admin/jobs/runs", query)["items"]
        return items

    def run(self, run_id: str) -> Document:
        return self._get(f"/admin/jobs/runs/{_part(run_id)}")

    def log(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        while True:
            query = {"since": since, "level": level, "limit": _PAGE_LINES}
            lines = self._get(f"/admin/jobs/runs/{_part(run_id)}/logs", query)["items"]
            yield from lines
            if len(lines) < _PAGE_LINES:
                return
            since = lines[-1]["seq"]

    def follow(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        path = f"/admin/jobs/runs/{_part(run_id)}/logs"
        failures = 0
        while True:
            try:
                for event, data in self._events(path, {"follow": "true", "since": since, "level": level}):
                    failures = 0
                    if event == "end":
                        return
                    if event == "gone":
                        raise NotFound(f"no run {run_id!r} any more")
                    if "seq" in data:
                        since = data["seq"]
                        yield data
            except Unavailable:
                failures += 1
                if failures > _RECONNECTS:
                    raise
            else:
                # The stream was cut by something in between: the server itself says when it has ended.
                failures += 1
                if failures > _RECONNECTS:
                    raise Unavailable(f"{self.url} keeps closing the stream of {run_id}")
            time.sleep(min(2 ** (failures - 1) / 4, 4))

    def why(self, name: str, at: str | None) -> Document:
        return self._get(f"/admin/jobs/{_part(name)}/why", {"at": at})

    def schedule(self, since: str, until: str) -> Document:
        return self._get("/admin/jobs/schedule", {"from": since, "to": until})

    def start(self, name: str, body: Mapping[str, Any], idempotency_key: str | None) -> Document:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return self._post(f"/admin/jobs/{_part(name)}/run", body, headers)

    def replay(self, run_id: str, body: Mapping[str, Any]) -> Document:
        return self._post(f"/admin/jobs/runs/{_part(run_id)}/replay", body)

    def abort(self, run_id: str) -> Document:
        return self._post(f"/admin/jobs/runs/{_part(run_id)}/abort")

    def set_enabled(self, name: str, *, enabled: bool) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/{'enable' if enabled else 'disable'}")

    def pause(self, name: str, *, until: str | None, reason: str | None, then: "Then" = "drop") -> Document:
        return self._post(
            f"/admin/jobs/{_part(name)}/pause", {"until": until, "reason": reason, "then": then}
        )

    def resume(self, name: str) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/resume")

    def backfill(self, name: str, body: Mapping[str, Any]) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/backfill", body)

    def backfills(self, name: str) -> list[Document]:
        items: list[Document] = self._get(f"/admin/jobs/{_part(name)}/backfills")["items"]
        return items

    def cancel_backfill(self, name: str, number: int) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/backfills/{number}/cancel")

    def channels(self) -> Document:
        return self._get("/admin/channels")

    def test_channel(self, channel: str, address: str | None) -> Document:
        return self._post(f"/admin/channels/{quote(channel, safe='')}/test", {"address": address})

    def incidents(self, *, state: str | None, job: str | None, limit: int) -> list[Document]:
        query = {"state": state, "job": job, "limit": limit}
        items: list[Document] = self._get("/admin/incidents", query)["items"]
        return items

    def deliveries(self, *, state: str | None, channel: str | None, limit: int) -> list[Document]:
        query = {"state": state, "channel": channel, "limit": limit}
        items: list[Document] = self._get("/admin/deliveries", query)["items"]
        return items

    def reload(self) -> Document:
        return self._post("/admin/reload")

    def reload_plugin(self, name: str) -> Document:
        return self._post(f"/admin/plugins/{_part(name)}/reload")

    def plan(self, name: str, preset: str | None) -> Document:
        return self._get(f"/admin/jobs/{_part(name)}/plan", {"preset": preset})

    def marks(self, name: str) -> list[Document]:
        items: list[Document] = self._get(f"/admin/jobs/{_part(name)}/marks")["items"]
        return items

    def reset_mark(self, name: str, step: str, value: str | None) -> Document:
        path = f"/admin/jobs/{_part(name)}/marks/{quote(step, safe='')}"
        return self._ask("DELETE", path + _query({"value": value}))

    # -- definitions

    def definition(self, name: str) -> Document:
        return self._get(f"/admin/jobs/{_part(name)}/definition")

    def save_definition(self, name: str, toml: str, revision: str) -> Document:
        path = f"/admin/jobs/{_part(name)}/definition"
        return self._ask("PUT", path, {"toml": toml}, {"If-Match": f'"{revision}"'})

    def delete_job(self, name: str) -> Document:
        return self._ask("DELETE", f"/admin/jobs/{_part(name)}/definition", None, {"If-Match": "*"})

    def rename(self, name: str, to: str) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/rename", {"to": to})

    def duplicate(self, name: str, to: str) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/duplicate", {"to": to})

    def versions(self, name: str) -> list[Document]:
        items: list[Document] = self._get(f"/admin/jobs/{_part(name)}/versions")["items"]
        return items

    def diff(self, name: str, old: int | None, new: int | None) -> Document:
        return self._get(f"/admin/jobs/{_part(name)}/diff", {"from": old, "to": new})

    def restore(self, name: str, version: int) -> Document:
        return self._post(f"/admin/jobs/{_part(name)}/versions/{version}/restore")

    # -- HTTP

    def _every_page(self, path: str) -> Iterator[Document]:
        cursor: str | None = None
        while True:
            page = self._get(path, {"cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _get(self, path: str, query: Mapping[str, object] | None = None) -> Document:
        return self._ask("GET", path + _query(query))

    def _post(
        self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Document:
        return self._ask("POST", path, {} if body is None else body, headers or {})

    def _ask(
        self,
        method: str,
        target: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document:
        content = None if body is None else json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        with self._address.asked(method, target, content, sent, _TIMEOUT_SECONDS) as response:
            text = response.read()
            if not 200 <= response.status < 300:
                raise _error(response, text, self.url)
        return self._document(text)

    def _document(self, text: bytes) -> Document:
        try:
            found = json.loads(text or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unavailable(f"{self.url} answers, but not as this program's server does; check the address")
        return found

    def _events(self, path: str, query: Mapping[str, object]) -> Iterator[tuple[str, Document]]:
        """Server-Sent Events: name and data of each. Ends when the server closes the stream."""
        headers = {**self._headers, "Accept": "text/event-stream"}
        with self._address.asked("GET", path + _query(query), None, headers, _SILENCE_SECONDS) as response:
            if response.status != http.client.OK:
                raise _error(response, response.read(), self.url)
            event, data = "message", list[str]()
            for raw in response:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                name, _, value = line.partition(":")
                if name == "event":
                    event = value.strip()
                elif name == "data":
                    data.append(value.removeprefix(" "))
                elif not line and data:
                    yield event, self._document("\n".join(data).encode())
                    event, data = "message", []


class _Address:
    """Where requests go: scheme, host and the path the server is mounted at. Redirects are not followed."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            self._host, self._port = parts.hostname, parts.port
        except ValueError as error:
            raise UsageError(f"{url!r} is not the address of a server: {error}") from error
        if parts.scheme not in ("http", "https") or not self._host or parts.username is not None:
            raise UsageError(f"{url!r} is not the address of a server; write http://host:port")
        self._is_secure = parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._url = url

    @contextmanager
    def asked(
        self, method: str, target: str, content: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> Iterator[http.client.HTTPResponse]:
        """The response of one request. Raises Unavailable when there is none, or when it breaks off."""
        host = self._host or ""
        connection = (
            http.client.HTTPSConnection(
                host, self._port, timeout=timeout, context=ssl.create_default_context()
            )
            if self._is_secure
            else http.client.HTTPConnection(host, self._port, timeout=timeout)
        )
        try:
            connection.request(method, self._base + target, body=content, headers=dict(headers))
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"no answer from the server at {self._url}: {error or type(error).__name__}"
            ) from error
        finally:
            connection.close()


def answers(url: str) -> bool:
    """Whether a server is there and well enough to take requests."""
    try:
        with _Address(url).asked("GET", "/healthz", None, {}, _LIVENESS_SECONDS) as response:
            response.read()
            return response.status == http.client.OK
    except (Unavailable, UsageError):
        return False


def _part(text: str) -> str:
    """One part of a path. The slash of a shipped job's name belongs to the name."""
    return quote(text, safe="/")


def _query(values: Mapping[str, object] | None) -> str:
    given = {name: value for name, value in (values or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _error(response: http.client.HTTPResponse, text: bytes, url: str) -> LibertyError:
    """A problem document as the error it was made from; anything else by its status."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    found: Document = document if isinstance(document, dict) else {}
    code = str(found.get("code") or _BY_STATUS.get(response.status, "unavailable"))
    message = str(
        found.get("detail") or found.get("title") or f"{url} answered {response.status} {response.reason}"
    )
    if code == "unauthenticated":
        message += "; set LIBERTY_TOKEN to an API token (`liberty-admin token create` makes one)"
    kind = _ERRORS.get(code, Unavailable)
    if kind is Invalid:
        return Invalid(message, problems=_problems(found.get("problems")))
    return kind(message)


def _problems(listed: object) -> list[Problem]:
    return [
        Problem(str(item["message"]), item.get("file"), item.get("line"), item.get("job"), item.get("key"))
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and item.get("message")
    ]
