"""The `http` step: one request, to a connector's endpoint or to a URL."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from liberty.jobs.steps.base import StepConfig
from liberty.jobs.steps.fields import Templatable
from liberty.jobs.tokens import TOKEN, environment_token, tokens_in

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
    ] = Field(None, description="Default GET; an endpoint brings its own.")
    headers: Annotated[dict[str, str], Templatable()] = Field(
        default_factory=dict, description="Request headers; they win over the connector's."
    )
    body: Any = Field(None, description="Text is sent as it is; a table or list is sent as JSON.")
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
        return self


def origin_is_written_out(url: str) -> bool:
    """True when no token but an environment variable stands in the scheme, host or port of `url`."""
    masked = TOKEN.sub(lambda match: "$" * len(match.group(0)), url)
    end = _ORIGIN_END.search(masked, masked.find("://") + 3 if "://" in masked else 0)
    origin = url[: end.start()] if end else url
    return all(environment_token(token) is not None for token in tokens_in(origin))
