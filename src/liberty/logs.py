"""The log of the process: text that reads like a terminal or JSON for an aggregator, written by a thread of its own.

A thread that logs only hands its record over; a flood of lines from a step therefore does not wait for the terminal.
"""

import atexit
import json
import logging
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from liberty.clock import rfc3339
from liberty.secrets import redactor

if TYPE_CHECKING:
    from liberty.settings import AppSettings

FLUSH_SECONDS = 0.1
BACKLOG_LINES = 50_000
"""Records that wait for the writer; beyond, new ones are dropped and counted."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "run_id", "color_message"}
_exceptions = logging.Formatter()


class Stream(Protocol):
    """Where text is written."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class Log(logging.Handler):
    """The one handler of the process. `flush` returns once everything handed over before is written."""

    def __init__(self, stream: Stream, form: Literal["text", "json"]) -> None:
        super().__init__()
        self._stream = stream
        self._is_text = form == "text"
        self._render = as_text if self._is_text else as_json
        self._waiting: deque[tuple[logging.LogRecord, str, str | None]] = deque()
        self._dropped = 0
        self._news = threading.Event()
        self._writing = threading.Lock()
        self._closed = False
        self._writer = threading.Thread(target=self._write_on, name="liberty-log", daemon=True)
        self._writer.start()

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the handler's lock: a deque's append is atomic.
        run = _current_run()
        if run is not None and self._is_text and run.past_limit:
            return False  # a flood is for the log of its run to count; the JSON stream stays complete
        if len(self._waiting) >= BACKLOG_LINES:
            self._dropped += 1
            return False
        try:
            message = record.getMessage()
        except (TypeError, ValueError) as error:
            message = f"{record.msg!r} with arguments {record.args!r} cannot be formatted: {error}"
        self._waiting.append((record, message, run.run_id if run is not None else None))
        if not self._news.is_set():
            self._news.set()
        return True

    def flush(self) -> None:
        """Write what waits, in the calling thread."""
        with self._writing:
            lines = []
            while self._waiting:
                lines.append(self._render(*self._waiting.popleft()))
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                note = logging.makeLogRecord({"name": "liberty.logs", "levelno": 30, "levelname": "WARNING"})
                lines.append(
                    self._render(note, f"{dropped} log lines dropped: written faster than shown", None)
                )
            if not lines:
                return
            text = redactor.redact("\n".join(lines))
            try:
                self._stream.write(f"{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # the terminal is gone; nobody is left to be told

    def close(self) -> None:
        """Write what waits and end the writer."""
        self._closed = True
        self._news.set()
        self.flush()
        super().close()

    def _write_on(self) -> None:
        while not self._closed:
            self._news.wait()
            self._news.clear()
            self.flush()
            time.sleep(FLUSH_SECONDS)


def configure(settings: "AppSettings", *, stream: Stream | None = None) -> Log:
    """Send every record of the process to `stream` (standard error) as `[app] log_level` and `log_format` say.

    Called again it replaces what it installed before.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, Log):
            root.removeHandler(handler)
            handler.close()
    log = Log(stream or sys.stderr, settings.log_format)
    level = logging.getLevelNamesMapping()[settings.log_level]
    log.setLevel(level)
    root.setLevel(min(level, logging.INFO))
    root.addHandler(log)
    for noisy in ("aiosqlite", "asyncio", "httpcore", "watchfiles"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    atexit.register(log.flush)
    return log


def let_runs_log() -> None:
    """Have INFO records made at all: runs keep them whatever the process itself shows."""
    root = logging.getLogger()
    if root.level > logging.INFO:
        root.setLevel(logging.INFO)


def flush() -> None:
    """Write what waits now; for an exit that skips everything else."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Log):
            handler.flush()


def as_text(record: logging.LogRecord, message: str, _run_id: str | None) -> str:
    """`INFO  nomaflow run started …`; every further line, as of a traceback, starts with the level as well."""
    start = message if message.startswith(record.name) else f"{record.name} {message}"
    lines = start.split("\n")
    if record.exc_info:
        lines += _exceptions.formatException(record.exc_info).split("\n")
    level = f"{record.levelname:<5} "
    return "\n".join(level + line for line in lines)


def as_json(record: logging.LogRecord, message: str, run_id: str | None) -> str:
    """One object per record: `ts`, `level`, `logger`, `msg`, then `run_id`, `exc` and extras when there are any."""
    entry: dict[str, Any] = {
        "ts": rfc3339(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname,
        "logger": record.name,
        "msg": message,
    }
    if run_id is not None:
        entry["run_id"] = run_id
    if record.exc_info:
        entry["exc"] = _exceptions.formatException(record.exc_info)
    entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return json.dumps(entry, default=str)


class _RunLog(Protocol):
    """What is asked of the log of the run that a line belongs to."""

    run_id: str
    past_limit: bool


def _current_run() -> _RunLog | None:
    """The log of the run this thread or task works for, if the engine is loaded at all."""
    scope_module = sys.modules.get("liberty.jobs.engine.scope")
    scope = scope_module.current_scope.get() if scope_module is not None else None
    found: _RunLog | None = scope.log if scope is not None else None
    return found
