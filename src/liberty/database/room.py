"""Keeps an SQLite file writable on a full disk for as long as it takes to end what runs, and its write-ahead log short.

A *ballast* file beside the database holds space that nothing else can take. When the disk is full and an essential
operation waits, the file goes, and until it can be made again everything that is not essential is refused.
"""

import logging
import os
import sqlite3
import threading
import time
from pathlib import Path

BALLAST_BYTES = 4 * 1024 * 1024
SPARE_BYTES = 1024 * 1024
"""Must be free on top before the ballast is made again, or it would take what the next transaction needs."""
WAL_BYTES = 32 * 1024 * 1024
CROWDED_BYTES = 44 * 1024 * 1024
"""A log of this length cannot be started afresh because a reader still needs it: log lines wait until it has gone."""
_LOOK_SECONDS = 0.2  # between looks at the length
_CHECKPOINT_SECONDS = 0.1  # a reader that takes longer puts the attempt off

_log = logging.getLogger("liberty.database")


class Room:
    """`short` is True from the moment the ballast was given away until it is back."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.ballast = database.with_name(f"{database.name}-ballast")
        self.short = False
        self._wal = database.with_name(f"{database.name}-wal")
        self._crowded = False
        self._looked = 0.0
        self._tidying = threading.Lock()

    @property
    def crowded(self) -> bool:
        """True while the write-ahead log is so long that what can wait should. Asked for every commit."""
        now = time.monotonic()
        if now - self._looked > _LOOK_SECONDS:
            self._looked = now
            self._crowded = self._wal_bytes() > CROWDED_BYTES
        return self._crowded

    def _wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:
            return 0

    def give_away(self) -> None:
        """Let the next transactions have what was kept back."""
        self.short = True
        try:
            self.ballast.unlink()
        except OSError:
            return
        _log.warning("the disk is full: %s was removed so that runs can be ended", self.ballast.name)

    def tidy(self) -> str | None:
        """Keep the log short and the ballast there; the reason when there is no room for it. Off the write path."""
        with self._tidying:
            self._shorten_log()
            if self._keep_ballast():
                self.short = False
                return None
            return f"the disk with {self._database.name} is full: less than 5 MB can be written"

    def _keep_ballast(self) -> bool:
        path = self.ballast
        try:
            if path.exists() and path.stat().st_size >= BALLAST_BYTES:
                return True
            space = os.statvfs(path.parent)
            if space.f_bavail * space.f_frsize < BALLAST_BYTES + SPARE_BYTES:
                return False
            with path.open("wb") as file:
                for _ in range(BALLAST_BYTES // 65536):
                    file.write(os.urandom(65536))  # a file system that compresses would make nothing of zeros
        except OSError:
            path.unlink(missing_ok=True)
            return False
        return True

    def _shorten_log(self) -> None:
        if self._wal_bytes() <= WAL_BYTES:
            return
        try:
            connection = sqlite3.connect(self._database, timeout=_CHECKPOINT_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            _log.debug("the write-ahead log stays as long as it is for now: %s", error)
