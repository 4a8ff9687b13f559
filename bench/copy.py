"""Measures copies between PostgreSQL databases beside a bare `psql COPY | psql COPY`, in turns:
`python bench/copy.py [--rows N] [--quick] [--json FILE] [--postgres URL]`.

What is measured is the transfer engine that the `sql_copy` step calls, not a run through the server.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench import machine  # noqa: E402 - found by the line above
from bench.figures import Figure, median, table  # noqa: E402
from bench.postgres import database, libpq, postgres  # noqa: E402
from liberty.connectors import ConnectorRegistry  # noqa: E402
from liberty.etl.transfer import CopyRequest, Place, copy  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "copy.json"
ROUNDS = 5
TABLE = """CREATE TABLE t (id bigint PRIMARY KEY, a int, name text, note varchar(40), price numeric(12,2),
    ratio double precision, ok boolean, day date, at timestamptz, uid uuid)"""
FILL = """INSERT INTO t SELECT i, i % 1000, 'name ' || i, CASE WHEN i % 7 > 0 THEN 'note ' || i % 99 END, i / 100.0,
    i / 7.0, i % 2 = 0, date '2020-01-01' + i % 2000, timestamptz '2020-01-01' + i * interval '1 s',
    gen_random_uuid() FROM generate_series(1, {rows}) AS i"""


async def measure(server: str, rows: int, rounds: int) -> list[Figure]:
    async with database(server) as source, database(server) as target:
        registry = ConnectorRegistry({"pools": {"a": {"url": source}, "b": {"url": target}}})
        for pool in ("a", "b"):
            await registry.sql(pool).execute(TABLE)
        await registry.sql("a").execute(FILL.format(rows=rows))
        await registry.sql("a").execute("ANALYZE t")
        try:
            return [await _beside_psql(registry, source, target, rows, rounds)]
        finally:
            await registry.close()


async def _beside_psql(
    registry: ConnectorRegistry, source: str, target: str, rows: int, rounds: int
) -> Figure:
    async def ours() -> None:
        request = CopyRequest(
            connectors=registry, source=Place("a", table="t"), target=Place("b", table="t"), label="bench"
        )
        assert (await copy(request)).target_rows == rows

    async def bare() -> None:
        command = (
            f"psql -q '{libpq(source)}' -c 'COPY t TO STDOUT (FORMAT binary)' | "
            f"psql -q '{libpq(target)}' -c 'COPY t FROM STDIN (FORMAT binary)'"
        )
        process = await asyncio.create_subprocess_shell(command)
        if await process.wait():
            raise RuntimeError("psql did not copy")

    async def seconds(work: Callable[[], Awaitable[None]]) -> float:
        await registry.sql("b").execute("TRUNCATE t")
        started = time.perf_counter()
        await work()
        taken = time.perf_counter() - started
        found = await registry.sql("b").scalar("SELECT count(*) FROM t")
        assert found == rows, f"{found} rows arrived"
        return taken

    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        times["bare"].append(await seconds(bare))
        times["ours"].append(await seconds(ours))
    limit = rows / median(times["bare"])
    return Figure(
        f"PostgreSQL → PostgreSQL, {rows:,} rows of 10 columns, median of {rounds}",
        rows / median(times["ours"]),
        "rows/s",
        target=0.9 * limit,
        better="higher",
        limit=limit,
        limit_is="psql COPY binary | psql COPY binary",
        details={"seconds": times},
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure copies beside a bare peer.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="few rows, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--postgres", metavar="URL", help="a durable server instead of a throw-away one")
    options = parser.parse_args()
    rows, rounds = (20_000, 1) if options.quick else (options.rows, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="nomaflow-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        facts = machine.facts(folder)
        with postgres(options.postgres, folder) as server:
            figures = asyncio.run(measure(server, rows, rounds))
    print(table(("copy", figure) for figure in figures))
    document = {"machine": facts, "quick": options.quick, "figures": [figure.as_dict() for figure in figures]}
    for file in filter(None, [options.json, None if options.quick else RESULTS]):
        file.write_text(json.dumps(document, indent=2, default=str) + "\n")
    return int(not options.quick and any(figure.verdict == "missed" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
