"""Who is told what: from a job's alerts, the routes and the defaults to channels, and when they may be disturbed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from liberty.errors import Problem
from liberty.jobs.job import Alerts, Job
from liberty.jobs.run import ABORTED, FAILED, PARTIAL_SUCCESS, SKIPPED, SUCCEEDED, Status
from liberty.notify.config import Channel, Defaults, EmailChannel, QuietHours, Route, SlackChannel

SEVERITIES: Mapping[str, str] = {
    "failed": "error",
    "still-failing": "error",
    "late": "error",
    "quarantined": "error",
    "channel-failing": "error",
    "aborted": "warning",
    "long-running": "warning",
    "missed": "warning",
    "skipped": "info",
    "succeeded": "info",
    "recovered": "info",
    "test": "info",
}
_FAILURES = (FAILED, ABORTED)


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel, and an address that stands for the channel's own."""

    channel: str
    address: str | None = None

    def __str__(self) -> str:
        return self.channel if self.address is None else f"{self.channel}:{self.address}"

    @classmethod
    def parse(cls, text: str) -> "Destination":
        channel, _, address = text.partition(":")
        return cls(channel, address or None)


def channel_named(recipient: str, channels: Mapping[str, Channel]) -> Destination | None:
    """What a recipient means: `ops-mail`, `ops-mail:dba@corp.example`, `#dba`, `@alice` or an e-mail address."""
    name, _, address = recipient.partition(":")
    if name in channels:
        return Destination(name, address or None)
    if recipient.startswith(("#", "@")):
        return _first_of(SlackChannel, recipient, channels)
    if "@" in recipient:
        return _first_of(EmailChannel, recipient, channels)
    if name == "slack" and address:
        return _first_of(SlackChannel, address, channels)
    if name in ("email", "mailto") and address:
        return _first_of(EmailChannel, address, channels)
    return None


def _first_of(kind: type, address: str, channels: Mapping[str, Channel]) -> Destination | None:
    name = next((name for name, channel in channels.items() if isinstance(channel, kind)), None)
    return None if name is None else Destination(name, address)


@dataclass(frozen=True, slots=True)
class Notifications:
    """`notifications.toml`, checked. Without channels nobody is ever told anything, and nothing is stored for it."""

    channels: Mapping[str, Channel]
    defaults: Defaults
    routes: tuple[Route, ...]
    quiet_hours: tuple[QuietHours, ...]
    problems: tuple[Problem, ...] = ()
    public_url: str | None = None
    app_name: str = "Liberty"

    def alerts_of(self, job: Job | None) -> Alerts | None:
        """What is to be told about a job; None for nothing. A job that is gone is like one that says nothing."""
        if job is not None and job.alerts is not None:
            return job.alerts
        return _FOR_EVERY_JOB if self.defaults.every_job else None

    def concerns(self, job: Job, status: Status) -> bool:
        """Whether a run that ends in `status` may have to be told. Asked for every run, so it only looks at memory."""
        if not self.channels:
            return False
        alerts = self.alerts_of(job)
        if alerts is None:
            return False
        if status in _FAILURES:
            return bool(alerts.on_failure)
        if status == SKIPPED:
            return bool(alerts.on_skipped)
        return status in (SUCCEEDED, PARTIAL_SUCCESS) and bool(alerts.on_success)

    def destinations(self, event: str, job: Job | None, name: str) -> tuple[Destination, ...]:
        """Who is told of an event of a job, or of the program itself."""
        chosen: tuple[str, ...] = ()
        alerts = self.alerts_of(job)
        if event in _OF_JOBS and job is not None:
            if alerts is None:
                return ()
            wanted = _wanted(alerts, event)
            if wanted is False or wanted == ():
                return ()
            chosen = wanted if isinstance(wanted, tuple) else alerts.recipients
        if not chosen:
            tags = job.tags if job is not None else ()
            fitting = [route for route in self.routes if route.fits(name, tuple(tags), SEVERITIES[event])]
            chosen = tuple(name for route in fitting for name in route.channels) or self.defaults.recipients
        found = [channel_named(one, self.channels) for one in chosen]
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def due_at(self, severity: str, now: datetime) -> datetime:
        """When a message may leave: now, or at the end of the quiet hours."""
        ends = [hours.end_at(now) for hours in self.quiet_hours if severity in hours.severities]
        return max([now, *(end for end in ends if end is not None)])

    def link(self, run: int | None) -> str | None:
        """The address of a run's page; None while `[app] public_url` is not set."""
        if self.public_url is None or run is None:
            return None
        return f"{self.public_url.rstrip('/')}/nomaflow/runs/r-{run}"


_FOR_EVERY_JOB = Alerts()
_OF_JOBS = frozenset(
    {
        "failed",
        "still-failing",
        "aborted",
        "succeeded",
        "skipped",
        "missed",
        "recovered",
        "late",
        "long-running",
    }
)


def _wanted(alerts: Alerts, event: str) -> bool | tuple[str, ...]:
    if event in ("failed", "still-failing", "aborted"):
        return alerts.on_failure
    if event == "succeeded":
        return alerts.on_success
    if event in ("skipped", "missed"):
        return alerts.on_skipped
    return alerts.on_recovery if event == "recovered" else True
