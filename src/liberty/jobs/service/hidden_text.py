"""A definition's text as an editor may see it: secrets masked, and put back where the mask was left alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from liberty.errors import Invalid
from liberty.secrets import MASK, PREFIX, is_secret_name, redactor
from liberty.toml_files import parse_toml
from liberty.toml_files.changes import TextChange, changed

type Path = tuple[str | int, ...]
type Address = tuple[str | int, ...]
"""A path on which elements that have a name stand under it, so that they are found again after a move."""


def shown(value: str, name: str) -> str:
    """A text as it is shown under the key `name`. What `${…}` names is no secret: it is looked up when a step runs."""
    if value.startswith(PREFIX) or (value and is_secret_name(name) and not value.startswith("${")):
        return MASK
    return redactor.redact(value)


def masked(text: str) -> str:
    """The text with every secret in its values masked. A text that does not parse is masked where secrets are known."""
    try:
        data = _data(text)
    except Invalid:
        return redactor.redact(text)
    hidden = [
        TextChange("set", path, shown(value, _key(path)))
        for path, _, value in _texts(data)
        if shown(value, _key(path)) != value
    ]
    return changed(text, hidden)


def unmasked(text: str, before: str, *, skip: int = 2) -> str:
    """The text with the secrets of `before` where their masks stand. `skip`: parts of a path that are not told.

    Raises Invalid for a mask that stands for nothing (the key is new, or the secret was somewhere else), and for a
    text that does not parse.
    """
    if MASK not in text:
        return text
    kept = {address: value for path, address, value in _texts(_data(before))}
    changes = []
    for path, address, value in _texts(_data(text)):
        if MASK not in value:
            continue
        secret = kept.get(address)
        if secret is not None and secret != value and shown(secret, _key(path)) == value:
            changes.append(TextChange("set", path, secret))
        elif secret != value and value == MASK:
            raise Invalid(
                f"{'.'.join(map(str, path[skip:]))}: {MASK!r} stands for a secret that is not known here; "
                "write the value, better as ${NAME} of the environment"
            )
    return changed(text, changes)


def masked_value(value: Any, name: str = "") -> Any:
    """The same for values."""
    if isinstance(value, Mapping):
        return {key: masked_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked_value(item, name) for item in value]
    return shown(value, name) if isinstance(value, str) else value


def texts_in(text: str) -> list[tuple[Path, str]]:
    """Every text in it and where it stands. Raises Invalid when it does not parse."""
    return [(path, value) for path, _, value in _texts(_data(text))]


def _data(text: str) -> Any:
    return parse_toml(text, file="draft.toml", environ={}).raw


def _key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _texts(data: Any, path: Path = (), address: Address = ()) -> Iterator[tuple[Path, Address, str]]:
    if isinstance(data, str):
        yield path, address, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, key), (*address, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            name = value.get("name", value.get("id")) if isinstance(value, dict) and len(path) > 1 else None
            yield from _texts(value, (*path, index), (*address, name if isinstance(name, str) else index))
