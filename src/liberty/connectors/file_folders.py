"""Files that jobs may read and write: only below folders that the operator has opened, never through a link."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from liberty.errors import Invalid, NotFound

_LINKED = frozenset({errno.ELOOP, errno.ENOTDIR})


class FileFolders:
    """The folders of `[jobs] file_folders`. A folder itself may be a link; what lies below it may not."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)

    def place(self, url: str) -> "FilePlace":
        """Where a `file://` URL points to. Raises Invalid when that is in none of the folders."""
        path = _path_of(url)
        for folder in self._folders:
            for root in (folder, folder.resolve()):
                parts = PurePosixPath(path).parts
                if parts[: len(root.parts)] == root.parts and len(parts) > len(root.parts):
                    return FilePlace(url, root, parts[len(root.parts) :])
        opened = ", ".join(map(str, self._folders)) or "none"
        raise Invalid(
            f"{url} is not in a folder that jobs may use: list its folder in [jobs] file_folders of app.toml "
            f"(open now: {opened})"
        )


def _path_of(url: str) -> str:
    parsed = urlsplit(url)
    if parsed.scheme != "file" or parsed.netloc not in ("", "localhost") or parsed.query or parsed.fragment:
        raise Invalid(
            f"{url!r} is no file: write file:// and the whole path, such as file:///data/orders.csv"
        )
    path = unquote(parsed.path)
    if (
        not path.startswith("/")
        or "\0" in path
        or any(part in ("", ".", "..") for part in path[1:].split("/"))
    ):
        raise Invalid(f"{url!r} is no plain path: it has '..', '.' or an empty part")
    return path


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file below a folder; it may not exist yet. Every call walks down from the folder without following a link."""

    url: str
    folder: Path
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.parts[-1]

    def open(self) -> BinaryIO:
        """For reading. Raises NotFound when it does not exist, Invalid when it is no plain file."""
        with self._parent() as parent:
            descriptor = self._opened(self.name, os.O_RDONLY | os.O_NONBLOCK, parent)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Invalid(f"{self.url} is no plain file")
        return os.fdopen(descriptor, "rb")

    def state(self) -> os.stat_result | None:
        """What the file is now; None when there is none."""
        try:
            with self.open() as file:
                return os.fstat(file.fileno())
        except NotFound:
            return None

    def draft(self, label: str) -> "Draft":
        """A new file beside this one, to take its place when it is complete."""
        with self._parent() as parent:
            self._clear_drafts(parent)
            name = f".{self.name}.{label}.part"
            descriptor = self._opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return Draft(self, name, os.fdopen(descriptor, "wb"))

    def _clear_drafts(self, parent: int) -> None:
        """What processes that were killed have left: nobody holds its lock."""
        for name in os.listdir(parent):
            if not (name.startswith(f".{self.name}.") and name.endswith(".part")):
                continue
            with suppress(OSError):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(name, dir_fd=parent)
                finally:
                    os.close(descriptor)

    @contextmanager
    def _parent(self) -> Iterator[int]:
        try:
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"folder {self.folder} of [jobs] file_folders does not exist") from None
        try:
            for part in self.parts[:-1]:
                below = self._opened(part, os.O_RDONLY | os.O_DIRECTORY, folder)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)

    def _opened(self, name: str, flags: int, parent: int) -> int:
        try:
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=parent)
        except FileNotFoundError:
            raise NotFound(f"{self.url} does not exist") from None
        except OSError as error:
            if error.errno in _LINKED:
                raise Invalid(
                    f"{self.url}: {name!r} is a link or no folder, and links are not followed"
                ) from None
            raise Invalid(f"{self.url}: {error.strerror}") from error


class Draft:
    """A file being written. It takes its place as a whole, or is gone."""

    def __init__(self, place: FilePlace, name: str, file: BinaryIO) -> None:
        self.file = file
        self._place = place
        self._name = name
        self._placed = False

    def put_in_place(self) -> None:
        """What was written is on the disk and under the file's own name, all at once."""
        place = self._place
        self.file.flush()
        old = place.state()
        if old is not None:
            os.fchmod(self.file.fileno(), stat.S_IMODE(old.st_mode))
        os.fsync(self.file.fileno())
        with place._parent() as parent:  # noqa: SLF001 - the same module
            os.replace(self._name, place.name, src_dir_fd=parent, dst_dir_fd=parent)
            self._placed = True
            os.fsync(parent)

    def close(self) -> None:
        """Let go of it; when it is not in its place, it is removed."""
        with suppress(OSError):  # a full disk, which was told when it was written to
            self.file.close()
        if not self._placed:
            with suppress(NotFound), self._place._parent() as parent, suppress(FileNotFoundError):  # noqa: SLF001
                os.unlink(self._name, dir_fd=parent)
