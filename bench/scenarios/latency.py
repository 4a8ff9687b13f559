"""How long a single run takes on an idle system, from the POST until its client reads that it has finished.

The client asks for the run (`GET /admin/jobs/runs/{id}`) again a millisecond after each answer. So it sees the end up
to a millisecond and one request late, and its questions take time from the server they are put to; the server's own
times, from queued to finished, and what one such question takes stand beside.
"""

import time

from bench.figures import Figure, median, percentile
from bench.plan import Plan
from bench.targets import Ended, Liberty, connected, series

TARGET_P50_MS = 10.0
TARGET_P99_MS = 25.0
TURNS = 4
WARM_UP = 20
QUESTIONS = 100


async def measure(plan: Plan) -> list[Figure]:
    count = plan.size(200, 40)
    runs: list[Ended] = []
    floor_runs: list[Ended] = []
    async with plan.both(on_postgres=False) as (liberty, floor):
        await series(liberty, WARM_UP)
        await series(floor, WARM_UP)
        for _ in range(TURNS):
            runs += await series(liberty, count // TURNS)
            floor_runs += await series(floor, count // TURNS)
        question_ms = await _question_ms(liberty, runs[-1].run_id)
    return [
        _figure(runs, floor_runs, 50, TARGET_P50_MS, question_ms),
        _figure(runs, floor_runs, 99, TARGET_P99_MS, question_ms),
    ]


async def _question_ms(liberty: Liberty, run_id: str) -> float:
    """The median time of asking for a run that has finished."""
    taken = []
    async with connected(liberty.server) as (connection,):
        for _ in range(QUESTIONS):
            begun = time.perf_counter()
            await liberty.ended(connection, run_id)
            taken.append((time.perf_counter() - begun) * 1000)
    return median(taken)


def _figure(
    runs: list[Ended], floor_runs: list[Ended], percent: int, target: float, question_ms: float
) -> Figure:
    served = [run.server_ms for run in runs]
    return Figure(
        f"POST → finished, idle system, p{percent} of {len(runs)}",
        percentile([run.client_ms for run in runs], percent),
        "ms",
        target=target,
        limit=percentile([run.client_ms for run in floor_runs], percent),
        limit_is="floor",
        details={
            "observed_by": "GET of the run, 1 ms after each answer",
            "queued_to_finished_ms": percentile(served, percent),
            "one_question_ms": question_ms,
        },
    )
