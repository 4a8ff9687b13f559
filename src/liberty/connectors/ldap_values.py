"""What a directory holds as bytes, as text a person can read: identifiers, times, flags, and what is really binary."""

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

JOINED_BY = ";"

_GUIDS = frozenset(
    {"objectguid", "msexchmailboxguid", "msexcharchiveguid", "schemaidguid", "attributesecurityguid"}
)
_SIDS = frozenset({"objectsid", "sidhistory", "securityidentifier", "tokengroups"})
_FILETIMES = frozenset(
    {
        "accountexpires",
        "badpasswordtime",
        "lastlogoff",
        "lastlogon",
        "lastlogontimestamp",
        "lockouttime",
        "msds-userpasswordexpirytimecomputed",
        "ms-mcs-admpwdexpirationtime",
        "pwdlastset",
        "creationtime",
    }
)
_BINARY = frozenset(
    {"jpegphoto", "thumbnailphoto", "thumbnaillogo", "usercertificate", "cacertificate", "audio"}
)
_GENERALIZED = re.compile(
    rb"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d))?)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)"
)
_NEVER = (0, 0x7FFF_FFFF_FFFF_FFFF)
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def text_of(name: str, values: Sequence[bytes]) -> str | None:
    """The values of one attribute as one text, several joined by `;`. None when there are none, or none that says
    anything (a time that stands for "never")."""
    plain = name.partition(";")[0].lower()
    texts = [text for value in values if (text := _one(plain, name, value)) is not None]
    return JOINED_BY.join(texts) if texts else None


def texts_of(attributes: Mapping[str, Sequence[bytes]]) -> dict[str, str | None]:
    """All attributes of an entry, under their names in lower case and without options such as `;binary`."""
    found: dict[str, str | None] = {}
    for name, values in attributes.items():
        found.setdefault(name.partition(";")[0].lower(), text_of(name, values))
    return found


def _one(plain: str, name: str, value: bytes) -> str | None:
    if plain in _GUIDS and len(value) == 16:
        return str(UUID(bytes_le=bytes(value)))
    if plain in _SIDS and (sid := _sid(value)) is not None:
        return sid
    if plain in _FILETIMES and value.lstrip(b"-").isdigit():
        return _filetime(int(value))
    if plain in _BINARY or name.lower().endswith(";binary"):
        return base64.b64encode(value).decode()
    if value[:1].isdigit() and (match := _GENERALIZED.fullmatch(value)) is not None:
        at = _generalized(match)
        if at is not None:
            return at
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
    return base64.b64encode(value).decode() if "\0" in text else text


def _sid(value: bytes) -> str | None:
    """`S-1-5-21-…` (MS-DTYP, 2.4.2.2)."""
    if len(value) < 8 or len(value) != 8 + 4 * value[1]:
        return None
    authority = int.from_bytes(value[2:8], "big")
    parts = struct.unpack(f"<{value[1]}I", value[8:])
    return "-".join(["S", str(value[0]), str(authority), *map(str, parts)])


def _filetime(ticks: int) -> str | None:
    """Tenths of microseconds since 1601; 0 and the greatest number stand for "never"."""
    if ticks in _NEVER or ticks < 0:
        return None
    try:
        return _iso(_FILETIME_EPOCH + timedelta(microseconds=ticks // 10))
    except OverflowError:
        return None


def _generalized(match: re.Match[bytes]) -> str | None:
    """A generalized time (RFC 4517, 3.3.13); None when it is no time that exists."""
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction, zone = match[7], match[8].decode()
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if fraction:
            unit = 1 if match[6] else 60 if match[5] else 3_600
            at += timedelta(seconds=unit * float(b"0." + fraction))
        if zone != "Z":
            away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5] or 0))
            at += -away if zone[0] == "+" else away
    except (ValueError, OverflowError):
        return None
    return _iso(at)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
