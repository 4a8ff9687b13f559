"""Sends what a step logs or prints to its run's log: a handler on the root logger, a proxy for stdout and stderr.

Both look at the context variable of the running task or thread, so a line can only land in the run that wrote it.
Threads that a step starts inherit the variable.
"""

import contextvars
import io
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

from liberty.jobs.engine import lean_record
from liberty.jobs.engine.run_log import LATE, message_of
from liberty.jobs.engine.scope import current_scope

_UNCHANGING = frozenset({str, int, float, bool, type(None)})
_formatter = logging.Formatter()
_CANONICAL = {"CRITICAL": "ERROR", "FATAL": "ERROR", "WARN": "WARNING", "NOTSET": "DEBUG"}
_STANDARD = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})


class CaptureHandler(logging.Handler):
    """Copies records made inside a run to its log."""

    def handle(self, record: logging.LogRecord) -> bool:
        scope = current_scope.get()
        if scope is None or record.levelno < scope.log.threshold or record.name == LATE:
            return False
        if scope.log.past_limit and _can_wait(record):
            scope.log.add_record(record, scope.step)
            return True
        message = message_of(record)
        if record.exc_info:
            message = f"{message}\n{_formatter.formatException(record.exc_info)}"
        level = record.levelname
        if level not in _STANDARD:
            level = _CANONICAL.get(level) or _nearest(record.levelno)
        scope.log.add(record.created, level, record.name, scope.step, message)
        return True


def _can_wait(record: logging.LogRecord) -> bool:
    """Whether the record reads the same when it is formatted later: nothing in it can change meanwhile."""
    if record.exc_info or type(record.msg) is not str or record.levelname not in _STANDARD:
        return False
    arguments = record.args or ()
    if type(arguments) is not tuple:
        return False
    for argument in arguments:  # noqa: SIM110 - all() costs twice as much, for every line of a flood
        if type(argument) not in _UNCHANGING:
            return False
    return True


def _nearest(levelno: int) -> str:
    if levelno >= logging.ERROR:
        return "ERROR"
    if levelno >= logging.WARNING:
        return "WARNING"
    return "INFO" if levelno >= logging.INFO else "DEBUG"


class CapturedStream(io.TextIOBase):
    """Stands in for stdout or stderr: whole lines printed inside a run become log lines, the rest passes through."""

    def __init__(self, original: TextIO, logger: str, level: str) -> None:
        self._original = original
        self._logger = logger
        self._level = level

    def write(self, text: str) -> int:
        scope = current_scope.get()
        if scope is None:
            return self._original.write(text)
        scope.log.write(self._level, self._logger, scope.step, text)
        return len(text)

    def flush(self) -> None:
        scope = current_scope.get()
        if scope is None:
            self._original.flush()

    def close(self) -> None:
        """The original stream belongs to whoever made it, and may be gone by now."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._original.isatty()

    def fileno(self) -> int:
        return self._original.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase declares a plain attribute
        return self._original.encoding

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class Capture:
    """Installs capture for the life of the process; `install` and `remove` may be called more than once."""

    def __init__(self) -> None:
        self._handler = CaptureHandler(level=logging.DEBUG)
        self._installed = 0
        self._debug_runs = 0
        self._quiet_level = logging.INFO
        self._lock = threading.Lock()

    def install(self) -> None:
        with self._lock:
            self._installed += 1
            if self._installed > 1:
                return
            logging.getLogger().addHandler(self._handler)
            lean_record.install()
            sys.stdout = CapturedStream(sys.stdout, "stdout", "INFO")
            sys.stderr = CapturedStream(sys.stderr, "stderr", "INFO")
            threading.Thread.start = _start_in_context  # type: ignore[method-assign,assignment]  # 3.14 can do this by a flag
            ThreadPoolExecutor.submit = _submit_in_context  # type: ignore[method-assign,assignment]  # pools do not by themselves

    def remove(self) -> None:
        with self._lock:
            self._installed -= 1
            if self._installed:
                return
            logging.getLogger().removeHandler(self._handler)
            lean_record.remove()
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if isinstance(stream, CapturedStream):
                    setattr(sys, name, stream._original)  # noqa: SLF001 - its own class
            threading.Thread.start = _plain_start  # type: ignore[method-assign]  # puts the original back
            ThreadPoolExecutor.submit = _plain_submit  # type: ignore[method-assign]  # likewise

    def begin(self, level: str) -> None:
        """A run starts: while any run is at DEBUG the root logger lets DEBUG records be made at all."""
        if level != "DEBUG":
            return
        with self._lock:
            self._debug_runs += 1
            if self._debug_runs == 1:
                root = logging.getLogger()
                self._quiet_level = root.level
                root.setLevel(logging.DEBUG)

    def end(self, level: str) -> None:
        if level != "DEBUG":
            return
        with self._lock:
            self._debug_runs -= 1
            if self._debug_runs == 0:
                logging.getLogger().setLevel(self._quiet_level)


_plain_start = threading.Thread.start


def _start_in_context(thread: threading.Thread) -> None:
    if current_scope.get() is not None:
        run = thread.run
        context = contextvars.copy_context()
        thread.run = lambda: context.run(run)  # type: ignore[method-assign]  # this instance only
    _plain_start(thread)


_plain_submit = ThreadPoolExecutor.submit


def _submit_in_context(
    pool: ThreadPoolExecutor, call: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Any:
    """A pool may outlive the run that started its threads; each call belongs to the run that made it."""
    if current_scope.get() is not None:
        return _plain_submit(pool, contextvars.copy_context().run, call, *args, **kwargs)
    return _plain_submit(pool, call, *args, **kwargs)


capture = Capture()
