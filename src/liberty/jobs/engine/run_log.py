"""Collects one run's log lines from any thread, within bounds, and hands them over in batches with their numbers.

What fits in the limit is kept from the front. Past the limit only the last `TAIL_LINES` lines are held, and the
log ends with one line that says exactly how many were dropped, followed by that tail: the end is where the error is.
"""

import logging
import threading
import time
from collections import deque
from datetime import UTC, datetime

from liberty.jobs.engine.courtesy import LINES_BETWEEN_PAUSES, courtesy
from liberty.jobs.run import LogLine
from liberty.secrets import redactor

TAIL_LINES = 100
LINE_LIMIT = 8192  # characters of one message
LINES_ON_FULL_DISK = 20
NOTE = "log cut: "
BACKLOG_LINES = 20_000  # lines waiting for the store; beyond, the head ends early rather than memory growing
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}

LATE = "nomaflow.late"
"""The logger that tells of lines a run has no place for any more: they are not to be captured again."""

type _Pending = tuple[float, str, str, str | None, str]
type _Held = tuple[float, str, str, str | None, str | logging.LogRecord]

_UNFORMATTABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_LONGEST_SECRET = 4096  # characters, in any of its spellings


def _cut(message: str) -> str:
    """The beginning of a long message, redacted before it is cut so that no part of a secret stands at the cut."""
    text = redactor.redact(message[: LINE_LIMIT + _LONGEST_SECRET])
    shown = LINE_LIMIT if len(message) <= LINE_LIMIT + _LONGEST_SECRET else len(text) - _LONGEST_SECRET
    text = text[: max(0, min(LINE_LIMIT, shown))]
    return f"{text}… [{len(message) - LINE_LIMIT} characters cut]"


def storable(text: str) -> str:
    """Without what a database cannot hold: NUL and halves of surrogate pairs are shown as escapes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _finished(
    created: float, level: str, logger: str, step: str | None, message: str | logging.LogRecord
) -> _Pending:
    """A line as it is stored: formatted, without secrets, cut, nothing a database cannot hold."""
    if isinstance(message, logging.LogRecord):
        message = message_of(message)
    message = _cut(message) if len(message) > LINE_LIMIT else redactor.redact(message)
    return created, level, storable(logger), step, storable(message)


def message_of(record: logging.LogRecord) -> str:
    """The text of a record; a record that cannot be formatted says so instead of raising in user code."""
    try:
        return record.getMessage()
    except _UNFORMATTABLE as error:
        return f"{str(record.msg)!r} cannot be formatted: {type(error).__name__}"


def shed(lines: list[LogLine]) -> tuple[list[LogLine], int]:
    """Only the last of a run's last lines, after one that says how many are missing; and that number."""
    kept = lines[-LINES_ON_FULL_DISK:]
    # A note about lines that were dropped before is not one of the run's own lines; it stays.
    notes = [line for line in lines[:-LINES_ON_FULL_DISK] if _is_note(line)]
    missing = len(lines) - len(kept) - len(notes)
    if missing <= 0:
        return lines, 0
    text = f"{NOTE}{missing} lines dropped here: the disk with the run history is full"
    marker = LogLine(0, kept[0].ts, "WARNING", "nomaflow", None, text)
    first = lines[0].seq
    renumbered = [line._replace(seq=first + index) for index, line in enumerate([marker, *notes, *kept])]
    return renumbered, missing


def _is_note(line: LogLine) -> bool:
    return line.logger == "nomaflow" and line.step is None and line.message.startswith(NOTE)


class RunLog:
    """The log of one run until it is stored. `add` may be called from any thread.

    Args:
        limit_bytes: how much of the log's text is kept from the front.
        level: lines below it are not collected.
        run_id: whose log it is, for the process log.
    """

    def __init__(self, *, limit_bytes: int, level: str = "INFO", run_id: str = "") -> None:
        self.run_id = run_id
        self.threshold = LEVELS.get(level, 20)
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        self._tail: deque[_Held] = deque(maxlen=TAIL_LINES)
        self._unfinished: dict[tuple[str, str, str | None, int], str] = {}
        self._bytes = 0
        self._after_head = 0
        self.past_limit = False
        """True once the front is full and only the tail and a count are kept."""
        self._collected = 0
        self._closed = False
        self.seq = 0
        self.late = 0

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

    def add(self, created: float, level: str, logger: str, step: str | None, message: str) -> None:
        """Collect a line; `created` is seconds since the epoch. After `close` lines are only counted."""
        if self.past_limit:
            self._hold(
                (created, level, logger, step, message if len(message) <= LINE_LIMIT else _cut(message))
            )
            return
        line = _finished(created, level, logger, step, message)
        self._collected += 1
        if not self._collected % LINES_BETWEEN_PAUSES:
            courtesy.give_way()
        with self._lock:
            if self._closed:
                self._count_late()
            elif (size := self._bytes + len(message)) <= self._limit and len(self._pending) < BACKLOG_LINES:
                self._bytes = size
                self._pending.append(line)
            else:
                self.past_limit = True
                self._after_head += 1
                self._tail.append(line)

    def add_record(self, record: logging.LogRecord, step: str | None) -> None:
        """Collect a record past the limit without formatting it, as most of those lines are never shown."""
        self._hold((record.created, record.levelname, record.name, step, record))

    def _hold(self, line: _Held) -> None:
        self._collected += 1
        if not self._collected % LINES_BETWEEN_PAUSES:
            courtesy.give_way()
        with self._lock:
            if self._closed:
                self._count_late()
            else:
                self._after_head += 1
                self._tail.append(line)

    def _count_late(self) -> None:
        """With the lock held. The server's log hears of the first dropped line, the tenth, the hundredth…"""
        self.late += 1
        digits = str(self.late)
        if digits.rstrip("0") != "1":
            return
        lines = "line" if self.late == 1 else "lines"
        logging.getLogger(LATE).warning(
            "run=%s: %d %s logged after its end and dropped; what it started still runs",
            self.run_id,
            self.late,
            lines,
        )

    def write(self, level: str, stream: str, step: str | None, text: str) -> None:
        """Collect printed text: whole lines now, the rest once its line is complete or the step ends."""
        key = (level, stream, step, threading.get_ident())
        *lines, rest = (self._unfinished.pop(key, "") + text).split("\n")
        if len(rest) > LINE_LIMIT:
            lines, rest = [*lines, rest], ""
        if rest:
            self._unfinished[key] = rest
        for line in lines:
            self.add(time.time(), level, stream, step, line)

    def finish_lines(self) -> None:
        """Collect what was printed without the end of its line."""
        for key in list(self._unfinished):
            text = self._unfinished.pop(key, "")
            if text:
                level, stream, step, _ = key
                self.add(time.time(), level, stream, step, text)

    def take(self) -> list[LogLine]:
        """The lines collected since the last call, numbered on from there."""
        with self._lock:
            pending, self._pending = self._pending, []
        return self._number(pending)

    def put_back(self, lines: list[LogLine]) -> None:
        """Lines that were taken and could not be stored: they come first again."""
        with self._lock:
            self._pending[:0] = [
                (line.ts.timestamp(), line.level, line.logger, line.step, line.message) for line in lines
            ]
            self.seq -= len(lines)

    def close(self) -> tuple[list[LogLine], int]:
        """The last lines, the note about what was dropped included, and how many lines that were."""
        self.finish_lines()
        with self._lock:
            self._closed = True
            pending, self._pending = self._pending, []
            tail = [_finished(*held) for held in self._tail]
            dropped = self._after_head - len(tail)
        if dropped > 0:
            note = (
                f"{NOTE}{dropped} lines dropped here; the first {self._bytes // 1024} KiB and the last "
                f"{len(tail)} lines are kept ([jobs] log_truncate_kb)"
            )
            pending.append((tail[0][0], "WARNING", "nomaflow", None, note))
        return self._number([*pending, *tail]), max(dropped, 0)

    def _number(self, pending: list[_Pending]) -> list[LogLine]:
        lines = []
        seq = self.seq
        for created, level, logger, step, message in pending:
            seq += 1
            lines.append(LogLine(seq, datetime.fromtimestamp(created, UTC), level, logger, step, message))
        self.seq = seq
        return lines
