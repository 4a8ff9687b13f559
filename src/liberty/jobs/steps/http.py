"""The `http` step: one request, to a connector's endpoint or to a URL."""

import logging
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from liberty.jobs.steps.addressed import own_params
from liberty.jobs.steps.base import RunContext, StepConfig, StepFailed, StepResult
from liberty.jobs.steps.fields import Templatable
from liberty.jobs.steps.http_output import HttpAnswer, shown_url
from liberty.jobs.steps.json_values import json_value
from liberty.jobs.tokens import TOKEN, environment_token, tokens_in
from liberty.secrets import PREFIX, is_secret_name, redactor

RAW_TIMEOUT_SECONDS = 30.0
"""For a raw URL of a step that sets no `timeout_seconds`."""

_log = logging.getLogger("nomaflow.http")
_ORIGIN_END = re.compile(r"[/?#]")


class HttpAuth(BaseModel):
    """Credentials for a raw URL; connectors bring their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["none", "basic", "bearer"] = Field("none", description="How to sign in.")
    username: str | None = Field(None, description="For basic.")
    password: str | None = Field(None, description="For basic; `${env:NAME}` or an ENC: value.")
    token: str | None = Field(None, description="For bearer; `${env:NAME}` or an ENC: value.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "basic" and (self.username is None or self.password is None):
            raise ValueError("basic authentication needs 'username' and 'password'")
        if self.type == "bearer" and self.token is None:
            raise ValueError("bearer authentication needs 'token'")
        return self


class HttpStep(StepConfig):
    """Send one request and keep status, headers and decoded body for later steps."""

    type: Literal["http"] = "http"
    connector: str | None = Field(None, description="API connector; then `endpoint` names what to call.")
    endpoint: str | None = Field(None, description="Endpoint of the connector.")
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Values for the endpoint's parameters, or the URL's query string."
    )
    url: str | None = Field(None, description="Full URL, when no connector is used.")
    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] | None, Templatable()
    ] = Field(None, description="For `url`; default GET. An endpoint brings its own.")
    headers: Annotated[dict[str, str], Templatable()] = Field(
        default_factory=dict, description="Request headers for `url`; an endpoint brings its own."
    )
    body: Any = Field(
        None, description="For `url`: text is sent as it is; a table, list, number or truth value as JSON."
    )
    auth: HttpAuth | None = Field(None, description="Credentials for `url`.")
    expected_statuses: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Templatable()] = Field(
        (), description="Status codes that count as success; default: every 2xx."
    )

    _origin_written_out: bool = PrivateAttr(default=True)

    @property
    def origin_written_out(self) -> bool:
        """True when scheme, host and port of `url` stand in the definition (or come from its environment).

        False when a parameter or an earlier step supplied them: such an origin may not be a private address.
        """
        return self._origin_written_out

    def rendered_from(self, template: "HttpStep") -> None:
        """Remember of the unsubstituted definition what the substituted text no longer shows."""
        self._origin_written_out = template.url is None or origin_is_written_out(template.url)

    @model_validator(mode="after")
    def _one_destination(self) -> Self:
        if (self.url is None) == (self.connector is None):
            raise ValueError("give either 'url' or 'connector' with 'endpoint'")
        if self.connector is not None and self.endpoint is None:
            raise ValueError("'connector' needs 'endpoint'")
        if self.connector is None and self.endpoint is not None:
            raise ValueError("'endpoint' needs 'connector'")
        if self.connector is not None and self.auth is not None:
            raise ValueError("'auth' belongs to 'url'; a connector brings its own credentials")
        for key in ("method", "headers", "body"):
            if self.connector is not None and getattr(self, key):
                raise ValueError(f"{key!r} belongs to 'url'; with a connector the endpoint says it")
        return self

    async def execute(self, ctx: RunContext) -> StepResult:
        """Send the request. Raises StepFailed when the status is none of the expected ones; ConnectionError and
        TimeoutError when there was no answer."""
        answer = await (self._call_endpoint(ctx) if self.connector is not None else self._send(ctx))
        result = answer.result()
        _log.info(
            "nomaflow.http done run=%s step=%r status=%s bytes=%s elapsed_ms=%s",
            ctx.run_id,
            ctx.step_name,
            answer.status,
            len(answer.text),
            answer.elapsed_ms,
        )
        if not self._is_expected(answer.status):
            raise StepFailed(answer.unexpected(self.expected_statuses))
        if answer.cut:
            _log.warning("the answer of %s was longer than is read; its text is cut", answer.url)
        return result

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """The request that would be sent, secrets masked."""
        params = own_params(self.params, ctx)
        if self.connector is not None:
            request = ctx.connectors.api(self.connector).rendered(self.endpoint or "", params)
        else:
            headers, basic = self._signed(ctx)
            signed = basic is not None or (self.auth is not None and self.auth.type != "none")
            request = {
                "method": self.method or "GET",
                "url": self.url,
                "headers": headers,
                "query": params,
                "body": self.body,
                "auth": self.auth.type if signed and self.auth is not None else "none",
            }
        return {"request": {**request, "url": shown_url(str(request["url"]))}}

    def _is_expected(self, status: int) -> bool:
        return status in self.expected_statuses if self.expected_statuses else 200 <= status < 300

    async def _call_endpoint(self, ctx: RunContext) -> HttpAnswer:
        assert self.connector is not None  # noqa: S101 - _one_destination saw to it
        assert self.endpoint is not None  # noqa: S101 - as above
        connector = ctx.connectors.api(self.connector)
        self._log_start(ctx, f"{self.connector}/{self.endpoint}")
        found = await connector.call(self.endpoint, own_params(self.params, ctx))
        extra = {}
        if found.extracted is not found.json:
            extra["extracted"] = found.extracted
        if found.mapped is not None:
            extra["mapped"] = found.mapped
        return HttpAnswer(
            method=f"{self.connector}/{self.endpoint}",
            url=shown_url(found.url),
            status=found.status_code,
            headers=found.headers,
            text=found.body,
            cut=found.truncated,
            elapsed_ms=found.duration_ms,
            extra=extra,
        )

    async def _send(self, ctx: RunContext) -> HttpAnswer:
        assert self.url is not None  # noqa: S101 - _one_destination saw to it
        method = self.method or "GET"
        headers, basic = self._signed(ctx)
        self._log_start(ctx, f"{method} {shown_url(self.url)}")
        found = await ctx.connectors.http.client().request(
            method,
            self.url,
            origin_trusted=self.origin_written_out,
            headers=headers,
            query=own_params(self.params, ctx),
            body=self.body if isinstance(self.body, str) else None,
            json_body=None if isinstance(self.body, str) else json_value(self.body, "body"),
            auth=basic,
            timeout=self.timeout_seconds
            if "timeout_seconds" in self.model_fields_set
            else RAW_TIMEOUT_SECONDS,
        )
        return HttpAnswer(
            method=method,
            url=shown_url(found.url),
            status=found.status,
            reason=found.reason,
            headers=found.headers,
            text=found.text,
            cut=found.truncated,
            elapsed_ms=found.elapsed_ms,
        )

    def _signed(self, ctx: RunContext) -> tuple[dict[str, str], tuple[str, str] | None]:
        """Headers and Basic credentials with their secrets in the clear; the redactor knows them from here on."""
        headers = {name: _clear(ctx, value) for name, value in self.headers.items()}
        for name, value in headers.items():
            if is_secret_name(name):
                redactor.register(value.rpartition(" ")[2])
        if self.auth is None or self.auth.type == "none":
            return headers, None
        if self.auth.type == "basic":
            password = _clear(ctx, self.auth.password or "")
            redactor.register(password)
            return headers, (self.auth.username or "", password)
        token = _clear(ctx, self.auth.token or "")
        redactor.register(token)
        return {"Authorization": f"Bearer {token}", **headers}, None

    @staticmethod
    def _log_start(ctx: RunContext, request: str) -> None:
        _log.info("nomaflow.http start run=%s step=%r request=%s", ctx.run_id, ctx.step_name, request)


def _clear(ctx: RunContext, text: str) -> str:
    return ctx.settings.open_keyring().decrypt(text) if text.startswith(PREFIX) else text


def origin_is_written_out(url: str) -> bool:
    """True when no token but an environment variable stands in the scheme, host or port of `url`."""
    masked = TOKEN.sub(lambda match: "$" * len(match.group(0)), url)
    end = _ORIGIN_END.search(masked, masked.find("://") + 3 if "://" in masked else 0)
    origin = url[: end.start()] if end else url
    return all(environment_token(token) is not None for token in tokens_in(origin))
