"""Instants as plain numbers, worked out by the database: what is only counted or drawn need not become datetimes."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


class millis(FunctionElement[int]):  # noqa: N801 - written like a function of SQL
    """Milliseconds from 1970 to the instant."""

    type = BigInteger()
    inherit_cache = True


@compiles(millis, "sqlite")
def _millis_of_text(element: millis, compiler: SQLCompiler, **options: Any) -> str:
    at = compiler.process(element.clauses, **options)
    # Its text always ends in milliseconds and Z: strftime with %f would parse the same and give text again.
    return f"CAST(ROUND((julianday({at}) - 2440587.5) * {DAY_MS}.0) AS INTEGER)"


@compiles(millis, "postgresql")
def _millis_of_timestamp(element: millis, compiler: SQLCompiler, **options: Any) -> str:
    at = compiler.process(element.clauses, **options)
    return f"CAST(ROUND(EXTRACT(EPOCH FROM {at}) * 1000) AS BIGINT)"
