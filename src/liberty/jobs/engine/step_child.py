"""The other end of `step_process`: a fresh interpreter that runs one function of a plugin and tells how it ended.

It runs the very step that runs in the server otherwise; only the lane differs: a plain function has the main thread
for itself, a coroutine function a loop in it. What is logged or printed goes to the server line by line.
"""

import asyncio
import faulthandler
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from queue import SimpleQueue
from types import FrameType
from typing import Any, NoReturn

from liberty.connectors import ConnectorRegistry
from liberty.errors import LibertyError
from liberty.etl.current_run import current_run_id
from liberty.jobs.engine import step_wire
from liberty.jobs.engine.attempt import StepOutcome, attempt_here, failure
from liberty.jobs.engine.capture import capture
from liberty.jobs.engine.run_log import RunLog
from liberty.jobs.engine.scope import Scope, current_scope
from liberty.jobs.marks import CopyMark
from liberty.jobs.run import ABORTED, Json, StepError, StepRun
from liberty.jobs.steps.base import ChildRun, RunContext, StepFailed, StepLog, StepResult
from liberty.jobs.steps.python import PythonStep
from liberty.plugins import PluginSet, importer
from liberty.secrets import redactor
from liberty.settings import Settings
from liberty.toml_files import parse_toml

SERVER_GONE = 70


class Channel:
    """The socket to the server. Any thread may send; a signal for the main thread waits until a line is complete."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._lines = end.makefile("rb")
        self._lock = threading.Lock()
        self._main_is_sending = False
        self._interrupted = False
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self.stopping = False
        self.asked_to_stop = False
        self.on_stop: Callable[[], object] = lambda: None

    def is_stopping(self) -> bool:
        return self.stopping

    def read(self) -> Any:
        """The next line; ends this process when the server is gone."""
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            os.killpg(0, signal.SIGKILL)
        return step_wire.read_line(line)

    def send(self, message: Json) -> None:
        line = step_wire.line_of(message)
        main = threading.current_thread() is threading.main_thread()
        if main:
            self._main_is_sending = True
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            os._exit(SERVER_GONE)
        finally:
            if main:
                self._main_is_sending = False
        if main and self._interrupted:
            self._interrupted = False
            raise asyncio.CancelledError("the run is stopped")

    def listen(self) -> None:
        """Take in what the server says; in a thread of its own, as long as this process lives."""
        while True:
            message = self.read()
            if "stop" in message:
                self.stopping = self.asked_to_stop = True
                self.on_stop()
            elif "previous" in message:
                self._answers.put(message["previous"])

    def ask(self, question: Json) -> Any:
        with _asking:
            self.send(question)
            return self._answers.get()

    def terminate(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """SIGTERM: what the step does ends as if it had been cancelled, wherever it is."""
        self.stopping = True
        if self._main_is_sending:
            self._interrupted = True
            return
        raise asyncio.CancelledError("the run is stopped")


_asking = threading.Lock()


class PipeLog(RunLog):
    """A run's log whose lines go to the server at once. The server keeps the bounds."""

    def __init__(self, channel: Channel, level: str, run_id: str) -> None:
        super().__init__(limit_bytes=0, level=level, run_id=run_id)
        self._channel = channel

    def add(self, created: float, level: str, logger: str, step: str | None, message: str) -> None:
        self._channel.send([created, level, logger, step, redactor.redact(message)])


class Previous(Mapping[str, StepRun]):
    """The records of earlier steps, fetched when they are asked for: one may hold a very long text."""

    def __init__(self, channel: Channel, names: list[str]) -> None:
        self._channel = channel
        self._names = names
        self._known: dict[str, StepRun] = {}

    def __getitem__(self, name: str) -> StepRun:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._channel.ask({"previous": name})
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Host:
    """What the step is lent: its own connectors, made when they are first asked for."""

    def __init__(
        self,
        channel: Channel,
        settings: Settings,
        plugins: PluginSet,
        connectors: Mapping[str, str] | None,
    ) -> None:
        self._channel = channel
        self.settings = settings
        self.plugins = plugins
        self._definition = connectors

    @cached_property
    def connectors(self) -> ConnectorRegistry:
        found = self._definition
        document = (
            parse_toml(found["text"], file=found["file"], environ=self.settings.environ) if found else None
        )
        return ConnectorRegistry.from_document(document, self.settings)

    async def call_sync(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        return function()

    async def call_import(self, ctx: RunContext, function: Callable[[], Any]) -> Any:  # noqa: ARG002 - see Host
        return function()

    async def call_async(self, ctx: RunContext, function: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002 - see Host
        """On a new loop in this thread. Tasks left running there end with the process."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        task = loop.create_task(self._to_its_end(function))
        self._channel.on_stop = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._channel.stopping:
            task.cancel()
        return loop.run_until_complete(task)

    async def _to_its_end(self, function: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await function()
        finally:
            if "connectors" in self.__dict__:
                await self.connectors.close_loop(asyncio.get_running_loop())

    async def call_process(self, ctx: RunContext, callable: str, op_kwargs: Mapping[str, Any]) -> StepResult:  # noqa: A002, ARG002 - see Host
        raise RuntimeError("this is the step's process")

    async def call_job(self, ctx: RunContext, job: str, params: Mapping[str, Any]) -> ChildRun:  # noqa: ARG002 - see Host
        raise LibertyError("a step in a process of its own cannot start jobs")

    async def copy_mark(self, ctx: RunContext) -> CopyMark | None:  # noqa: ARG002 - see Host
        raise LibertyError("a step in a process of its own has no copy marks")

    async def move_copy_mark(self, ctx: RunContext, mark: CopyMark) -> bool:  # noqa: ARG002 - see Host
        raise LibertyError("a step in a process of its own has no copy marks")

    def progressed(self, ctx: RunContext, facts: Mapping[str, Any]) -> None:
        """Nobody hears it; the log tells."""

    async def delete_history(self, *, older_than: timedelta, keep_failed: bool, limit: int) -> int:  # noqa: ARG002 - see Host
        raise LibertyError("a step in a process of its own cannot delete history; leave out isolate")


def main() -> NoReturn:
    """Run what the server asks for, tell the outcome, end."""
    control, lifeline = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for end in (control, lifeline):
        end.set_inheritable(False)
    _die_with_the_server(lifeline)
    faulthandler.enable()
    channel = Channel(control)
    asked, tree = channel.read(), channel.read()
    # At the end, so that a folder the server can import from hides nothing here that it does not hide there.
    sys.path += [entry for entry in asked["path"] if entry not in sys.path]
    threading.Thread(target=channel.listen, name="liberty-server", daemon=True).start()
    signal.signal(signal.SIGTERM, channel.terminate)
    log = PipeLog(channel, asked["log_level"], asked["run_id"])
    capture.install()
    logging.getLogger().setLevel(log.threshold)
    current_scope.set(Scope(log, asked["step_name"]))
    current_run_id.set(asked["run_id"])
    outcome = StepOutcome(ABORTED, error=StepError("CancelledError", "the step cancelled itself"))
    try:
        ctx = _context(asked, step_wire.unpack_tree(tree), channel)
        step = PythonStep(callable=asked["callable"], op_kwargs=asked["op_kwargs"])
        outcome = attempt_here(lambda: _driven(step.execute(ctx)))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        log.finish_lines()
    except asyncio.CancelledError:
        if channel.stopping and not channel.asked_to_stop:
            outcome = failure(StepFailed("the step's process was told to end by signal 15 (SIGTERM)"))
    channel.send({"outcome": _packed(outcome)})
    os._exit(0)  # threads that the step has left running must not keep the process


def _die_with_the_server(lifeline: socket.socket) -> None:
    """Have the kernel kill this process and all it has started when the other end closes, whatever runs here.

    Nobody ever writes to the lifeline, so its only event is that end. Where the kernel cannot do this, the thread
    that reads from the server notices.
    """
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    _kept.append(lifeline)


_kept: list[socket.socket] = []


def _context(asked: Mapping[str, Any], tree: Any, channel: Channel) -> RunContext:
    plugins = PluginSet(asked["generation"], tree)
    if os.path.isdir(tree.root):  # noqa: PTH112 - as the server registers it
        importer.register(tree.root, lambda: plugins.generation)
    return RunContext(
        run_id=asked["run_id"],
        job_id=asked["job_id"],
        trigger=asked["trigger"],
        app=asked["app"],
        step_name=asked["step_name"],
        step_index=asked["step_index"],
        attempt=asked["attempt"],
        log_level=asked["log_level"],
        params=asked["params"],
        explicit=frozenset(asked["explicit"]),
        prev_rows_affected=asked["prev_rows_affected"],
        parent_chain=asked["parent_chain"],
        idempotency_key=asked["idempotency_key"],
        log=StepLog(logging.getLogger(f"liberty.jobs.{asked['job_id']}")),
        previous=Previous(channel, asked["previous"]),
        cancelled=channel.is_stopping,
        host=Host(channel, step_wire.unpack_settings(asked["settings"]), plugins, asked["connectors"]),
    )


def _driven(step: Coroutine[Any, Any, StepResult]) -> StepResult:
    """Run a coroutine that never waits, without a loop, so that the step may have one of its own."""
    try:
        step.send(None)
    except StopIteration as end:
        result: StepResult = end.value
        return result
    raise RuntimeError("the step waits for something this process does not have")


def _packed(outcome: StepOutcome) -> Any:
    try:
        return step_wire.pack(outcome)
    except (TypeError, ValueError) as error:
        return step_wire.pack(failure(StepFailed(f"StepResult.output: {error}")))


if __name__ == "__main__":
    main()
