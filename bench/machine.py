"""What the numbers were measured on. No names of hosts, users or folders."""

import os
import platform
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.figures import median, percentile, rounded

SYNCS = 200


def facts(folder: Path) -> dict[str, Any]:
    """Facts of this machine; the disk is the one that holds `folder`."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "nomaflow": version("nomaflow"),
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _first_value("/proc/cpuinfo", "model name"),
        "memory_gb": rounded(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "libraries": {
            name: version(name) for name in ("fastapi", "uvicorn", "uvloop", "sqlalchemy", "asyncpg")
        },
        "filesystem": _filesystem(folder),
        "sync_ms": _sync_ms(folder),
        "load_before": rounded(os.getloadavg()[0]),
    }


def is_in_memory(folder: Path) -> bool:
    """True where a sync costs nothing, so that durable numbers mean nothing."""
    return _filesystem(folder) in {"tmpfs", "ramfs"}


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _first_value(file: str, key: str) -> str | None:
    for line in Path(file).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _filesystem(folder: Path) -> str:
    """The type of the mount that holds the folder."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    holding = [(mount, kind) for mount, kind in mounts if folder.resolve().is_relative_to(mount)]
    return max(holding, key=lambda found: len(found[0]))[1]


def _sync_ms(folder: Path) -> dict[str, float]:
    """How long one 4 KiB append takes until it is on the disk."""
    taken = []
    file = folder / "sync-probe"
    with file.open("wb", buffering=0) as probe:
        for _ in range(SYNCS):
            started = time.perf_counter()
            probe.write(b"x" * 4096)
            os.fdatasync(probe.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    file.unlink()
    return {"p50": rounded(median(taken)), "p99": rounded(percentile(taken, 99))}
