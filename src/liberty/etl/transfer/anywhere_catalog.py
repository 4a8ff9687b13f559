"""Tables of databases that SQLAlchemy knows and this package has no code of its own for."""

from typing import TYPE_CHECKING

from liberty.etl.transfer.columns import KIND_OF_PYTHON, Column, Kind, Table

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.types import TypeEngine


async def find_table(connection: "AsyncConnection", schema: str | None, name: str) -> Table | None:
    """The table or view as SQLAlchemy's inspector describes it."""
    return await connection.run_sync(_inspect, schema, name)


def _inspect(connection: "Connection", schema: str | None, name: str) -> Table | None:
    from sqlalchemy import inspect

    inspector = inspect(connection)
    if not inspector.has_table(name, schema=schema):
        return None
    key = inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or []
    columns = tuple(
        Column(
            name=str(found["name"]),
            kind=_kind(found["type"]),
            sql_type=str(found["type"]),
            nullable=bool(found.get("nullable", True)),
            key=key.index(found["name"]) + 1 if found["name"] in key else 0,
            length=getattr(found["type"], "length", None),
            precision=getattr(found["type"], "precision", None),
            scale=getattr(found["type"], "scale", None),
            fills_itself=found.get("default") is not None or bool(found.get("autoincrement") is True),
            generated="computed" in found,
        )
        for found in inspector.get_columns(name, schema=schema)
    )
    url = connection.engine.url
    place = (url.get_backend_name(), url.host, url.port, url.database, schema, name.lower())
    return Table(schema, name, columns, place)


def _kind(sql_type: "TypeEngine[object]") -> Kind:
    try:
        python = sql_type.python_type
    except NotImplementedError:
        return "other"
    if python.__name__ == "datetime":
        return "timestamptz" if getattr(sql_type, "timezone", False) else "timestamp"
    return KIND_OF_PYTHON.get(python.__name__, "other")
