"""What a copy is asked to do and what it reports: plain values, free of any database."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from liberty.connectors.mysql_driver import NAMES
from liberty.errors import Conflict, Invalid
from liberty.etl.transfer.file_end import FileEnd, FileOptions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from liberty.connectors import ConnectorRegistry, SqlConnector
    from liberty.connectors.config import PoolConfig
    from liberty.etl.transfer.columns import Column
    from liberty.etl.transfer.guard import Guard
    from liberty.etl.transfer.progress import Progress

type Mode = Literal["overwrite", "append", "upsert"]
type RowDict = dict[str, Any]
type Transform = Callable[[list[RowDict], int], Awaitable[list[RowDict | None]]]
"""Rows in, and for each its replacement or None; the number is that of the first row."""

type BatchTransform = Callable[
    [Sequence[Column], Sequence[Sequence[Any]], int],
    Awaitable[tuple[list[str], Sequence[Sequence[Any]]] | None],
]
"""The source's columns under the names they have now, rows, and the number of the first; names and rows out."""

log = logging.getLogger("nomaflow.sql_copy")


class CopyFailed(Conflict):
    """The data does not fit: the message names row, column and value where there are any."""


@dataclass(frozen=True, slots=True)
class Place:
    """One side of a copy: a table of a connector, for the source a query of one, or a file."""

    connector: str = ""
    schema: str | None = None
    table: str | None = None
    pool: str | None = None
    query: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    options: FileOptions = field(default_factory=FileOptions)

    def __str__(self) -> str:
        if self.file is not None:
            return self.file
        if self.table is None:
            return f"a query on {self.connector!r}"
        name = f"{self.schema}.{self.table}" if self.schema else self.table
        return f"{self.connector!r}, table {name!r}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the last incremental copy ended, in the source's own values; None for before the first row."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRequest:
    """Everything a path needs to know about one copy.

    Attributes:
        label: unique per try; names temporary tables.
        target_columns: names for the source's columns, in their order; default: their own.
        lower_names: the source's names in lower case.
        on_progress: called about once a second.
        mark: where to go on with an incremental copy; None: at the highest value the target has.
        delete_missing: an upsert also deletes the rows whose key the source has not.
    """

    connectors: "ConnectorRegistry"
    source: Place
    target: Place
    label: str
    mode: Mode = "overwrite"
    key_columns: tuple[str, ...] = ()
    batch_size: int = 10_000
    where: str | None = None
    transform: Transform | None = None
    batch_transform: BatchTransform | None = None
    jde: bool = False
    truncate_decimals: bool = False
    strip_columns: tuple[str, ...] = ()
    incremental: str | None = None
    mark: "Mark | None" = None
    verify: bool = False
    guard: "Guard | None" = None
    delete_missing: bool = False
    target_columns: tuple[str, ...] = ()
    lower_names: bool = False
    on_progress: "Callable[[Progress], None] | None" = None

    @property
    def transforms(self) -> bool:
        """A user's function makes new rows."""
        return self.transform is not None or self.batch_transform is not None


@dataclass(slots=True)
class CopyOutcome:
    """What a copy did. `target_rows`: rows the table holds after an overwrite, else rows that reached it."""

    rows_read: int = 0
    rows_dropped: int = 0
    rows_written: int = 0
    rows_deleted: int = 0
    target_rows: int = 0
    chunks: int = 0
    watermark: Any = None
    """Where an incremental copy went on."""
    reached: Any = None
    """Where the next one goes on; None when it stays there."""


@dataclass(frozen=True, slots=True)
class End:
    """A place with its connector, pool and engine found."""

    place: Place
    connector: "SqlConnector"
    pool: str
    engine: "AsyncEngine"
    connectors: "ConnectorRegistry"

    @classmethod
    def of(cls, place: Place, connectors: "ConnectorRegistry") -> "End":
        """Raises NotFound for an unknown connector, Invalid for a pool it may not use."""
        connector = connectors.sql(place.connector)
        pool = place.pool or connector.pool
        if pool not in connector.allowed_pools:
            allowed = ", ".join(connector.allowed_pools)
            raise Invalid(f"connector {connector.name!r} may not use pool {pool!r}; it may use: {allowed}")
        return cls(place, connector, pool, connectors.pools.engine(pool), connectors)

    @property
    def settings(self) -> "PoolConfig":
        """What its pool says about texts and NULLs."""
        return self.connectors.pools.config(self.pool)

    @property
    def backend(self) -> str:
        """`sqlite`, `postgresql`, `mysql` (MariaDB too), …"""
        name = self.engine.dialect.name
        return "mysql" if name in NAMES else name

    def table_name(self) -> tuple[str | None, str]:
        """Schema and table with `#SCHEMA.X#` filled in; a dotted table name holds its schema."""
        table = self.connectors.pools.expand(self.place.table or "", self.pool)
        schema = self.connectors.pools.expand(self.place.schema, self.pool) if self.place.schema else None
        if schema is None and "." in table:
            schema, _, table = table.partition(".")
        return schema, table


def side_of(place: Place, connectors: "ConnectorRegistry") -> End | FileEnd:
    """A place, found. Raises NotFound and Invalid."""
    return FileEnd.of(place, connectors) if place.file is not None else End.of(place, connectors)


def shown(value: object) -> str:
    """A value for an error message, cut when long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
