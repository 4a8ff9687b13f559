"""Tracebacks as the author of a plugin wants them: from the first frame of user code on, without the framework's."""

import asyncio
import concurrent.futures
import contextvars
import threading
import traceback
from pathlib import Path
from types import TracebackType

import liberty
from liberty.errors import LibertyError
from liberty.jobs.steps.base import StepFailed

_FRAMEWORK = tuple(
    str(Path(module.__file__ or "").parent) + "/"
    for module in (liberty, asyncio, concurrent.futures)
    if module.__file__
)
_FRAMEWORK_FILES = frozenset({threading.__file__, contextvars.__file__})


def user_traceback(error: BaseException) -> TracebackType | None:
    """The traceback of `error` from the first frame that is neither ours nor the event loop's.

    When there is no such frame: nothing for an error that was raised on purpose and says it all, else the whole.
    """
    frame = error.__traceback__
    while frame is not None and _is_framework(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    if frame is None and not isinstance(error, StepFailed | LibertyError):
        return error.__traceback__
    return frame


def format_user_traceback(error: BaseException) -> str:
    """The text of that traceback, causes included."""
    return "".join(traceback.format_exception(type(error), error, user_traceback(error))).rstrip()


def _is_framework(file: str) -> bool:
    return file.startswith(_FRAMEWORK) or file in _FRAMEWORK_FILES
