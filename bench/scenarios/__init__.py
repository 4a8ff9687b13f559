"""What is measured, by name. A scenario is a file here and a line in this dict."""

from collections.abc import Mapping

from bench.plan import Scenario
from bench.scenarios import idle, latency, logs, runs_list, schedule, start, steps, throughput

SCENARIOS: Mapping[str, Scenario] = {
    "start": start.measure,
    "idle": idle.measure,
    "throughput_sqlite": throughput.on_sqlite,
    "throughput_postgres": throughput.on_postgres,
    "latency": latency.measure,
    "steps": steps.measure,
    "runs_list": runs_list.on_sqlite,
    "runs_list_postgres": runs_list.on_postgres,
    "logs": logs.measure,
    "schedule": schedule.on_sqlite,
    "schedule_postgres": schedule.on_postgres,
}
