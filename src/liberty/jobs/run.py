"""Facts about runs: what happened, as the store keeps it and the API serves it. Definitions live in `job.py`."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any, Literal, NamedTuple

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type TriggerKind = Literal["cron", "manual", "api", "cli", "call_job"]


class Status(str):
    """A run or step status: lower case when written, equal to any spelling when compared.

    `CANCELED` and `CANCELLED` read as `aborted`, so plugin code written for either vocabulary works.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Status":
        return _KNOWN.get(text) or super().__new__(cls, _canonical(text))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and str.__eq__(self, _canonical(other)))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)

    @property
    def final(self) -> bool:
        """True when a run in this status is never changed again."""
        return str(self) in _FINAL


_KNOWN: dict[str, Status] = {}
"""The one object of each status, so that most comparisons are of identity."""
_ALIASES = {
    "canceled": "aborted",
    "cancelled": "aborted",
    "canceling": "aborting",
    "cancelling": "aborting",
    "partial_success": "partial-success",
}
_FINAL = frozenset({"succeeded", "failed", "partial-success", "aborted", "skipped"})


def _canonical(text: str) -> str:
    lowered = text.lower()
    return _ALIASES.get(lowered, lowered)


QUEUED = Status("queued")
RUNNING = Status("running")
ABORTING = Status("aborting")
SUCCEEDED = Status("succeeded")
FAILED = Status("failed")
PARTIAL_SUCCESS = Status("partial-success")
ABORTED = Status("aborted")
SKIPPED = Status("skipped")

RUN_STATUSES = (QUEUED, RUNNING, ABORTING, SUCCEEDED, FAILED, PARTIAL_SUCCESS, ABORTED, SKIPPED)
_KNOWN.update({str(status): status for status in RUN_STATUSES})
STEP_STATUSES = (RUNNING, SUCCEEDED, FAILED, SKIPPED, ABORTED)
FINAL = tuple(status for status in RUN_STATUSES if status.final)
IN_FLIGHT = tuple(status for status in RUN_STATUSES if not status.final)

LEGAL_MOVES: dict[Status, tuple[Status, ...]] = {
    QUEUED: (RUNNING, ABORTED, SKIPPED, FAILED),
    RUNNING: (SUCCEEDED, FAILED, PARTIAL_SUCCESS, ABORTING, ABORTED),
    ABORTING: (ABORTED, FAILED),
}
"""The store's UPDATE statements are built from this table, so an illegal move cannot be written.

`queued -> failed` is a run whose definition cannot be loaded any more, `queued -> skipped` one whose job was
removed, `running -> aborted` the job timeout, and `aborting -> failed` the rescue of an orphan.
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why a run exists and who asked for it.

    `by` is `cron`, `user:<name>`, `cli:<os user>` or `job:<name>@<run>`. For a cron fire the database
    refuses a second row of the same job, `schedule` and `scheduled_at`.
    """

    kind: TriggerKind
    by: str
    scheduled_at: datetime | None = None
    schedule: str | None = None
    replay_of: int | None = None
    parent_chain: tuple[tuple[str, str], ...] = ()

    @property
    def triggered_by(self) -> str:
        return self.by

    @property
    def session_user(self) -> str:
        """The plain account name for audit writes, or `cron`, `api`, `cli` when nobody was signed in."""
        if self.by.startswith("user:"):
            return self.by.removeprefix("user:")
        return "cron" if self.kind == "call_job" else self.kind


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the caller of one fire may change. Plain data: nothing in here is ever substituted."""

    params: dict[str, Any] = field(default_factory=dict)
    op_kwargs: dict[str, dict[str, Any]] = field(default_factory=dict)
    step_enabled: dict[str, bool] = field(default_factory=dict)
    log_level: str | None = None
    preset: str | None = None
    from_step: str | None = None


class Gate(NamedTuple):
    """Lets at most `limit` runs that carry the same `key` be in progress, over all replicas."""

    key: str
    limit: int


_OWN_KEY = "own:"


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known about a run before the store gives it a number.

    `exclusive`: refused while another run of the job is in flight. `gates`: it waits, queued, until each of them has
    room; one that is called `job:<name>` keeps runs of a job in a row. `max_queued`: refused while that many runs of
    the job wait. `replaces`: the other runs of the job are stopped for it.
    """

    job: str
    app: str
    trigger: Trigger
    params: dict[str, Any] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)
    definition_version: int | None = None
    exclusive: bool = True
    idempotency_key: str | None = None
    caught_up: bool = False
    covers_since: datetime | None = None
    covers_count: int | None = None
    gates: tuple[Gate, ...] = ()
    backfill: int | None = None
    max_queued: int | None = None
    replaces: bool = False

    def repeatable(self) -> "NewRun":
        """The same with a key of its own, unless it has one: inserting it twice then makes one run."""
        if self.idempotency_key is not None or self.trigger.kind == "cron":
            return self
        # Rising, so that the index of keys grows at its end.
        return replace(self, idempotency_key=f"{_OWN_KEY}{time.time_ns():016x}{token_hex(4)}")

    @property
    def may_exist(self) -> bool:
        """True when an earlier request may have had the same key, so that a look before the insert pays."""
        return self.idempotency_key is not None and not self.idempotency_key.startswith(_OWN_KEY)


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `ly2_job_runs`. Times are aware UTC; `number` is the n of `r-<n>`.

    `caught_up`: it was due while nobody could start it. A summary row stands for all the instants from
    `covers_since` to its `scheduled_at`, `covers_count` of them or more. `code` is the digest of the plugins and
    libraries it ran with, known from its end on.
    """

    number: int
    job: str
    app: str
    status: Status
    reason: str | None
    trigger: TriggerKind
    triggered_by: str
    schedule: str | None
    scheduled_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rows_affected: int | None
    params: dict[str, Any]
    overrides: Overrides
    replay_of: int | None
    definition_version: int | None
    owner: str | None
    epoch: int
    current_step: str | None
    parent_chain: tuple[tuple[str, str], ...]
    abort_requested_by: str | None
    log_lines: int
    log_dropped: int
    caught_up: bool = False
    covers_since: datetime | None = None
    covers_count: int | None = None
    gates: tuple[Gate, ...] = ()
    backfill: int | None = None
    code: str | None = None

    @property
    def run_id(self) -> str:
        return f"r-{self.number}"

    @property
    def duration_ms(self) -> int | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a try failed: exception class, message, and the traceback without the framework's own frames."""

    type: str
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a step."""

    number: int
    status: Status
    started_at: datetime
    finished_at: datetime | None
    error: StepError | None = None
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One row of `ly2_step_runs`. `output` is what later steps and readers see, at most 100 KiB of it stored."""

    index: int
    name: str
    type: str
    status: Status
    reason: str | None
    attempts: tuple[Attempt, ...]
    started_at: datetime | None
    finished_at: datetime | None
    rows_affected: int | None
    input: Json
    output: Json
    error: StepError | None

    @property
    def attempt(self) -> int:
        return len(self.attempts)

    @property
    def extras(self) -> Json:
        """The same as `output`: the name plugin authors know from `StepResult(extras=…)`."""
        return self.output

    @property
    def duration_ms(self) -> int | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class LogLine(NamedTuple):
    """One row of `ly2_job_logs`; `seq` counts 1..n per run without gap."""

    seq: int
    ts: datetime
    level: str
    logger: str
    step: str | None
    message: str


def run_number(run_id: str) -> int | None:
    """The number in `r-1842` (or a bare `1842`); None when the text is no run id."""
    digits = run_id.removeprefix("r-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
