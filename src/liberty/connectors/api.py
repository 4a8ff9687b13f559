"""API connectors: declared calls to one HTTP service, with its sign-in. The origin never changes."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote_plus, urlencode

from liberty.connectors.api_pace import MAX_PAUSES, Pace, pause_wanted
from liberty.connectors.api_pages import MAX_PAGED_BYTES, Place
from liberty.connectors.api_response import ApiResponse, decoded, mapped_by, pick
from liberty.connectors.api_templates import FORM, fill_path, fill_text, fill_value, payload, placeholders
from liberty.connectors.config import ApiConnectorConfig, EndpointConfig
from liberty.connectors.http import HttpClient, HttpClients, HttpResponse, basic_authorization, origin_of
from liberty.connectors.values import complete
from liberty.errors import Invalid, LibertyError, NotFound, did_you_mean
from liberty.secrets import redactor

if TYPE_CHECKING:
    from pydantic import BaseModel

    from liberty.connectors.pools import PoolSet

_log = logging.getLogger("liberty.connectors")

_EXPIRY_MARGIN_SECONDS = 30.0
_EXCERPT_CHARACTERS = 200


class ApiConnector:
    """One HTTP service. Awaitable from any loop; connections are kept open per loop."""

    kind = "api"
    config_model: ClassVar["type[BaseModel]"] = ApiConnectorConfig

    def __init__(self, name: str, config: ApiConnectorConfig, http: HttpClients) -> None:
        self.name = name
        self.config = config
        self._base = config.base_url.rstrip("/")
        self._origin = origin_of(config.base_url)
        self._http = http
        self._endpoints = {endpoint.name: endpoint for endpoint in config.endpoints}
        self._token: str | None = None
        self._token_expires = 0.0
        self._signing_in: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}
        self._lock = threading.Lock()
        self._pace = Pace(config.requests_per_second)
        if not config.verify_ssl:
            _log.warning("api %s: certificates are NOT verified (verify_ssl = false)", name)

    @classmethod
    def build(
        cls, name: str, values: Mapping[str, Any], _pools: "PoolSet", http: HttpClients
    ) -> "ApiConnector":
        """Check a definition's values and make the connector. Raises pydantic's ValidationError, or Invalid."""
        return cls(name, ApiConnectorConfig.model_validate(values), http)

    @property
    def base_url(self) -> str:
        return self._base

    def endpoint_names(self) -> list[str]:
        return sorted(self._endpoints)

    def describe(self) -> dict[str, Any]:
        """Name, address and endpoints; no secret."""
        return {
            "name": self.name,
            "type": "api",
            "base_url": self._base,
            "auth_type": self.config.auth_type,
            "label": self.config.label,
            "description": self.config.description,
            "endpoints": [
                {
                    "name": endpoint.name,
                    "method": endpoint.method,
                    "path": endpoint.path,
                    "label": endpoint.label,
                    "description": endpoint.description,
                    "params": [param.model_dump(exclude_none=True) for param in endpoint.params],
                }
                for endpoint in self._endpoints.values()
            ],
        }

    async def call(
        self,
        endpoint: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **values: Any,
    ) -> ApiResponse:
        """Call a declared endpoint; parameters as a mapping, as keywords, or both.

        Raises:
            NotFound: no such endpoint. Invalid: a parameter is unknown, missing or of the wrong type.
            ConnectionError, TimeoutError: there was no answer. Forbidden: the address may not be reached.
            LibertyError: the pages are too many, too large or go round in circles.
        """
        if self._endpoint(endpoint).pagination is None:
            return await self.first_page(endpoint, {**(params or {}), **values}, timeout=timeout)
        items: list[Any] = []
        mapped: list[Any] = []
        size, took = 0, 0.0
        last = None
        async for last in self.pages(endpoint, params, timeout=timeout, **values):
            if not last.success:
                return last
            size, took = size + len(last.body), took + last.duration_ms
            if size > MAX_PAGED_BYTES:
                limit = f"{MAX_PAGED_BYTES // 2**20} MiB"
                raise LibertyError(
                    f"{self._what(endpoint)}: more than {limit} in pages; read them one by one, by pages()"
                )
            items += last.extracted
            mapped += last.mapped or []
        assert last is not None  # noqa: S101 - there is a first page
        last.json = last.extracted = items
        last.mapped = mapped if last.mapped is not None else None
        last.body, last.duration_ms = json.dumps(items, ensure_ascii=False), round(took, 3)
        return last

    async def first_page(
        self, endpoint: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> ApiResponse:
        """The answer, of one that comes in pages only the first. Raises as `call`."""
        async with aclosing(self.pages(endpoint, params, timeout=timeout)) as pages:
            return await anext(pages)

    async def pages(
        self,
        endpoint: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **values: Any,
    ) -> AsyncGenerator[ApiResponse]:
        """The pages of an answer one after the other, each with its items as `extracted`; the last may be a failure.

        An endpoint without pagination has one. Raises as `call`.
        """
        declared, what = self._endpoint(endpoint), self._what(endpoint)
        given = {**(params or {}), **values}
        filled = complete(declared.params, placeholders(declared), given, what=what)
        paging = declared.pagination
        place = None if paging is None else Place.first(paging)
        while True:
            answer = await self._send(declared, filled, timeout or self.config.timeout, place)
            if answer.status == 401 and self.config.auth_type == "oauth2":
                self._token = None
                answer = await self._send(declared, filled, timeout or self.config.timeout, place)
            _log.debug("%s: %d in %.1f ms", what, answer.status, answer.elapsed_ms)
            response = self._response(declared, answer)
            if paging is None or place is None or not response.success:
                yield response
                return
            path = paging.items or declared.response_field
            items = pick(response.json, path) if path else response.json
            if answer.truncated or not isinstance(items, list):
                where = f"at {path!r} " if path else ""
                why = (
                    "is longer than is read" if answer.truncated else f"has no list {where}(pagination.items)"
                )
                raise LibertyError(f"{what}: page {place.number + 1} {why}")
            response.extracted = items
            if declared.response_map:
                response.mapped = mapped_by(items, declared.response_map)
            cursor = pick(response.json, paging.cursor_field) if paging.cursor_field else None
            more = place.move(
                url=answer.url, headers=answer.headers, cursor=cursor, items=len(items), what=what
            )
            response.pages = place.number
            yield response
            if not more:
                return

    def rendered(self, endpoint: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The request that `call` would send, without the credentials it would add. Raises the same errors."""
        declared = self._endpoint(endpoint)
        values = complete(declared.params, placeholders(declared), params or {}, what=self._what(endpoint))
        headers = {**self.config.default_headers, **declared.headers}
        headers = {name: fill_text(text, values) for name, text in headers.items()}
        body, _ = payload(declared, headers, values)
        return {
            "method": declared.method,
            "url": self._url(fill_path(declared.path, values)),
            "headers": headers,
            "query": {name: fill_value(value, values) for name, value in declared.query_params.items()}
            | (Place.first(declared.pagination).query if declared.pagination is not None else {}),
            "body": body,
            "auth": self.config.auth_type,
        }

    def _what(self, endpoint: str) -> str:
        return f"api {self.name}: endpoint {endpoint!r}"

    # -- sending

    def _endpoint(self, name: str) -> EndpointConfig:
        found = self._endpoints.get(name)
        if found is None:
            known = ", ".join(self.endpoint_names()) or "none"
            raise NotFound(
                f"api connector {self.name!r} has no endpoint {name!r}{did_you_mean(name, self._endpoints)}; "
                f"its endpoints: {known}"
            )
        return found

    @property
    def _client(self) -> HttpClient:
        return self._http.client(
            f"connector:{self.name}", verify_ssl=self.config.verify_ssl, proxy=self.config.proxy
        )

    async def _send(
        self, endpoint: EndpointConfig, values: Mapping[str, Any], timeout: float, place: Place | None
    ) -> HttpResponse:
        """Send it at its turn, and again as often as the service asks for patience."""
        longest = self.config.retry_after_max_seconds
        pauses = 0
        while True:
            await asyncio.sleep(self._pace.turn())
            answer = await self._send_once(endpoint, values, timeout, place)
            wanted = pause_wanted(endpoint.method, answer.status, answer.headers)
            if wanted is None or not longest or wanted > longest or pauses == MAX_PAUSES:
                return answer
            pauses += 1
            _log.info("api %s: %d, asked again in %.1f s as it wants", self.name, answer.status, wanted)
            await asyncio.sleep(wanted)

    async def _send_once(
        self, endpoint: EndpointConfig, values: Mapping[str, Any], timeout: float, place: Place | None
    ) -> HttpResponse:
        headers = {**self.config.default_headers, **endpoint.headers}
        headers = {name: fill_text(text, values) for name, text in headers.items()}
        body, content_type = payload(endpoint, headers, values)
        if content_type is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = content_type
        await self._sign(headers)
        query = {name: fill_value(value, values) for name, value in endpoint.query_params.items()}
        url = self._url(fill_path(endpoint.path, values))
        if place is not None:
            query |= place.query
            if place.url is not None:
                url, query = self._same_origin(place.url), {}
        return await self._client.request(
            endpoint.method,
            url,
            origin_trusted=True,
            headers=headers,
            query=query,
            body=body,
            timeout=timeout,
        )

    def _url(self, path: str) -> str:
        """The address of a path below base_url. Raises Invalid when it would leave the connector's origin."""
        return self._same_origin(f"{self._base}/{path.lstrip('/')}" if path else self._base)

    def _same_origin(self, url: str) -> str:
        if origin_of(url) != self._origin:
            raise Invalid(f"api {self.name}: {url!r} leads away from {self._origin}")
        return url

    async def _sign(self, headers: dict[str, str]) -> None:
        config = self.config
        match config.auth_type:
            case "basic":
                headers["Authorization"] = basic_authorization(
                    config.auth_username or "", config.auth_password or ""
                )
            case "bearer":
                headers["Authorization"] = f"Bearer {config.auth_token}"
            case "api_key":
                headers[config.auth_api_key_header] = config.auth_token or ""
            case "oauth2":
                headers["Authorization"] = f"Bearer {await self._current_token()}"

    # -- oauth2

    async def _current_token(self) -> str:
        token = self._valid_token()
        if token is not None:
            return token
        loop = asyncio.get_running_loop()
        with self._lock:
            for closed in [known for known in self._signing_in if known.is_closed()]:
                del self._signing_in[closed]
            lock = self._signing_in.setdefault(loop, asyncio.Lock())
        async with lock:
            return self._valid_token() or await self._fetch_token()

    def _valid_token(self) -> str | None:
        return self._token if time.monotonic() < self._token_expires else None

    async def _fetch_token(self) -> str:
        config = self.config
        where = config.auth_token_endpoint or ""
        values = {"auth_username": config.auth_username, "auth_password": config.auth_password}
        values |= {"username": config.auth_username, "password": config.auth_password}
        method, endpoint_path = "POST", where
        if where in self._endpoints:
            method, endpoint_path = self._endpoints[where].method, self._endpoints[where].path
        url = where if where.lower().startswith(("http://", "https://")) else self._url(endpoint_path)
        answer = await self._client.request(
            method,
            url,
            origin_trusted=True,
            headers={"Accept": "application/json", "Content-Type": config.auth_token_content_type}
            | {name: fill_text(text, values) for name, text in config.auth_token_headers.items()},
            body=self._token_request(values),
            timeout=config.timeout,
            follow_redirects=False,
        )
        token = pick(decoded(answer), config.auth_token_field)
        if not answer.ok or not isinstance(token, str) or not token:
            reason = (
                f"status {answer.status}"
                if not answer.ok
                else f"no {config.auth_token_field!r} in the answer"
            )
            raise ConnectionError(f"api {self.name}: signing in at {origin_of(url)} failed: {reason}")
        redactor.register(token)
        lifetime = pick(decoded(answer), "expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else config.auth_token_ttl
        self._token_expires = time.monotonic() + max(seconds - _EXPIRY_MARGIN_SECONDS, seconds / 2)
        self._token = token
        return token

    def _token_request(self, values: Mapping[str, Any]) -> str:
        body = self.config.auth_token_body
        form = self.config.auth_token_content_type.startswith(FORM)
        if isinstance(body, str):
            return fill_text(body, values, quote_plus if form else str)
        if body is None:
            body = {
                "grant_type": "client_credentials",
                "client_id": self.config.auth_username or "",
                "client_secret": self.config.auth_password or "",
            }
        filled = fill_value(body, values)
        return urlencode(filled) if form else json.dumps(filled)

    # -- reading

    @staticmethod
    def _response(endpoint: EndpointConfig, answer: HttpResponse) -> ApiResponse:
        body = decoded(answer)
        extracted = pick(body, endpoint.response_field) if endpoint.response_field else body
        return ApiResponse(
            success=answer.ok,
            status_code=answer.status,
            url=answer.url,
            body=answer.text,
            json=body,
            extracted=extracted,
            mapped=mapped_by(extracted, endpoint.response_map) if endpoint.response_map else None,
            error=None
            if answer.ok
            else f"{answer.status} {answer.reason}: {answer.text[:_EXCERPT_CHARACTERS]}".strip(": "),
            duration_ms=answer.elapsed_ms,
            headers=answer.headers,
            truncated=answer.truncated,
        )
