"""What a process and its children cost: memory as the kernel accounts it, processor time to the nanosecond."""

import time
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def proportional_memory_mb(pid: int) -> float:
    """PSS of the family: pages shared with other processes count by their share. 10^6 bytes."""
    total = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total / 1e6


def cpu_seconds(pid: int) -> float:
    """Processor time of the family so far."""
    # The kernel's clock id of another process (`clock_getcpuclockid`), which Python does not wrap.
    return sum(time.clock_gettime((~member << 3) | 2) for member in family(pid))
