"""Starting and replaying runs, and following what they log."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from liberty.cli import exits
from liberty.cli.backend import Backend, Document, backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.exits import UsageError
from liberty.cli.job.render import show_outcome
from liberty.cli.terminal import Terminal, complain, print_json
from liberty.cli.values import pairs
from liberty.errors import LibertyError, Unavailable

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def start(arguments: Arguments) -> int:
    """Run a job and, unless told not to, wait for its end."""
    body: dict[str, Any] = {"params": pairs(arguments.params)}
    if arguments.preset:
        body["preset"] = arguments.preset
    if arguments.log_level:
        body["log_level"] = arguments.log_level
    return _ask(arguments, lambda jobs: jobs.start(arguments.name, body, arguments.idempotency_key))


def replay(arguments: Arguments) -> int:
    """Make a run like a finished one."""
    body: dict[str, Any] = {"params": pairs(arguments.params), "definition": arguments.definition}
    if arguments.from_step:
        body["from_step"] = arguments.from_step
    if arguments.log_level:
        body["log_level"] = arguments.log_level
    return _ask(arguments, lambda jobs: jobs.replay(arguments.run, body))


def _ask(arguments: Arguments, ask: Callable[[Backend], Document]) -> int:
    with backend(arguments) as jobs:
        if not arguments.wait and jobs.in_process:
            raise Unavailable(
                "no server runs on this data folder, so the run would end with this command; leave out --no-wait"
            )
        accepted = ask(jobs)
        if arguments.wait:
            return _wait(jobs, accepted["run_id"], as_json=arguments.json)
        if arguments.json:
            print_json(accepted)
        else:
            Terminal().say(f"{accepted['run_id']} of {accepted['job']} is {accepted['status']}")
        return exits.RUN_FAILED if accepted["status"] == "skipped" else exits.OK


def _wait(jobs: Backend, run_id: str, *, as_json: bool) -> int:
    """Tell what the run logs until it ends; its exit code."""
    watch = _Watch(jobs, run_id, None if as_json else Terminal())
    try:
        watch.to_the_end()
    except KeyboardInterrupt:
        _leave(watch)
        raise
    run = jobs.run(run_id)
    if watch.terminal is None:
        print_json({key: value for key, value in run.items() if key != "logs"})
    else:
        show_outcome(watch.terminal, run)
    return exits.OK if run["status"] == "succeeded" else exits.RUN_FAILED


@dataclass(slots=True)
class _Watch:
    """Follows one run; can be taken up again where it was interrupted. Silent without a terminal."""

    jobs: Backend
    run_id: str
    terminal: Terminal | None
    seen: int = 0

    def to_the_end(self) -> None:
        lines = self.jobs.follow(self.run_id, since=self.seen)
        if self.terminal is None:
            for _ in lines:
                pass
            return
        with self.terminal.waiting(self.run_id) as now:
            for line in lines:
                self.seen = line["seq"]
                self.terminal.log_line(line)
                if line["step"]:
                    now(f"{self.run_id} · {line['step']}")


def _leave(watch: _Watch) -> None:
    """After Ctrl-C: a run of this process is aborted; one of a server goes on, and is told how to be found again."""
    jobs, run_id = watch.jobs, watch.run_id
    if not jobs.in_process:
        complain(
            f"\n{run_id} goes on without being watched.\n"
            f"  watch it: liberty-admin job logs {run_id} --follow\n"
            f"  stop it:  liberty-admin job abort {run_id}"
        )
        return
    complain(f"\naborting {run_id}; Ctrl-C again leaves it behind")
    try:
        jobs.abort(run_id)
    except LibertyError as error:  # it has ended meanwhile
        complain(error.message)
    try:
        watch.to_the_end()
    except KeyboardInterrupt:
        # Closing would wait for the step that does not stop; the next start ends the run as orphaned.
        sys.stdout.flush()
        os._exit(exits.INTERRUPTED)
    if watch.terminal is not None:
        show_outcome(watch.terminal, jobs.run(run_id))


def logs(arguments: Arguments) -> int:
    """Print the log of a run, and what it still logs when asked to follow."""
    with backend(arguments) as jobs:
        read = jobs.follow if arguments.follow else jobs.log
        lines = read(arguments.run, since=arguments.since, level=arguments.level)
        if arguments.json:
            for line in lines:
                print_json(line, one_line=True)
            return exits.OK
        terminal = Terminal()
        for line in lines:
            terminal.log_line(line)
    return exits.OK


def _level(text: str) -> str:
    level = {"WARN": "WARNING"}.get(text.upper(), text.upper())
    if level not in LEVELS:
        raise UsageError(f"no log level {text!r}; there are {', '.join(LEVELS)}")
    return level


def _configure_values(parser: Parser) -> None:
    parser.add_argument(
        "--params",
        "--param",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of this run, may be repeated; numbers, true, false, null and quoted texts as in JSON",
    )
    parser.add_argument(
        "--log-level", type=_level, metavar="LEVEL", help=f"lowest level kept: {', '.join(LEVELS)}"
    )
    wait = parser.add_mutually_exclusive_group()
    wait.add_argument(
        "--wait", action="store_true", default=True, help="print the log and wait for the end (usual)"
    )
    wait.add_argument(
        "--no-wait", dest="wait", action="store_false", help="return once the server has the run"
    )


def _configure_run(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")
    _configure_values(parser)
    parser.add_argument("--preset", metavar="NAME", help="a named set of parameters of the job")
    parser.add_argument(
        "--idempotency-key", metavar="KEY", help="asked twice with the same key, the job runs once"
    )


def _configure_replay(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the finished run, such as r-1842")
    _configure_values(parser)
    parser.add_argument(
        "--definition",
        choices=("current", "same"),
        default="current",
        help="the job as it is now, or as it was then",
    )
    parser.add_argument("--from-step", metavar="STEP", help="begin there, with what earlier steps gave then")


def _configure_logs(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run, such as r-1842")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run has ended")
    parser.add_argument("--level", type=_level, metavar="LEVEL", help="only this level and graver ones")
    parser.add_argument("--since", type=int, default=0, metavar="N", help="only lines after number N")


_EXIT_CODES = "exit codes: 0 succeeded, 1 did not succeed, 3 no such job, 4 a value is wrong, 130 interrupted"

RUN = Command("run a job and watch it", start, _configure_run, reaches_jobs=True, details=_EXIT_CODES)
REPLAY = Command(
    "run again what a finished run did", replay, _configure_replay, reaches_jobs=True, details=_EXIT_CODES
)
LOGS = Command("print the log of a run", logs, _configure_logs, reaches_jobs=True)
