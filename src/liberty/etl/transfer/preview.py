"""What a copy would do: both ends are opened and looked at, nothing is written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from liberty.connectors.sql_call import stream_rows
from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.flow import opened
from liberty.etl.transfer.paths import decide
from liberty.etl.transfer.request import CopyFailed, CopyRequest, End, side_of
from liberty.etl.transfer.shaping import Shaper
from liberty.etl.transfer.source import reading, source_call, table_of

if TYPE_CHECKING:
    from liberty.etl.transfer.crossing import Crossing, Meeting

SAMPLE_ROWS = 20


async def look(request: CopyRequest) -> dict[str, Any]:
    """Counts, columns, path and the first rows. What would fail is a sentence in `problems`.

    Raises what the copy would raise before it reads a row.
    """
    end = side_of(request.target, request.connectors)
    target_rows = await _target_rows(end) if isinstance(end, End) else None
    async with opened(request) as crossing:
        found: dict[str, Any] = {
            "mode": request.mode,
            "source": str(request.source),
            "target": str(request.target),
            "source_rows": await _source_rows(crossing),
            "target_rows": target_rows,
            "columns": [],
            "path": "",
            "problems": [],
            "notes": [],
            "rows": [],
        }
        if request.incremental is not None:
            found["watermark"] = (
                None if crossing.outcome.watermark is None else str(crossing.outcome.watermark)
            )
        if request.guard is not None:
            found["guard"] = _guard(crossing, found["source_rows"], target_rows)
        names, origins, rows = await _sample(crossing)
        found["rows"] = [dict(zip(names, row, strict=True)) for row in rows]
        try:
            meeting = crossing.meet(names, origins, rows)
        except CopyFailed as error:
            found["problems"].append(error.message)
            return found
        found["columns"] = _columns(crossing, meeting, rows, found["problems"])
        _, found["path"] = await decide(crossing)
        if meeting.create is not None and isinstance(end, End):
            found["notes"].append("the target does not exist and would be made")
        return found


async def _source_rows(crossing: "Crossing") -> int | None:
    """None for a file: it would have to be read."""
    if crossing.connection is None:
        return None
    call = source_call(crossing)
    counting = crossing.source.connector.prepare(
        f"SELECT count(*) FROM ({call.statement.text}) q",  # noqa: S608 - a prepared statement
        call.values,
        crossing.source.place.pool,
        None,
    )
    result = await stream_rows(crossing.source_connection, counting, 1)
    return int((await result.first())[0])


async def _target_rows(end: End) -> int | None:
    """On a connection of its own that is given back before the copy's are taken: a pool may have few."""
    async with end.engine.connect() as connection:
        table = await table_of(connection, end)
        if table is None:
            return None
        quote = end.engine.dialect.identifier_preparer.quote_identifier
        origin = f"{quote(table.schema)}.{quote(table.name)}" if table.schema else quote(table.name)
        statement = f"SELECT count(*) FROM {origin}"  # noqa: S608 - quoted names
        return int((await connection.exec_driver_sql(statement)).scalar_one())


async def _sample(crossing: "Crossing") -> tuple[list[str], dict[str, Column], Sequence[Sequence[Any]]]:
    request = crossing.request
    trim = crossing.source_side.settings.trim_strings
    async with reading(crossing) as source:
        shaper = Shaper(request, source.columns, trim=trim)
        rows: Sequence[Sequence[Any]] = []
        async for batch in source.batches:
            rows = (await shaper.shape([tuple(row) for row in batch[:SAMPLE_ROWS]], 1)).rows
            break
        return shaper.names or list(shaper.origins), shaper.origins, rows


def _columns(
    crossing: "Crossing", meeting: "Meeting", rows: Sequence[Sequence[Any]], problems: list[str]
) -> list[dict[str, Any]]:
    """One entry per column. What the first rows already show that would fail goes to `problems`."""
    listed = []
    for place, column in zip(meeting.taken, meeting.columns, strict=True):
        name = crossing.names[place]
        origin = crossing.origins.get(name)
        entry: dict[str, Any] = {
            "source": name,
            "source_type": (origin.sql_type or origin.kind) if origin is not None else None,
            "target": column.name,
            "target_type": column.sql_type or column.kind,
            "change": _change(crossing.request, origin, column),
        }
        try:
            fitting = crossing.target.fitting(column, origin)
            fitting.apply([row[place] for row in rows], range(1, len(rows) + 1))
        except CopyFailed as error:
            problems.append(error.message)
        listed.append(entry)
    return listed


def _change(request: CopyRequest, origin: Column | None, column: Column) -> str | None:
    """What is different about the type, and what may be lost with it; None for the same type."""
    if request.truncate_decimals and origin is not None and origin.kind in ("decimal", "other"):
        return "decimals are cut off"
    if origin is None or origin.sql_type.lower() == column.sql_type.lower():
        return None
    narrower = (
        (column.length is not None and (origin.length is None or origin.length > column.length))
        or (column.kind == origin.kind and column.bits < origin.bits)
        or (column.scale is not None and (origin.scale is None or origin.scale > column.scale))
        or (origin.kind in ("text", "other") and column.kind not in ("text", "other"))
        or (origin.kind == "decimal" and column.kind in ("int", "float"))
        or (origin.kind == "float" and column.kind == "int")
    )
    changed = f"{origin.sql_type or origin.kind} becomes {column.sql_type or column.kind}"
    return f"{changed}; a value that does not fit fails the copy" if narrower else changed


def _guard(crossing: "Crossing", source_rows: int | None, target_rows: int | None) -> str:
    """Counts only: which rows would vanish is known when all are read."""
    guard, request = crossing.request.guard, crossing.request
    assert guard is not None  # noqa: S101 - asked only for a copy with one
    if source_rows is None:
        return "known when the file is read"
    deletes = request.mode == "overwrite" or request.delete_missing
    vanishing = max(0, (target_rows or 0) - source_rows) if deletes else None
    return guard.verdict(source_rows, vanishing, target_rows or 0)
