"""Incidents and messages: look at them, acknowledge, snooze, note; look at channels and test them."""

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models.incidents import (
    AcknowledgeBody,
    ChannelListModel,
    ChannelTestBody,
    ChannelTestModel,
    DeliveryPageModel,
    IncidentDetailModel,
    IncidentPageModel,
    NoteBody,
    SnoozeBody,
)

router = resource("incidents", "/admin")

type Limit = Annotated[int, Query(ge=1, le=1000)]
type Number = Annotated[int, Path(ge=1, le=2**62)]
type Cursor = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("/incidents", responses={200: {"model": IncidentPageModel}})
async def list_incidents(
    asked: Guarded,
    job: str | None = None,
    state: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The newest first; `state` is open or closed."""
    found = await asked.services.incidents.page(
        asked.caller, job=job, state=state, cursor=cursor, limit=limit
    )
    return json_answer(found)


@router.get("/incidents/{number}", responses={200: {"model": IncidentDetailModel}})
async def show_incident(number: Number, asked: Guarded) -> Response:
    """An incident with every message about it."""
    return json_answer(await asked.services.incidents.get(number, asked.caller))


@router.post("/incidents/{number}/acknowledge", responses={200: {"model": IncidentDetailModel}})
async def acknowledge_incident(
    number: Number, asked: Guarded, body: AcknowledgeBody | None = None
) -> Response:
    """Say that you look after it: nobody is reminded any more, and its end is told."""
    note = body.note if body is not None else None
    return json_answer(await asked.services.incidents.acknowledge(number, asked.caller, note))


@router.post("/incidents/{number}/snooze", responses={200: {"model": IncidentDetailModel}})
async def snooze_incident(number: Number, asked: Guarded, body: SnoozeBody) -> Response:
    """Remind nobody before a time."""
    return json_answer(await asked.services.incidents.snooze(number, asked.caller, body.until))


@router.post("/incidents/{number}/note", responses={200: {"model": IncidentDetailModel}})
async def note_incident(number: Number, asked: Guarded, body: NoteBody) -> Response:
    """Write down what is known."""
    return json_answer(await asked.services.incidents.note(number, asked.caller, body.text))


@router.get("/notices", responses={200: {"model": DeliveryPageModel}})
async def list_notices(asked: Guarded, limit: Limit = 50) -> Response:
    """What the notification centre shows you."""
    return json_answer(await asked.services.incidents.notices(asked.caller, limit))


@router.get("/deliveries", responses={200: {"model": DeliveryPageModel}})
async def list_deliveries(
    asked: Guarded,
    state: str | None = None,
    channel: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Every message with the answer it got; `state` is waiting, sent or dead."""
    found = await asked.services.incidents.deliveries(
        state=state, channel=channel, cursor=cursor, limit=limit
    )
    return json_answer(found)


@router.get("/channels", responses={200: {"model": ChannelListModel}})
async def list_channels(asked: Guarded) -> Response:
    """Every channel, and how its last message fared."""
    return json_answer(await asked.services.incidents.channels())


@router.post("/channels/{channel}/test", responses={200: {"model": ChannelTestModel}})
async def try_channel(channel: str, asked: Guarded, body: ChannelTestBody | None = None) -> Response:
    """Send a test message now and show the answer."""
    recipient = f"{channel}:{body.address}" if body is not None and body.address else channel
    return json_answer(await asked.services.incidents.test(recipient, asked.caller))
