"""What a step's own process and the engine tell each other: one JSON text per line, never code.

A pickle would let whoever writes to the pipe run anything in the server. What JSON has no form for is written as
`{"$": kind, "v": …}`; the kinds are the few listed here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from liberty.jobs.engine.attempt import StepOutcome
from liberty.jobs.run import Attempt, Json, Status, StepError, StepRun, Trigger
from liberty.jobs.steps.base import StepResult
from liberty.plugins.tree import Source, Tree
from liberty.settings import Paths, Settings
from liberty.settings.sections import SECTIONS

DEEPEST_LEVEL = 200

_FACTS: dict[str, type[Any]] = {
    fact.__name__: fact for fact in (Attempt, StepError, StepOutcome, StepResult, StepRun, Trigger)
}
_TEXTS: dict[type[Any], tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    Status: ("status", str, Status),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    timedelta: (
        "timedelta",
        lambda value: repr(value.total_seconds()),
        lambda text: timedelta(seconds=float(text)),
    ),
    Decimal: ("decimal", str, Decimal),
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", bytes.hex, bytes.fromhex),
}
_READERS = {kind: read for kind, _, read in _TEXTS.values()}


def refuse(value: object) -> Json:
    """For values that must arrive as they are. Raises TypeError."""
    kind = type(value)
    raise TypeError(f"a {kind.__module__}.{kind.__qualname__} cannot be handed from one process to another")


def pack(value: object, other: Callable[[object], Json] = refuse, depth: int = 0) -> Json:
    """`value` as JSON that `read_line` turns back into it; `other` says what stands for a value of no known kind."""
    if value is None or type(value) in (bool, int, float, str):
        return value  # type: ignore[return-value]  # JSON as it is
    if depth > DEEPEST_LEVEL:
        return other(value)
    written = _TEXTS.get(type(value))
    if written is not None:
        return {"$": written[0], "v": written[1](value)}
    if type(value).__name__ in _FACTS and type(value) is _FACTS[type(value).__name__]:
        members = {part.name: pack(getattr(value, part.name), other, depth + 1) for part in fields(value)}  # type: ignore[arg-type]  # a dataclass
        return {"$": type(value).__name__, "v": members}
    if isinstance(value, Mapping):
        if all(type(key) is str for key in value) and "$" not in value:
            return {key: pack(member, other, depth + 1) for key, member in value.items()}
        pairs: list[Json] = [
            [pack(key, other, depth + 1), pack(member, other, depth + 1)] for key, member in value.items()
        ]
        return {"$": "dict", "v": pairs}
    if isinstance(value, list):
        return [pack(member, other, depth + 1) for member in value]
    if isinstance(value, tuple | set | frozenset):
        kind = "tuple" if isinstance(value, tuple) else "set"
        return {"$": kind, "v": [pack(member, other, depth + 1) for member in value]}
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return other(value)


def line_of(value: Json) -> bytes:
    """Packed JSON as one line of ASCII."""
    return json.dumps(value, separators=(",", ":"), check_circular=False).encode() + b"\n"


def read_line(line: bytes) -> Any:
    """What `pack` was given. Raises ValueError for what it did not write."""
    try:
        return json.loads(line, object_hook=_unpacked)
    except (KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"not a line of a step's process: {type(error).__name__}: {error}") from error


def read_log(line: bytes) -> tuple[float, str, str, str | None, str]:
    """A line of a log: a bare list, because there may be a flood of them. Raises ValueError."""
    created, level, logger, step, message = json.loads(line)
    return float(created), str(level), str(logger), step and str(step), str(message)


def _unpacked(found: dict[str, Any]) -> Any:
    if "$" not in found:
        return found
    kind, value = found["$"], found["v"]
    if kind in _READERS:
        return _READERS[kind](value)
    if kind in _FACTS:
        return _FACTS[kind](**value)
    return {"dict": dict, "tuple": tuple, "set": set}[kind](value)


def pack_settings(settings: Settings) -> Json:
    """Everything that was configured, secrets included: for a pipe, never for a file or a command line."""
    crypto = settings.crypto
    return {
        "paths": {name: _text(getattr(settings.paths, name)) for name in Paths.__slots__},
        "sections": {
            name: getattr(settings, name).model_dump(mode="json") for name in SECTIONS if name != "crypto"
        },
        "master_key": crypto.master_key.get_secret_value() if crypto.master_key else None,
        "legacy_keys": [key.get_secret_value() for key in crypto.legacy_keys],
        "default_pool": pack(dict(settings.default_pool), str),
        "environ": dict(settings.environ),
        "debug_config": settings.debug_config,
    }


def unpack_settings(packed: Mapping[str, Any]) -> Settings:
    """The settings again, from what `read_line` made of `pack_settings`."""
    sections = {name: SECTIONS[name].model_validate(values) for name, values in packed["sections"].items()}
    keys = {"master_key": packed["master_key"], "legacy_keys": packed["legacy_keys"]}
    paths: dict[str, Any] = {name: path and Path(path) for name, path in packed["paths"].items()}
    return Settings(
        paths=Paths(**paths),
        **sections,  # type: ignore[arg-type]  # each is of its own class
        crypto=SECTIONS["crypto"].model_validate(keys),  # type: ignore[arg-type]  # as above
        default_pool=MappingProxyType(packed["default_pool"]),
        environ=MappingProxyType(packed["environ"]),
        debug_config=packed["debug_config"],
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def pack_tree(tree: Tree) -> Json:
    """The plugins' sources, byte for byte."""
    return {
        "root": tree.root,
        "modules": {
            name: [
                source.path,
                None if source.text is None else source.text.decode("latin-1"),
                source.is_package,
            ]
            for name, source in tree.modules.items()
        },
    }


def unpack_tree(packed: Mapping[str, Any]) -> Tree:
    """The tree again."""
    modules = {
        name: Source(path, None if text is None else text.encode("latin-1"), is_package)
        for name, (path, text, is_package) in packed["modules"].items()
    }
    return Tree(packed["root"], modules, ())
