"""What schedules cost: ten thousand that are not due, and a thousand jobs that are due in the same second."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import batched

from bench.client import Connection
from bench.figures import Figure
from bench.plan import Plan
from bench.processes import cpu_seconds
from bench.scenarios.idle import SETTLE_SECONDS
from bench.servers import Server
from bench.targets import Liberty

TARGET_IDLE_PERCENT = 1.0
TARGET_HERD_SECONDS = 2.0
POLL_SECONDS = 0.02
JOBS_PER_FILE = 500
SCHEDULES_PER_JOB = 10
LEAD = timedelta(seconds=10)
PATIENCE = 60.0

_JOB = """
[[jobs]]
name = "{name}"
schedule = "{schedule}"
timezone = "UTC"
[[jobs.steps]]
type = "python"
callable = "load:nothing"
"""
_PRESET = """
[[jobs.presets]]
name = "{number}"
schedule = "{number} {schedule}"
"""


async def on_sqlite(plan: Plan) -> list[Figure]:
    schedules = plan.size(10_000, 1000)
    seconds = plan.size(20, 5)
    with plan.liberty() as liberty:
        percent = await _idle(liberty.server, schedules, seconds)
    with plan.liberty() as liberty:
        herd = await _herd(liberty, plan.size(1000, 100))
    return [
        Figure(
            f"idle CPU with {schedules:,} schedules, of one core",
            percent,
            "%",
            target=TARGET_IDLE_PERCENT,
            details={"over_s": seconds},
        ),
        _herd_figure("SQLite", plan, herd),
    ]


async def on_postgres(plan: Plan) -> list[Figure]:
    from bench.postgres import database

    async with database(plan.postgres()) as url:
        with plan.liberty(database_url=url) as liberty:
            herd = await _herd(liberty, plan.size(1000, 100))
    return [_herd_figure("PostgreSQL", plan, herd)]


def _herd_figure(where: str, plan: Plan, seconds: float) -> Figure:
    count = plan.size(1000, 100)
    return Figure(
        f"{count:,} jobs due in the same second → all have their row ({where})",
        seconds,
        "s",
        target=TARGET_HERD_SECONDS,
    )


async def _idle(server: Server, schedules: int, seconds: float) -> float:
    # A catalogue has at most 2,000 jobs, but a preset has a schedule of its own.
    texts = []
    for number in range(schedules // SCHEDULES_PER_JOB):
        yearly = f"{number % 24} {number // 24 % 28 + 1} 1 *"
        text = _JOB.format(name=f"yearly-{number}", schedule=f"0 {yearly}")
        presets = [_PRESET.format(number=minute, schedule=yearly) for minute in range(1, SCHEDULES_PER_JOB)]
        texts.append(text + "".join(presets))
    async with await Connection.open(server.port, server.token) as connection:
        await _load(server, connection, texts)
    await asyncio.sleep(SETTLE_SECONDS)
    spent, begun = cpu_seconds(server.pid), time.perf_counter()
    await asyncio.sleep(seconds)
    return 100 * (cpu_seconds(server.pid) - spent) / (time.perf_counter() - begun)


async def _herd(liberty: Liberty, jobs: int) -> float:
    """Seconds from the due instant until the last of `jobs` has its row."""
    server = liberty.server
    due = (datetime.now(UTC) + LEAD).replace(microsecond=0)
    when = f"{due.minute} {due.hour} {due.day} {due.month} * {due.second}"
    async with await Connection.open(server.port, server.token) as connection:
        await _load(server, connection, [_JOB.format(name=f"herd-{n}", schedule=when) for n in range(jobs)])
    if datetime.now(UTC) > due - timedelta(seconds=1):
        raise RuntimeError("loading the jobs took longer than the herd's lead")
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    async with await Connection.open(server.port, server.token) as connection:
        while (waited := (datetime.now(UTC) - due).total_seconds()) < PATIENCE:
            newest = await connection.get("/admin/jobs/runs?limit=1")
            if newest["items"] and int(newest["items"][0]["run_id"].removeprefix("r-")) >= jobs:
                return waited
            await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"not all of {jobs} due jobs had their row within {PATIENCE:g} s")


async def _load(server: Server, connection: Connection, texts: list[str]) -> None:
    for number, some in enumerate(batched(texts, JOBS_PER_FILE)):
        folder = server.plugins / f"scheduled-{number}"
        folder.mkdir()
        (folder / "jobs.toml").write_text("".join(some))
    await connection.post("/admin/reload", {})
