"""An abort ends the run whatever its code does, asked of a replica that does not run it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from liberty.chaos.cluster import Cluster, arranged, job
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result

GRACE_SECONDS = 10.0
LATE_SECONDS = 2.0  # allowed on top of the grace
AT_ONCE_SECONDS = 2.0
ELSEWHERE_SECONDS = 3.0
FROZEN_SECONDS = 3.0
LONG = {"seconds": 90}

LISTENS = ("talk", "http-drip", "sql-sleep")
DEAF = ("swallow", "sleep-sync", "compute")


async def run(plan: Plan) -> Result:
    """Every kind of step is aborted, then looked at again: it stays ended, its log stays as it was."""
    result = plan.result("abort")
    slowest: dict[str, float] = {}
    not_aborted: list[str] = []
    changed: list[str] = []
    elsewhere = aborted = 0
    settings = f"abort_grace_seconds = {GRACE_SECONDS}\nmax_concurrent_runs = 8\nsync_threads = 64"
    async with (
        _dripping() as url,
        arranged(plan, _jobs(plan, url), settings=settings, connectors=_connectors(plan)) as cluster,
    ):
        turns = plan.turns(5)
        while turns.another():
            asked = await asyncio.gather(*(_abort(cluster, name) for name in (*LISTENS, *DEAF)))
            for name, took, was_elsewhere, detail in asked:
                aborted += 1
                elsewhere += was_elsewhere
                slowest[name] = max(slowest.get(name, 0.0), took)
                if detail["status"] != "aborted":
                    not_aborted.append(
                        f"{detail['run_id']} ({name}) is {detail['status']}: {detail['reason']}"
                    )
            await asyncio.sleep(FROZEN_SECONDS)
            for name, _, _, before in asked:
                after = await cluster.run(before["run_id"])
                if _facts(after) != _facts(before):
                    changed.append(f"{before['run_id']} ({name}): {_facts(before)} -> {_facts(after)}")
        places = await _places_are_free(cluster)
    result.counts |= {"aborts": aborted, "asked of another replica": elsewhere}
    listens = ELSEWHERE_SECONDS if elsewhere else AT_ONCE_SECONDS
    for name in LISTENS:
        result.limit(f"{name}: the slowest, s", slowest[name], listens)
    for name in DEAF:
        result.limit(f"{name}: the slowest, s", slowest[name], GRACE_SECONDS + LATE_SECONDS)
    result.none_of("not aborted", len(not_aborted), f"runs are not aborted: {', '.join(not_aborted[:3])}")
    result.none_of(
        "changed afterwards", len(changed), f"runs changed after their end: {', '.join(changed[:3])}"
    )
    result.none_of("places lost", 0 if places else 1, "replicas run nothing any more after the aborts")
    return result


def _jobs(plan: Plan, url: str) -> str:
    lines = ("single_instance = false",)
    toml = job("quick", "work", *lines)
    for name in ("talk", *DEAF):
        toml += job(name, name.replace("-", "_"), *lines, op_kwargs=LONG)
    head = '[[jobs]]\nname = "{}"\nsingle_instance = false\n[[jobs.steps]]\nname = "only"\n'
    toml += head.format("http-drip") + f'type = "http"\nurl = "{url}"\ntimeout_seconds = 120\n'
    sleep = (
        "SELECT pg_sleep(90)"
        if plan.on_postgresql
        else "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) SELECT max(i) FROM n"
    )
    return (
        toml + head.format("sql-sleep") + f'type = "sql_query"\nconnector = "elsewhere"\nquery = "{sleep}"\n'
    )


def _connectors(plan: Plan) -> str:
    url = plan.database if plan.on_postgresql else "sqlite:///elsewhere.db"
    return f'[pools.elsewhere]\nurl = "{url}"\n\n[connectors.elsewhere]\ntype = "sql"\npool = "elsewhere"\n'


async def _abort(cluster: Cluster, name: str) -> tuple[str, float, bool, dict[str, Any]]:
    """Start one, wait until it works, abort it through another replica: how long until it is final over REST."""
    first = cluster.replicas[0]
    run_id = (await first.trigger(name))["run_id"]
    await _works(cluster, run_id)
    owner = await cluster.owner(run_id)
    others = [replica for replica in cluster.replicas if replica is not owner]
    asked: Replica = others[0] if others else first
    began = datetime.now(UTC)
    await asked.ask("POST", f"/admin/jobs/runs/{run_id}/abort")
    row = await cluster.ended(run_id, GRACE_SECONDS * 3)
    ended = row.finished_at if row is not None and row.finished_at is not None else datetime.now(UTC)
    return name, max((ended - began).total_seconds(), 0.0), bool(others), await cluster.run(run_id)


async def _works(cluster: Cluster, run_id: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        detail = await cluster.run(run_id)
        if detail["status"] == "running" and detail["current_step"] is not None:
            await asyncio.sleep(1)  # the step is under way: requests are sent, statements run
            return
        await asyncio.sleep(0.1)


def _facts(detail: dict[str, Any]) -> tuple[object, ...]:
    steps = tuple((step["name"], step["status"], step["attempt"]) for step in detail["steps"])
    return detail["status"], detail["reason"], detail["finished_at"], detail["log_lines"], steps


async def _places_are_free(cluster: Cluster) -> bool:
    """Whether every replica still runs things, though threads and coroutines that listen to nobody go on."""
    started = [(await replica.trigger("quick"))["run_id"] for replica in cluster.replicas for _ in range(8)]
    rows = await asyncio.gather(*(cluster.ended(run_id, 30) for run_id in started))
    return all(row is not None and row.status == "succeeded" for row in rows)


@asynccontextmanager
async def _dripping() -> AsyncIterator[str]:
    """A web server that answers with a byte a second and never comes to the end."""
    clients: set[asyncio.StreamWriter] = set()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        with suppress(OSError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.close()
        for writer in clients:
            writer.close()
