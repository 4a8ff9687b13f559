"""Column types that mean the same on both databases."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from liberty.clock import rfc3339

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit identity: SQLite counts only for a column declared exactly INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime: `timestamptz` on PostgreSQL, sortable RFC 3339 text with milliseconds on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return rfc3339(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if dialect.name == "sqlite" and value is not None:
            return datetime.fromisoformat(value)
        return value  # type: ignore[no-any-return]  # the driver's own datetime or None
