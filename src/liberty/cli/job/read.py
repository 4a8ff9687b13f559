"""Looking at jobs, runs and the schedule."""

import re
from datetime import UTC, datetime, timedelta

from liberty.cli import exits
from liberty.cli.backend import backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.job.render import show_job, show_jobs, show_run, show_runs
from liberty.cli.job.render_calendar import show_calendar
from liberty.cli.terminal import Cell, Terminal, print_json
from liberty.cli.values import instant, moment, until
from liberty.clock import SystemClock, rfc3339

_RUN_MARK = "r-"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def list_jobs(arguments: Arguments) -> int:
    """Print every job."""
    with backend(arguments) as jobs:
        found = jobs.jobs()
    if arguments.json:
        print_json(found)
    else:
        show_jobs(Terminal(), found)
    return exits.OK


def show(arguments: Arguments) -> int:
    """Print one job, or one run when the name is a run's."""
    name: str = arguments.name
    is_run = name.startswith(_RUN_MARK) and name.removeprefix(_RUN_MARK).isdecimal()
    with backend(arguments) as jobs:
        found = jobs.run(name) if is_run else jobs.job(name)
    if arguments.json:
        print_json(found)
    else:
        (show_run if is_run else show_job)(Terminal(), found)
    return exits.OK


def history(arguments: Arguments) -> int:
    """Print the newest runs of a job, or of all jobs."""
    statuses = [word for text in arguments.status for word in text.split(",") if word]
    with backend(arguments) as jobs:
        found = jobs.runs(job=arguments.name, statuses=statuses, limit=arguments.limit)
        if not found and arguments.name is not None:
            jobs.job(arguments.name)  # a name that does not exist is an error, not an empty history
    if arguments.json:
        print_json(found)
    else:
        show_runs(Terminal(), found, with_job=arguments.name is None)
    return exits.OK


def why(arguments: Arguments) -> int:
    """Print why a job ran or did not run at a time."""
    when: str | None = arguments.when
    at = when if when is None or _DATE.fullmatch(when) else moment(when, _now())
    with backend(arguments) as jobs:
        found = jobs.why(arguments.name, at)
    if arguments.json:
        print_json(found)
    else:
        Terminal().say(Cell(f"{found['verdict']}: ", "bold"), found["text"])
    return exits.OK


def schedule(arguments: Arguments) -> int:
    """Print what is due."""
    now = _now()
    since = instant(arguments.since, now) if arguments.since else now
    end = until(arguments.until, since) if arguments.until else since + timedelta(days=1)
    with backend(arguments) as jobs:
        found = jobs.schedule(rfc3339(since), rfc3339(end))
    if arguments.json:
        print_json(found)
        return exits.OK
    terminal = Terminal()
    show_calendar(terminal, found)
    if not found["items"]:
        terminal.say(f"Nothing is due until {end.astimezone():%Y-%m-%d %H:%M}.")
    return exits.OK


def _now() -> datetime:
    return SystemClock().now().astimezone(UTC)


def _configure_show(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME|RUN", help="a job, or a run such as r-1842")


def _configure_history(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the job; all jobs when left out")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many, newest first (20)")
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="S[,S]",
        help="only runs that ended so, such as failed,aborted",
    )


def _configure_why(parser: Parser) -> None:
    parser.add_argument("name", metavar="JOB", help="the job")
    parser.add_argument(
        "when",
        metavar="WHEN",
        nargs="?",
        help="2026-03-29T02:00, 02:00, or 2026-03-29 for the whole day, on the job's clock; "
        "when it was last due, when left out",
    )


def _configure_schedule(parser: Parser) -> None:
    parser.add_argument("--from", dest="since", metavar="WHEN", help="2026-03-29 or 02:00; now when left out")
    parser.add_argument("--to", dest="until", metavar="WHEN", help="a time, or a span such as 7d (1d)")


LIST = Command("list the jobs with their state and last run", list_jobs, reaches_jobs=True)
SHOW = Command("show one job, or one run with its steps", show, _configure_show, reaches_jobs=True)
HISTORY = Command("list the newest runs", history, _configure_history, reaches_jobs=True)
WHY = Command("say why a job ran or did not run", why, _configure_why, reaches_jobs=True)
SCHEDULE = Command("list what is due", schedule, _configure_schedule, reaches_jobs=True)
