"""Incidents, deliveries and channels."""

from typing import Literal

from pydantic import AwareDatetime, Field

from liberty.api.models.base import Answer, Body, Instant, ProblemItem


class DeliveryModel(Answer):
    """A message to one recipient; several may have left together as one `message`."""

    id: int
    incident: int | None
    job: str | None
    event: str
    channel: str
    address: str | None
    state: Literal["waiting", "sent", "dead"]
    attempts: int
    answer: str | None = Field(description="What the other side said last.")
    created_at: Instant
    tried_at: Instant | None
    due_at: Instant | None
    ended_at: Instant | None
    message: str | None = Field(description="The idempotency key it was sent with.")


class IncidentModel(Answer):
    """Trouble of one kind with one job, from its first event until it is over."""

    id: int
    job: str
    app: str
    kind: str
    event: str
    severity: Literal["info", "warning", "error"]
    state: Literal["open", "closed"]
    text: str
    details: list[str]
    count: int
    run_id: str | None
    opened_at: Instant
    last_at: Instant
    closed_at: Instant | None
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    snoozed_until: Instant | None
    note: str | None
    recipients: list[str]


class IncidentDetailModel(IncidentModel):
    """With every message about it."""

    deliveries: list[DeliveryModel]


class IncidentPageModel(Answer):
    """A page of incidents."""

    items: list[IncidentModel]
    next_cursor: str | None


class DeliveryPageModel(Answer):
    """A page of deliveries."""

    items: list[DeliveryModel]
    next_cursor: str | None


class ChannelModel(Answer):
    """A channel and its last message."""

    name: str
    type: str
    enabled: bool
    state: Literal["ok", "failing"]
    last: DeliveryModel | None


class ChannelListModel(Answer):
    """All channels, and what is wrong in their file."""

    items: list[ChannelModel]
    problems: list[ProblemItem]


class ChannelTestModel(Answer):
    """What came of a test message."""

    channel: str
    ok: bool
    answer: str


class AcknowledgeBody(Body):
    """A note may be left."""

    note: str | None = None


class SnoozeBody(Body):
    """Until when nobody is reminded; null ends it."""

    until: AwareDatetime | None


class NoteBody(Body):
    """An empty text takes the note away."""

    text: str


class ChannelTestBody(Body):
    """Where to instead of the channel's own address."""

    address: str | None = None
