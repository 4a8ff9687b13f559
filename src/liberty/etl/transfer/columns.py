"""Columns and tables as a copy sees them, whatever the database calls them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from liberty.errors import did_you_mean
from liberty.etl.transfer.request import CopyFailed

type Kind = Literal[
    "int",
    "decimal",
    "float",
    "text",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "bytes",
    "uuid",
    "json",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        sql_type: as the database writes it; empty when it is not known.
        key: place in the primary key counted from 1; 0 for no part of it.
        bits: of whole numbers and floats.
        length: characters a text may have.
        precision: digits of a decimal, or decimals of a second.
        fills_itself: has a default or an identity, so a copy need not supply it.
        generated: computed by the database; a copy cannot supply it.
        always_identity: the database wants to be told that the value given is meant.
        portable: another database of the same kind knows the type too.
    """

    name: str
    kind: Kind
    sql_type: str = ""
    nullable: bool = True
    key: int = 0
    bits: int = 64
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fills_itself: bool = False
    generated: bool = False
    always_identity: bool = False
    portable: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table that exists. `identity` is equal for the same table however it is reached."""

    schema: str | None
    name: str
    columns: tuple[Column, ...]
    identity: tuple[object, ...]
    referenced: bool = False
    """Rows of other tables refer to its rows."""

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in sorted(self.columns, key=lambda c: c.key) if column.key)

    @property
    def number(self) -> int:
        """PostgreSQL's own for the table."""
        number = self.identity[-1]
        assert isinstance(number, int)  # noqa: S101 - asked for PostgreSQL's tables only
        return number

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def quoted(name: str) -> str:
    """An identifier exactly as it is spelled (standard SQL, PostgreSQL and SQLite alike)."""
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str | None, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def column_list(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def find(name: str, columns: Sequence[Column], *, what: str) -> Column:
    """The column called so, exactly or but for its case. Raises CopyFailed naming the nearest."""
    exact = [column for column in columns if column.name == name]
    loose = [column for column in columns if column.name.lower() == name.lower()]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
    known = [column.name for column in columns]
    raise CopyFailed(
        f"{what} has no column {name!r}{did_you_mean(name, known)}; its columns: {', '.join(known)}"
    )


def matched(names: Sequence[str], columns: Sequence[Column], *, what: str) -> list[Column]:
    """For each name the column it goes to. Raises CopyFailed for one without, and for two that meet in one."""
    found = [find(name, columns, what=what) for name in names]
    taken: dict[str, str] = {}
    for name, column in zip(names, found, strict=True):
        if column.name in taken:
            raise CopyFailed(
                f"columns {taken[column.name]!r} and {name!r} both go to {what}, column {column.name!r}"
            )
        taken[column.name] = name
    return found


def check_complete(given: Sequence[Column], table: Table) -> None:
    """Raises CopyFailed for a column that must be filled and is not."""
    names = {column.name for column in given}
    for column in table.columns:
        if column.name not in names and not (column.nullable or column.fills_itself or column.generated):
            raise CopyFailed(
                f"table {str(table)!r} needs column {column.name!r} (NOT NULL, no default) and the source has none"
            )


KIND_OF_PYTHON: Mapping[str, Kind] = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "Decimal": "decimal",
    "str": "text",
    "bytes": "bytes",
    "date": "date",
    "time": "time",
    "UUID": "uuid",
    "dict": "json",
    "list": "json",
}


def kind_of_values(values: Iterable[object]) -> Kind:
    """The kind a column made for these values needs; other when they say nothing or disagree."""
    kinds: set[Kind] = set()
    for value in values:
        if value is None:
            continue
        name = type(value).__name__
        if name == "datetime":
            kinds.add("timestamp" if getattr(value, "tzinfo", None) is None else "timestamptz")
        else:
            kinds.add(KIND_OF_PYTHON.get(name, "other"))
    return kinds.pop() if len(kinds) == 1 else "other"
