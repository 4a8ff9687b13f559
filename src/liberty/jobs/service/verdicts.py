"""The sentences of `why`: from what is known about one due instant to one line of text. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from liberty.jobs.engine.planning import GRACE
from liberty.jobs.run import SKIPPED, Run
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.lease import Lease
from liberty.jobs.store.pauses import Pause, first_holding
from liberty.jobs.store.schedules import Mark
from liberty.jobs.triggers import zone

type Verdict = Literal["ran", "ran late", "caught up", "skipped", "missed", "paused", "future", "not due"]

LATE = timedelta(seconds=60)
_AFTERWARDS = {
    "drop": "what falls due is skipped",
    "latest": "then the latest of what fell due runs",
    "all": "then all of what fell due runs",
}
_GAP_WORDS = {
    "scheduler was down": "the scheduler was down",
    "database was away": "the database was away",
    "clock was set forward": "the clock was set forward",
}


@dataclass(frozen=True, slots=True)
class Why:
    """The answer about one instant; `run_id` is the row that was made for it."""

    at: datetime
    verdict: Verdict
    run_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A due instant: of which schedule, by the definition of its time or because it has a row."""

    at: datetime
    schedule: str
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about a span of time of one job."""

    job: str
    timezone: str
    now: datetime
    rows: Sequence[Run]
    summaries: Sequence[Run]
    gaps: Sequence[Gap]
    pauses: Sequence[Pause]
    marks: Sequence[Mark]
    lease: Lease | None

    def row(self, slot: Slot) -> Run | None:
        return next(
            (
                row
                for row in self.rows
                if row.schedule == slot.schedule and row.scheduled_at == slot.at and row.covers_since is None
            ),
            None,
        )

    def summary(self, slot: Slot) -> Run | None:
        return next(
            (
                row
                for row in self.summaries
                if row.schedule == slot.schedule
                and row.covers_since is not None
                and row.scheduled_at is not None
                and row.covers_since <= slot.at <= row.scheduled_at
            ),
            None,
        )

    def clock(self, at: datetime, near: datetime | None = None, *, seconds: bool = False) -> str:
        """On the job's clock: the time alone when the date is that of `near`, else date, time and zone."""
        shown = at.astimezone(zone(self.timezone))
        time = f"{shown:%H:%M:%S}" if seconds or shown.second else f"{shown:%H:%M}"
        if near is not None and near.astimezone(zone(self.timezone)).date() == shown.date():
            return time
        return f"{shown:%Y-%m-%d} {time} {self.timezone}"


def about(slot: Slot, facts: Facts) -> Why:
    """What became of a due instant."""
    start = f"due {facts.clock(slot.at)}"
    if slot.preset is not None:
        start += f" (preset {slot.preset})"
    row = facts.row(slot)
    if row is not None:
        return _of_row(row, slot.at, start, facts)
    summary = facts.summary(slot)
    if summary is not None:
        what: Verdict = "missed" if (summary.reason or "").startswith("missed") else "paused"
        parts = [start, *_downtime(slot.at, facts), f"skipped as one of many in {summary.run_id}"]
        return Why(slot.at, what, summary.run_id, f"{'; '.join(parts)}: {summary.reason}")
    return _without_row(slot, start, facts)


def day(slots: Iterable[Slot], last: Why, facts: Facts) -> Why:
    """The answer about a whole day: its last instant, and how many there were of which kind."""
    counts = Counter(about(slot, facts).verdict for slot in slots)
    total = sum(counts.values())
    kinds = ", ".join(
        f"{count} {'still to come' if verdict == 'future' else verdict}" for verdict, count in counts.items()
    )
    return Why(last.at, last.verdict, last.run_id, f"{last.text}; {total} due that day: {kinds}")


def held_text(pause: Pause, at: datetime, facts: Facts) -> str:
    """By whom, until when, why, and what then."""
    what = "frozen" if pause.job == "*" else "paused"
    until = f" until {facts.clock(pause.end, at)}" if pause.end else " until it is resumed"
    why = f" ({pause.reason})" if pause.reason else ""
    return f"{what} by {pause.author}{until}{why}; {_AFTERWARDS[pause.then]}"


def _of_row(row: Run, at: datetime, start: str, facts: Facts) -> Why:
    reason = f" ({row.reason})" if row.reason else ""
    if row.status == SKIPPED:
        if (row.reason or "").startswith("missed"):
            parts = [start, *_downtime(at, facts), f"skipped as {row.run_id}"]
            return Why(at, "missed", row.run_id, f"{'; '.join(parts)}: {row.reason}")
        pause = first_holding(facts.pauses, facts.job, at)
        if pause is not None and row.reason == pause.skip_reason:
            held = held_text(pause, at, facts)
            return Why(at, "paused", row.run_id, f"{start}; held back: {held}; skipped as {row.run_id}")
        return Why(at, "skipped", row.run_id, f"{start}; skipped as {row.run_id}: {row.reason}")
    when = row.started_at or row.queued_at
    began = facts.clock(when, at, seconds=True)
    if row.caught_up:
        pause = first_holding(facts.pauses, facts.job, at)
        cause = [f"held back: {held_text(pause, at, facts)}"] if pause is not None else _downtime(at, facts)
        parts = [start, *cause, f"caught up at {began} as {row.run_id}, {row.status}{reason}"]
        return Why(at, "caught up", row.run_id, "; ".join(parts))
    if row.started_at is None:
        return Why(at, "ran", row.run_id, f"{start}; {row.run_id} is {row.status}{reason}")
    late = row.started_at - at
    if late > LATE:
        how = f"ran {_length(late)} late at {began}"
        return Why(at, "ran late", row.run_id, f"{start}; {how} as {row.run_id}, {row.status}{reason}")
    return Why(at, "ran", row.run_id, f"{start}; ran at {began} as {row.run_id}, {row.status}{reason}")


def _without_row(slot: Slot, start: str, facts: Facts) -> Why:
    at = slot.at
    pause = first_holding(facts.pauses, facts.job, at)
    if pause is not None and (at > facts.now or (not pause.drops and pause.in_force(facts.now))):
        return Why(at, "paused", None, f"{start}; held back: {held_text(pause, at, facts)}")
    if at > facts.now:
        return Why(at, "future", None, f"{start}; still to come")
    mark = next((mark for mark in facts.marks if mark.schedule == slot.schedule), None)
    if mark is not None and at <= mark.since:
        since = facts.clock(mark.since, at)
        return Why(at, "not due", None, f"{start} as the job is today; it is scheduled so since {since} only")
    lease = facts.lease
    if lease is not None and lease.expires_at <= facts.now:
        down = f"the scheduler is down since {facts.clock(lease.renewed_at, at)}"
        return Why(at, "missed", None, f"{start}; {down}; it is accounted for when a scheduler is up again")
    if facts.now - at <= GRACE:
        return Why(at, "future", None, f"{start}; its run is about to be made")
    return Why(
        at,
        "missed",
        None,
        f"{start}; there is no run for it: no scheduler was up, or the job was not defined so at the time",
    )


def _downtime(at: datetime, facts: Facts) -> list[str]:
    gap = next((gap for gap in facts.gaps if gap.covers(at)), None)
    if gap is None:
        return []
    return [f"{_GAP_WORDS[gap.cause]} {facts.clock(gap.since, at)}–{facts.clock(gap.until, at)}"]


def _length(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
