"""A declared query that writes one row, called for every entry of a list within the mirror's one transaction."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liberty.connectors.sql_call import Call, types_wanted
from liberty.connectors.values import from_text
from liberty.errors import Invalid, did_you_mean
from liberty.etl.mirror.fitting import DoesNotFit
from liberty.etl.transfer.request import End

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class MirrorQuery:
    """Its statement is prepared once; what it binds are the names that entries may fill."""

    def __init__(self, connection: "AsyncConnection", end: End, query: str, call: Call) -> None:
        self._connection = connection
        self._end = end
        self._query = query
        self._call = call
        self._types: dict[str, str] = {}

    @classmethod
    async def find(cls, connection: "AsyncConnection", end: End, query: str) -> "MirrorQuery":
        """Raises NotFound for no such query, Invalid for one that only reads."""
        call = end.connector.prepare(query, None, None, None)
        if call.statement.reads:
            raise Invalid(
                f"{call.label} of connector {end.connector.name!r} only reads; it has to write one row"
            )
        found = cls(connection, end, query, call)
        found._types = await types_wanted(connection, call)
        return found

    @property
    def names(self) -> list[str]:
        return list(self._call.statement.binds)

    def check(self, name: str) -> None:
        """Raises Invalid for a name that the query does not bind."""
        if name not in self._call.statement.binds:
            near = did_you_mean(name, self.names)
            raise Invalid(
                f"{self._call.label} has no parameter {name!r}{near}; it binds: {', '.join(self.names) or 'none'}"
            )

    def row(self, values: Mapping[str, str | None]) -> dict[str, Any]:
        """Values as the statement binds them. Raises DoesNotFit."""
        try:
            given = {name: value for name, value in values.items() if name in self._call.statement.binds}
            prepared = self._end.connector.prepare(self._query, given, None, None).values
            return {name: from_text(value, self._types.get(name, "")) for name, value in prepared.items()}
        except (Invalid, ValueError, ArithmeticError, KeyError) as error:
            raise DoesNotFit(str(error)) from None

    async def write(self, rows: Sequence[dict[str, Any]]) -> None:
        await self._connection.execute(self._call.clause, list(rows))
