"""Stopping runs, holding jobs back, switching them on and off."""

from liberty.cli import exits
from liberty.cli.backend import Document, backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Terminal, print_json, short_time, status_cell
from liberty.cli.values import until
from liberty.clock import SystemClock, rfc3339


def abort(arguments: Arguments) -> int:
    """Ask a run to stop."""
    with backend(arguments) as jobs:
        run = jobs.abort(arguments.run)
    if arguments.json:
        print_json(run)
    else:
        Terminal().say(f"{run['run_id']} is ", status_cell(run["status"]))
    return exits.OK


def enable(arguments: Arguments) -> int:
    """Let the job's schedules fire."""
    return _set_enabled(arguments, enabled=True)


def disable(arguments: Arguments) -> int:
    """Keep the job's schedules from firing."""
    return _set_enabled(arguments, enabled=False)


def _set_enabled(arguments: Arguments, *, enabled: bool) -> int:
    with backend(arguments) as jobs:
        answer = jobs.set_enabled(arguments.name, enabled=enabled)
    return _said(arguments, answer, f"{arguments.name} is {'enabled' if enabled else 'disabled'}")


def pause(arguments: Arguments) -> int:
    """Hold back a job for a time."""
    end = None if arguments.until is None else rfc3339(until(arguments.until, SystemClock().now()))
    with backend(arguments) as jobs:
        answer = jobs.pause(arguments.name, until=end, reason=arguments.reason, then=arguments.then)
    return _said(
        arguments, answer, f"{arguments.name} is paused until {short_time(end) if end else 'it is resumed'}"
    )


def resume(arguments: Arguments) -> int:
    """End a pause."""
    with backend(arguments) as jobs:
        answer = jobs.resume(arguments.name)
    return _said(arguments, answer, f"{arguments.name} is resumed")


def _said(arguments: Arguments, answer: Document, text: str) -> int:
    if arguments.json:
        print_json(answer)
    else:
        Terminal().say(text)
    return exits.OK


def _configure_run(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run, such as r-1842")


def _configure_job(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")


def _configure_pause(parser: Parser) -> None:
    _configure_job(parser)
    parser.add_argument(
        "--until", metavar="WHEN", help="a time such as 2026-03-29T06:00, or a span such as 2h"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who wonder")
    parser.add_argument(
        "--then",
        choices=["drop", "latest", "all"],
        default="drop",
        help="afterwards, of what fell due meanwhile: run nothing (drop), the latest, or all",
    )


ABORT = Command("stop a run", abort, _configure_run, reaches_jobs=True)
ENABLE = Command("let a job's schedules fire", enable, _configure_job, reaches_jobs=True)
DISABLE = Command("keep a job's schedules from firing", disable, _configure_job, reaches_jobs=True)
PAUSE = Command("hold back a job's schedules for a time", pause, _configure_pause, reaches_jobs=True)
RESUME = Command("end a pause", resume, _configure_job, reaches_jobs=True)
