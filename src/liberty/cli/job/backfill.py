"""Runs for past instants: asking for them, watching how far they are, calling them off."""

from liberty.cli import exits
from liberty.cli.backend import backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Terminal, print_json, short_time


def backfill(arguments: Arguments) -> int:
    """Queue a run for each instant of a span."""
    body = {
        "from": arguments.since,
        "to": arguments.until,
        "only_missing": not arguments.all,
        "newest_first": arguments.newest_first,
        "max_concurrent": arguments.max_concurrent,
    }
    with backend(arguments) as jobs:
        made = jobs.backfill(arguments.name, body)
        waits = jobs.in_process
    if arguments.json:
        print_json(made)
    elif made["backfill"] is None:
        Terminal().say(f"Nothing to do: every instant of {made['job']} in that span has succeeded.")
    else:
        when = "they run once a server is up" if waits else f"see `job backfills {made['job']}`"
        Terminal().say(f"Backfill {made['backfill']} of {made['job']}: {len(made['run_ids'])} runs; {when}.")
    return exits.OK


def backfills(arguments: Arguments) -> int:
    """Print the backfills of a job."""
    with backend(arguments) as jobs:
        found = jobs.backfills(arguments.name)
    if arguments.json:
        print_json(found)
        return exits.OK
    terminal = Terminal()
    if not found:
        terminal.say(f"{arguments.name} has no backfills.")
        return exits.OK
    terminal.table(
        ["BACKFILL", "FROM", "TO", "ASKED BY", "CANCELLED BY", "RUNS"],
        [
            [
                str(item["backfill"]),
                short_time(item["from"]),
                short_time(item["to"]),
                item["requested_by"],
                item["cancelled_by"] or "",
                ", ".join(f"{count} {status}" for status, count in item["runs"].items()),
            ]
            for item in found
        ],
    )
    return exits.OK


def cancel_backfill(arguments: Arguments) -> int:
    """End what waits of a backfill and stop what runs."""
    with backend(arguments) as jobs:
        answer = jobs.cancel_backfill(arguments.name, arguments.number)
    if arguments.json:
        print_json(answer)
    else:
        Terminal().say(f"Backfill {answer['backfill']} of {answer['job']} is cancelled.")
    return exits.OK


def _configure_job(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")


def _configure_backfill(parser: Parser) -> None:
    _configure_job(parser)
    parser.add_argument(
        "--from", dest="since", required=True, metavar="WHEN", help="2026-03-01, or with a time"
    )
    parser.add_argument("--to", dest="until", required=True, metavar="WHEN", help="a whole day, or a time")
    parser.add_argument("--all", action="store_true", help="also instants that have succeeded")
    parser.add_argument("--newest-first", action="store_true", help="begin at the end of the span")
    parser.add_argument(
        "--max-concurrent", type=int, default=1, metavar="N", help="how many may run at once (1)"
    )


def _configure_cancel(parser: Parser) -> None:
    _configure_job(parser)
    parser.add_argument("number", metavar="BACKFILL", type=int, help="its number, from `job backfills`")


BACKFILL = Command(
    "run a job for instants of the past that never succeeded",
    backfill,
    _configure_backfill,
    reaches_jobs=True,
)
BACKFILLS = Command("list the backfills of a job", backfills, _configure_job, reaches_jobs=True)
CANCEL_BACKFILL = Command("call a backfill off", cancel_backfill, _configure_cancel, reaches_jobs=True)
