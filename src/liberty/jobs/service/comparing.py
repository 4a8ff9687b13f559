"""Two definitions side by side: which keys were added, removed, changed or moved, elements known by their names."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from liberty.jobs.run import Json
from liberty.jobs.service.hidden_text import masked_value
from liberty.jobs.service.loose import loose

SUMMARY_LENGTH = 200

type Difference = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A key that differs, such as `steps.load.query`. Of a list that was reordered: its names before and after."""

    key: str
    how: Difference
    before: Json
    after: Json


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """Every difference, secrets masked."""
    return list(_tables(_plain(before), _plain(after), ""))


def unified(before: str, after: str, old: str, new: str) -> str:
    """A unified diff of two texts; empty when they are the same."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")
    return "\n".join(lines)


def summary_of(changes: Sequence[FieldChange]) -> str:
    """The changes in a few words, e.g. `schedule changed, steps.load added`."""
    if not changes:
        return "comments or order of keys only"
    text = ", ".join(f"{change.key} {change.how}" for change in changes)
    return text if len(text) <= SUMMARY_LENGTH else f"{text[: SUMMARY_LENGTH - 1]}…"


def _plain(value: Any) -> Any:
    return masked_value(loose(dict(value)))


def _tables(before: Mapping[str, Any], after: Mapping[str, Any], at: str) -> Iterator[FieldChange]:
    for key in [*before, *(key for key in after if key not in before)]:
        path = f"{at}.{key}" if at else key
        if key not in after:
            yield FieldChange(path, "removed", before[key], None)
        elif key not in before:
            yield FieldChange(path, "added", None, after[key])
        else:
            yield from _values(before[key], after[key], path)


def _values(before: Any, after: Any, at: str) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _tables(before, after, at)
        return
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        if before != after or type(before) is not type(after):
            yield FieldChange(at, "changed", before, after)
        return
    yield from _tables(old, new, at)
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        yield FieldChange(at, "moved", list(old), list(new))


def _by_name(value: Any) -> dict[str, Any] | None:
    """Elements under their names; the place of one that has none. None for a list of anything else."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return None
    named = {
        str(entry.get("name", entry.get("id", f"[{index}]"))): entry for index, entry in enumerate(value)
    }
    return named if len(named) == len(value) else None
