"""One copy in progress, as the paths see it: both ends open, and which source column meets which target column."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from liberty.etl.transfer.columns import Column, Table, check_complete, matched
from liberty.etl.transfer.file_end import FileEnd
from liberty.etl.transfer.making import described
from liberty.etl.transfer.progress import Meter, Progress
from liberty.etl.transfer.request import CopyFailed, CopyOutcome, CopyRequest, End, log
from liberty.etl.transfer.shaping import Rows
from liberty.etl.transfer.source import Watermark
from liberty.etl.transfer.target import Target, key_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from liberty.etl.transfer.verify import Verification

CHATTY_BATCHES = 100
"""So many batches get a log line each; later ones share a line a second."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Which values of a source row go where.

    Attributes:
        taken: places in the source's row of the values that are copied.
        columns: the target's columns for them.
        create: the table to make, None when the target is there.
        computed: names of columns that the target computes itself.
    """

    taken: Sequence[int]
    columns: Sequence[Column]
    create: Table | None
    computed: Sequence[str]


@dataclass(slots=True, kw_only=True)
class Crossing:
    """What a path works with. It counts what it reads in `outcome`; `meet` leaves behind what met what."""

    request: CopyRequest
    source_side: End | FileEnd
    target_end: End | FileEnd
    target: Target
    connection: "AsyncConnection | None"
    """The source's, when it is a database."""
    close_source: Callable[[], Awaitable[None]]
    source_table: Table | None
    watermark: Watermark | None
    outcome: CopyOutcome = field(default_factory=CopyOutcome)
    verification: "Verification | None" = None
    names: Sequence[str] = ()
    origins: Mapping[str, Column] = field(default_factory=dict)
    meeting: Meeting | None = None
    meter: Meter = field(init=False)
    _spoke: float = 0.0

    def __post_init__(self) -> None:
        self.meter = Meter(self._tell)

    @property
    def source(self) -> End:
        """The source, where it can only be a database."""
        assert isinstance(self.source_side, End)  # noqa: S101 - see above
        return self.source_side

    @property
    def source_connection(self) -> "AsyncConnection":
        assert self.connection is not None  # noqa: S101 - as `source`
        return self.connection

    def meet(self, names: Sequence[str], origins: Mapping[str, Column], first_rows: Rows) -> Meeting:
        """Decide which column goes where. Raises CopyFailed when they do not fit together.

        Args:
            names: the source's columns, as they arrive.
            origins: what is known of them, under these names.
            first_rows: they tell the types of a table that is made, where the source does not.
        """
        request, table = self.request, self.target.table
        create = None
        if table is None:
            made = [
                self.target.made_from(column) for column in described(names, origins, first_rows, request)
            ]
            schema, name = self.target_end.table_name()
            create = Table(schema, name.lower() if request.jde else name, tuple(made), ())
            columns = made
        else:
            columns = matched(names, table.columns, what=f"target table {str(table)!r}")
            check_complete(columns, table)
        taken = [index for index, column in enumerate(columns) if not column.generated]
        computed = [column.name for column in columns if column.generated]
        columns = [columns[index] for index in taken]
        if not columns:
            raise CopyFailed("there is no column to copy")
        if request.mode == "upsert":
            key = key_of(request, create or table, columns)
            columns = [
                replace(column, nullable=False, key=column.key or 1) if column.name in key else column
                for column in columns
            ]
        self.names, self.origins = names, origins
        self.meeting = Meeting(taken, columns, create, computed)
        return self.meeting

    def announce(self, meeting: Meeting) -> None:
        """Tell the log what of the source does not simply go into a column that is there."""
        if meeting.create is not None and isinstance(self.target_end, End):
            log.info("target table %r does not exist and is made", str(meeting.create))
        for name in meeting.computed:
            log.info("column %r is computed by the target and not copied", name)

    def changes(self) -> str | None:
        """Why values may not arrive as they are: somebody wants them changed. None when nobody does."""
        request = self.request
        if request.transforms:
            return "rows go through a transform"
        if request.jde:
            return "type_coercion is jde"
        if request.truncate_decimals:
            return "decimal_mode is truncate"
        if request.strip_columns:
            return "strip_both_columns changes texts"
        if self.source_side.settings.trim_strings:
            return f"pool {self.source.pool!r} trims texts"
        if self.target_end.settings.coalesce_nulls:
            return f"{self.request.target} is on a pool that replaces NULLs"
        return None

    def _tell(self, progress: Progress) -> None:
        log.info("progress: %s", progress)
        if self.request.on_progress is not None:
            self.request.on_progress(progress)

    def may_go_straight(self) -> bool:
        """Nobody looks at the rows between source and target, or counts what the target has more of."""
        request = self.request
        counted = request.guard is not None or request.incremental is not None or request.delete_missing
        return not counted and (not request.verify or request.mode == "overwrite")

    def batch_done(self, rows: Rows = ()) -> None:
        """Count a batch, and tell the log how far the copy has come."""
        self.outcome.chunks += 1
        self.meter.took(rows, self.outcome.rows_read)
        if self.may_speak(always=self.outcome.chunks <= CHATTY_BATCHES):
            log.info("▶ batch %d · %d rows", self.outcome.chunks, self.outcome.rows_read)

    def may_speak(self, *, always: bool = False) -> bool:
        """True once a second, so that a quick copy does not flood the log."""
        now = time.monotonic()
        if not always and now - self._spoke < 1:
            return False
        self._spoke = now
        return True
