"""MERGE, row by row, for databases that have it and no stage here: Oracle and SQL Server. No server was tried."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Dialect, TextClause
    from sqlalchemy import Table as SqlTable

DIALECTS = ("oracle", "mssql")


def merge_statement(
    table: "SqlTable", names: Sequence[str], key: Sequence[str], dialect: "Dialect"
) -> "TextClause":
    """Inserts one row or updates the one with its key; `v0`, `v1`, … are its values in the order of `names`."""
    from sqlalchemy import bindparam, text

    prepare = dialect.identifier_preparer
    # `text()` doubles each `%` itself where the driver wants that, and takes a colon for a parameter.
    quoted = {name: _for_text(prepare.quote(name)) for name in names}
    values = [f":v{index}" for index in range(len(names))]
    listed = ", ".join(quoted[name] for name in names)
    if dialect.name == "oracle":
        row = ", ".join(f"{value} AS {quoted[name]}" for name, value in zip(names, values, strict=True))
        head = f"MERGE INTO {_for_text(prepare.format_table(table))} t USING (SELECT {row} FROM dual) s"  # noqa: S608 - quoted names
        end = ""
    else:
        # HOLDLOCK: without it two merges at once may both insert the same key (SQL Server, "MERGE").
        head = (
            f"MERGE INTO {_for_text(prepare.format_table(table))} WITH (HOLDLOCK) AS t "
            f"USING (VALUES ({', '.join(values)})) AS s ({listed})"
        )
        end = ";"
    met = " AND ".join(f"t.{quoted[name]} = s.{quoted[name]}" for name in key)
    others = [name for name in names if name not in key]
    changes = ", ".join(f"t.{quoted[name]} = s.{quoted[name]}" for name in others)
    update = f" WHEN MATCHED THEN UPDATE SET {changes}" if changes else ""
    taken = ", ".join(f"s.{quoted[name]}" for name in names)
    insert = f" WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({taken})"  # noqa: S608 - quoted names
    clause = text(f"{head} ON ({met}){update}{insert}{end}")
    return clause.bindparams(
        *(bindparam(f"v{index}", type_=table.c[name].type) for index, name in enumerate(names))
    )


def _for_text(name: str) -> str:
    return name.replace("%%", "%").replace("\\", "\\\\").replace(":", "\\:")
