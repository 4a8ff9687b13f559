"""What a user's function may return, and how it becomes a StepResult that JSON can hold exactly."""

import math
from typing import Any

from liberty.jobs.run import Json
from liberty.jobs.steps.base import StepFailed, StepResult

DEEPEST_LEVEL = 100
_LARGEST_COUNT = 2**63 - 1


def to_result(returned: object) -> StepResult:
    """None, an int, a dict or a StepResult, as a StepResult of its own data. Raises StepFailed for anything else."""
    match returned:
        case None:
            return StepResult()
        case StepResult(rows_affected=rows, extras=extras):
            if not isinstance(extras, dict):
                raise StepFailed(f"StepResult.extras is a {_kind(extras)}; it must be a dict")
            return StepResult(_count(rows), _json_object(extras), returned.output)
        case bool():
            raise StepFailed(
                f"the callable returned {returned}, a bool; return None, an int, a dict or a StepResult"
            )
        case int():
            return StepResult(_count(returned))
        case dict():
            extras = _json_object(returned)
            rows = extras.get("rows_affected")
            counts = isinstance(rows, int) and not isinstance(rows, bool)
            return StepResult(_count(rows) if counts else None, extras)
        case _:
            raise StepFailed(
                f"the callable returned a {_kind(returned)}; return None, an int, a dict or a StepResult"
            )


def _count(rows: object) -> int | None:
    if rows is None:
        return None
    if isinstance(rows, bool) or not isinstance(rows, int):
        raise StepFailed(f"rows_affected is a {_kind(rows)}; it must be an int")
    if abs(rows) > _LARGEST_COUNT:
        raise StepFailed(f"rows_affected is out of range: {rows}")
    return int(rows)


def _json_object(value: dict[Any, Any]) -> dict[str, Any]:
    copied = _json(value, "", 0, set())
    assert isinstance(copied, dict)  # noqa: S101 - a dict stays one
    return copied


def _json(value: object, path: str, depth: int, above: set[int]) -> Json:
    match value:
        case None | bool():
            return value
        case str():
            if not value.isascii():
                _check_text(value, path)
            return str(value)
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise StepFailed(
                    f"the callable's result holds {value} at {_place(path)}; JSON has no such number"
                )
            return float(value)
        case dict() | list() | tuple():
            return _container(value, path, depth, above)
        case _:
            raise StepFailed(
                f"the callable's result holds a {_kind(value)} at {_place(path)}; JSON cannot hold it. "
                "Return text, numbers, booleans, lists and dicts"
            )


def _container(
    value: dict[Any, Any] | list[Any] | tuple[Any, ...], path: str, depth: int, above: set[int]
) -> Json:
    if id(value) in above:
        raise StepFailed(f"the callable's result holds itself at {_place(path)}")
    if depth >= DEEPEST_LEVEL:
        raise StepFailed(f"the callable's result is nested deeper than {DEEPEST_LEVEL} levels")
    above.add(id(value))
    copied: Json
    if isinstance(value, dict):
        copied = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise StepFailed(
                    f"the callable's result has the key {key!r}, a {_kind(key)}, at {_place(path)}; "
                    "keys must be text"
                )
            inner = f"{path}.{key}" if path else key
            if not key.isascii():
                _check_text(key, inner)
            copied[str(key)] = _json(member, inner, depth + 1, above)
    else:
        copied = [_json(member, f"{path}[{index}]", depth + 1, above) for index, member in enumerate(value)]
    above.discard(id(value))
    return copied


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StepFailed(
            f"the callable's result holds text at {_place(path)} that is no Unicode: {error}"
        ) from error


def _place(path: str) -> str:
    return f"{path!r}" if path else "its top level"


def _kind(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
