"""Measures copies between databases beside bare peers, in turns: `python bench/copy.py [part …] [--rows N] [--quick]
[--peers PYTHON] [--json FILE] [--postgres URL]`.

What is measured is the transfer engine that the `sql_copy` step calls, not a run through the server. A full run of all
parts writes `bench/results/copy.json`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench import machine  # noqa: E402 - found by the line above
from bench.copies import costs, pairs  # noqa: E402
from bench.copies.pairs import Bench  # noqa: E402
from bench.copies.tables import flights, make_sqlite, mixed  # noqa: E402
from bench.figures import Figure, table  # noqa: E402
from bench.postgres import postgres  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "copy.json"
PARTS = ("mixed", "flights", "costs")
ROUNDS = 5
MILLION = 1_000_000


async def measure(part: str, bench: Bench, rows: int, memory_rows: tuple[int, ...]) -> list[Figure]:
    sample = flights() if part == "flights" else mixed(rows)
    make_sqlite(bench.folder / "rows.db", sample, fill=True)
    if part == "costs":
        return await costs.measure(sample, bench, memory_rows)
    return await pairs.between_postgresql(sample, bench) + await pairs.between_kinds(sample, bench)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure copies beside bare peers.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--rows", type=int, default=MILLION)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="few rows, to see that it works")
    parser.add_argument(
        "--peers", metavar="PYTHON", help="interpreter with requirements/bench.lock; default: no peer"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--postgres", metavar="URL", help="a durable server instead of a throw-away one")
    options = parser.parse_args()
    rows, rounds = (20_000, 1) if options.quick else (options.rows, options.rounds)
    memory_rows = (rows, 10 * rows)
    with tempfile.TemporaryDirectory(prefix="nomaflow-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        facts = machine.facts(folder)
        measured: list[tuple[str, Figure]] = []
        with postgres(options.postgres, folder) as server:
            bench = Bench(server, folder, rounds, options.peers)
            for part in options.parts or PARTS:
                found = asyncio.run(measure(part, bench, rows, memory_rows))
                measured += [(f"copy {part}", figure) for figure in found]
    print(table(measured))
    document = {
        "machine": facts,
        "quick": options.quick,
        "figures": [figure.as_dict() for _, figure in measured],
    }
    kept = not (options.quick or options.parts)
    for file in filter(None, [options.json, RESULTS if kept else None]):
        file.write_text(json.dumps(document, indent=2, default=str) + "\n")
    return int(not options.quick and any(figure.verdict == "missed" for _, figure in measured))


if __name__ == "__main__":
    sys.exit(main())
