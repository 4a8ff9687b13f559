"""The list on its way: read to its end before anything is written, on disk when it is long. Gone when closed."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from liberty.etl.mirror.request import Entry

_TABLES = """
CREATE TABLE entries (number INTEGER PRIMARY KEY, label TEXT NOT NULL, key TEXT UNIQUE, row TEXT NOT NULL);
CREATE TABLE present (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE vanished (number INTEGER PRIMARY KEY, key TEXT NOT NULL);
"""


class Spool:
    """A private temporary database, which SQLite keeps in a few megabytes of memory and beyond them in a file.

    Blocking: every method is to be called in a thread.
    """

    def __init__(self) -> None:
        # An empty name is SQLite's own word for a temporary file that nobody else sees ("Temporary Databases").
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._last = 0

    def add(self, entries: Iterable[Entry], key_column: str | None) -> list[Entry]:
        """Take entries in; those whose key another one had before come back."""
        refused = []
        self._database.execute("BEGIN")
        for entry in entries:
            key = entry.values.get(key_column) if key_column is not None else None
            done = self._database.execute(
                "INSERT OR IGNORE INTO entries (label, key, row) VALUES (?, ?, ?)",
                (entry.label, key, json.dumps(entry.values, ensure_ascii=False)),
            )
            if not done.rowcount:
                refused.append(entry)
        self._database.execute("COMMIT")
        return refused

    def take(self, size: int) -> list[Entry]:
        """The next entries, in their order; none at the end."""
        found = self._database.execute(
            "SELECT number, label, row FROM entries WHERE number > ? ORDER BY number LIMIT ?",
            (self._last, size),
        ).fetchall()
        if found:
            self._last = found[-1][0]
        return [Entry(label, json.loads(row)) for _, label, row in found]

    def note_present(self, keys: Iterable[str]) -> None:
        """Keys, as the table spells them, that the list has."""
        self._many("INSERT OR IGNORE INTO present (key) VALUES (?)", keys)

    def note_vanished(self, keys: Sequence[str]) -> int:
        """Of these keys of the table remember those that the list has not; how many."""
        known = {
            key
            for (key,) in self._database.execute(
                "SELECT p.key FROM json_each(?) AS j JOIN present AS p ON p.key = j.value",
                (json.dumps(keys),),
            )
        }
        gone = [key for key in keys if key not in known]
        self._many("INSERT INTO vanished (key) VALUES (?)", gone)
        return len(gone)

    def vanished(self, skipped: int, size: int) -> list[str]:
        """What was remembered, in its order, without the first ones."""
        found = self._database.execute(
            "SELECT key FROM vanished WHERE number > ? ORDER BY number LIMIT ?", (skipped, size)
        )
        return [key for (key,) in found]

    def close(self) -> None:
        self._database.close()

    def _many(self, statement: str, keys: Iterable[str]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, [(key,) for key in keys])
        self._database.execute("COMMIT")
