"""What SQLite's errors mean: full, locked, wrong, or a connection that is of no use any more."""

import sqlite3
from pathlib import Path

from liberty.errors import StorageFull, Unavailable


def is_full(error: sqlite3.Error) -> bool:
    """True for a full disk; a quota or a limit on the size of files shows as a write error."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF == sqlite3.SQLITE_FULL or code in _WRITE_ERRORS


_WRITE_ERRORS = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)


def concerns_everyone(error: BaseException) -> bool:
    """True when the disk is full or the file is locked, False when a statement is wrong."""
    wrong = sqlite3.SQLITE_ERROR
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF != wrong


def is_broken(error: sqlite3.Error) -> bool:
    """True when the connection may be at fault: neither a full disk nor a lock, which come and go."""
    code = getattr(error, "sqlite_errorcode", None)
    return not is_full(error) and (
        code is None or code & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    )


def unavailable(error: sqlite3.Error, path: Path) -> Unavailable:
    if is_full(error):
        return StorageFull(
            f"nothing can be stored: the disk with {path.name} is full ({error})",
            details={"reason": str(error)},
        )
    return Unavailable(f"database {path.name} cannot be used now: {error}", details={"reason": str(error)})
