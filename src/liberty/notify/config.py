"""What `notifications.toml` may say: channels, default recipients, routes, quiet hours."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

type Severity = Literal["info", "warning", "error"]

SECRET_KEYS = frozenset({"url", "password", "secret"})
"""Keys whose value is a secret: whoever has the address of a chat's hook can write there."""

_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
type Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Channel(_Table):
    enabled: bool = Field(True, description="false: nothing is sent; what waits stays waiting.")
    max_per_minute: int = Field(
        10, ge=2, le=600, description="Messages in a minute; beyond half of that they are put together."
    )
    timeout_seconds: float = Field(10, gt=0, le=60, description="For one attempt.")


def _http(value: str) -> str:
    if not value.lower().startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value


class EmailChannel(_Channel):
    """E-mail by SMTP."""

    type: Literal["email"]
    host: str = Field(min_length=1, description="The mail server.")
    port: int | None = Field(None, ge=1, le=65535, description="Default: 587, with tls 465, with none 25.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted; the server's certificate is verified."
    )
    user: str | None = Field(None, description="To sign in with; needs `password`.")
    password: str | None = Field(None, description="May be an `ENC:` value.")
    sender: str = Field(alias="from", min_length=3, description="Address of the sender.")
    to: tuple[str, ...] = Field((), description="Addresses; a job may name others.")

    @model_validator(mode="after")
    def _complete(self) -> "EmailChannel":
        if self.user is not None and self.password is None:
            raise ValueError("'user' needs a 'password'")
        if self.user is not None and self.security == "none":
            raise ValueError("a password is not sent unencrypted; set security = 'starttls' or 'tls'")
        return self

    @property
    def server_port(self) -> int:
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


class SlackChannel(_Channel):
    """An incoming webhook of Slack."""

    type: Literal["slack"]
    url: str = Field(description="The hook's address, which is a secret; may be an `ENC:` value.")
    channel: str | None = Field(None, description="Default: the hook's own, such as '#ops'.")
    username: str = "Nomaflow"
    icon: str = ":gear:"

    _is_http = field_validator("url")(_http)


class TeamsChannel(_Channel):
    """A workflow of Microsoft Teams that posts what it is sent."""

    type: Literal["teams"]
    url: str = Field(description="The workflow's address, which is a secret; may be an `ENC:` value.")

    _is_http = field_validator("url")(_http)


class WebhookChannel(_Channel):
    """A request of our own to any address."""

    type: Literal["webhook"]
    url: str = Field(description="Where to send it; may be an `ENC:` value.")
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict, description="Further headers.")
    body: str | None = Field(
        None, description="A text with `${job_id}` and other names; default: all of them as JSON."
    )
    content_type: str = "application/json"
    secret: str | None = Field(
        None, description="Signs each request: `X-Nomaflow-Signature: sha256=<HMAC of timestamp.body>`."
    )

    _is_http = field_validator("url")(_http)


class AppriseChannel(_Channel):
    """Any service that apprise speaks to: PagerDuty, Opsgenie, ntfy, … Needs `nomaflow[apprise]`."""

    type: Literal["apprise"]
    url: str = Field(description="An address of apprise, such as `pagerduty://…`; may be an `ENC:` value.")


class InAppChannel(_Channel):
    """The notification centre of the web page."""

    type: Literal["in_app"]
    roles: tuple[str, ...] = Field(
        (), description="Who sees it: holders of `alerts:<role>`. Default: all who may read the job."
    )


type Channel = Annotated[
    EmailChannel | SlackChannel | TeamsChannel | WebhookChannel | AppriseChannel | InAppChannel,
    Field(discriminator="type"),
]


class Defaults(_Table):
    """`[defaults]`: what counts where a job says nothing else."""

    recipients: tuple[str, ...] = Field(
        (), description="Channels that are told what no route sends elsewhere."
    )
    every_job: bool = Field(False, description="Also tell about failures of jobs without an `alerts` table.")
    repeat_hours: float = Field(
        24, gt=0, description="Remind of an incident that goes on, when there is more to count."
    )


class Route(_Table):
    """`[[routes]]`: who else is told, by the job's tags or name and by severity."""

    channels: tuple[str, ...] = Field(min_length=1, description="Channels, with `:<address>` if need be.")
    tags: tuple[str, ...] = Field((), description="A job with any of these tags; default: every job.")
    jobs: tuple[str, ...] = Field((), description="Names with `*`; default: every job.")
    severities: tuple[Severity, ...] = Field((), description="Default: all.")

    def fits(self, job: str, tags: tuple[str, ...], severity: str) -> bool:
        return (
            (not self.tags or any(tag in self.tags for tag in tags))
            and (not self.jobs or any(fnmatchcase(job, pattern) for pattern in self.jobs))
            and (not self.severities or severity in self.severities)
        )


class QuietHours(_Table):
    """`[[quiet_hours]]`: when messages of these severities wait."""

    begin: time = Field(alias="from", description="Such as 22:00:00.")
    until: time = Field(description="May be on the next day.")
    timezone: str = Field(description="IANA zone.")
    severities: tuple[Severity, ...] = Field(("info", "warning"), description="What waits.")
    days: tuple[Day, ...] = Field(_DAYS, description="The days on which a quiet span begins.")

    @field_validator("begin", "until", mode="before")
    @classmethod
    def _as_time(cls, value: Any) -> Any:
        return f"{value}:00" if isinstance(value, str) and value.count(":") == 1 else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {value!r}; use an IANA name such as 'Europe/Paris'") from error
        return value

    def end_at(self, now: datetime) -> datetime | None:
        """When the span that `now` is in ends; None outside of one."""
        zone = ZoneInfo(self.timezone)
        local = now.astimezone(zone)
        for day in (local.date(), local.date() - timedelta(days=1)):
            if _DAYS[day.weekday()] not in self.days:
                continue
            last = day if self.begin < self.until else day + timedelta(days=1)
            begin = datetime.combine(day, self.begin, zone)
            end = datetime.combine(last, self.until, zone)
            if begin <= local < end:
                return end.astimezone(now.tzinfo)
        return None


class NotificationsFile(_Table):
    """The whole of `notifications.toml`; also the source of its JSON Schema."""

    defaults: Defaults = Field(default_factory=Defaults)
    channels: dict[Annotated[str, Field(pattern=_NAME)], Channel] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `notifications.toml`, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **NotificationsFile.model_json_schema(by_alias=True),
    }


CHANNEL_MODELS: Mapping[str, type[_Channel]] = {
    "email": EmailChannel,
    "slack": SlackChannel,
    "teams": TeamsChannel,
    "webhook": WebhookChannel,
    "apprise": AppriseChannel,
    "in_app": InAppChannel,
}
