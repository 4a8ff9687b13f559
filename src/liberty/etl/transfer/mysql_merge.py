"""The statements that bring rows from a stage into a target of MySQL or MariaDB, where these spell them differently."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from liberty.etl.transfer.columns import Column, quoted
from liberty.etl.transfer.merge import Merge


@dataclass(frozen=True, slots=True)
class MysqlMerge(Merge):
    """For connections with ANSI_QUOTES.

    Rows meet by the key that was asked for. ON DUPLICATE KEY would let them meet by any unique index of the target,
    and change rows that have another key.
    """

    def delete_vanished(self, key: Sequence[str]) -> str:
        return f"DELETE t FROM {self._vanished(key)}"

    def update_changed(self, key: Sequence[str]) -> str | None:
        others = [name for name in self.columns if name not in key]
        if not others:
            return None
        changes = ", ".join(f"t.{quoted(name)} = {self._stage_value(name)}" for name in others)
        pairs = [(f"t.{quoted(name)}", self._stage_value(name)) for name in others]
        return (
            f"UPDATE {self.target} AS t JOIN {self.stage} AS s ON {self._same(key)} "  # noqa: S608 - quoted names
            f"SET {changes} WHERE {self.differs(pairs)}"
        )

    def delete_known(self, column: str) -> str:
        """Rows of the stage that the target has, each value the same."""
        pairs = [(f"t.{quoted(name)}", self._stage_value(name)) for name in self.columns]
        return (
            f"DELETE s FROM {self.stage} AS s JOIN {self.target} AS t "
            f"ON {self._same([column])} AND NOT {self.differs(pairs)}"
        )


def differs(columns: Sequence[Column]) -> Callable[[Sequence[tuple[str, str]]], str]:
    """The condition that two rows are not the same to the last byte: texts are, whatever the collation says, compared
    as bytes; floats as numbers, because their bytes would be six digits of a text."""
    floats = {f"t.{quoted(column.name)}" for column in columns if column.kind == "float"}

    def condition(pairs: Sequence[tuple[str, str]]) -> str:
        same = [f"{t} <=> {s}" if t in floats else f"BINARY {t} <=> BINARY {s}" for t, s in pairs]
        return f"(NOT ({' AND '.join(same)}))"

    return condition
