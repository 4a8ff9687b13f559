"""From the words of the command line to one command: finds it, parses its options, prints errors as sentences."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from liberty.cli import exits
from liberty.cli.exits import UsageError, exit_code
from liberty.cli.terminal import complain, write
from liberty.errors import Invalid, LibertyError, did_you_mean

PROGRAM = "liberty-admin"

type Arguments = argparse.Namespace
type Parser = argparse.ArgumentParser


def _no_arguments(_: Parser) -> None:
    """For a command that has none of its own."""


@dataclass(frozen=True, slots=True)
class Command:
    """One verb. `run` returns the exit code; `reaches_jobs` gives it `--server`; `details` end its help."""

    summary: str
    run: Callable[[Arguments], int]
    configure: Callable[[Parser], None] = _no_arguments
    reaches_jobs: bool = False
    details: str = ""


type Verb = Command | Mapping[str, Command]


def run_command(verbs: Mapping[str, tuple[str, str]], words: list[str]) -> int:
    """Run the command that `words` name; the exit code. Nothing but this prints an error."""
    try:
        return _dispatch(verbs, words)
    except UsageError as error:
        complain(f"{error}\nTry `{PROGRAM} --help`.")
        return exits.USAGE
    except LibertyError as error:
        complain(_sentence(error))
        return exit_code(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python must not fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK


def _dispatch(verbs: Mapping[str, tuple[str, str]], words: list[str]) -> int:
    summaries = {name: summary for name, (_, summary) in verbs.items()}
    if not words or words[0] in ("-h", "--help"):
        write(_overview(PROGRAM, summaries, "Reads and operates jobs, with a server or without one."))
        return exits.OK if words else exits.USAGE
    if words[0] == "--version":
        from liberty import __version__

        write(f"{PROGRAM} {__version__}")
        return exits.OK
    name, *rest = words
    module = importlib.import_module(verbs[_known(name, summaries, PROGRAM)][0])
    verb: Verb = module.VERB
    if isinstance(verb, Command):
        return _run(verb, f"{PROGRAM} {name}", rest)
    summaries = {key: command.summary for key, command in verb.items()}
    program = f"{PROGRAM} {name}"
    if not rest or rest[0] in ("-h", "--help"):
        write(_overview(program, summaries, verbs[name][1].capitalize() + "."))
        return exits.OK if rest else exits.USAGE
    return _run(verb[_known(rest[0], summaries, program)], f"{program} {rest[0]}", rest[1:])


def _known(name: str, known: Mapping[str, str], program: str) -> str:
    if name in known:
        return name
    if name.startswith("-"):
        raise UsageError(f"{name} stands before the command; options stand after it")
    raise UsageError(f"{program} has no command {name!r}{did_you_mean(name, known)}")


def _run(command: Command, program: str, words: Sequence[str]) -> int:
    parser = _parser(command, program)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as asked:  # --help has been printed
        return int(asked.code or 0)
    if arguments.verbose:
        from liberty.cli.process_log import shown_process_log

        with shown_process_log():
            return command.run(arguments)
    return command.run(arguments)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage().strip()}\n{message}")


def _parser(command: Command, program: str) -> Parser:
    parser = _Parser(
        prog=program,
        description=command.summary[:1].upper() + command.summary[1:] + ".",
        epilog=command.details or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    common = parser.add_argument_group("for every command")
    if command.reaches_jobs:
        common.add_argument(
            "--server",
            metavar="URL",
            help="work through this server (else LIBERTY_SERVER, else the one running on the data folder, else none)",
        )
    common.add_argument("--json", action="store_true", help="print JSON, for programs")
    common.add_argument("-v", "--verbose", action="store_true", help="show the process log on standard error")
    return parser


def _overview(program: str, summaries: Mapping[str, str], description: str) -> str:
    width = max(map(len, summaries))
    bold, plain = (
        ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    )
    return "\n".join(
        [
            f"{bold}usage:{plain} {program} COMMAND [options]",
            "",
            description,
            "",
            f"{bold}commands:{plain}",
            *(f"  {bold}{name:<{width}}{plain}  {summary}" for name, summary in summaries.items()),
            "",
            f"`{program} COMMAND --help` explains one.",
        ]
    )


def _sentence(error: LibertyError) -> str:
    """The message, and for several problems each on a line of its own."""
    problems = error.problems if isinstance(error, Invalid) else ()
    return "\n".join(map(str, problems)) if problems else error.message
