"""Change TOML files in place: comments stay, an edit made elsewhere is never overwritten, no half file is ever seen."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from liberty.errors import Conflict, Invalid, NotFound, Unavailable
from liberty.toml_files.document import content_hash, parse_toml, read_text

if TYPE_CHECKING:
    import tomlkit

PRIVATE_MODE = 0o600
PATIENCE_SECONDS = 10.0


class _Remove:
    def __repr__(self) -> str:
        return "REMOVE"


REMOVE: Final = _Remove()
"""As a value of `set_values`: take the key or the array element out."""

_one_edit_at_a_time = Lock()


def set_values(
    path: Path, changes: Mapping[Sequence[str | int], Any], *, expected_hash: str | None = None
) -> str:
    """Set or REMOVE single keys, in the order given; missing tables are made. Otherwise as `edit_toml`.

    An index one past the end of an array of tables appends to it. Raises NotFound for an index beyond that.
    """

    def change(document: "tomlkit.TOMLDocument") -> None:
        for key_path, value in changes.items():
            set_in(document, tuple(key_path), value, file=str(path))

    return edit_toml(path, change, expected_hash=expected_hash)


def edit_toml(
    path: Path, change: Callable[["tomlkit.TOMLDocument"], None], *, expected_hash: str | None = None
) -> str:
    """Let `change` work on the parsed file, then write it back; returns the hash of the new text.

    A missing file counts as an empty one. The text before the edit stays beside it with the suffix `.bak`.
    Raises Conflict when the file is not the one that `expected_hash` was taken from, Invalid when the file or the
    result does not parse, Unavailable when it cannot be written.
    """
    import tomlkit

    with _one_edit_at_a_time, _alone_in(path.parent):
        try:
            before = read_text(path)
            mode = path.stat().st_mode & 0o777
        except NotFound:
            before, mode = "", PRIVATE_MODE
        if expected_hash is not None and content_hash(before) != expected_hash:
            raise Conflict(f"{path} was changed since it was opened; look at the new version and save again")
        parse_toml(before, file=str(path), environ={})
        document = tomlkit.parse(before)
        change(document)
        after = tomlkit.dumps(document)
        parse_toml(after, file=str(path), environ={})
        if after != before:
            if before:
                write_atomic(path.with_name(f"{path.name}.bak"), before, mode=mode)
            write_atomic(path, after, mode=mode)
        return content_hash(after)


def rewrite(path: Path, change: Callable[[str], str]) -> str:
    """Let `change` make a new text of a file's text, and write it; returns the new text.

    Line ends and a byte order mark stay as they are. A missing file counts as an empty one. The text before stays
    beside it with the suffix `.bak`. Raises what `change` raises, and as `edit_toml`; then nothing is written.
    """
    with _one_edit_at_a_time, _alone_in(path.parent):
        try:
            before = read_text(path)
            content, mode = path.read_bytes(), path.stat().st_mode & 0o777
        except NotFound:
            before, content, mode = "", b"", PRIVATE_MODE
        after = change(before)
        parse_toml(after, file=str(path), environ={})
        if after != before:
            if content:
                write_atomic(path.with_name(f"{path.name}.bak"), before, mode=mode)
            styled = after.replace("\n", "\r\n") if b"\r\n" in content else after
            write_atomic(
                path, "\ufeff" + styled if content.startswith(b"\xef\xbb\xbf") else styled, mode=mode
            )
        return after


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other process of this program edits a file of the folder meanwhile. Raises Unavailable when one keeps on."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # the folder is made when the file is written
        yield
        return
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                raise Unavailable(f"another process is editing files in {folder}; try again")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock if it is free. Where file systems have no locks, there is nothing to wait for."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def write_atomic(path: Path, text: str, mode: int = PRIVATE_MODE) -> None:
    """Write a file so that a reader, and a crash, sees the old text or the new text and nothing between.

    A symbolic link at `path` is replaced, never followed. Raises Unavailable when the folder cannot be written to.
    """
    temporary = path.with_name(f".{path.name}.{token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(descriptor, mode)
                stream.write(text.encode())
                stream.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_in(document: Any, path: tuple[str | int, ...], value: Any, *, file: str = "the definition") -> None:
    """Set or REMOVE one key of a parsed document. Raises NotFound, Invalid."""
    import tomlkit

    container = document
    for part, following in pairwise(path):
        _check_takes(container, part, path, file=file)
        if isinstance(part, str) and part not in container:
            if value is REMOVE:
                return
            container[part] = tomlkit.aot() if isinstance(following, int) else tomlkit.table()
        elif isinstance(part, int) and part == len(container) and value is not REMOVE:
            container.append(tomlkit.table())
        container = _child(container, part, path, file=file)
    last = path[-1]
    _check_takes(container, last, path, file=file)
    if value is REMOVE:
        if isinstance(last, int):
            _child(container, last, path, file=file)
            del container[last]
        else:
            container.pop(last, None)
        return
    if isinstance(last, int) and last != len(container):
        _child(container, last, path, file=file)
    if isinstance(container, tomlkit.items.AoT) and not isinstance(value, dict):
        raise Invalid(f"{'.'.join(map(str, path))} is one of several tables; it cannot be a single value")
    try:
        if isinstance(last, int) and last == len(container):
            container.append(tomlkit.item(value))
        else:
            container[last] = value
    except (TypeError, ValueError) as error:
        raise Invalid(f"{'.'.join(map(str, path))} cannot be set to that: {error}") from error


def _check_takes(container: Any, part: str | int, path: tuple[str | int, ...], *, file: str) -> None:
    """Tables are asked for keys and arrays for numbers, nothing else for anything."""
    if not isinstance(container, dict if isinstance(part, str) else list):
        raise NotFound(f"{file} has no {'.'.join(map(str, path))}")


def _child(container: Any, part: str | int, path: tuple[str | int, ...], *, file: str) -> Any:
    try:
        return container[part]
    except (IndexError, KeyError, TypeError) as error:
        raise NotFound(f"{file} has no {'.'.join(map(str, path))}") from error
