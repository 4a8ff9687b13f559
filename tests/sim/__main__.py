"""`python -m tests.sim --seeds 1000`: many seeds on every core; a seed that breaks a promise is printed."""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.sim.simulation import Outcome, simulate


def main() -> int:
    """Run the seeds; 1 when one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at a time (one a core)")
    asked = parser.parse_args()
    began = time.monotonic()
    totals: Counter[str] = Counter()
    failed = 0
    seeds = range(asked.first, asked.first + asked.seeds)
    with ProcessPoolExecutor(asked.processes) as pool:
        for outcome in pool.map(simulate, seeds, chunksize=10):
            totals.update(outcome.caught)
            failed += bool(outcome.violations)
            _report(outcome)
    print(
        f"{asked.seeds} seeds, {failed} failed, {sum(totals.values())} rows in {time.monotonic() - began:.0f} s: "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(totals.items()))
    )
    return 1 if failed else 0


def _report(outcome: Outcome) -> None:
    for violation in outcome.violations[:5]:
        print(f"seed {outcome.seed} ({outcome.dialect}): {violation}", flush=True)


if __name__ == "__main__":
    # The order of sets of names belongs to the seed.
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "tests.sim", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
