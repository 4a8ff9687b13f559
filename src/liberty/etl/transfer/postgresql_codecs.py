"""How values of PostgreSQL travel through asyncpg without loss; its defaults lose some.

By default 9999-12-31 and infinity are the same date, an interval's months become days, and JSON is read and written
anew. The codecs here are set on a connection that a copy uses alone and closes afterwards.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

INFINITY = "infinity"
MINUS_INFINITY = "-infinity"

_DAY_ZERO = date(2000, 1, 1).toordinal()
_WALL_ZERO = datetime(2000, 1, 1)  # noqa: DTZ001 - the column has no zone
_INSTANT_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_DAY_ENDS = {INFINITY: 2**31 - 1, MINUS_INFINITY: -(2**31)}
_INSTANT_ENDS = {INFINITY: 2**63 - 1, MINUS_INFINITY: -(2**63)}
_DAY_NAMES = {number: name for name, number in _DAY_ENDS.items()}
_INSTANT_NAMES = {number: name for name, number in _INSTANT_ENDS.items()}


class Interval(NamedTuple):
    """A span of time with its three parts apart, as PostgreSQL keeps it."""

    months: int
    days: int
    microseconds: int

    def __str__(self) -> str:
        """ISO 8601, which PostgreSQL reads."""
        sign = "-" if self.microseconds < 0 else ""
        seconds, micros = divmod(abs(self.microseconds), 1_000_000)
        fraction = f".{micros:06d}".rstrip("0") if micros else ""
        return f"P{self.months}M{self.days}DT{sign}{seconds}{fraction}S"


_TEXT_FORMS = """
SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 1; SET bytea_output = 'hex'
"""


async def keep_values_exact(connection: Any) -> None:
    """Set the codecs on an asyncpg connection, and the text forms that every server reads alike."""
    await connection.execute(_TEXT_FORMS)
    for name, encode, decode in (
        ("date", _encode_date, _decode_date),
        ("timestamp", _encode_timestamp, _decode_timestamp),
        ("timestamptz", _encode_timestamptz, _decode_timestamptz),
        ("interval", _encode_interval, Interval._make),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode, decoder=decode, format="tuple"
        )
    for name, version in (("json", b""), ("jsonb", b"\x01")):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda text, version=version: version + text.encode(),
            decoder=lambda raw, version=version: raw[len(version) :].decode(),
            format="binary",
        )


def _encode_date(value: date | str) -> tuple[int]:
    return (_DAY_ENDS[value] if isinstance(value, str) else value.toordinal() - _DAY_ZERO,)


def _decode_date(value: tuple[int]) -> date | str:
    name = _DAY_NAMES.get(value[0])
    return name if name is not None else date.fromordinal(value[0] + _DAY_ZERO)


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _encode_timestamp(value: datetime | str) -> tuple[int]:
    return (_INSTANT_ENDS[value] if isinstance(value, str) else _microseconds(value - _WALL_ZERO),)


def _decode_timestamp(value: tuple[int]) -> datetime | str:
    name = _INSTANT_NAMES.get(value[0])
    return name if name is not None else _WALL_ZERO + timedelta(microseconds=value[0])


def _encode_timestamptz(value: datetime | str) -> tuple[int]:
    return (_INSTANT_ENDS[value] if isinstance(value, str) else _microseconds(value - _INSTANT_ZERO),)


def _decode_timestamptz(value: tuple[int]) -> datetime | str:
    name = _INSTANT_NAMES.get(value[0])
    return name if name is not None else _INSTANT_ZERO + timedelta(microseconds=value[0])


def _encode_interval(value: Interval | timedelta) -> tuple[int, int, int]:
    if isinstance(value, timedelta):
        return (0, value.days, value.seconds * 1_000_000 + value.microseconds)
    return (value.months, value.days, value.microseconds)
