"""Runs one python step in a process of its own, which an abort can kill whatever the code in it does.

A thread per process starts it, reads what it says and reaps it; the work loop only waits for the outcome. The process
leads a group of its own, and when it has ended the rest of the group is killed: nothing a step started outlives it.
"""

import asyncio
import codecs
import contextvars
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from liberty.jobs.engine import step_wire
from liberty.jobs.engine.attempt import StepEnded, StepOutcome, failure
from liberty.jobs.engine.scope import Scope, current_scope
from liberty.jobs.run import SUCCEEDED, Json
from liberty.jobs.steps.base import RunContext, StepFailed, StepResult
from liberty.plugins import PluginSet
from liberty.secrets import redactor

ASK_SECONDS = 1.0  # for code that looks at `ctx.is_cancelled()` or awaits, before it is told by a signal
KILL_SECONDS = 3.0  # after the request to stop, for `finally` blocks and open transactions, before SIGKILL
REAP_SECONDS = 2.0
LEAVE_SECONDS = 2.0  # for the process to end by itself once its outcome is known
MESSAGE_BYTES = 64 * 1024 * 1024  # the largest result
LOOK_SECONDS = 0.5  # how often to look whether a process that says nothing still lives

_CHUNK = 256 * 1024
_PRINTED = frozenset({"stdout", "stderr"})

_log = logging.getLogger("nomaflow.process")

type _Stream = tuple[str, codecs.IncrementalDecoder]


async def call(ctx: RunContext, callable_: str, op_kwargs: Mapping[str, Any], grace: float) -> StepResult:
    """Run the function in a new process. Raises StepEnded with the outcome unless it succeeded.

    On cancel the process is asked to stop, then told by SIGTERM, then killed with everything it started; this
    returns when it is gone.
    """
    scope = current_scope.get()
    if scope is None:
        raise RuntimeError("a step's process needs the log of a run")
    supervisor = _Supervisor(ctx, scope, _request(ctx, callable_, op_kwargs))
    supervisor.start()
    try:
        outcome = await asyncio.shield(supervisor.done)
    except asyncio.CancelledError:
        await supervisor.end(grace)
        raise
    if outcome.status == SUCCEEDED and outcome.result is not None:
        return outcome.result
    raise StepEnded(outcome)


def _request(ctx: RunContext, callable_: str, op_kwargs: Mapping[str, Any]) -> bytes:
    host = ctx.host
    source = host.connectors.source
    known: dict[str, Json] = {
        "callable": callable_,
        "op_kwargs": step_wire.pack(op_kwargs),
        "run_id": ctx.run_id,
        "job_id": ctx.job_id,
        "trigger": step_wire.pack(ctx.trigger),
        "app": ctx.app,
        "step_name": ctx.step_name,
        "step_index": ctx.step_index,
        "attempt": ctx.attempt,
        "log_level": ctx.log_level,
        "params": step_wire.pack(ctx.params),
        "explicit": list[Json](sorted(ctx.explicit)),
        "prev_rows_affected": ctx.prev_rows_affected,
        "parent_chain": step_wire.pack(ctx.parent_chain),
        "idempotency_key": ctx.idempotency_key,
        "previous": list[Json](ctx.previous),
        "settings": step_wire.pack_settings(host.settings),
        "connectors": None if source is None else {"file": source.file, "text": source.text},
        "generation": host.plugins.number,
        "path": list[Json](sys.path),
    }
    return step_wire.line_of(known) + _tree_of(host.plugins)


_trees: WeakKeyDictionary[PluginSet, bytes] = WeakKeyDictionary()


def _tree_of(plugins: PluginSet) -> bytes:
    line = _trees.get(plugins)
    if line is None:
        line = _trees[plugins] = step_wire.line_of(step_wire.pack_tree(plugins.tree))
    return line


class _Supervisor:
    """One process: `done` gets its outcome on the loop that made this."""

    def __init__(self, ctx: RunContext, scope: Scope, request: bytes) -> None:
        self._ctx = ctx
        self._scope = scope
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._socket: socket.socket | None = None
        self._group: int | None = None
        self._signalled: int | None = None
        self._outcome: StepOutcome | None = None
        self.done: asyncio.Future[StepOutcome] = self._loop.create_future()

    def start(self) -> None:
        context = contextvars.copy_context()
        name = f"liberty-process-{self._ctx.run_id}"
        threading.Thread(target=context.run, args=(self._main,), name=name, daemon=True).start()

    # -- on the loop

    async def end(self, grace: float) -> None:
        """Make the process end, the hard way if need be."""
        ask = min(ASK_SECONDS, grace)
        if self._ask_to_stop() and await self._ended_within(ask):
            return
        self._signal(signal.SIGTERM)
        if await self._ended_within(max(0.0, min(KILL_SECONDS, grace) - ask)):
            return
        self._signal(signal.SIGKILL)
        if not await self._ended_within(REAP_SECONDS):
            _log.error(
                "run=%s step=%r: its process %s does not end although it was killed",
                self._ctx.run_id,
                self._ctx.step_name,
                self._group,
            )

    async def _ended_within(self, seconds: float) -> bool:
        with suppress(asyncio.CancelledError):  # a second reason to stop: go on to the next, harder, way
            await asyncio.wait((self.done,), timeout=seconds)
        return self.done.done()

    def _ask_to_stop(self) -> bool:
        """False when the process could not be asked at this moment; never waits."""
        if not self._sending.acquire(blocking=False):
            return False
        try:
            line = step_wire.line_of({"stop": True})
            with self._lock:
                return self._socket is not None and self._socket.send(line, socket.MSG_DONTWAIT) == len(line)
        except OSError:
            return False
        finally:
            self._sending.release()

    def _signal(self, number: int) -> None:
        with self._lock:
            self._signalled = number
            if self._group is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._group, number)

    # -- in the thread

    def _main(self) -> None:
        outcome = failure(StepFailed("defect: the step's process could not be looked after"))
        try:
            outcome = self._supervise()
        except (
            OSError,
            ValueError,
        ) as error:  # no process to be had, or one that does not say what it should
            outcome = failure(error)
        finally:
            with suppress(RuntimeError):  # the server is going down
                self._loop.call_soon_threadsafe(self._deliver, outcome)

    def _deliver(self, outcome: StepOutcome) -> None:
        if not self.done.done():
            self.done.set_result(outcome)

    def _supervise(self) -> StepOutcome:
        with ExitStack() as stack:
            ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
            # Held until the end of this process, however it comes; the child's end of it then kills the child.
            _lifeline, their_lifeline = (stack.enter_context(end) for end in socket.socketpair())
            handed = (theirs.fileno(), their_lifeline.fileno())
            process = stack.enter_context(_start(handed))
            theirs.close()
            their_lifeline.close()
            with self._lock:
                self._socket = ours
                self._group = process.pid
                signalled = self._signalled
            try:
                if signalled is not None:
                    self._signal(signalled)
                with suppress(OSError):  # it has ended already; how is seen below
                    self._send(ours, self._request)
                self._listen(ours, process)
            finally:
                self._make_end(process)
        if self._outcome is None:
            return failure(StepFailed(_obituary(process.returncode)))
        error = self._outcome.error
        if error is not None:
            trace = error.traceback and redactor.redact(error.traceback)
            error = replace(error, message=redactor.redact(error.message), traceback=trace)
        return replace(self._outcome, error=error)

    def _send(self, ours: socket.socket, line: bytes) -> None:
        with self._sending:
            ours.sendall(line)

    def _listen(self, ours: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        """Take in what the process says until it has ended or has told its outcome and let go."""
        waiting = bytearray()
        silent = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(ours, selectors.EVENT_READ, None)
            for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
                assert pipe is not None  # noqa: S101 - both were asked for
                decoder = codecs.getincrementaldecoder("utf-8")("replace")
                selector.register(pipe, selectors.EVENT_READ, (name, decoder))
            talks = True
            while talks and silent < LEAVE_SECONDS:
                events = selector.select(LOOK_SECONDS)
                if not events:
                    talks = not _has_ended(process.pid)
                    silent = silent + LOOK_SECONDS if self._outcome is not None else 0.0
                for key, _ in events:
                    if key.data is not None:
                        if not self._printed(key.fd, key.data):
                            selector.unregister(key.fileobj)
                    elif not self._heard(ours, waiting):
                        talks = False
            self._make_end(process)
            for key in list(selector.get_map().values()):
                if key.data is not None:
                    os.set_blocking(key.fd, False)
                    while self._printed(key.fd, key.data):
                        pass

    def _printed(self, fd: int, stream: _Stream) -> bool:
        """What code below Python, or a program the step started, wrote; False at its end."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        name, decoder = stream
        self._scope.log.write("INFO", name, self._scope.step, decoder.decode(data, final=not data))
        return bool(data)

    def _heard(self, ours: socket.socket, waiting: bytearray) -> bool:
        try:
            data = ours.recv(_CHUNK)
        except OSError:
            return False
        if not data:
            return False
        seen = len(waiting)
        waiting += data
        if waiting.find(b"\n", seen) >= 0:
            *lines, rest = waiting.split(b"\n")
            waiting[:] = rest
            for line in lines:
                self._understand(ours, bytes(line))
        elif len(waiting) > MESSAGE_BYTES:
            limit = f"{MESSAGE_BYTES // 1024 // 1024} MiB"
            text = f"the step's result is larger than {limit}; store it and return where it is"
            self._outcome = failure(StepFailed(text))
            return False
        return True

    def _understand(self, ours: socket.socket, line: bytes) -> None:
        if line.startswith(b"["):
            self._log(*step_wire.read_log(line))
            return
        message = step_wire.read_line(line)
        if "previous" in message:
            found = step_wire.pack(self._ctx.previous.get(message["previous"]), str)
            with suppress(OSError):  # it has ended meanwhile
                self._send(ours, step_wire.line_of({"previous": found}))
        elif isinstance(message.get("outcome"), StepOutcome):
            self._outcome = message["outcome"]

    def _log(self, created: float, level: str, logger: str, step: str | None, text: str) -> None:
        """As if it had been logged here, so that the log of the run and that of the server both have it."""
        if logger in _PRINTED or self._scope.log.past_limit:
            self._scope.log.add(created, level, logger, step, text)
            return
        record = logging.makeLogRecord(
            {
                "name": logger,
                "levelname": level,
                "levelno": logging.getLevelNamesMapping().get(level, logging.INFO),
                "msg": text,
                "args": None,
                "created": created,
                "msecs": created % 1 * 1000,
            }
        )
        logging.getLogger(logger).handle(record)

    def _make_end(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for the process, killing it when it stays; then kill what is left of its group.

        Its number is taken until it is reaped, so the group cannot be somebody else's.
        """
        if process.returncode is not None:
            return
        if not _ends_within(process.pid, LEAVE_SECONDS if self._outcome is not None else 0.0):
            self._signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            self._group = self._socket = None
            process.wait()


def _start(handed: tuple[int, int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - this program itself
        # -P: a file called like a module in the current folder is not to be imported.
        [sys.executable, "-P", "-m", "liberty.jobs.engine.step_child", *map(str, handed)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=handed,
        start_new_session=True,
    )


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _ends_within(pid: int, seconds: float) -> bool:
    pause = threading.Event()
    waited = 0.0
    while not _has_ended(pid):
        if waited >= seconds:
            return False
        pause.wait(0.005)
        waited += 0.005
    return True


def _obituary(code: int) -> str:
    if code >= 0:
        return f"the step's process ended with exit code {code} before the function returned"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    why = "out of memory?" if -code == signal.SIGKILL else name
    return f"the step's process was killed by signal {-code} ({why})"
