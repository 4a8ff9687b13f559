"""API connectors: declared calls to one HTTP service, with its sign-in. The origin never changes."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote_plus, urlencode

from liberty.connectors.api_templates import FORM, fill_path, fill_text, fill_value, payload, placeholders
from liberty.connectors.config import ApiConnectorConfig, EndpointConfig
from liberty.connectors.http import HttpClient, HttpClients, HttpResponse, basic_authorization, origin_of
from liberty.connectors.values import complete
from liberty.errors import Invalid, NotFound, did_you_mean
from liberty.secrets import redactor

if TYPE_CHECKING:
    from pydantic import BaseModel

    from liberty.connectors.pools import PoolSet

_log = logging.getLogger("liberty.connectors")

_EXPIRY_MARGIN_SECONDS = 30.0
_EXCERPT_CHARACTERS = 200


@dataclass(slots=True)
class ApiResponse:
    """The answer of an endpoint; an error status is reported, not raised.

    Attributes:
        success: the status was 2xx.
        body: the text of the answer.
        json: the decoded body, None when it is not JSON.
        extracted: what `response_field` points to.
        mapped: `response_map` applied to the extracted part (to each item when that is a list).
        error: status and an excerpt of the body when not successful.
    """

    success: bool
    status_code: int
    url: str
    body: str
    json: Any = None
    extracted: Any = None
    mapped: Any = None
    error: str | None = None
    duration_ms: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False


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
        """
        declared = self._endpoint(endpoint)
        what = f"api {self.name}: endpoint {endpoint!r}"
        given = {**(params or {}), **values}
        filled = complete(declared.params, placeholders(declared), given, what=what)
        answer = await self._send(declared, filled, timeout or self.config.timeout)
        if answer.status == 401 and self.config.auth_type == "oauth2":
            self._token = None
            answer = await self._send(declared, filled, timeout or self.config.timeout)
        _log.debug("%s: %d in %.1f ms", what, answer.status, answer.elapsed_ms)
        return self._response(declared, answer)

    def rendered(self, endpoint: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The request that `call` would send, without the credentials it would add. Raises the same errors."""
        declared = self._endpoint(endpoint)
        what = f"api {self.name}: endpoint {endpoint!r}"
        values = complete(declared.params, placeholders(declared), params or {}, what=what)
        headers = {**self.config.default_headers, **declared.headers}
        headers = {name: fill_text(text, values) for name, text in headers.items()}
        body, _ = payload(declared, headers, values)
        return {
            "method": declared.method,
            "url": self._url(fill_path(declared.path, values)),
            "headers": headers,
            "query": {name: fill_value(value, values) for name, value in declared.query_params.items()},
            "body": body,
            "auth": self.config.auth_type,
        }

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
        return self._http.client(f"connector:{self.name}", verify_ssl=self.config.verify_ssl)

    async def _send(
        self, endpoint: EndpointConfig, values: Mapping[str, Any], timeout: float
    ) -> HttpResponse:
        headers = {**self.config.default_headers, **endpoint.headers}
        headers = {name: fill_text(text, values) for name, text in headers.items()}
        body, content_type = payload(endpoint, headers, values)
        if content_type is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = content_type
        await self._sign(headers)
        return await self._client.request(
            endpoint.method,
            self._url(fill_path(endpoint.path, values)),
            origin_trusted=True,
            headers=headers,
            query={name: fill_value(value, values) for name, value in endpoint.query_params.items()},
            body=body,
            timeout=timeout,
        )

    def _url(self, path: str) -> str:
        """The address of a path below base_url. Raises Invalid when it would leave the connector's origin."""
        url = f"{self._base}/{path.lstrip('/')}" if path else self._base
        if origin_of(url) != self._origin:
            raise Invalid(f"api {self.name}: path {path!r} leads away from {self._origin}")
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
        token = _pick(_decoded(answer), config.auth_token_field)
        if not answer.ok or not isinstance(token, str) or not token:
            reason = (
                f"status {answer.status}"
                if not answer.ok
                else f"no {config.auth_token_field!r} in the answer"
            )
            raise ConnectionError(f"api {self.name}: signing in at {origin_of(url)} failed: {reason}")
        redactor.register(token)
        lifetime = _pick(_decoded(answer), "expires_in")
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
        decoded = _decoded(answer)
        extracted = _pick(decoded, endpoint.response_field) if endpoint.response_field else decoded
        return ApiResponse(
            success=answer.ok,
            status_code=answer.status,
            url=answer.url,
            body=answer.text,
            json=decoded,
            extracted=extracted,
            mapped=_mapped(extracted, endpoint.response_map) if endpoint.response_map else None,
            error=None
            if answer.ok
            else f"{answer.status} {answer.reason}: {answer.text[:_EXCERPT_CHARACTERS]}".strip(": "),
            duration_ms=answer.elapsed_ms,
            headers=answer.headers,
            truncated=answer.truncated,
        )


def _decoded(answer: HttpResponse) -> Any:
    if answer.truncated or not answer.body:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def _pick(value: Any, path: str) -> Any:
    """What a dotted path points to; numbers index lists; None when a part is missing."""
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _mapped(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_mapped(item, paths) for item in value]
    return {name: _pick(value, path) for name, path in paths.items()}
