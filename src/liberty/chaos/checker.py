"""Judges a history. Pure: it compares what was due, what REST shows and what the witness saw, and asks nobody.

Every slot that had to begin is met by exactly one row; what is left over is a duplicate or was never due. The witness
decides whether work happened, the rows only say what the system believes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from liberty.chaos.facts import Mark, Row, Slot

EXAMPLES = 3  # of each kind of violation are named
CLOCK_TOLERANCE = timedelta(milliseconds=20)  # rows are cut to milliseconds, and two clocks are read


@dataclass(frozen=True, slots=True)
class History:
    """All that is known about one experiment."""

    slots: Sequence[Slot]
    rows: Sequence[Row]
    marks: Sequence[Mark]
    exclusive: frozenset[str] = frozenset()
    """Jobs of which only one run may work at a time."""
    attempts: Mapping[str, int] = field(default_factory=dict)
    """How many tries REST counts, by run id, for the runs that were looked at."""
    ended: bool = True
    """False while runs may still be under way: then nothing that is unfinished is held against anyone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The raw counts, and sentences about what must not be."""

    counts: Mapping[str, int]
    violations: Sequence[str]


def check(history: History) -> Verdict:
    """Count everything and name every kind of violation with a few examples."""
    book = _Book()
    rows = {row.run_id: row for row in history.rows}
    _slots(history, book)
    _rows(history.rows, book, ended=history.ended)
    _work(history, rows, book)
    _overlaps(history, rows, book)
    _attempts(history, book)
    return Verdict(dict(book.counts), book.sentences())


class _Book:
    """Counts, and violations by kind."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._found: dict[str, list[str]] = {}

    def violated(self, kind: str, found: Iterable[str], sentence: str) -> None:
        listed = list(found)
        self.counts[kind] = len(listed)
        if listed:
            shown = ", ".join(listed[:EXAMPLES]) + (", …" if len(listed) > EXAMPLES else "")
            self._found[kind] = [f"{len(listed)} {sentence}: {shown}"]

    def sentences(self) -> list[str]:
        return [sentence for sentences in self._found.values() for sentence in sentences]


def _slots(history: History, book: _Book) -> None:
    """Every slot has its one row, and no row has a slot that was not due."""
    due = set(history.slots)
    met: defaultdict[Slot, list[Row]] = defaultdict(list)
    for row in history.rows:
        if row.trigger == "cron" and row.scheduled_at is not None:
            met[Slot(row.job, row.scheduled_at)].append(row)
    window = _windows(history.slots)
    covered = _covered(history, due, book)
    book.counts["slots"] = len(due)
    mine = [row for slot in due for row in met.get(slot, ())]
    book.counts["rows"] = len(mine)
    book.counts["ran"] = sum(row.status in ("succeeded", "partial-success") for row in mine)
    book.counts["orphaned"] = sum(row.orphaned for row in mine)
    book.counts["failed or aborted"] = sum(
        row.status in ("failed", "aborted") and not row.orphaned for row in mine
    )
    book.counts["missed"] = sum(row.missed for row in mine)
    book.counts["skipped otherwise"] = sum(row.status == "skipped" and not row.missed for row in mine)
    book.violated(
        "unaccounted",
        (_named(slot) for slot in sorted_slots(due - met.keys() - covered.keys())),
        "slots without a row",
    )
    book.violated(
        "duplicate rows",
        (
            f"{_named(slot)} has {', '.join(row.run_id for row in met[slot])}"
            for slot in met
            if len(met[slot]) > 1
        ),
        "slots with more than one row",
    )
    book.violated(
        "accounted for twice",
        (
            f"{_named(slot)} by {met[slot][0].run_id} and {summary.run_id}"
            for slot, summary in covered.items()
            if slot in met and met[slot][0] is not summary
        ),
        "slots have a row of their own and one that stands for many",
    )
    book.violated(
        "left over",
        (
            f"{met[slot][0].run_id} of {_named(slot)}"
            for slot in met
            if slot not in due
            and slot.job in window
            and window[slot.job][0] <= slot.at <= window[slot.job][1]
        ),
        "rows for instants that were never due",
    )
    book.violated(
        "skipped without a reason",
        (row.run_id for row in mine if row.status == "skipped" and not row.reason),
        "skipped rows that give no reason",
    )


def _covered(history: History, due: set[Slot], book: _Book) -> dict[Slot, Row]:
    """The slots that share a row, and whether such a row counted right."""
    shared: dict[Slot, Row] = {}
    miscounted = []
    window = _windows(history.slots)
    for row in history.rows:
        if row.stands_for is None or row.job not in window:
            continue
        count, first, last = row.stands_for
        mine = [slot for slot in due if slot.job == row.job and first <= slot.at <= last]
        shared |= dict.fromkeys(mine, row)
        # Only of a row that lies wholly in the time looked at can be said how many it should stand for.
        if window[row.job][0] <= first and last <= window[row.job][1] and len(mine) != count:
            miscounted.append(f"{row.run_id} says {count}, {len(mine)} were due")
    book.counts["slots that share a row"] = len(shared)
    book.violated("shared rows miscounted", miscounted, "rows that stand for many count them wrongly")
    return shared


def _rows(rows: Sequence[Row], book: _Book, *, ended: bool) -> None:
    """Each row by itself: it has ended, and not before it started."""
    book.violated(
        "unfinished",
        (f"{row.run_id} is {row.status}" for row in rows if not row.final and ended),
        "runs that did not reach an end",
    )
    book.violated(
        "ended before they started",
        (
            row.run_id
            for row in rows
            if row.finished_at and row.started_at and row.finished_at < row.started_at
        ),
        "runs whose end lies before their start",
    )


def _work(history: History, rows: Mapping[str, Row], book: _Book) -> None:
    """What the witness saw against what the rows say."""
    begun: Counter[tuple[str, int]] = Counter()
    runs_of: defaultdict[Slot, set[str]] = defaultdict(set)
    ended: set[str] = set()
    for mark in history.marks:
        if mark.event == "begin":
            begun[mark.run_id, mark.attempt] += 1
            if mark.scheduled_at is not None:
                runs_of[Slot(mark.job, mark.scheduled_at)].add(mark.run_id)
        else:
            ended.add(mark.run_id)
    worked = {run_id for run_id, _ in begun}
    book.counts["witnessed"] = len(worked)
    book.violated(
        "done twice",
        [f"{_named(slot)} by {', '.join(sorted(ids))}" for slot, ids in runs_of.items() if len(ids) > 1]
        + [f"try {attempt} of {run_id}" for (run_id, attempt), times in begun.items() if times > 1],
        "pieces of work begun more than once",
    )
    book.violated("worked without a row", sorted(worked - rows.keys()), "runs that worked and have no row")
    book.violated(
        "skipped but worked",
        sorted(run_id for run_id in worked if run_id in rows and rows[run_id].status == "skipped"),
        "runs that are called skipped and worked",
    )
    witnessed_jobs = {mark.job for mark in history.marks}
    book.violated(
        "succeeded without work",
        (
            row.run_id
            for row in history.rows
            if row.status == "succeeded" and row.job in witnessed_jobs and row.run_id not in ended
        ),
        "runs that are called succeeded and did not reach their last line",
    )


def _overlaps(history: History, rows: Mapping[str, Row], book: _Book) -> None:
    """Runs of a job that may work one at a time, by the witness's clock."""
    spans: defaultdict[str, dict[str, tuple[datetime, datetime | None]]] = defaultdict(dict)
    for mark in history.marks:
        if mark.job not in history.exclusive:
            continue
        first, last = spans[mark.job].get(mark.run_id, (mark.at, None))
        spans[mark.job][mark.run_id] = (min(first, mark.at), mark.at if mark.event == "end" else last)
    found = []
    for of_job in spans.values():
        known = sorted(
            (first, _last(last, rows.get(run_id)), run_id) for run_id, (first, last) in of_job.items()
        )
        for (_, end, earlier), (begin, _, later) in pairwise(known):
            if begin < end - CLOCK_TOLERANCE:
                found.append(f"{earlier} and {later}")
    book.violated("overlaps", found, "pairs of runs that worked at the same time and must not")


def _last(seen: datetime | None, row: Row | None) -> datetime:
    """When a run stopped counting. A process that was given up for dead may still write to the witness."""
    ended = row.finished_at if row is not None else None
    if seen is None:
        return ended or datetime.max.replace(tzinfo=UTC)
    given_up = row is not None and row.status in ("failed", "aborted")
    return min(seen, ended) if given_up and ended is not None else seen


def _attempts(history: History, book: _Book) -> None:
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for mark in history.marks:
        if mark.event == "begin":
            seen[mark.run_id].add(mark.attempt)
    book.counts["tries compared"] = len(history.attempts)
    book.violated(
        "tries miscounted",
        (
            f"{run_id} says {told}, the witness saw {len(seen[run_id])}"
            for run_id, told in history.attempts.items()
            if told != len(seen[run_id])
        ),
        "runs whose tries are counted wrongly",
    )


def sorted_slots(slots: Iterable[Slot]) -> list[Slot]:
    return sorted(slots, key=lambda slot: (slot.at, slot.job))


def _windows(slots: Iterable[Slot]) -> dict[str, tuple[datetime, datetime]]:
    """From the first to the last slot of each job."""
    found: dict[str, tuple[datetime, datetime]] = {}
    for slot in slots:
        first, last = found.get(slot.job, (slot.at, slot.at))
        found[slot.job] = (min(first, slot.at), max(last, slot.at))
    return found


def _named(slot: Slot) -> str:
    return f"{slot.job} at {slot.at:%Y-%m-%dT%H:%M:%SZ}"
