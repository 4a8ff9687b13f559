"""The engine of one process: lanes, runner, dispatcher, heartbeat and rescue, assembled and taken apart in order."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial

from liberty.auth.audit import Actor
from liberty.auth.principal import TEST_PREFIX
from liberty.bus import Bus
from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import LibertyError, OutcomeUnknown
from liberty.jobs.engine.abort_request import request_abort
from liberty.jobs.engine.admission import Asker, admit
from liberty.jobs.engine.capture import capture
from liberty.jobs.engine.child_runs import ChildRuns
from liberty.jobs.engine.courtesy import courtesy
from liberty.jobs.engine.database_watch import DatabaseWatch
from liberty.jobs.engine.dispatcher import LocalDispatcher
from liberty.jobs.engine.execution import Queued
from liberty.jobs.engine.feeder import Feeder
from liberty.jobs.engine.find_again import find_again, with_patience
from liberty.jobs.engine.firing import Basis, Fired, Firing, fire
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.loop_lag import LagMemory
from liberty.jobs.engine.persist import unless_away
from liberty.jobs.engine.presence import Presence
from liberty.jobs.engine.replica import this_process
from liberty.jobs.engine.runner import Runner
from liberty.jobs.engine.stats import EngineStats
from liberty.jobs.engine.watchdog import Watchdog
from liberty.jobs.events import RunMoved
from liberty.jobs.job import Job
from liberty.jobs.run import (
    ABORTING,
    QUEUED,
    NewRun,
    Run,
    Status,
    StepRun,
)
from liberty.jobs.store import owners
from liberty.jobs.store.runs import Enqueued
from liberty.loops import LoopThread, Ticker, running
from liberty.troubles import Troubles

FLUSH_SECONDS = 0.2
WATCH_SECONDS = 1.0
HURRY_SECONDS = 0.5  # what code that was told to stop gets when the process was told twice
IDLE_SECONDS = 3600.0

_log = logging.getLogger("nomaflow")


class Engine:
    """Runs jobs in this process. `start` and `close` are called on the control loop, which serves the API."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bus: Bus,
        generation: Generation,
        role: str,
        version: str,
        troubles: Troubles,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._generation = generation
        self._troubles = troubles
        self._me = this_process(role, version, clock.now())
        self.presence = Presence(database=database, clock=clock, bus=bus, me=self._me, knows=self._knows)
        self._lag = LagMemory(clock)
        self._work = LoopThread("liberty-work")
        self._stack = AsyncExitStack()
        self._runner: Runner | None = None
        self.tells: Callable[[Job, Status], bool] = lambda _job, _status: False
        """Whether somebody may want to be told of a run of this job that ends so. Asked on the work loop."""
        self._dispatcher: LocalDispatcher | None = None
        self._housekeeping: asyncio.Task[None] | None = None

    @property
    def replica(self) -> str:
        return self._me.id

    def _knows(self, number: int) -> bool:
        """Whether a run is in progress here. From any thread."""
        return self._runner is not None and self._runner.knows(number)

    @property
    def waiting(self) -> int:
        """Runs that wait here for a place or their turn."""
        return self._required_dispatcher.waiting

    async def start(self) -> None:
        """Take up work: rescue what dead owners left, resume what was queued, start the lanes."""
        capture.install()
        courtesy.exempt_this_thread()
        self._work.start()
        await self._work.run(self._start_lanes())
        self._start_watchdog()
        await self.presence.begin()
        tickers = [self.presence.ticker]
        if self._me.role != "cli":
            tickers.append(DatabaseWatch(self._database, self._troubles).ticker)
        await self._stack.enter_async_context(running(*tickers))

    async def _start_lanes(self) -> None:
        courtesy.exempt_this_thread()
        settings = self._generation.settings
        self._generation.connectors.home_loop = asyncio.get_running_loop()
        self._runner = Runner(
            database=self._database, clock=self._clock, bus=self._bus, owner=self._me.id, settings=settings
        )
        self._runner.tells = lambda job, status: (
            not job.name.startswith(TEST_PREFIX) and self.tells(job, status)
        )
        self._runner.threads.trouble = partial(self._troubles.note, "threads")
        self._runner.call_child = ChildRuns(self._database, self._clock, self._bus, self._runner)
        self._dispatcher = LocalDispatcher(self._runner, settings.jobs.max_concurrent_runs)
        feeder = Feeder(
            database=self._database,
            clock=self._clock,
            bus=self._bus,
            dispatcher=self._dispatcher,
            current=lambda: self._generation,
            others=lambda: self.presence.others,
        )
        self._dispatcher.has_room = feeder.has_room
        self._housekeeping = asyncio.create_task(self._keep_house(feeder), name="housekeeping")

    def _start_watchdog(self) -> None:
        runner = self._required_runner
        watchdog = Watchdog(
            control=(asyncio.get_running_loop(), threading.get_ident()),
            work=self._work,
            plugin_loop=runner.plugin_loop,
            threads=runner.threads,
            busy=lambda: self._required_dispatcher.has_work or bool(runner.plugin_loop.abandoned),
            plugins_dir=lambda: self._generation.settings.paths.plugins_dir,
            deadman=self._me.role != "cli",
            memory=self._lag,
        )
        watchdog.start()
        self._stack.callback(watchdog.stop)

    async def _keep_house(self, feeder: Feeder) -> None:
        flusher = Ticker("log flush", self._flush, FLUSH_SECONDS)
        watchdog = Ticker("watchdog", unless_away(self._watch), WATCH_SECONDS)
        tickers = [flusher, watchdog]
        if self._me.role != "cli":
            tickers.append(feeder.ticker)

        def resume() -> None:
            flusher.resume()
            watchdog.resume()

        self._required_dispatcher.has_come = resume
        async with running(*tickers):
            await asyncio.Event().wait()

    async def _flush(self) -> float | None:
        await self._required_runner.flush_logs()
        return None if self._required_dispatcher.has_work else IDLE_SECONDS

    async def _watch(self) -> float | None:
        """Stop what was aborted from elsewhere."""
        runner = self._required_runner
        if not self._required_dispatcher.has_work:
            return IDLE_SECONDS
        for number, by in (await self._database.read(owners.aborting, self._me.id)).items():
            runner.stop(number, "abort", f"aborted by {by}")
        self._required_dispatcher.look_again()
        return None

    # -- asking for runs

    def use(self, generation: Generation) -> None:
        """Runs made from now on belong to `generation`; the old one closes when its last run has ended."""
        old, self._generation = self._generation, generation
        self._work.call_soon(self._take_over, old, generation)

    def _take_over(self, old: Generation, new: Generation) -> None:
        new.connectors.home_loop = self._work.loop
        self._required_dispatcher.set_limit(new.settings.jobs.max_concurrent_runs)
        old.retire()

    async def enqueue(
        self,
        new: NewRun,
        job: Job,
        generation: Generation,
        *,
        asker: Asker | None = None,
        held: str | None = None,
        stand_ins: Sequence[StepRun] = (),
    ) -> Enqueued:
        """Insert the run's row and, once it is durable, hand it to the dispatcher, even if the caller has gone away.

        `held` is the reason why a fire may not start now (a pause or freeze); its row is born `skipped`.
        """
        courtesy.want()
        if self._database.loses_answers:
            new = new.repeatable()
        now = self._clock.now()
        dispatcher = self._required_dispatcher
        held = held or self._overflow(generation)
        place = held is None and not new.gates and dispatcher.take_place()

        finding: list[asyncio.Task[Enqueued]] = []

        def leave_place() -> None:
            if place:
                dispatcher.places.give_back()
                self._work.call_soon(dispatcher.pump)

        def begin(done: "asyncio.Future[Enqueued]") -> None:
            error = None if done.cancelled() else done.exception()
            if isinstance(error, OutcomeUnknown):
                finding.append(asyncio.create_task(find_again(self._database, new, owner, now)))
                finding[0].add_done_callback(begin)
                return
            enqueued = None if done.cancelled() or error is not None else done.result()
            if enqueued is None or enqueued.claimed is None:
                leave_place()
            if enqueued is not None:
                self.take_up(enqueued, job, generation, stand_ins)

        owner = self._me.id if place else None
        try:
            writing = self._database.begin_write(admit, new, job.depends_on, asker, held, now, owner)
        except LibertyError:
            leave_place()
            raise
        writing.add_done_callback(begin)
        try:
            return await asyncio.shield(writing)
        except OutcomeUnknown:
            return await with_patience(finding[0])

    async def enqueue_fires(
        self, firings: Sequence[Firing], basis: Basis, generation: Generation, now: datetime
    ) -> Fired:
        """The same for a batch of fires, in one transaction; see `firing.fire`."""
        courtesy.want()

        def begin(fired: Fired) -> None:
            for enqueued, job in fired.made:
                self.take_up(enqueued, job, generation)

        def begin_later(done: "asyncio.Future[Fired]") -> None:
            if not done.cancelled() and done.exception() is None:
                begin(done.result())

        writing = self._database.begin_write(fire, firings, basis, now)
        try:
            fired = await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(begin_later)
            raise
        begin(fired)
        return fired

    def _overflow(self, generation: Generation) -> str | None:
        """Why this replica takes no more runs for now."""
        limit = generation.settings.jobs.max_queued_runs
        return (
            f"queue-full: {limit} runs wait already" if self._required_dispatcher.waiting >= limit else None
        )

    def take_up(
        self, enqueued: Enqueued, job: Job, generation: Generation, stand_ins: Sequence[StepRun] = ()
    ) -> None:
        """A row was made: tell of it, stop what it replaces, and let it wait for its turn here."""
        if not enqueued.created:
            return
        for run in enqueued.stopped:
            self.stopped(run)
        self._bus.publish(RunMoved(enqueued.run))
        if enqueued.run.status == QUEUED:
            self._submit(Queued(enqueued.claimed or enqueued.run, job, generation, tuple(stand_ins)))

    def stopped(self, run: Run) -> None:
        """Somebody wants `run` to stop, and its row says so."""
        self._bus.publish(RunMoved(run))
        if run.status == ABORTING:
            reason = f"aborted by {run.abort_requested_by}"
            self._work.call_soon(self._required_runner.stop, run.number, "abort", reason)
        else:
            self._work.call_soon(self._required_dispatcher.look_again)

    def _submit(self, queued: Queued) -> None:
        self._work.call_soon(self._required_dispatcher.submit, queued)

    async def abort(self, number: int, by: str, actor: Actor, address: str | None = None) -> Run | None:
        """Ask a run to stop; the row after the request, or None when the run is already final or aborting."""
        run = await self._database.write(request_abort, number, by, actor, address, self._clock.now())
        if run is not None:
            self.stopped(run)
        return run

    # -- looking and leaving

    async def stats(self) -> EngineStats:
        return await self._work.run(self._stats())

    async def _stats(self) -> EngineStats:
        runner = self._required_runner
        return EngineStats(
            replica=self._me.id,
            in_flight=runner.in_flight(),
            waiting=self._required_dispatcher.waiting,
            busy_threads=runner.threads.busy,
            abandoned_threads=runner.threads.abandoned,
            abandoned_coroutines=runner.plugin_loop.abandoned,
            left_behind=[*runner.threads.left_behind(), *runner.plugin_loop.left_behind()],
            plugin_loops_retired=len(runner.plugin_loop.retired),
            lag=self._lag.view(),
        )

    async def wait_idle(self) -> None:
        """Return when no run is in flight in this process."""
        await self._work.run(self._required_dispatcher.idle())

    async def drain(self, seconds: float, *, hurry: bool = False) -> None:
        """Take no more work, let runs finish for `seconds`, then stop the rest and wait for their last write.

        In a hurry, code that does not end within `HURRY_SECONDS` of being told to is left behind at once.
        """
        if self._dispatcher is not None:
            await self._work.run(self._drain(seconds, hurry=hurry))

    async def _drain(self, seconds: float, *, hurry: bool) -> None:
        dispatcher, runner = self._required_dispatcher, self._required_runner
        dispatcher.close()
        if runner.active and seconds > 0:
            _log.info("shutting down: waiting up to %g s for %d runs", seconds, len(runner.active))
        if await self._idle_within(seconds):
            return
        runner.stop_all("shutdown", "shutdown")
        if hurry:
            if await self._idle_within(HURRY_SECONDS):
                return
            for execution in runner.active.values():
                execution.hurry()
        grace = self._generation.settings.jobs.abort_grace_seconds + 2
        if not await self._idle_within(grace):
            _log.error("%d runs did not end within %g s of being stopped", len(runner.active), grace)

    async def _idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._required_dispatcher.idle()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop the lanes. Call `drain` first; what still runs is left to the next start's rescue."""
        await self._stack.aclose()
        if self._runner is not None:
            await self.presence.end()
            await self._work.run(self._leave())
            await asyncio.to_thread(self._runner.plugin_loop.stop)
        await asyncio.to_thread(self._work.stop)
        capture.remove()

    async def _leave(self) -> None:
        """On the work loop: close what belongs to the lanes while they still run."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.wait((self._housekeeping,))
        await self._generation.connectors.close()
        plugin_loop = self._required_runner.plugin_loop
        try:
            async with asyncio.timeout(1):
                await plugin_loop.run(self._database.leave_loop())
        except TimeoutError:
            _log.warning("the plugin loop is blocked; its database connections end with the process")
        await self._database.leave_loop()

    @property
    def _required_runner(self) -> Runner:
        if self._runner is None:
            raise LibertyError("the engine has not been started")
        return self._runner

    @property
    def _required_dispatcher(self) -> LocalDispatcher:
        if self._dispatcher is None:
            raise LibertyError("the engine has not been started")
        return self._dispatcher
