"""Statements of a transaction on SQLite; rows that nobody reads back are gathered into few of them."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import batched, chain
from typing import Any

from sqlalchemy.sql import Executable

from liberty.database.base import Duplicate, Params, Row
from liberty.database.statements import Prepared, prepare

MAX_ROWS = (
    32  # per INSERT: each number of rows is a statement of its own, which the connection keeps prepared
)
_NO_PARAMS: Mapping[str, Any] = {}


class SqliteTx:
    """Statements on one connection. Its coroutines never suspend, so a thread can drive them without a loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._added: dict[Prepared, list[list[Any]]] = {}

    def _execute(self, prepared: Prepared, params: Params) -> sqlite3.Cursor:
        if self._added and any(not prepared.tables.isdisjoint(added.tables) for added in self._added):
            self.settle()
        return self._statement(prepared.sql, prepared.bind(params))

    def _statement(self, sql: str, binds: Sequence[Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, binds)
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error

    def settle(self) -> None:
        """Write what `add` has gathered; to be called before the transaction ends."""
        added, self._added = self._added, {}
        for prepared, rows in added.items():
            for some in batched(rows, MAX_ROWS):
                self._statement(prepared.for_rows(len(some)), [*chain.from_iterable(some)])

    def forget(self) -> None:
        """The transaction is rolled back: what was gathered goes with it."""
        self._added.clear()

    async def all(self, statement: Executable, params: Params = _NO_PARAMS) -> list[Row]:
        prepared = prepare(statement, "sqlite")
        rows = self._execute(prepared, params).fetchall()
        reader = prepared.row_reader
        return rows if reader is None else [reader(row) for row in rows]

    async def first(self, statement: Executable, params: Params = _NO_PARAMS) -> Row | None:
        rows = await self.all(statement, params)
        return rows[0] if rows else None

    async def scalar(self, statement: Executable, params: Params = _NO_PARAMS) -> Any:
        rows = await self.all(statement, params)
        return rows[0][0] if rows else None

    async def run(self, statement: Executable, params: Params = _NO_PARAMS) -> int:
        prepared = prepare(statement, "sqlite")
        return self._execute(prepared, params).rowcount

    async def add(self, insert: Executable, rows: Sequence[Params]) -> None:
        prepared = prepare(insert, "sqlite")
        self._added.setdefault(prepared, []).extend(prepared.bind(row) for row in rows)

    async def many(self, statement: Executable, rows: Sequence[Params]) -> None:
        prepared = prepare(statement, "sqlite")
        self.settle()
        try:
            self._connection.executemany(prepared.sql, [prepared.bind(row) for row in rows])
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error

    async def script(self, sql: str) -> None:
        self.settle()
        pending = ""
        for line in sql.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                self._connection.execute(pending)
                pending = ""
        if pending.strip():
            self._connection.execute(pending)
