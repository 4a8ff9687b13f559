"""Where a thread or a coroutine is at this moment, as its author would look for it: the innermost line of a plugin."""

import asyncio
import sys
import traceback
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any


def of_thread(thread_id: int | None, plugins_dir: Path) -> str:
    """`file:line in function` of a running thread."""
    frame = sys._current_frames().get(thread_id or 0)  # noqa: SLF001 - the way to another thread's stack
    return "a thread that has ended" if frame is None else of_frame(frame, plugins_dir)


def of_frame(frame: FrameType, plugins_dir: Path) -> str:
    """The deepest frame that lies in the plugins folder, else the deepest of all."""
    frames = traceback.extract_stack(frame)
    return _place(list(frames), plugins_dir)


def of_task(task: "asyncio.Task[Any]", plugins_dir: Path) -> str:
    """Where a task waits: the deepest of the coroutines that await one another."""
    frames: list[traceback.FrameSummary] = []
    waits: Any = task.get_coro()
    while isinstance(waits, CoroutineType) and waits.cr_frame is not None:
        frames += traceback.StackSummary.extract([(waits.cr_frame, waits.cr_frame.f_lineno)])
        waits = waits.cr_await
    return _place(frames, plugins_dir) if frames else "a coroutine that has ended"


def _place(frames: list[traceback.FrameSummary], plugins_dir: Path) -> str:
    folder = str(plugins_dir)
    deepest = ([frame for frame in frames if frame.filename.startswith(folder)] or frames)[-1]
    return f"{deepest.filename}:{deepest.lineno} in {deepest.name}"
