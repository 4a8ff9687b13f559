"""`liberty-admin doctor chaos`: hurts servers it starts itself and counts what becomes of the promises."""

import asyncio
import shlex
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.exits import UsageError
from liberty.cli.terminal import Cell, Terminal, complain, print_json
from liberty.errors import Invalid, Unavailable, did_you_mean

if TYPE_CHECKING:
    from liberty.chaos import Plan, Result

RESTART_SECONDS = 120


def chaos(arguments: Arguments) -> int:
    """Do the experiments one after the other; 1 when any promise was broken."""
    from liberty.chaos import EXPERIMENTS, Plan

    names = arguments.experiment or list(EXPERIMENTS)
    for name in names:
        if name not in EXPERIMENTS:
            raise UsageError(
                f"no experiment {name!r}{did_you_mean(name, EXPERIMENTS)}; {', '.join(EXPERIMENTS)}"
            )
    restart = arguments.restart_database
    plan = Plan(
        database=_driver(arguments.database),
        seconds=arguments.minutes * 60,
        rounds=arguments.rounds,
        replicas=arguments.replicas,
        jobs=arguments.jobs,
        seed=arguments.seed,
        patience=arguments.patience,
        restart_database=_restarting(restart) if restart else None,
        say=complain,
    )
    return perform(plan, names, as_json=arguments.json, report=arguments.report)


def perform(plan: "Plan", names: Sequence[str], *, as_json: bool = False, report: str | None = None) -> int:
    """Do the experiments, show each as it ends, and give the exit code."""
    results = _done(plan, names, None if as_json else _show)
    document = {
        "database": "postgresql" if plan.on_postgresql else "sqlite",
        "replicas": plan.replicas if plan.on_postgresql else 1,
        "seed": plan.seed,
        "seconds": plan.seconds,
        "experiments": [asdict(result) for result in results],
    }
    if as_json:
        print_json(document)
    if report:
        _write(Path(report), document)
    return exits.RUN_FAILED if any(result.violations for result in results) else exits.OK


def _done(plan: "Plan", names: Sequence[str], show: "Callable[[Result], None] | None") -> "list[Result]":
    from liberty.chaos import run_experiment

    results = []
    for name in names:
        result = asyncio.run(run_experiment(name, plan))
        results.append(result)
        if show is not None:
            show(result)
    return results


def _show(result: "Result") -> None:
    """A verdict, every raw count, and what was violated."""
    terminal = Terminal()
    if result.not_run:
        terminal.say(Cell(f"{result.experiment}: not done: {result.not_run}", "yellow"))
        return
    verdict = Cell("VIOLATED", "red") if result.violations else Cell("held", "green")
    terminal.say(Cell(result.experiment, "bold"), ": ", verdict, f" in {result.seconds:.0f} s")
    terminal.table(["COUNT", "WHAT"], [[str(count), what] for what, count in result.counts.items()])
    for violation in result.violations:
        terminal.say(Cell(violation, "red"))
    terminal.say("")


def _driver(url: str | None) -> str | None:
    """`postgresql://…` also without the name of the driver."""
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    known = {"postgres", "postgresql", "postgresql+asyncpg", "sqlite", "sqlite+aiosqlite"}
    if not separator or scheme not in known:
        raise UsageError(
            "--database is an address such as postgresql://user@host/empty or sqlite:///new-file.db"
        )
    return f"postgresql+asyncpg://{rest}" if scheme.startswith("postgres") else url


def _restarting(command: str) -> Callable[[], Awaitable[None]]:
    words = shlex.split(command)

    async def restart() -> None:
        try:
            done = await asyncio.to_thread(subprocess.run, words, timeout=RESTART_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{command!r} does not restart the database: {error}") from error
        if done.returncode:
            raise Unavailable(f"{command!r} does not restart the database: exit code {done.returncode}")

    return restart


def _write(path: Path, document: Mapping[str, object]) -> None:
    import json

    try:
        path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror or error}") from error


def _configure(parser: Parser) -> None:
    parser.add_argument("experiment", nargs="*", metavar="EXPERIMENT", help="some instead of all")
    parser.add_argument("--minutes", type=float, default=10, metavar="M", help="for each experiment (10)")
    parser.add_argument("--rounds", type=int, metavar="N", help="at most, where an experiment goes in rounds")
    parser.add_argument(
        "--replicas", type=int, default=3, metavar="N", help="servers on PostgreSQL (3); one on SQLite"
    )
    parser.add_argument(
        "--jobs", type=int, default=20, metavar="N", help="jobs that are due every second (20)"
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://… without run history; without it an SQLite file of its own",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="repeats the same faults (1)")
    parser.add_argument(
        "--restart-database", metavar="COMMAND", help="restarts a database server made for this"
    )
    parser.add_argument(
        "--patience", type=float, default=1, metavar="F", help="multiplies the limits of time (1)"
    )
    parser.add_argument("--report", metavar="FILE", help="also write the counts there, as JSON")


def _details() -> str:
    from liberty.chaos import EXPERIMENTS

    lines = [f"  {name:<16} {summary}" for name, (_, summary) in EXPERIMENTS.items()]
    return (
        "experiments:\n"
        + "\n".join(lines)
        + (
            "\n\nServers are started, killed and paused; none of yours. On PostgreSQL the tables live in a"
            "\nschema that is made for each experiment and dropped afterwards."
        )
    )


VERB: dict[str, Command] = {
    "chaos": Command("hurt servers on purpose and count", chaos, _configure, details=_details()),
}
