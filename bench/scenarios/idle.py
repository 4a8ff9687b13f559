"""What the server takes while there is nothing to do: memory of all its processes, processor time."""

import asyncio
import time

from bench.figures import Figure
from bench.plan import Plan
from bench.processes import cpu_seconds, family, proportional_memory_mb
from bench.targets import Target

TARGET_MEMORY_MB = 110.0
TARGET_CPU_PERCENT = 0.3
SETTLE_SECONDS = 5.0


async def measure(plan: Plan) -> list[Figure]:
    seconds = plan.size(20, 5)
    # One after the other: beside another Python process both would share pages, and so look smaller.
    with plan.liberty() as liberty:
        memory, cpu, processes = await _idle(liberty, seconds)
    with plan.floor() as floor:
        floor_memory, floor_cpu, _ = await _idle(floor, seconds)
    return [
        Figure(
            "idle memory, PSS of all processes",
            memory,
            "MB",
            target=TARGET_MEMORY_MB,
            limit=floor_memory,
            limit_is="floor",
            details={"processes": processes},
        ),
        Figure(
            "idle CPU, of one core",
            cpu,
            "%",
            target=TARGET_CPU_PERCENT,
            limit=floor_cpu,
            limit_is="floor",
            details={"over_s": seconds},
        ),
    ]


async def _idle(target: Target, seconds: float) -> tuple[float, float, int]:
    """Megabytes, percent of one core, number of processes."""
    pid = target.server.pid
    await asyncio.sleep(SETTLE_SECONDS)
    spent, begun = cpu_seconds(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    percent = 100 * (cpu_seconds(pid) - spent) / (time.perf_counter() - begun)
    return proportional_memory_mb(pid), percent, len(family(pid))
