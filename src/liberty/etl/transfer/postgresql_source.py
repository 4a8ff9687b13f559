"""A source's statement as PostgreSQL itself takes it, for the paths that speak to its driver directly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liberty.connectors.values import from_text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from liberty.connectors.sql_call import Call


@dataclass(frozen=True, slots=True)
class Query:
    """A statement; `args` stand for `$1`, `$2`, … and `attributes` are its result's, as the driver describes them."""

    sql: str
    args: Sequence[Any]
    attributes: Sequence[Any]


async def prepared(connection: "AsyncConnection", call: "Call") -> Query | str:
    """The statement with PostgreSQL's own placeholders and typed values, or why it cannot be had."""
    from asyncpg import PostgresError

    compiled = call.clause.compile(dialect=connection.dialect)
    names = compiled.positiontup or ()
    if any(isinstance(call.values[name], list | tuple) for name in names):
        return "a parameter of the query is a list"
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        statement = await driver.prepare(str(compiled))
    except PostgresError as error:
        await connection.rollback()
        return f"the source does not take the query: {error}"
    try:
        args = [
            from_text(call.values[name], parameter.name)
            for name, parameter in zip(names, statement.get_parameters(), strict=True)
        ]
    except (ValueError, ArithmeticError, KeyError):
        return "a parameter is not of the type that the source wants"
    # A comment at its end must not hide what follows.
    return Query(f"{compiled}\n", args, statement.get_attributes())
