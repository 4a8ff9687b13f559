"""Who this process is among those that run jobs, and whether another one is still alive."""

import os
import secrets
import socket
from datetime import datetime, timedelta
from pathlib import Path

from liberty.jobs.store.replicas import Replica

BEAT_SECONDS = 5.0
DEAD_AFTER = timedelta(seconds=20)


def this_process(role: str, version: str, now: datetime) -> Replica:
    """The row of this process; its id is new at every start, so an earlier self is never taken for this one."""
    host = socket.gethostname()
    pid = os.getpid()
    return Replica(
        id=f"{host}-{pid}-{secrets.token_hex(3)}",
        host=host,
        pid=pid,
        process_started=_process_started(pid) or "",
        role=role,
        version=version,
        started_at=now,
        beat_at=now,
    )


def is_dead(replica: Replica, now: datetime, *, silence_kills: bool) -> bool:
    """True when its process is known to be gone or, on another host, when it has not beaten for 20 s by `now`.

    With `silence_kills` a process that is there but silent, because it was stopped, counts as dead on this host too.
    """
    silent = now - replica.beat_at > DEAD_AFTER
    if silence_kills and silent:
        return True
    if replica.host == socket.gethostname():
        started = _process_started(replica.pid)
        if started is not None or Path("/proc/self").exists():
            return started != replica.process_started
        return not _exists(replica.pid)
    return silent


def _process_started(pid: int) -> str | None:
    """Boot id and start tick of a process, which together never repeat; None when it is gone or not knowable."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], fields[19]
    return None if state in ("Z", "X") else f"{boot}/{started}"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
