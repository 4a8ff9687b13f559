"""Copies from one kind of database into another, in turns with a bare peer on the same data."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.copies.tables import Sample, make_postgresql, make_sqlite
from bench.figures import Figure, median
from bench.postgres import database, libpq
from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyRequest, Place, copy

ADBC = Path(__file__).resolve().parents[1] / "peers" / "adbc.py"
type Work = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where to measure, how often, and the interpreter that has the peers; None without."""

    server: str
    folder: Path
    rounds: int
    peers: str | None


async def in_turns(
    title: str, rows: int, bench: Bench, ours: Work, bare: Work | None, share: float, limit_is: str
) -> Figure:
    """Both in turns; rows a second of the median."""
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(bench.rounds):
        if bare is not None:
            times["bare"].append(await bare())
        times["ours"].append(await ours())
    limit = rows / median(times["bare"]) if bare is not None else None
    return Figure(
        f"{title}, {rows:,} rows, median of {bench.rounds}",
        rows / median(times["ours"]),
        "rows/s",
        target=None if limit is None else share * limit,
        better="higher",
        limit=limit,
        limit_is=limit_is,
        details={"seconds": times},
    )


async def copied(
    registry: ConnectorRegistry, source: str, target: str, table: str, rows: int, **options: object
) -> float:
    """Seconds of one copy by the engine."""
    request = CopyRequest(
        connectors=registry,
        source=Place(source, table=table),
        target=Place(target, table=table),
        label="bench",
        **options,  # type: ignore[arg-type]
    )
    started = time.perf_counter()
    outcome = await copy(request)
    taken = time.perf_counter() - started
    assert outcome.target_rows == rows, f"{outcome.target_rows} rows arrived"
    return taken


async def process(*command: str) -> str:
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await running.communicate()
    if running.returncode:
        raise RuntimeError(f"{command[0]} failed")
    return printed.decode()


async def between_postgresql(sample: Sample, bench: Bench) -> list[Figure]:
    """Beside psql on both ends of a pipe."""
    lite = bench.folder / "rows.db"
    async with database(bench.server) as source, database(bench.server) as target:
        registry = registry_of(a=source, b=target, lite=lite)
        try:
            for url in (source, target):
                await make_postgresql(url, sample, sample.typed)
            await copied(registry, "lite", "a", sample.name, sample.rows)
            pipe = (
                f"psql -q '{libpq(source)}' -c 'COPY {sample.name} TO STDOUT (FORMAT binary)' | "
                f"psql -q '{libpq(target)}' -c 'COPY {sample.name} FROM STDIN (FORMAT binary)'"
            )

            async def bare() -> float:
                await registry.sql("b").execute(f"TRUNCATE {sample.name}")
                started = time.perf_counter()
                await process("sh", "-c", pipe)
                return time.perf_counter() - started

            async def ours() -> float:
                await registry.sql("b").execute(f"TRUNCATE {sample.name}")
                return await copied(registry, "a", "b", sample.name, sample.rows)

            title = f"{sample.name}: PostgreSQL → PostgreSQL"
            return [
                await in_turns(
                    title, sample.rows, bench, ours, bare, 0.9, "psql COPY binary | psql COPY binary"
                )
            ]
        finally:
            await registry.close()


async def between_kinds(sample: Sample, bench: Bench) -> list[Figure]:
    """SQLite and PostgreSQL, beside ADBC. The peer's tables know numbers and texts only, and have no key."""
    lite, into = bench.folder / "rows.db", bench.folder / "into.db"
    figures = []
    async with database(bench.server) as typed, database(bench.server) as plain:
        registry = registry_of(a=typed, lite=lite, into=into)
        try:
            await make_postgresql(typed, sample, sample.typed)

            async def adbc(source: str, target: str) -> float:
                assert bench.peers is not None
                return float(await process(bench.peers, str(ADBC), source, target, sample.name))

            async def to_postgresql() -> float:
                await registry.sql("a").execute(f"TRUNCATE {sample.name}")
                return await copied(registry, "lite", "a", sample.name, sample.rows)

            async def adbc_to_postgresql() -> float:
                await make_postgresql(plain, sample, sample.plain)
                return await adbc(f"file:{lite}", libpq(plain))

            async def to_sqlite() -> float:
                make_sqlite(into, sample, fill=False)
                return await copied(registry, "a", "into", sample.name, sample.rows)

            async def adbc_to_sqlite() -> float:
                make_sqlite(into, sample, fill=False)
                return await adbc(libpq(plain), f"file:{into}")

            for title, ours, bare in (
                ("SQLite → PostgreSQL", to_postgresql, adbc_to_postgresql),
                ("PostgreSQL → SQLite", to_sqlite, adbc_to_sqlite),
            ):
                peer = bare if bench.peers else None
                name = f"{sample.name}: {title}"
                figures.append(
                    await in_turns(name, sample.rows, bench, ours, peer, 0.85, "ADBC reader → ADBC ingest")
                )
        finally:
            await registry.close()
    return figures


def registry_of(**pools: str | Path) -> ConnectorRegistry:
    return ConnectorRegistry(
        {
            "pools": {
                name: {"url": f"sqlite:///{place}" if isinstance(place, Path) else place}
                for name, place in pools.items()
            }
        }
    )
