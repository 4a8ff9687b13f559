"""From a pool's URL to its database."""

from pathlib import Path

from sqlalchemy.engine import make_url

from liberty.database.base import Database
from liberty.errors import Invalid


def open_database(url: str, *, read_only: bool = False) -> Database:
    """Open the run store at an SQLAlchemy URL: `sqlite[+aiosqlite]:///path` or `postgresql[+asyncpg]://…`.

    Raises Invalid for any other kind of database, Unavailable when the file cannot be opened.
    """
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        from liberty.database.sqlite import SqliteDatabase

        if parsed.database in (None, "", ":memory:"):
            raise Invalid("run history needs a database file: sqlite in memory would forget everything")
        path = Path(str(parsed.database))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return SqliteDatabase(path, read_only=read_only)
    if kind == "postgresql":
        from liberty.database.postgres import PostgresDatabase

        plain = parsed.set(drivername="postgresql")
        return PostgresDatabase(plain.render_as_string(hide_password=False))
    raise Invalid(
        f"run history can be kept in SQLite or PostgreSQL, not in {kind!r}; point [jobs] pool at one of them"
    )
