"""Time zones by IANA name, and the server's own."""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liberty.errors import Invalid, did_you_mean

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE_FILE = Path("/etc/timezone")


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone called `name`. Raises Invalid naming the nearest known zone."""
    found = _find(name)
    if found is None:
        from zoneinfo import available_timezones

        raise Invalid(f"unknown timezone {name!r}{did_you_mean(name, available_timezones())}")
    return found


@lru_cache(maxsize=1)
def server_timezone() -> str:
    """IANA name of the zone this server runs in: `TZ`, else the system's setting, else UTC."""
    return detect_timezone(os.environ)


def detect_timezone(environ: Mapping[str, str]) -> str:
    """The same, for a given environment and without the cache."""
    for name in (environ.get("TZ", "").lstrip(":"), _linked_name(), _written_name()):
        if name and _find(name) is not None:
            return name
    return "UTC"


def _find(name: str) -> ZoneInfo | None:
    # `localtime` and `posixrules` are files of the zone database, not zones with a name of their own.
    if not name or name in {"localtime", "posixrules"}:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _linked_name() -> str:
    try:
        target = str(_LOCALTIME.resolve(strict=True))
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]


def _written_name() -> str:
    try:
        return _TIMEZONE_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
