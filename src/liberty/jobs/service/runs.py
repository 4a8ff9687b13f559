"""Reading runs: pages, one run with its steps, its log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from liberty.database import Database, Tx
from liberty.errors import Invalid, NotFound
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import RUN_STATUSES, LogLine, Run, Status, StepRun, run_number
from liberty.jobs.service.caller import Caller
from liberty.jobs.store import listing, logs, runs, step_runs
from liberty.jobs.store.listing import MAX_PAGE, RunFilter

LATEST_LINES = 1000


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first; `next_cursor` leads on to older ones."""

    items: list[Run]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its steps and the end of its log."""

    run: Run
    steps: list[StepRun]
    lines: list[LogLine]


class RunReader:
    """History, as far as the caller may see it."""

    def __init__(self, *, database: Database, current: Callable[[], Generation]) -> None:
        self._database = database
        self._current = current

    async def page(
        self,
        caller: Caller,
        *,
        jobs: Sequence[str] = (),
        statuses: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """Runs of the jobs the caller may read. Raises Invalid for an unknown status, limit or cursor."""
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit is 1 to {MAX_PAGE}")
        before = None
        if cursor is not None:
            before = run_number(cursor)
            if before is None:
                raise Invalid(f"{cursor!r} is no cursor of this list")
        wanted = RunFilter(
            jobs=self._readable(caller, jobs),
            statuses=_known(statuses),
            since=since,
            until=until,
            before=before,
        )
        found = await self._database.read(listing.page, wanted, limit + 1)
        items = found[:limit]
        return RunPage(items, items[-1].run_id if len(found) > limit else None)

    async def get(self, run_id: str, caller: Caller) -> Run:
        """One run. Raises NotFound."""
        number = run_number(run_id)
        run = await self._database.read(runs.get, number) if number is not None else None
        return caller.run(run, run_id, "read")

    async def detail(self, run_id: str, caller: Caller) -> RunDetail:
        """One run with its steps and its last 1,000 lines. Raises NotFound."""
        number = run_number(run_id)
        found = await self._database.read(_detail, number) if number is not None else None
        caller.run(found.run if found is not None else None, run_id, "read")
        if found is None:
            raise NotFound(f"no run {run_id!r}")
        return found

    async def log_lines(
        self, number: int, after: int, *, limit: int = LATEST_LINES, level: str | None = None
    ) -> list[LogLine]:
        """Lines numbered above `after`. The caller's right to the run has been checked by `get`."""
        return await self._database.read(logs.after, number, after, limit=limit, level=level)

    def _readable(self, caller: Caller, asked: Sequence[str]) -> tuple[str, ...] | None:
        if caller.principal.may_every_job("read"):
            return tuple(asked) or None
        catalogue = self._current().catalogue
        known = [
            (job.name, job.app) for jobs in (catalogue.jobs, catalogue.quarantined) for job in jobs.values()
        ]
        visible = caller.visible(known)
        return tuple(sorted(visible if not asked else visible.intersection(asked)))


async def _detail(tx: Tx, number: int) -> RunDetail | None:
    """The run is read first: when it shows as ended, its last steps and lines are there as well."""
    run = await runs.get(tx, number)
    if run is None:
        return None
    return RunDetail(
        run, await step_runs.of_run(tx, number), await logs.latest(tx, number, limit=LATEST_LINES)
    )


def _known(statuses: Sequence[str]) -> tuple[Status, ...]:
    found = tuple(Status(text) for text in statuses)
    for status in found:
        if status not in RUN_STATUSES:
            raise Invalid(f"no status {str(status)!r}; there are {', '.join(RUN_STATUSES)}")
    return found
