"""What the engine of one process is busy with, for the Technical page and the metrics."""

from dataclasses import dataclass

from liberty.jobs.engine.left_behind import LeftBehind
from liberty.jobs.engine.loop_lag import LoopLag
from liberty.jobs.run import Run


@dataclass(frozen=True, slots=True)
class InFlight:
    """A run of this process as the Technical page shows it."""

    run: Run
    current_step: str | None
    elapsed_seconds: float
    stopping: str | None
    waiting: str | None = None
    """What its step waits for before it can begin: `thread`."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What the engine is busy with."""

    replica: str
    in_flight: list[InFlight]
    waiting: int
    busy_threads: int
    abandoned_threads: int
    abandoned_coroutines: int
    left_behind: list[LeftBehind]
    plugin_loops_retired: int
    lag: LoopLag
