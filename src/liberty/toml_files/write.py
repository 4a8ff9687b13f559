"""Values written out as TOML the way a person would: texts of several lines in `\"\"\"`, tables under their headers."""

import math
import re
from collections.abc import Mapping
from typing import Any

from liberty.errors import Invalid

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def table_text(header: str, value: Mapping[str, Any], *, element: bool = False) -> str:
    """A table with its header, such as `jobs.retry`; `element` makes it one of an array of tables.

    Keys without a value (None) are left out. Raises Invalid for what TOML cannot hold.
    """
    lines = [f"[[{header}]]" if element else f"[{header}]"]
    below: list[str] = []
    for key, item in value.items():
        name = key_text(key)
        if item is None:
            continue
        if isinstance(item, Mapping):
            below.append(table_text(f"{header}.{name}", item))
        elif is_array_of_tables(item):
            below += [table_text(f"{header}.{name}", entry, element=True) for entry in item]
        else:
            lines.append(f"{name} = {value_text(item)}")
    if len(lines) == 1 and below and not element:
        lines = []  # a table that holds tables only needs no header
    return "\n\n".join(part for part in ("\n".join(lines), *below) if part)


def is_array_of_tables(value: Any) -> bool:
    """A list that is written as one `[[header]]` per element."""
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def key_text(key: str) -> str:
    """A key, quoted when it must be."""
    return key if _BARE.fullmatch(key) else value_text(key)


def value_text(value: Any) -> str:
    """A value on the right of `=`. Raises Invalid for what TOML cannot hold."""
    import tomlkit

    match value:
        case str():
            return _text(value)
        case bool() | int():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            pairs = (f"{key_text(key)} = {_inline(item)}" for key, item in value.items() if item is not None)
            return "{ " + ", ".join(pairs) + " }" if value else "{}"
        case list() | tuple():
            return "[" + ", ".join(_inline(item) for item in value) + "]"
    try:
        return str(tomlkit.item(value).as_string())
    except ValueError as error:
        raise Invalid(f"a {type(value).__name__} cannot be written into a file: {error}") from error


def _inline(value: Any) -> str:
    """Within one line a text stays on one line."""
    if value is None:
        raise Invalid("TOML has no null; leave the value out")
    return _one_line(value) if isinstance(value, str) else value_text(value)


def _text(value: str) -> str:
    import tomlkit

    if "\n" not in value:
        return _one_line(value)
    escaped = tomlkit.string(value, multiline=True).as_string()
    # The line feed right after the opening quotes is not part of the text.
    return '"""\n' + escaped.removeprefix('"""') if not escaped.startswith('"""\n') else _one_line(value)


def _one_line(value: str) -> str:
    import tomlkit

    return tomlkit.string(value).as_string()
