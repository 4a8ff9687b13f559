"""What of a step's input and output is stored: JSON, secrets masked, at most 100 KiB, and honest about what was cut."""

from collections.abc import Mapping
from typing import Any

from liberty.jobs.params import jsonable
from liberty.jobs.run import Json
from liberty.jobs.store.rows import dump
from liberty.secrets import redactor

SNAPSHOT_BYTES = 100 * 1024
_SHORT_LIST = 20
_SHORT_TEXT = 2048


def snapshot(value: Any) -> Json:
    """`value` as it is stored. Raises Invalid for what JSON cannot hold."""
    few, was_cut = _Budget().taken(value)
    plain: Json = redactor.redact_value(jsonable(few))
    if len(dump(plain)) <= SNAPSHOT_BYTES:
        return _marked(plain) if was_cut else plain
    for shorten in (_shorter, _shortest):
        cut = shorten(plain)
        if len(dump(cut)) <= SNAPSHOT_BYTES:
            return cut
    return {"truncated": True, "preview": dump(plain)[:_SHORT_TEXT]}


class _Budget:
    """Takes the beginning of a value of any size, so that what will not be stored costs nothing either.

    It is more than is ever shown: a secret that is cut in two at its end is cut away afterwards.
    """

    def __init__(self) -> None:
        self._left = 2 * SNAPSHOT_BYTES

    def taken(self, value: Any) -> tuple[Any, bool]:
        """As much of `value` as the budget allows, and whether something is missing."""
        taken = self._take(value)
        return taken, self._left < 0

    def _take(self, value: Any) -> Any:
        if isinstance(value, str):
            self._left -= len(value) + 1
            return value if self._left >= 0 else value[: 2 * SNAPSHOT_BYTES]
        if isinstance(value, Mapping):
            some = {}
            for key, item in value.items():
                if self._left < 0:
                    break
                self._left -= len(str(key))
                some[key] = self._take(item)
            return some
        if isinstance(value, list | tuple):
            members = []
            for item in value:
                if self._left < 0:
                    break
                members.append(self._take(item))
            return members
        self._left -= 1
        return value


def _marked(value: Json) -> Json:
    return {**value, "truncated": True} if isinstance(value, dict) else {"truncated": True, "preview": value}


def _shorter(value: Json) -> Json:
    """Long lists and texts cut, one level deep into a table."""
    return _cut(value, _SHORT_LIST, _SHORT_TEXT)


def _shortest(value: Json) -> Json:
    return _cut(value, 1, 200)


def _cut(value: Json, items: int, characters: int) -> Json:
    was_cut = False

    def short(part: Json) -> Json:
        nonlocal was_cut
        if isinstance(part, list) and len(part) > items:
            was_cut = True
            return part[:items]
        if isinstance(part, str) and len(part) > characters:
            was_cut = True
            return part[:characters]
        return part

    cut = {key: short(part) for key, part in value.items()} if isinstance(value, dict) else short(value)
    return _marked(cut) if was_cut else cut
