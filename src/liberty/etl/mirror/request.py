"""What a mirror is asked to do and what it reports: plain values, free of any database."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry
    from liberty.etl.transfer.guard import Guard

type DeletionMode = Literal["none", "soft", "hard"]

BATCH_ROWS = 500
"""Written at once, and looked for at once: below the number of parameters that every database takes."""
KEPT_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the list: what to call it in messages, and its values by column (or parameter), as text."""

    label: str
    values: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """An entry that could not be written, and why."""

    entry: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRequest:
    """Attributes:
    names: the columns or parameters that entries have values for.
    query: a declared query that writes one row; without it the table is written.
    deletion_column: what a soft deletion sets.
    guarded: too few or too many entries are refused; a preview looks on.
    """

    connectors: "ConnectorRegistry"
    connector: str
    names: tuple[str, ...]
    table: str | None = None
    query: str | None = None
    key_column: str | None = None
    deletion: DeletionMode = "none"
    deletion_column: str | None = None
    guard: "Guard | None" = None
    guarded: bool = True


@dataclass(slots=True)
class MirrorOutcome:
    """What a mirror did, or would do. `upserted` = `added` + `changed`, of a query the rows it was called for."""

    fetched: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    called: int = 0
    deleted: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    held: int | None = None
    """Rows of the table, without those marked as deleted, before anything was deleted; None when nobody counted."""
    verdict: str | None = None
    examples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def upserted(self) -> int:
        return self.added + self.changed + self.called

    def fail(self, label: str, reason: str) -> None:
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(Failure(label, reason))
