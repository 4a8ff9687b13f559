"""What lies under the plugins folder: a cheap scan that notices change, and a capture that reads one whole tree."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liberty.errors import Problem

type Stamp = tuple[int, int, int, int]
"""Modification and change time (ns), size, inode: an edit changes at least one, even one of the same size."""


_MISSING = (0, 0)


class TreeMoved(Exception):  # noqa: N818 - a signal to look again, not a failure
    """The folder changed while it was being read."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The `.py` files of the folder as of one moment; `newest_change` is seconds since the epoch."""

    stamps: dict[str, Stamp]
    folders: dict[str, tuple[int, int]]
    newest_change: float

    def still_true(self) -> bool:
        """True when no file was changed, added or removed since. About half the price of a scan.

        Only for a scan of a folder that was quiet then: file systems stamp with some milliseconds' precision, so
        a file added right after the scan may leave its folder's time as it was.
        """
        try:
            return all(_folder_stamp(path) == stamp for path, stamp in self.folders.items()) and all(
                _stamp(os.stat(path)) == stamp  # noqa: PTH116 - called for every file
                for path, stamp in self.stamps.items()
            )
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Source:
    """One importable module. `text` is None for a sub-folder without `__init__.py`."""

    path: str
    text: bytes | None
    is_package: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """Every module of the folder with its source, by dotted name."""

    root: str
    modules: dict[str, Source]
    problems: tuple[Problem, ...]

    def plugin_names(self) -> list[str]:
        """The top-level packages and modules."""
        return sorted(name for name in self.modules if "." not in name)

    def modules_of(self, plugin: str) -> list[str]:
        """`plugin` itself and everything below it."""
        return sorted(name for name in self.modules if name == plugin or name.startswith(f"{plugin}."))


def scan(root: str) -> Scan:
    """Stat every `.py` file under `root`. A missing folder is an empty one.

    Hidden and cache folders are passed over, and so is a link that leads out of the folder.
    """
    stamps: dict[str, Stamp] = {}
    newest_ns = 0
    inside = os.path.realpath(root)
    pending = [root]
    folders = {root: _MISSING}
    seen: set[tuple[int, int]] = set()
    while pending:
        folder = pending.pop()
        try:
            about = Path(folder).stat()
            folders[folder] = (about.st_mtime_ns, about.st_ino)
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            newest_ns = max(newest_ns, about.st_mtime_ns)
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith(".") or name == "__pycache__":
                        continue
                    if entry.is_symlink() and not _within(os.path.realpath(entry.path), inside):
                        continue
                    if name.endswith(".py"):
                        stat = entry.stat()
                        stamps[entry.path] = _stamp(stat)
                        newest_ns = max(newest_ns, stat.st_mtime_ns if os.name == "nt" else stat.st_ctime_ns)
                    elif entry.is_dir():
                        pending.append(entry.path)
        except OSError:  # gone meanwhile, or not for us to read: not importable either way
            continue
    return Scan(stamps, folders, newest_ns / 1e9)


def capture(root: str, seen: Scan) -> Tree:
    """Read the files of `seen`. Raises TreeMoved when the folder is no longer as it was scanned."""
    texts: dict[str, bytes] = {}
    for path in seen.stamps:
        try:
            texts[path] = Path(path).read_bytes()
        except FileNotFoundError:
            raise TreeMoved(path) from None
        except PermissionError:  # not importable; the callable that needs it says so
            continue
    if scan(root).stamps != seen.stamps:
        raise TreeMoved(root)
    return Tree(root, dict(_modules(root, texts)), ())


def _stamp(stat: os.stat_result) -> Stamp:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _folder_stamp(path: str) -> tuple[int, int]:
    try:
        about = os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        return _MISSING
    return about.st_mtime_ns, about.st_ino


def _modules(root: str, texts: dict[str, bytes]) -> Iterator[tuple[str, Source]]:
    found: dict[str, Source] = {}
    for path in sorted(texts):
        *folders, file = Path(path).relative_to(root).parts
        stem = file.removesuffix(".py")
        is_package = stem == "__init__"
        parts = folders if is_package else [*folders, stem]
        if not parts or not all(part.isidentifier() for part in parts):
            continue
        if folders and str(Path(root, folders[0], "__init__.py")) not in texts:
            continue
        name = ".".join(parts)
        if is_package or name not in found:  # as in Python, a package wins over a module of the same name
            found[name] = Source(path, texts[path], is_package)
        for depth in range(2, len(folders) + 1):
            folder = ".".join(folders[:depth])
            if folder not in found:
                found[folder] = Source(str(Path(root, *folders[:depth])), None, True)
    yield from found.items()


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
