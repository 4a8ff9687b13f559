"""How long after the process was made does `/healthz` answer 200, in a fresh data folder?"""

import time

from bench.figures import Figure, median
from bench.plan import Plan
from bench.servers import FloorServer, LibertyServer, Server

TARGET_SECONDS = 1.0


async def measure(plan: Plan) -> list[Figure]:
    # Starts that are not counted: Python writes its bytecode, the disk's blocks come into memory.
    _started(LibertyServer(plan.new_folder("server")), "/ready")
    _started(FloorServer(plan.new_folder("floor")), "/healthz")
    healthy, ready, floor = [], [], []
    for _ in range(plan.size(7, 2)):
        until_healthy, until_ready = _started(LibertyServer(plan.new_folder("server")), "/ready")
        healthy.append(until_healthy)
        ready.append(until_ready)
        floor.append(_started(FloorServer(plan.new_folder("floor")), "/healthz")[0])
    return [
        Figure(
            "process start → first 200 on /healthz, median",
            median(healthy),
            "s",
            target=TARGET_SECONDS,
            limit=median(floor),
            limit_is="floor",
            details={"all_s": healthy, "floor_all_s": floor},
        ),
        Figure(
            "process start → /ready: jobs can be run",
            median(ready),
            "s",
            limit=median(floor),
            limit_is="floor",
            details={"all_s": ready},
        ),
    ]


def _started(server: Server, then: str) -> tuple[float, float]:
    """Seconds to the first 200 on `/healthz` and to the first on `then`."""
    begun = time.perf_counter()
    try:
        until_healthy = server.start("/healthz")
        server.wait_for(then)
        return until_healthy, time.perf_counter() - begun
    finally:
        server.stop()
