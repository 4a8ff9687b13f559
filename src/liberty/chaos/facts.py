"""What a history is made of: slots that were due, rows the system shows, marks the witness has."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

FINAL = frozenset({"succeeded", "failed", "partial-success", "aborted", "skipped"})
MISSED = "missed: "
ORPHANED = "orphaned: "
_STANDS_FOR = re.compile(r"this row stands for ([\d,]+) instants from (\S+) to (\S+)$")


@dataclass(frozen=True, slots=True)
class Slot:
    """A job was due at an instant."""

    job: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A run as REST shows it."""

    run_id: str
    job: str
    status: str
    reason: str | None
    trigger: str
    scheduled_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    replica: str | None

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def orphaned(self) -> bool:
        return (self.reason or "").startswith(ORPHANED)

    @property
    def missed(self) -> bool:
        return self.status == "skipped" and (self.reason or "").startswith(MISSED)

    @property
    def stands_for(self) -> tuple[int, datetime, datetime] | None:
        """After a long outage one row says for how many instants it stands, from which to which."""
        found = _STANDS_FOR.search(self.reason or "") if self.status == "skipped" else None
        if found is None:
            return None
        return (
            int(found[1].replace(",", "")),
            datetime.fromisoformat(found[2]),
            datetime.fromisoformat(found[3]),
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the witness: a step began or ended, `at` by the machine's clock."""

    event: Literal["begin", "end"]
    job: str
    scheduled_at: datetime | None
    run_id: str
    attempt: int
    pid: int
    at: datetime


def row_of(item: Mapping[str, Any]) -> Row:
    """From the JSON of a run."""
    queued = instant(item["queued_at"])
    if queued is None:
        raise ValueError(f"a run without queued_at: {item}")
    return Row(
        run_id=item["run_id"],
        job=item["job"],
        status=item["status"],
        reason=item["reason"],
        trigger=item["trigger"],
        scheduled_at=instant(item["scheduled_at"]),
        queued_at=queued,
        started_at=instant(item["started_at"]),
        finished_at=instant(item["finished_at"]),
        replica=item["replica"],
    )


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def marks_of(text: str, monotonic_zero: datetime) -> list[Mark]:
    """The lines of a witness file; `monotonic_zero` is the instant at which the machine's monotonic clock was 0.

    Raises ValueError for a line that is none: every line was one write, so there are no halves.
    """
    return [_mark(line, monotonic_zero) for line in text.splitlines()]


def _mark(line: str, zero: datetime) -> Mark:
    event, job, scheduled_at, run_id, attempt, pid, at = json.loads(line)
    return Mark(event, job, instant(scheduled_at), run_id, attempt, pid, zero + timedelta(seconds=at))


def every_second(jobs: Iterable[str], since: datetime, until: datetime) -> Iterator[Slot]:
    """The slots in (since, until] of jobs that are due at each full second; computed without the system's cron."""
    first = since.replace(microsecond=0) + timedelta(seconds=1)
    count = int((until - first).total_seconds()) + 1 if until >= first else 0
    for job in jobs:
        for number in range(count):
            yield Slot(job, first + timedelta(seconds=number))


def every_minute(second_of: Mapping[str, int], since: datetime, until: datetime) -> Iterator[Slot]:
    """The slots in (since, until] of jobs that are due once a minute, each at its second."""
    for job, second in second_of.items():
        at = since.replace(second=second, microsecond=0)
        while at <= until:
            if at > since:
                yield Slot(job, at)
            at += timedelta(minutes=1)
