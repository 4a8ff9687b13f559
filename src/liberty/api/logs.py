"""A run's log: a page of lines, a text to download, or a stream of Server-Sent Events that ends with the run."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Header, Query, Request
from starlette.responses import Response, StreamingResponse

from liberty.api.access import Asked, Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import Level, LogPageModel
from liberty.errors import Invalid, NotFound
from liberty.jobs.run import Run
from liberty.jobs.service import wire
from liberty.jobs.service.follow import MAX_SEQ, LogFollower
from liberty.jobs.service.runs import LATEST_LINES

HEARTBEAT_SECONDS = 15.0
LOG_EVENT = "job.run.log"

router = resource("runs", "/admin/jobs/runs")


@router.get(
    "/{run_id}/logs",
    responses={
        200: {
            "model": LogPageModel,
            "description": (
                "A page of lines. With `Accept: text/plain` the whole log as text. With `follow=true` Server-Sent "
                "Events: `room` names the Socket.IO room, then each line (`id:` is its number), then `end`."
            ),
            "content": {"text/plain": {}, "text/event-stream": {}},
        }
    },
)
async def show_log(
    request: Request,
    run_id: str,
    asked: Guarded,
    level: Annotated[str | None, Query(description="This level and graver ones.")] = None,
    follow: Annotated[bool, Query(description="Stream until the run has ended.")] = False,
    since: Annotated[int | None, Query(ge=0, le=MAX_SEQ, description="Lines numbered above this.")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = LATEST_LINES,
    form: Annotated[
        Literal["json", "text", "file"],
        Query(description="For links: the log as text, to look at or to keep."),
    ] = "json",
    last_event_id: Annotated[str | None, Header(description="What a reconnecting browser has seen.")] = None,
) -> Response:
    """The log of a run."""
    run = await asked.services.runtime.reader.get(run_id, asked.caller)
    lowest = level_of(level)
    after = _after(last_event_id, cursor, since)
    if form != "json" or "text/plain" in request.headers.get("accept", ""):
        return _text(asked, run, lowest, after, follow=follow, kept=form != "text")
    if follow:
        return StreamingResponse(
            _events(asked, run, lowest, after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    return await _page(asked, run, lowest, after, limit)


async def _page(asked: Asked, run: Run, level: str | None, after: int, limit: int) -> Response:
    found = await asked.services.runtime.reader.log_lines(run.number, after, limit=limit + 1, level=level)
    items = found[:limit]
    last = items[-1].seq if items else after
    return json_answer(
        {
            "items": wire.lines(items),
            "next_cursor": str(last) if len(found) > limit else None,
            "last_seq": last,
            "dropped": run.log_dropped,
            "truncated": run.log_dropped > 0,
            "status": str(run.status),
        }
    )


def _text(asked: Asked, run: Run, level: str | None, after: int, *, follow: bool, kept: bool) -> Response:
    async def chunks() -> AsyncIterator[str]:
        if follow:
            async for batch in _follower(asked).follow(run, asked.caller, after=after, level=level):
                if batch.lines:
                    yield "".join(map(wire.line_text, batch.lines))
            return
        seen = after
        while lines := await asked.services.runtime.reader.log_lines(run.number, seen, level=level):
            seen = lines[-1].seq
            yield "".join(map(wire.line_text, lines))

    disposition = "attachment" if kept else "inline"
    headers = {"Content-Disposition": f'{disposition}; filename="{run.run_id}.log"'}
    return StreamingResponse(chunks(), media_type="text/plain; charset=utf-8", headers=headers)


async def _events(asked: Asked, run: Run, level: str | None, after: int) -> AsyncIterator[str]:
    room = {"room": f"run:{run.run_id}", "event": LOG_EVENT, "run_id": run.run_id}
    yield f"event: room\ndata: {json.dumps(room)}\n\n"
    try:
        async for batch in _follower(asked).follow(
            run, asked.caller, after=after, level=level, quiet_seconds=HEARTBEAT_SECONDS
        ):
            if batch.ended is not None:
                yield f"event: end\ndata: {json.dumps(wire.run(batch.ended))}\n\n"
            elif batch.lines:
                yield "".join(
                    f"id: {line.seq}\ndata: {json.dumps(wire.line(line))}\n\n" for line in batch.lines
                )
            else:
                yield ": still there\n\n"
    except NotFound:
        yield 'event: gone\ndata: {"code": "not_found"}\n\n'


def _follower(asked: Asked) -> LogFollower:
    runtime = asked.services.runtime
    return LogFollower(runtime.reader, runtime.bus)


def level_of(text: str | None) -> Level | None:
    """The level a query names. Raises Invalid."""
    if not text:
        return None
    match text.strip().upper():
        case "DEBUG" | "INFO" | "WARNING" | "ERROR" as level:
            return level
        case "WARN":
            return "WARNING"
        case _:
            raise Invalid(f"no level {text!r}; there are DEBUG, INFO, WARNING and ERROR")


def _after(last_event_id: str | None, cursor: str | None, since: int | None) -> int:
    for text in (last_event_id, cursor):
        if text:
            return line_number(text)
    return since or 0


def line_number(text: str | None) -> int:
    """The number of a line that a query names, 0 for none. Raises Invalid."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid(f"{text!r} is no line number")
    return int(text)
