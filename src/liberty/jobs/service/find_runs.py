"""The runs page: finding, counting and exporting runs, and aborting or replaying many of them."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from liberty.auth.principal import Verb
from liberty.database import Database
from liberty.errors import Invalid, LibertyError
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import FINAL, IN_FLIGHT, RUN_STATUSES, Json, Run, Status, run_number
from liberty.jobs.service import wire
from liberty.jobs.service.caller import Caller, app_of
from liberty.jobs.service.requests import ReplayRequest, RunRequests
from liberty.jobs.store import finding
from liberty.jobs.store.finding import MAX_COUNT, Counts, Found, Wanted
from liberty.jobs.store.listing import MAX_PAGE, RunFilter

MAX_BULK = 500
_AT_ONCE = 8
TRIGGERS = ("cron", "manual", "api", "cli", "call_job")
MAX_TEXT = 200
_COLUMNS = (
    "run_id",
    "job",
    "app",
    "status",
    "reason",
    "trigger",
    "triggered_by",
    "scheduled_at",
    "caught_up",
    "queued_at",
    "started_at",
    "finished_at",
    "duration_ms",
    "rows_affected",
    "params",
    "replay_of",
    "definition_version",
    "replica",
    "backfill",
)
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula, full-width forms included."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a person filters by; every field may be left out."""

    jobs: Sequence[str] = ()
    statuses: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    triggers: Sequence[str] = ()
    user: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run of many: `new_run_id` is the replay; `error` says why nothing was done."""

    run_id: str
    error: LibertyError | None = None
    status: str | None = None
    new_run_id: str | None = None


class RunFinder:
    """History as far as the caller may see it; the limit stands in the statements, not behind them."""

    def __init__(
        self, *, database: Database, requests: RunRequests, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._requests = requests
        self._current = current

    async def page(
        self, query: Query, caller: Caller, *, limit: int, cursor: str | None = None, newer: bool = False
    ) -> Found:
        """A page of runs below `cursor`, or above it with `newer`. Raises Invalid for what it cannot read."""
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit is 1 to {MAX_PAGE}")
        if newer and cursor is None:
            raise Invalid("direction=newer needs a cursor: the `previous_cursor` of a page")
        return await self._database.read(
            finding.find, self._wanted(query, caller, cursor=cursor, newer=newer), limit
        )

    async def counts(self, query: Query, caller: Caller) -> Counts:
        """How many runs of each status fit; the statuses of the query do not matter."""
        return await self._database.read(finding.count, self._wanted(query, caller))

    def csv(self, query: Query, caller: Caller) -> AsyncIterator[str]:
        """Every run that fits, newest first, as CSV by the page. What is wrong with the query is raised here."""
        return self._csv(self._wanted(query, caller))

    async def _csv(self, wanted: Wanted) -> AsyncIterator[str]:
        yield csv_text([_COLUMNS])
        before = wanted.base.before
        while True:
            part = replace(wanted, base=replace(wanted.base, before=before))
            found = await self._database.read(finding.find, part, MAX_PAGE)
            if found.items:
                yield csv_text([_values(run) for run in found.items])
            if found.older is None:
                return
            before = found.older

    async def matching(self, query: Query, caller: Caller, *, final: bool, limit: int) -> list[str]:
        """The newest runs that fit and that the caller may replay (`final`) or abort; at most `limit`."""
        allowed = FINAL if final else IN_FLIGHT
        asked = known_statuses(query.statuses)
        statuses = [str(status) for status in allowed if not asked or status in asked]
        if not statuses:
            return []
        wanted = self._wanted(replace(query, statuses=statuses), caller, verb="run" if final else "abort")
        found: list[str] = []
        while len(found) < limit:
            page = await self._database.read(finding.find, wanted, limit - len(found))
            found += [run.run_id for run in page.items]
            if page.older is None:
                break
            wanted = replace(wanted, base=replace(wanted.base, before=page.older))
        return found

    async def abort_all(self, run_ids: Sequence[str], caller: Caller) -> list[Outcome]:
        """Ask each run to stop."""

        async def abort(run_id: str) -> Outcome:
            run = await self._requests.abort(run_id, caller)
            return Outcome(run_id, status=str(run.status))

        return await _each(run_ids, abort)

    async def replay_all(
        self, run_ids: Sequence[str], request: ReplayRequest, caller: Caller
    ) -> list[Outcome]:
        """Make a new run like each of them, oldest first."""

        async def replay(run_id: str) -> Outcome:
            run = await self._requests.replay(run_id, request, caller)
            return Outcome(run_id, status=str(run.status), new_run_id=run.run_id)

        return await _each(run_ids, replay, at_once=1)

    def _wanted(
        self,
        query: Query,
        caller: Caller,
        *,
        cursor: str | None = None,
        newer: bool = False,
        verb: Verb = "read",
    ) -> Wanted:
        number = None
        if cursor is not None:
            number = run_number(cursor)
            if number is None:
                raise Invalid(f"{cursor!r} is no cursor of this list")
        for trigger in query.triggers:
            if trigger not in TRIGGERS:
                raise Invalid(f"no trigger {trigger!r}; there are {', '.join(TRIGGERS)}")
        for text in (query.user, query.text):
            if text is not None and (len(text) > MAX_TEXT or "\0" in text):
                raise Invalid(f"a text to search for has at most {MAX_TEXT} characters, NUL is none of them")
        base = RunFilter(
            jobs=self._readable(query.jobs, caller, verb),
            statuses=known_statuses(query.statuses),
            since=query.since,
            until=query.until,
            before=None if newer else number,
        )
        return Wanted(
            base,
            tuple(query.triggers),
            query.user or None,
            query.text or None,
            after=number if newer else None,
        )

    def _readable(self, asked: Sequence[str], caller: Caller, verb: Verb) -> tuple[str, ...] | None:
        catalogue = self._current().catalogue
        named = []
        for name in asked:
            found = app_of(catalogue, name)
            named.append(found[0] if found is not None else name)
        if caller.principal.may_every_job(verb):
            return tuple(dict.fromkeys(named)) or None
        known = [
            (job.name, job.app) for jobs in (catalogue.jobs, catalogue.quarantined) for job in jobs.values()
        ]
        visible = caller.principal.visible_jobs(known, verb)
        return tuple(sorted(visible if not named else visible.intersection(named)))


def capped(counts: Counts) -> dict[str, Json]:
    """The counts with a note which of them stop at the limit."""
    return {
        "counts": {status: min(count, MAX_COUNT) for status, count in counts.by_status.items()},
        "more": [status for status, count in counts.by_status.items() if count > MAX_COUNT],
        "looked_to": None if counts.looked_to is None else f"r-{counts.looked_to}",
    }


def known_statuses(statuses: Sequence[str]) -> tuple[Status, ...]:
    """Raises Invalid for one that does not exist."""
    found = tuple(Status(text) for text in statuses)
    for status in found:
        if status not in RUN_STATUSES:
            raise Invalid(f"no status {str(status)!r}; there are {', '.join(RUN_STATUSES)}")
    return found


async def _each(
    run_ids: Sequence[str], act: Callable[[str], Awaitable[Outcome]], *, at_once: int = _AT_ONCE
) -> list[Outcome]:
    async def one(run_id: str) -> Outcome:
        try:
            return await act(run_id)
        except LibertyError as error:
            return Outcome(run_id, error)

    outcomes: list[Outcome] = []
    for some in batched(run_ids, at_once):
        outcomes += await asyncio.gather(*(one(run_id) for run_id in some))
    return outcomes


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Lines of CSV in which no cell is a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    return text.getvalue()


def cell(value: object) -> object:
    """The value as a spreadsheet shows it: a text that would be a formula gets an apostrophe in front."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_STARTS_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _values(run: Run) -> list[object]:
    shown = wire.run(run)
    return [
        json.dumps(shown[name], ensure_ascii=False) if name == "params" else shown[name] for name in _COLUMNS
    ]
