"""A log record that costs a third of the standard one, because a step may write a hundred thousand lines a second.

What the standard record computes for every line and hardly any format shows (source file, thread, process) is left
at constants. The library's own documentation names these switches for speed.
"""

import logging
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

type _ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


_STARTED = time.time()
_CONSTANT: dict[str, Any] = {
    "filename": "(unknown file)",
    "module": "(unknown file)",
    "funcName": "(unknown function)",
    "thread": None,
    "threadName": None,
    "process": None,
    "processName": None,
    "taskName": None,
    "exc_text": None,
}


class LeanRecord(logging.LogRecord):
    """A `LogRecord` without the caller's place. Formats may name every attribute of the standard one."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: _ExcInfo | None,
        func: str | None = None,  # noqa: ARG002 - the library passes it
        sinfo: str | None = None,
        **_: Any,
    ) -> None:
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        created = time.time()
        self.__dict__ = {
            **_CONSTANT,
            "name": name,
            "msg": msg,
            "args": args,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "pathname": pathname,
            "lineno": lineno,
            "exc_info": exc_info,
            "stack_info": sinfo,
            "created": created,
            "msecs": created % 1 * 1000 // 1,
            "relativeCreated": (created - _STARTED) * 1000,
        }

    def getMessage(self) -> str:  # noqa: N802 - the library's name
        """The text, formatted once however many handlers ask."""
        text: str | None = self.__dict__.get("message")
        if text is None:
            text = self.message = super().getMessage()
        return text


def install() -> None:
    """Make records lean for the whole process. Once is enough; nothing is lost by calling it again."""
    logging.setLogRecordFactory(LeanRecord)
    logging._srcfile = None  # noqa: SLF001 - the documented way to skip the stack walk


def remove() -> None:
    """Back to the standard records."""
    logging.setLogRecordFactory(logging.LogRecord)
    logging._srcfile = _SOURCE_FILE  # noqa: SLF001 - as above


_SOURCE_FILE = logging._srcfile  # noqa: SLF001 - kept to put it back
