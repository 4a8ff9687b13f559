"""Experiments that hurt real servers on purpose and count what becomes of their promises.

A witness outside the system writes down what really happened; a checker compares it with what REST shows. An
experiment is one file in `experiments/` with `async def run(plan) -> Result`, and one line here.
"""

import importlib
import time
from collections.abc import Awaitable, Callable

from liberty.chaos.result import Plan, Result

EXPERIMENTS: dict[str, tuple[str, str]] = {
    "fires": ("liberty.chaos.experiments.fires", "no fire is lost, none happens twice, under all faults"),
    "failover": ("liberty.chaos.experiments.failover", "another replica fires when the leader goes"),
    "orphans": (
        "liberty.chaos.experiments.orphans",
        "runs of dead replicas are found, runs of busy ones left",
    ),
    "single-instance": ("liberty.chaos.experiments.single_instance", "a job never overlaps itself"),
    "abort": ("liberty.chaos.experiments.abort", "an abort ends a run, whatever its code does"),
    "stop": ("liberty.chaos.experiments.stop", "SIGTERM ends a server in time and leaves nothing running"),
    "durable": ("liberty.chaos.experiments.durable", "a run id that was given out survives kill -9"),
    "punctual": ("liberty.chaos.experiments.punctual", "runs start on time, also 500 at once"),
    "paused-owner": ("liberty.chaos.experiments.paused_owner", "a replica that was given up changes nothing"),
    "skew": ("liberty.chaos.experiments.skew", "wrong and jumping clocks lose and double nothing"),
}
"""By name: the module that is imported once it is asked for, and what it shows."""


async def run_experiment(name: str, plan: Plan) -> Result:
    """Do one experiment and measure how long it took. Raises KeyError for a name that is none."""
    module = importlib.import_module(EXPERIMENTS[name][0])
    run: Callable[[Plan], Awaitable[Result]] = module.run
    began = time.monotonic()
    result = await run(plan)
    result.seconds = round(time.monotonic() - began, 1)
    return result


__all__ = ["EXPERIMENTS", "Plan", "Result", "run_experiment"]
