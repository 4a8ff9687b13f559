"""A prepared call on an open connection: its clause, its values typed as the server wants them, its streamed result."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liberty.connectors.sql_text import Statement
from liberty.connectors.values import from_text

if TYPE_CHECKING:
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Call:
    """A statement with everything decided: where it runs, with what, and under which rules."""

    pool: str
    dialect: str
    statement: Statement
    clause: "TextClause"
    values: dict[str, Any]
    max_rows: int
    read_only: bool
    label: str


def clause_of(statement: Statement, multiple: set[str]) -> "TextClause":
    """The statement as SQLAlchemy takes it; the binds in `multiple` take lists."""
    from sqlalchemy import bindparam, text

    clause = text(statement.text)
    return clause.bindparams(*(bindparam(name, expanding=True) for name in multiple)) if multiple else clause


async def stream_rows(connection: "AsyncConnection", call: Call, batch_size: int) -> Any:
    """The streaming result of a prepared call, read from the server `batch_size` rows at a time."""
    from sqlalchemy.exc import DBAPIError

    options = {"yield_per": batch_size}
    try:
        return await connection.stream(call.clause, call.values, execution_options=options)
    except DBAPIError as error:
        typed = await typed_by_server(connection, call, [call.values], error)
        return await connection.stream(call.clause, typed[0], execution_options=options)


async def with_typed_texts(
    connection: "AsyncConnection", call: Call, values: dict[str, Any] | list[dict[str, Any]]
) -> Any:
    """Execute with `values`, texts turned into the types the server wants when it refuses them."""
    from sqlalchemy.exc import DBAPIError

    try:
        return await connection.execute(call.clause, values)
    except DBAPIError as error:
        several = values if isinstance(values, list) else [values]
        typed = await typed_by_server(connection, call, several, error)
        return await connection.execute(call.clause, typed if isinstance(values, list) else typed[0])


async def typed_by_server(
    connection: "AsyncConnection", call: Call, rows: list[dict[str, Any]], error: Any
) -> list[dict[str, Any]]:
    """Texts turned into what the server expects, after asyncpg refused to encode them.

    TOML and forms give texts for dates and numbers; asyncpg wants Python's own types where the server would
    have read the text. The refusal comes before anything was sent, so a second try repeats nothing.
    Raises the original error when it was another one.
    """
    if connection.dialect.driver != "asyncpg" or "invalid input for query argument" not in str(error.orig):
        raise error
    await connection.rollback()
    types = await types_wanted(connection, call)
    try:
        return [{name: from_text(value, types.get(name, "")) for name, value in row.items()} for row in rows]
    except (ValueError, ArithmeticError, KeyError):
        raise error from None


async def types_wanted(connection: "AsyncConnection", call: Call) -> dict[str, str]:
    """By bind, the type that PostgreSQL wants; nothing for other databases, which read texts themselves."""
    if connection.dialect.driver != "asyncpg":
        return {}
    compiled = call.clause.compile(dialect=connection.dialect)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    prepared = await driver.prepare(str(compiled))
    return dict(
        zip(compiled.positiontup or (), (item.name for item in prepared.get_parameters()), strict=False)
    )
