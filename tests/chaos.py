"""Every experiment of `liberty-admin doctor chaos`: on SQLite, then on a PostgreSQL server that it restarts too.

`make chaos` runs this. `python -m tests.chaos --minutes 1 fires stop` does a part of it.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from liberty.chaos import EXPERIMENTS, Plan
from liberty.cli.doctor import perform
from tests.pg import Server

REPORTS = Path("build")


def main() -> int:
    parser = argparse.ArgumentParser(description="Hurt real servers and count.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("experiments", nargs="*", default=list(EXPERIMENTS))
    told = parser.parse_args()
    REPORTS.mkdir(exist_ok=True)
    common = {"seconds": told.minutes * 60, "jobs": told.jobs, "seed": told.seed, "patience": told.patience}
    codes = []
    if told.only != "postgresql":
        print("== SQLite, one server", flush=True)
        plan = Plan(**common, say=_say)
        codes.append(perform(plan, told.experiments, report=str(REPORTS / "chaos-sqlite.json")))
    if told.only != "sqlite":
        print(f"== PostgreSQL, {told.replicas} replicas", flush=True)
        with tempfile.TemporaryDirectory(prefix="nomaflow-chaos-") as folder:
            server = Server(Path(folder))
            server.start()

            async def restart() -> None:
                await asyncio.to_thread(server.restart)

            plan = Plan(
                **common, database=server.url, replicas=told.replicas, restart_database=restart, say=_say
            )
            try:
                codes.append(perform(plan, told.experiments, report=str(REPORTS / "chaos-postgresql.json")))
            finally:
                server.stop()
    return max(codes)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
