"""What a target that does not exist yet is made of: the source's columns, as far as they are known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from liberty.etl.transfer.columns import Column, kind_of_values
from liberty.etl.transfer.request import CopyRequest
from liberty.etl.transfer.shaping import Rows


def described(
    names: Sequence[str], origins: Mapping[str, Column], rows: Rows, request: CopyRequest
) -> list[Column]:
    """One column per name, with its primary key when all of it arrives.

    Args:
        origins: the source's columns, under the names they have after renaming.
        rows: the first rows; they tell the kind where the source says none, and where a transform may change it.
    """
    columns = [
        _described(name, origins.get(name), [row[index] for row in rows], request)
        for index, name in enumerate(names)
    ]
    if request.mode == "upsert" and request.key_columns:
        order = [name.lower() for name in request.key_columns]
        return [
            replace(column, key=order.index(column.name.lower()) + 1 if column.name.lower() in order else 0)
            for column in columns
        ]
    if sum(1 for column in columns if column.key) != sum(1 for column in origins.values() if column.key):
        return [replace(column, key=0) for column in columns]
    return columns


def _described(name: str, origin: Column | None, values: Sequence[object], request: CopyRequest) -> Column:
    column = origin or Column(name=name, kind="other")
    transformed = request.transforms
    if transformed or (column.kind == "other" and not column.sql_type):
        kind = kind_of_values(values)
        if kind not in ("other", column.kind):
            column = Column(name=name, kind=kind, key=column.key, nullable=column.nullable)
    if column.kind == "decimal" and (request.truncate_decimals or (request.jde and column.scale == 0)):
        column = Column(name=name, kind="int", key=column.key, nullable=column.nullable)
    if column.kind == "int" and request.jde:
        column = Column(name=name, kind="int", key=column.key, nullable=column.nullable)
    return replace(column, name=name, nullable=column.nullable or (transformed and not column.key))
