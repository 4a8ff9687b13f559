"""Which PostgreSQL columns write the same bytes in binary COPY, so that values may pass between them unread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# A domain travels as what it is made of. Types below 16384 (FirstNormalObjectId) are built in.
_FACTS = """
       b.oid, format_type(b.oid, NULL), b.typname, b.typtype::text, b.oid < 16384,
       b.typsend::oid <> 0 AND b.typreceive::oid <> 0,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder)
"""
_OF_TABLE = f"""
SELECT a.attname, CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END, {_FACTS}
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
"""  # noqa: S608 - constants
_OF_TYPES = f"SELECT b.oid, NULL::int, {_FACTS} FROM pg_type b WHERE b.oid = ANY($1::oid[])"  # noqa: S608 - constants

_TEXTS = ("text", "varchar")


@dataclass(frozen=True, slots=True)
class WireType:
    """How the values of a column travel.

    Attributes:
        oid: of the type, or of the type below a domain.
        shown: its name as PostgreSQL writes it, without length or scale.
        modifier: length, scale or precision as PostgreSQL packs them; -1 for none, None when it is not known.
        category: `b`ase, `e`num, `c`omposite, `d`omain, `r`ange, `m`ultirange.
        portable: built in, so that every server knows it under the same number.
        binary: has a binary form.
        labels: of an enum, in order.
    """

    oid: int
    shown: str
    name: str
    modifier: int | None
    category: str
    portable: bool
    binary: bool
    labels: tuple[str, ...]

    @property
    def is_name(self) -> bool:
        """The bytes are the number of a thing of this very database (regclass and its like)."""
        return self.name.removeprefix("_").startswith("reg")


async def of_table(connection: "AsyncConnection", oid: int) -> dict[str, WireType]:
    """The columns of a table by name."""
    rows: list[Any] = list(await connection.exec_driver_sql(_OF_TABLE, (oid,)))
    return {row[0]: _wire_type(row) for row in rows}


async def of_types(connection: "AsyncConnection", oids: Sequence[int]) -> list[WireType]:
    """The columns of a query's result; it does not say their lengths and scales."""
    rows: list[Any] = list(await connection.exec_driver_sql(_OF_TYPES, (list(set(oids)),)))
    found = {row[0]: _wire_type(row) for row in rows}
    return [found[oid] for oid in oids]


def _wire_type(row: Any) -> WireType:
    _, modifier, oid, shown, name, category, portable, binary, labels = row
    return WireType(oid, shown, name, modifier, category, portable, binary, tuple(labels))


def difference(source: WireType, target: WireType, *, same_database: bool) -> str | None:
    """Why the bytes of `source` may not go into `target` unread; None when they may."""
    if not (source.binary and target.binary):
        return f"{source.shown} has no binary form"
    if source.category == target.category == "e":
        return (
            None if source.labels == target.labels else f"the enums {source.shown} and {target.shown} differ"
        )
    if target.name in _TEXTS and target.modifier == -1 and (source.name in _TEXTS or source.category == "e"):
        return None
    if source.oid != target.oid:
        return f"it is {source.shown} in the source and {target.shown} in the target"
    if not same_database and (not source.portable or source.category in "cd" or source.is_name):
        return f"{source.shown} may mean something else in another database"
    if target.modifier == -1 or source.modifier == target.modifier:
        return None
    if source.modifier is None:
        return f"a query does not tell the length or scale that the target's {target.shown} limits"
    return f"{source.shown} has another length or scale in the target"


def made_alike(source: WireType, declared: str, own_type: str) -> bool:
    """A column that is made as `declared` takes the bytes of a source column of type `own_type` unread."""
    if declared == own_type or (source.category == "b" and declared == source.shown):
        return source.binary and (source.portable and not source.is_name and source.category not in "cd")
    return declared == "text" and (source.name in _TEXTS or source.category == "e")
