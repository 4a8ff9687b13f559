"""Jobs and runs without a server: the engine inside of this process, on the same files and the same history."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from liberty.auth.principal import Principal
from liberty.cli.os_user import os_user
from liberty.cli.process_log import prepare_process_log
from liberty.errors import Unavailable
from liberty.jobs.run import Overrides, Run
from liberty.jobs.service import Caller, ReplayRequest, wire, wire_definitions
from liberty.jobs.service.backfill import Backfills, Order
from liberty.jobs.service.caller import app_of
from liberty.jobs.service.definitions import Definitions, Save
from liberty.jobs.service.drafts import Drafts
from liberty.jobs.service.explain import Explainer
from liberty.jobs.service.follow import Batch, LogFollower
from liberty.jobs.service.instants import parse_instant
from liberty.jobs.service.jobs import JobReader
from liberty.jobs.service.marks import Marks
from liberty.jobs.service.operate import Operations, Then
from liberty.jobs.service.plan import Planner
from liberty.jobs.service.schedule import ScheduleReader
from liberty.jobs.service.versions import Versions
from liberty.notify.service import Incidents
from liberty.runtime import Runtime
from liberty.settings import Settings

type Document = dict[str, Any]


class LocalBackend:
    """A runtime of its own, opened at the first question; each question runs the loop until it is answered."""

    in_process = True

    def __init__(self, load: Callable[[], Settings]) -> None:
        self._load = load
        self._loop = asyncio.Runner()
        self._opened: Runtime | None = None
        self._terminated = signal.signal(signal.SIGTERM, _as_interrupt)
        user = os_user()
        self._me = Caller(Principal(user, superuser=True, kind="cli"), "cli", os_user=user)

    @property
    def _runtime(self) -> Runtime:
        if self._opened is None:
            prepare_process_log()
            self._opened = self._do(Runtime.open(self._load, role="cli"))
        return self._opened

    def _do[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def close(self) -> None:
        try:
            if self._opened is not None:
                self._do(self._opened.close())
        finally:
            self._loop.close()
            signal.signal(signal.SIGTERM, self._terminated)

    # -- looking

    def jobs(self) -> list[Document]:
        return [wire.job(view) for view in self._do(self._reader().views(self._me))]

    def job(self, name: str) -> Document:
        return wire.job_detail(self._do(self._reader().detail(name, self._me)))

    def _reader(self) -> JobReader:
        runtime = self._planned
        return JobReader(
            database=runtime.database,
            scheduler=runtime.scheduler,
            current=lambda: runtime.generation,
        )

    @property
    def _planned(self) -> Runtime:
        """The runtime with a scheduler that knows the schedules and pauses. It is asked only; nothing ticks here."""
        runtime = self._runtime
        self._do(runtime.scheduler.use(runtime.generation))
        return runtime

    def runs(self, *, job: str | None, statuses: Sequence[str], limit: int) -> list[Document]:
        runtime = self._runtime
        jobs = () if job is None else (self._known_spelling(job),)
        page = self._do(runtime.reader.page(self._me, jobs=jobs, statuses=statuses, limit=limit))
        return [wire.run(run) for run in page.items]

    def _known_spelling(self, job: str) -> str:
        """The job's name as its definition writes it; a job that is gone is found by its exact name."""
        found = app_of(self._runtime.generation.catalogue, job)
        return job if found is None else found[0]

    def run(self, run_id: str) -> Document:
        return wire.run_detail(self._do(self._runtime.reader.detail(run_id, self._me)))

    def log(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        runtime = self._runtime
        number = self._do(runtime.reader.get(run_id, self._me)).number
        while lines := self._do(runtime.reader.log_lines(number, since, level=level)):
            since = lines[-1].seq
            yield from map(wire.line, lines)

    def follow(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        runtime = self._runtime
        run = self._do(runtime.reader.get(run_id, self._me))
        follower = LogFollower(runtime.reader, runtime.bus)
        batches = follower.follow(run, self._me, after=since, level=level)

        async def next_batch() -> Batch | None:
            return await anext(batches, None)

        while (batch := self._do(next_batch())) is not None:
            yield from map(wire.line, batch.lines)

    def schedule(self, since: str, until: str) -> Document:
        runtime = self._planned
        reader = ScheduleReader(
            database=runtime.database,
            clock=runtime.clock,
            scheduler=runtime.scheduler,
            current=lambda: runtime.generation,
        )
        span = (parse_instant(since, "from"), parse_instant(until, "to"))
        calendar = self._do(reader.calendar(self._me, since=span[0], until=span[1]))
        found: Document = wire.calendar(calendar)
        return found

    def why(self, name: str, at: str | None) -> Document:
        runtime = self._planned
        explainer = Explainer(
            database=runtime.database,
            clock=runtime.clock,
            scheduler=runtime.scheduler,
            current=lambda: runtime.generation,
        )
        return wire.why(self._do(explainer.why(name, at, self._me)))

    # -- doing

    def start(self, name: str, body: Mapping[str, Any], idempotency_key: str | None) -> Document:
        asked = self._runtime.requests.start(
            name, Overrides(**body), self._me, idempotency_key=idempotency_key
        )
        return _accepted(self._do(asked))

    def replay(self, run_id: str, body: Mapping[str, Any]) -> Document:
        changes = {key: value for key, value in body.items() if key not in ("definition", "from_step")}
        request = ReplayRequest(
            body.get("definition", "current"), body.get("from_step"), Overrides(**changes)
        )
        run = self._do(self._runtime.requests.replay(run_id, request, self._me))
        return {**_accepted(run), "replay_of": wire.run(run)["replay_of"]}

    def abort(self, run_id: str) -> Document:
        return wire.run(self._do(self._runtime.requests.abort(run_id, self._me)))

    def set_enabled(self, name: str, *, enabled: bool) -> Document:
        return self._listed(self._do(self._operations.set_enabled(name, self._me, enabled=enabled)))

    def pause(self, name: str, *, until: str | None, reason: str | None, then: Then = "drop") -> Document:
        end = None if until is None else parse_instant(until, "until")
        paused = self._operations.pause(name, self._me, until=end, reason=reason, then=then)
        return self._listed(self._do(paused))

    def resume(self, name: str) -> Document:
        return self._listed(self._do(self._operations.resume(name, self._me)))

    def _listed(self, name: str) -> Document:
        return wire.job(self._do(self._reader().detail(name, self._me)).view)

    @property
    def _operations(self) -> Operations:
        runtime = self._planned
        return Operations(
            database=runtime.database,
            clock=runtime.clock,
            scheduler=runtime.scheduler,
            current=lambda: runtime.generation,
            reload=runtime.reload,
        )

    def backfill(self, name: str, body: Mapping[str, Any]) -> Document:
        span = (parse_instant(body["from"], "from"), parse_instant(body["to"], "to", end_of_day=True))
        order = Order(body["only_missing"], body["newest_first"], body["max_concurrent"])
        made = self._backfills.start(name, self._me, since=span[0], until=span[1], order=order)
        return wire.backfill(self._do(made))

    def backfills(self, name: str) -> list[Document]:
        found = self._do(self._backfills.all_of(name, self._me))
        return [wire.backfill_state(row, counts) for row, counts in found]

    def cancel_backfill(self, name: str, number: int) -> Document:
        return wire.backfill_state(self._do(self._backfills.cancel(name, number, self._me)), None)

    @property
    def _backfills(self) -> Backfills:
        runtime = self._runtime
        return Backfills(
            database=runtime.database,
            clock=runtime.clock,
            engine=runtime.engine,
            current=lambda: runtime.generation,
        )

    def plan(self, name: str, preset: str | None) -> Document:
        runtime = self._runtime
        planner = Planner(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)
        return wire.plan(self._do(planner.plan(name, self._me, preset=preset)))

    def marks(self, name: str) -> list[Document]:
        return [wire.mark(mark) for mark in self._do(self._marks.of_job(name, self._me))]

    def reset_mark(self, name: str, step: str, value: str | None) -> Document:
        return wire.mark(self._do(self._marks.reset(name, step, self._me, value=value)))

    @property
    def _marks(self) -> Marks:
        runtime = self._runtime
        return Marks(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)

    # -- definitions

    def definition(self, name: str) -> Document:
        return wire_definitions.definition(self._do(self._definitions.view(name, self._me)))

    def save_definition(self, name: str, toml: str, revision: str) -> Document:
        saved = self._definitions.save(name, self._me, Save(revision, toml=toml))
        return wire_definitions.definition(self._do(saved))

    def delete_job(self, name: str) -> Document:
        return wire_definitions.gone(self._do(self._definitions.delete(name, self._me)))

    def rename(self, name: str, to: str) -> Document:
        return wire_definitions.definition(self._do(self._definitions.rename(name, self._me, to)))

    def duplicate(self, name: str, to: str) -> Document:
        return wire_definitions.definition(self._do(self._definitions.duplicate(name, self._me, to)))

    def versions(self, name: str) -> list[Document]:
        return [
            wire_definitions.version(item) for item in self._do(self._versions.page(name, self._me)).items
        ]

    def diff(self, name: str, old: int | None, new: int | None) -> Document:
        return wire_definitions.diff(self._do(self._versions.diff(name, self._me, old=old, new=new)))

    def restore(self, name: str, version: int) -> Document:
        return wire_definitions.definition(self._do(self._versions.restore(name, version, self._me)))

    @property
    def _definitions(self) -> Definitions:
        runtime = self._planned
        return Definitions(
            database=runtime.database,
            clock=runtime.clock,
            scheduler=runtime.scheduler,
            current=lambda: runtime.generation,
            reload=runtime.reload,
            drafts=Drafts(clock=runtime.clock, current=lambda: runtime.generation),
        )

    @property
    def _versions(self) -> Versions:
        runtime, definitions = self._runtime, self._definitions
        return Versions(
            database=runtime.database, current=lambda: runtime.generation, definitions=definitions
        )

    def channels(self) -> Document:
        return self._do(self._incidents.channels())

    def test_channel(self, channel: str, address: str | None) -> Document:
        return self._do(self._incidents.test(f"{channel}:{address}" if address else channel, self._me))

    def incidents(self, *, state: str | None, job: str | None, limit: int) -> list[Document]:
        found = self._incidents.page(self._me, job=job, state=state, cursor=None, limit=limit)
        items: list[Document] = self._do(found)["items"]
        return items

    def deliveries(self, *, state: str | None, channel: str | None, limit: int) -> list[Document]:
        found = self._incidents.deliveries(state=state, channel=channel, cursor=None, limit=limit)
        items: list[Document] = self._do(found)["items"]
        return items

    @property
    def _incidents(self) -> Incidents:
        runtime = self._runtime
        return Incidents(
            database=runtime.database,
            clock=runtime.clock,
            notifier=runtime.notifier,
            current=lambda: runtime.generation,
        )

    def reload(self) -> Document:
        raise Unavailable(
            "no server runs here, so there is nothing to reload: each command reads the files anew"
        )

    def reload_plugin(self, name: str) -> Document:
        raise Unavailable(
            f"no server runs here, so plugin {name!r} need not be reloaded: each command imports the files anew"
        )


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    """Being terminated is to a run of this process what Ctrl-C is: it is aborted, not lost."""
    signal.raise_signal(signal.SIGINT)


def _accepted(run: Run) -> Document:
    return {"run_id": run.run_id, "job": run.job, "status": str(run.status)}
