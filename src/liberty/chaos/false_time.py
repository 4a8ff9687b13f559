"""Wrong clocks for single processes, by libfaketime: each replica reads its own offset from a file, again and again."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

MISSING = "libfaketime is not installed (on Debian: apt install faketime), so no clock can be made wrong"


@cache
def library() -> Path | None:
    """The library that works here; None when there is none. It is tried, not believed."""
    return next((path for path in _candidates() if _works(path)), None)


def environment(offset_file: Path) -> Mapping[str, str]:
    """What a process needs to live by the offset in the file. Its monotonic clock stays true, as after a real jump."""
    found = library()
    return {} if found is None else _variables(found, offset_file)


def set_offset(offset_file: Path, seconds: float) -> None:
    """Replace the offset in one go, so that nobody reads half of it."""
    unfinished = offset_file.with_suffix(".new")
    unfinished.write_text(f"{seconds:+.0f}s\n")
    unfinished.rename(offset_file)


def _candidates() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    yield from sorted(Path("/usr/lib/faketime").glob("libfaketimeMT.so.1"))
    found = importlib.util.find_spec("libfaketime")
    if found is not None and found.origin is not None:
        yield from Path(found.origin).parent.rglob("libfaketime.so.1")


def _variables(path: Path, offset_file: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(path),
        "FAKETIME_TIMESTAMP_FILE": str(offset_file),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


def _works(path: Path) -> bool:
    offset = path.parent / "no such file"
    told = {**os.environ, **_variables(path, offset), "FAKETIME": "+40d"}
    del told["FAKETIME_TIMESTAMP_FILE"]
    code = "import time; print(time.time(), time.monotonic())"
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", code], env=told, capture_output=True, text=True, timeout=20, check=True
        )
        plain = subprocess.run(  # noqa: S603 - as above
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
        )
        (wall, monotonic), (true_wall, true_monotonic) = (
            map(float, run.stdout.split()) for run in (done, plain)
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return wall - true_wall > 30 * 86_400 and abs(monotonic - true_monotonic) < 3600
