"""The statements that bring rows from a stage into the target, for PostgreSQL and SQLite."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from liberty.etl.transfer.columns import column_list, quoted
from liberty.etl.transfer.request import Mode


@dataclass(frozen=True, slots=True)
class Merge:
    """Names are as the database has them; `target` and `stage` are quoted already.

    Attributes:
        value: the expression for a column of the stage, given its quoted name with the alias before it.
        differs: the condition that rows `t` and `s` are not the same in these columns, to the last byte.
        overriding: what an INSERT needs to supply identity columns.
    """

    target: str
    stage: str
    columns: Sequence[str]
    value: Callable[[str, str], str]
    differs: Callable[[Sequence[tuple[str, str]]], str]
    overriding: str = ""

    def insert_all(self) -> str:
        return f"{self._insert()} SELECT {self._values()} FROM {self.stage} AS s"  # noqa: S608 - quoted names

    def delete_all(self) -> str:
        return f"DELETE FROM {self.target}"  # noqa: S608 - quoted names

    def delete_vanished(self, key: Sequence[str]) -> str:
        """Rows whose key the stage has not."""
        return f"DELETE FROM {self._vanished(key)}"  # noqa: S608 - quoted names

    def count_vanished(self, key: Sequence[str]) -> str:
        return f"SELECT count(*) FROM {self._vanished(key)}"  # noqa: S608 - quoted names

    def count_all(self) -> str:
        return f"SELECT count(*) FROM {self.target}"  # noqa: S608 - quoted names

    def update_changed(self, key: Sequence[str]) -> str | None:
        """Rows whose key the stage has, and that differ; None when there is nothing but the key."""
        others = [name for name in self.columns if name not in key]
        if not others:
            return None
        changes = ", ".join(f"{quoted(name)} = {self._stage_value(name)}" for name in others)
        pairs = [(f"t.{quoted(name)}", self._stage_value(name)) for name in others]
        return (
            f"UPDATE {self.target} AS t SET {changes} FROM {self.stage} AS s "  # noqa: S608 - quoted names
            f"WHERE {self._same(key)} AND {self.differs(pairs)}"
        )

    def insert_missing(self, key: Sequence[str]) -> str:
        return (
            f"{self._insert()} SELECT {self._values()} FROM {self.stage} AS s WHERE NOT EXISTS "  # noqa: S608 - quoted names
            f"(SELECT 1 FROM {self.target} AS t WHERE {self._same(key)})"
        )

    def same_row(self, column: str) -> str:
        """The condition that `t` and `s` are the same row. Below the least `column` of the stage `t` is passed over."""
        pairs = [(f"t.{quoted(name)}", self._stage_value(name)) for name in self.columns]
        least = f"SELECT min({quoted(column)}) FROM {self.stage}"  # noqa: S608 - quoted names
        return f"{self._same([column])} AND t.{quoted(column)} >= ({least}) AND NOT {self.differs(pairs)}"

    def repeated_key(self, key: Sequence[str]) -> str:
        """One key that the stage has more than once."""
        names = column_list(key)
        grouped = f"SELECT {names}, count(*) FROM {self.stage} GROUP BY {names}"  # noqa: S608 - quoted names
        return f"{grouped} HAVING count(*) > 1 LIMIT 1"

    def by_key(self, key: Sequence[str]) -> Iterator[str]:
        """The statements that bring the stage's rows into the target, leaving alone what is the same."""
        changed = self.update_changed(key)
        if changed is not None:
            yield changed
        yield self.insert_missing(key)

    def written(self, mode: Mode, key: Sequence[str]) -> str:
        """A FROM clause for the rows a copy has written, `t`; of an append, as they are in the stage."""
        if mode == "append":
            return f"{self.stage} AS t"
        if mode == "overwrite":
            return f"{self.target} AS t"
        return (
            f"{self.target} AS t WHERE EXISTS "  # noqa: S608 - quoted names
            f"(SELECT 1 FROM {self.stage} AS s WHERE {self._same(key)})"
        )

    def _vanished(self, key: Sequence[str]) -> str:
        return (
            f"{self.target} AS t WHERE NOT EXISTS "  # noqa: S608 - quoted names
            f"(SELECT 1 FROM {self.stage} AS s WHERE {self._same(key)})"
        )

    def _insert(self) -> str:
        return f"INSERT INTO {self.target} ({column_list(self.columns)}){self.overriding}"

    def _values(self) -> str:
        return ", ".join(self._stage_value(name) for name in self.columns)

    def _stage_value(self, name: str) -> str:
        return self.value(name, f"s.{quoted(name)}")

    def _same(self, key: Sequence[str]) -> str:
        return " AND ".join(f"t.{quoted(name)} = {self._stage_value(name)}" for name in key)
