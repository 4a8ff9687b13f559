"""Small changes to a TOML text: only the lines they concern are written anew, and the result is checked."""

import copy
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from liberty.errors import Conflict, Invalid, NotFound
from liberty.toml_files import pieces
from liberty.toml_files.edit import REMOVE, set_in
from liberty.toml_files.write import is_array_of_tables, key_text, table_text, value_text

type Path = tuple[str | int, ...]
type Operation = Literal["set", "remove", "insert", "move"]


@dataclass(frozen=True, slots=True)
class TextChange:
    """`set` a key, `remove` a key or an element, `insert` an element before `path`, or `move` the one there `to`."""

    op: Operation
    path: Path
    value: Any = None
    to: int | None = None


def changed(text: str, changes: Sequence[TextChange]) -> str:
    """The text after the changes, made one after the other.

    Raises NotFound for a path that leads nowhere, Invalid for what cannot be, Conflict when the text is written in a
    way that only a person should change.
    """
    for change in changes:
        before = tomllib.loads(text)
        wanted = copy.deepcopy(before)
        _apply(wanted, change)
        if _same(wanted, before):
            continue
        after = _rewritten(text, before, change)
        if not _same(_parsed(after), wanted):
            raise Conflict(
                f"{_dotted(change.path)} is written in a way that cannot be changed here; edit the text"
            )
        text = after
    return text


def difference(before: Mapping[str, Any], after: Mapping[str, Any], at: Path = ()) -> list[TextChange]:
    """The changes that make `after` out of `before`, as few and as small as can be; elements are known by `name`."""
    found = [TextChange("remove", (*at, key)) for key in before if after.get(key) is None]
    for key, value in after.items():
        if value is None:
            continue
        path = (*at, key)
        if key not in before:
            found.append(TextChange("set", path, value))
        else:
            found += _between(before[key], value, path)
    return found


def _between(old: Any, new: Any, path: Path) -> Iterator[TextChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from difference(old, new, path)
    elif is_array_of_tables(old) and is_array_of_tables(new):
        yield from _elements(list(old), new, path)
    elif not _same(old, new):
        yield TextChange("set", path, new)


def _elements(old: list[Any], new: Sequence[Any], path: Path) -> Iterator[TextChange]:
    names, wanted = _names(old), _names(new)
    if names is None or wanted is None or _one_renamed(names, wanted):
        for index in range(len(old) - 1, len(new) - 1, -1):
            yield TextChange("remove", (*path, index))
        for index, entry in enumerate(new):
            if index < len(old):
                yield from difference(old[index], entry, (*path, index))
            else:
                yield TextChange("insert", (*path, index), entry)
        return
    present = [(name, entry) for name, entry in zip(names, old, strict=True)]
    for index in range(len(present) - 1, -1, -1):
        if present[index][0] not in wanted:
            yield TextChange("remove", (*path, index))
            del present[index]
    for index, (name, entry) in enumerate(zip(wanted, new, strict=True)):
        at = next((place for place, (known, _) in enumerate(present) if known == name), None)
        if at is None:
            yield TextChange("insert", (*path, index), entry)
            present.insert(index, (name, entry))
            continue
        if at != index:
            yield TextChange("move", (*path, at), to=index)
            present.insert(index, present.pop(at))
        yield from difference(present[index][1], entry, (*path, index))


def _names(entries: Sequence[Any]) -> list[str] | None:
    """What elements are called; None when they do not all have names of their own."""
    names = [entry.get("name", entry.get("id")) for entry in entries]
    return names if all(isinstance(name, str) for name in names) and len(set(names)) == len(names) else None


def _one_renamed(old: Sequence[str], new: Sequence[str]) -> bool:
    return len(old) == len(new) and sum(a != b for a, b in zip(old, new, strict=True)) == 1


def _same(old: Any, new: Any) -> bool:
    """Equal in value and kind: 1 is not true, and 1 is not 1.0. A date is its text, as JSON has it."""
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(_same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(new, str) and not isinstance(old, str) and hasattr(old, "isoformat"):
        return bool(old.isoformat() == new or str(old) == new)
    if isinstance(old, float) and isinstance(new, float):
        return repr(old) == repr(new)  # what is no number equals nothing, not even itself
    return type(old) is type(new) and bool(old == new)


def _parsed(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


# -- what is wanted, on plain data


def _apply(data: Any, change: TextChange) -> None:
    *above, last = change.path
    container: Any = data
    for part in above:
        if (
            isinstance(part, str)
            and isinstance(container, dict)
            and part not in container
            and change.op == "set"
        ):
            container[part] = {}
        container = _item(container, part, change.path)
    takes_it: bool = isinstance(container, dict if isinstance(last, str) else list)
    if not takes_it:
        raise NotFound(f"the definition has no {_dotted(change.path)}")
    if change.op == "set":
        if isinstance(last, int):
            _item(container, last, change.path)
        container[last] = _clean(change.value)
    elif change.op == "remove":
        if isinstance(last, str):
            container.pop(last, None)
        else:
            _item(container, last, change.path)
            del container[last]
    elif not isinstance(last, int):
        raise Invalid(f"{change.op} needs the number of an element at the end of its path")
    elif change.op == "insert":
        if not 0 <= last <= len(container):
            raise NotFound(f"the definition has no place {_dotted(change.path)}")
        container.insert(last, _clean(change.value))
    else:
        _item(container, last, change.path)
        if change.to is None or not 0 <= change.to < len(container):
            raise Invalid(f"`to` is a place from 0 to {len(container) - 1}")
        container.insert(change.to, container.pop(last))


def _item(container: Any, part: str | int, path: Path) -> Any:
    try:
        if isinstance(part, int) and (not isinstance(container, list) or part < 0):
            raise KeyError(part)
        return container[part]
    except (KeyError, IndexError, TypeError):
        raise NotFound(f"the definition has no {_dotted(path)}") from None


def _clean(value: Any) -> Any:
    """Without nulls, which TOML does not have. Raises Invalid for one in a list or in place of a value."""
    if value is None:
        raise Invalid("TOML has no null; remove the key instead")
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


# -- the same on the text


def _rewritten(text: str, before: Any, change: TextChange) -> str:
    *above, last = change.path
    if isinstance(last, int):
        if _has_header(text, (*above, 0 if change.op == "insert" else last)):
            return _on_element(text, tuple(above), last, change)
        return _on_inline_array(text, before, tuple(above), change)
    value = None if change.op == "remove" else _clean(change.value)
    known = _find(before, change.path)
    if change.op == "remove" and is_array_of_tables(known) and _has_header(text, (*change.path, 0)):
        for index in range(len(known) - 1, -1, -1):
            text = pieces.without(text, pieces.piece_of(text, (*change.path, index)))
        return text
    if known is None and isinstance(value, dict | list) and _owner_of(text, tuple(above)):
        header = _header_of(change.path)
        if isinstance(value, dict) and value:
            return _new_section(text, tuple(above), table_text(header, value))
        if is_array_of_tables(value):
            made = "\n\n".join(table_text(header, entry, element=True) for entry in value)
            return _new_section(text, tuple(above), made)
    return _set(text, change.path, REMOVE if change.op == "remove" else value)


def _set(text: str, path: Path, value: Any) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        set_in(document, path, value if value is REMOVE else _styled(value))
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise Conflict(f"{_dotted(path)} cannot be changed here: {error}; edit the text") from error


def _styled(value: Any) -> Any:
    """Single values as `write` writes them."""
    import tomlkit

    if isinstance(value, dict):
        return value
    return tomlkit.value(value_text(value)) if not is_array_of_tables(value) else value


def _header_of(path: Path) -> str:
    return ".".join(key_text(part) for part in path if isinstance(part, str))


def _find(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _has_header(text: str, path: Path) -> bool:
    try:
        pieces.piece_of(text, path)
    except (NotFound, Conflict):
        return False
    return True


def _owner_of(text: str, path: Path) -> bool:
    """Whether `path` is an element with a header of its own, so that tables can be put below it."""
    return bool(path) and isinstance(path[-1], int) and _has_header(text, path)


def _new_section(text: str, owner: Path, section: str) -> str:
    """Below the owner's own keys and tables, before its first list of steps."""
    own = pieces.piece_of(text, owner)
    data = _find(tomllib.loads(text), owner)
    firsts = [
        pieces.piece_of(text, (*owner, key, 0)).first
        for key, value in data.items()
        if is_array_of_tables(value) and _has_header(text, (*owner, key, 0))
    ]
    return pieces.inserted(text, min(firsts, default=own.end), section)


def _on_element(text: str, array: Path, index: int, change: TextChange) -> str:
    header = _header_of(array)
    if change.op == "move":
        return pieces.moved(text, array, index, change.to or 0)
    if change.op == "insert":
        new = table_text(header, _clean(change.value), element=True)
        if index == 0:
            return pieces.inserted(text, pieces.piece_of(text, (*array, 0)).first, new)
        return pieces.inserted(text, pieces.piece_of(text, (*array, index - 1)).end, new)
    piece = pieces.piece_of(text, (*array, index))
    if change.op == "remove":
        return pieces.without(text, piece)
    return pieces.replaced(text, piece, table_text(header, _clean(change.value), element=True))


def _on_inline_array(text: str, before: Any, array: Path, change: TextChange) -> str:
    """The list is written as one value, so it is written again as one."""
    data = {"list": copy.deepcopy(_find(before, array))}
    _apply(data, TextChange(change.op, ("list", change.path[-1]), change.value, change.to))
    return _set(text, array, data["list"])
