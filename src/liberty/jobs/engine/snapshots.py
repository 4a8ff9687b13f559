"""What of a step's input and output is stored: JSON, secrets masked, at most 100 KiB, and honest about what was cut."""

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
    plain: Json = redactor.redact_value(jsonable(value))
    if len(dump(plain)) <= SNAPSHOT_BYTES:
        return plain
    for shorten in (_shorter, _shortest):
        cut = shorten(plain)
        if len(dump(cut)) <= SNAPSHOT_BYTES:
            return cut
    return {"truncated": True, "preview": dump(plain)[:_SHORT_TEXT]}


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
    if not was_cut:
        return cut
    return {**cut, "truncated": True} if isinstance(cut, dict) else {"truncated": True, "preview": cut}
