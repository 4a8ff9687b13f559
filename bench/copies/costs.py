"""What else a copy costs: an upsert of few changes, verify, memory, an abort."""

import asyncio
import sys
import time

from bench.copies.pairs import Bench, copied, process, registry_of
from bench.copies.tables import Sample, make_postgresql, make_sqlite
from bench.figures import Figure, median
from bench.postgres import database
from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyRequest, Place, copy

MEMORY = """
import asyncio, re, sys
from pathlib import Path
from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyRequest, Place, copy
source, target, query, table = sys.argv[1:]
async def main():
    registry = ConnectorRegistry({"pools": {"a": {"url": source}, "b": {"url": target}}})
    place = Place("a", query=query)
    await copy(CopyRequest(connectors=registry, source=place, target=Place("b", table=table), label="m"))
    await registry.close()
asyncio.run(main())
# Not getrusage: its peak survives an exec, so that it would be this program's.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""
COLUMNS = "i AS id, 'name ' || i AS name, i * 0.5 AS half, 'some longer text that is the same in every row' AS words"
ROWS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) SELECT "
    + COLUMNS
    + " FROM n",
    "postgresql": "SELECT " + COLUMNS + " FROM generate_series(1, {rows}) AS i",
}


async def measure(sample: Sample, bench: Bench, memory_rows: tuple[int, ...]) -> list[Figure]:
    lite, into = bench.folder / "rows.db", bench.folder / "into.db"
    figures: list[Figure] = []
    async with database(bench.server) as first, database(bench.server) as second:
        registry = registry_of(a=first, b=second, lite=lite, into=into)
        try:
            for url in (first, second):
                await make_postgresql(url, sample, sample.typed)
            make_sqlite(into, sample, fill=False)
            await copied(registry, "lite", "a", sample.name, sample.rows)
            await registry.sql("a").execute(f"ANALYZE {sample.name}")
            for source, target in (("a", "b"), ("lite", "b"), ("a", "into")):
                figures.append(await _upsert(registry, source, target, sample, bench))
                figures.append(await _verify(registry, source, target, sample, bench))
            for backend, target, address in (
                ("sqlite", "postgresql", second),
                ("postgresql", "sqlite", f"sqlite:///{into}"),
            ):
                source_url = f"sqlite:///{lite}" if backend == "sqlite" else first
                figures += [await _memory(source_url, address, backend, target, rows) for rows in memory_rows]
            figures += [
                await _abort(registry, *pair)
                for pair in (("a", "b"), ("lite", "b"), ("a", "into"), ("lite", "into"))
            ]
        finally:
            await registry.close()
    return figures


async def _upsert(
    registry: ConnectorRegistry, source: str, target: str, sample: Sample, bench: Bench
) -> Figure:
    await copied(registry, source, target, sample.name, sample.rows)
    times = []
    for _ in range(bench.rounds):
        await registry.sql(target).execute(f"UPDATE {sample.name} SET name = 'changed' WHERE id % 10 = 0")
        times.append(await copied(registry, source, target, sample.name, sample.rows, mode="upsert"))
    return Figure(
        f"upsert, {source} → {target}, {sample.rows:,} rows of which 10 % changed, median of {bench.rounds}",
        sample.rows / median(times),
        "rows/s",
        target=100_000,
        better="higher",
        details={"seconds": times},
    )


async def _verify(
    registry: ConnectorRegistry, source: str, target: str, sample: Sample, bench: Bench
) -> Figure:
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(bench.rounds):
        for verify in (False, True):
            times[verify].append(
                await copied(registry, source, target, sample.name, sample.rows, verify=verify)
            )
    added = 100 * (median(times[True]) / median(times[False]) - 1)
    return Figure(
        f"verify adds, overwrite {source} → {target}, {sample.rows:,} rows, medians of {bench.rounds}",
        added,
        "%",
        target=35,
        details={"without": times[False], "with": times[True]},
    )


async def _memory(source: str, target: str, backend: str, into: str, rows: int) -> Figure:
    query = ROWS[backend].format(rows=rows)
    peak = float(await process(sys.executable, "-c", MEMORY, source, target, query, f"memory_{rows}"))
    return Figure(
        f"peak memory of a process that copies {rows:,} rows, {backend} → {into}", peak, "MB", target=250
    )


async def _abort(registry: ConnectorRegistry, source: str, target: str) -> Figure:
    """From the abort until no connection is busy and no stage is there."""
    backend = "sqlite" if source == "lite" else "postgresql"
    await registry.sql(target).execute("DROP TABLE IF EXISTS aborted")
    await registry.sql(target).execute(
        "CREATE TABLE aborted (id bigint, name text, half numeric, words text)"
    )
    request = CopyRequest(
        connectors=registry,
        source=Place(source, query=ROWS[backend].format(rows=1_000_000_000)),
        target=Place(target, table="aborted"),
        label="abort",
    )
    task = asyncio.create_task(copy(request))
    await asyncio.sleep(1)
    started = time.perf_counter()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
    while await registry.sql("a").scalar(busy):
        await asyncio.sleep(0.005)
    taken = time.perf_counter() - started
    for pool, catalogue in (("b", "pg_class WHERE relname"), ("into", "sqlite_master WHERE name")):
        assert not await registry.sql(pool).scalar(f"SELECT count(*) FROM {catalogue} LIKE 'nomaflow_stage%'")
    assert await registry.sql(target).scalar("SELECT count(*) FROM aborted") == 0
    return Figure(f"abort → connections idle, stage gone, {source} → {target}", taken, "s", target=2)
