"""One way to run statements on SQLite and PostgreSQL: SQLAlchemy Core builds them, a small driver each runs them.

An *operation* is an `async def op(tx, ...)` that only awaits `tx`. `Database.write` runs it in one transaction
(SQLite: in the writer thread, many operations share a commit), `Database.read` on a reader. Both may be awaited
from any event loop.
"""

from liberty.database.base import Database, Duplicate, Operation, Row, Tx, deferrable, essential
from liberty.database.open import open_database

__all__ = ["Database", "Duplicate", "Operation", "Row", "Tx", "deferrable", "essential", "open_database"]
