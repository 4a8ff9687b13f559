"""Measures the server: `python bench/run.py [scenario …] [--quick] [--json FILE] [--postgres URL]`.

A full run writes `bench/results/latest.json` and the table of `bench/README.md`. The exit code is 1 when a target
was missed and it was not a quick run, so that a script notices.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench import machine  # noqa: E402 - found by the line above
from bench.figures import Figure, table  # noqa: E402
from bench.plan import Plan, Scenario  # noqa: E402
from bench.scenarios import SCENARIOS  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "latest.json"
README = ROOT / "bench" / "README.md"
TABLE_BEGINS, TABLE_ENDS = "<!-- table -->\n", "<!-- end of table -->"


def main() -> int:
    options = _options()
    names = options.scenarios or list(SCENARIOS)
    measured: list[tuple[str, Figure]] = []
    with ExitStack() as stack:
        made = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="nomaflow-bench-", dir=options.directory)
        )
        folder = Path(made)
        # A PostgreSQL server of another account has to pass through; what is inside is private by itself.
        folder.chmod(0o711)
        if machine.is_in_memory(folder):
            print("this folder is in memory: durable writes cost nothing here; name a disk with --directory")
        facts = machine.facts(folder)
        print(", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
        plan = Plan(folder, options.quick, options.postgres, stack)
        for name in names:
            print(f"{name} …", flush=True)
            measured += [(name, figure) for figure in uvloop.run(_measured(SCENARIOS[name], plan))]
    printed = table(measured)
    print(printed)
    document = {
        "machine": facts,
        "quick": options.quick,
        "figures": [{"scenario": name, **figure.as_dict()} for name, figure in measured],
    }
    complete = set(names) == set(SCENARIOS) and not options.quick
    for file in filter(None, [options.json, RESULTS if complete else None]):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=2, default=str) + "\n")
    if complete:
        _put_into_readme(printed, facts)
    return int(not options.quick and any(figure.verdict == "missed" for _, figure in measured))


async def _measured(scenario: Scenario, plan: Plan) -> list[Figure]:
    return await scenario(plan)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the server beside a bare peer.")
    parser.add_argument(
        "scenarios", nargs="*", metavar="scenario", help=f"of {', '.join(SCENARIOS)}; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument(
        "--postgres", metavar="URL", help="a durable server to use instead of a throw-away one"
    )
    parser.add_argument(
        "--directory", type=Path, metavar="FOLDER", help="the disk to measure on (temporary files)"
    )
    options = parser.parse_args()
    if unknown := set(options.scenarios) - SCENARIOS.keys():
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return options


def _put_into_readme(printed: str, facts: dict[str, Any]) -> None:
    text = README.read_text()
    before, _, rest = text.partition(TABLE_BEGINS)
    _, _, after = rest.partition(TABLE_ENDS)
    what = (
        f"{facts['measured_at'][:10]}, {facts['cores']} cores ({facts['processor']}), {facts['memory_gb']:.0f} GB, "
        f"Linux {facts['kernel']}, {facts['filesystem']} (sync {facts['sync_ms']['p50']} ms), "
        f"Python {facts['python']}, SQLite {facts['sqlite']}"
    )
    README.write_text(f"{before}{TABLE_BEGINS}{printed}\n\n{what}.\n{TABLE_ENDS}{after}")


if __name__ == "__main__":
    sys.exit(main())
