"""`job marks` and `job reset-mark`: how far incremental copies have come, and where they go on."""

from liberty.cli import exits
from liberty.cli.backend import Document, backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Terminal, print_json, short_time


def marks(arguments: Arguments) -> int:
    """Print the mark of each incremental step."""
    with backend(arguments) as jobs:
        found = jobs.marks(arguments.name)
    terminal = Terminal()
    if arguments.json:
        print_json(found)
    elif not found:
        terminal.say(f"{arguments.name} has no incremental step.")
    else:
        terminal.table(
            ["STEP", "COLUMN", "GOES ON FROM", "SET", "BY"],
            [
                [
                    mark["step"],
                    mark["column"] or "-",
                    _place(mark),
                    short_time(mark["set_at"]),
                    mark["set_by"] or "-",
                ]
                for mark in found
            ],
        )
    return exits.OK


def reset_mark(arguments: Arguments) -> int:
    """Set where a step goes on."""
    with backend(arguments) as jobs:
        mark = jobs.reset_mark(arguments.name, arguments.step, arguments.value)
    if arguments.json:
        print_json(mark)
    else:
        Terminal().say(f"The next copy of step {mark['step']} goes on from {_place(mark)}.")
    return exits.OK


def _place(mark: Document) -> str:
    if mark["kind"] is None:
        return "the highest value of the target"
    return "the first row" if mark["value"] is None else str(mark["value"])


def _configure_job(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")


def _configure_reset(parser: Parser) -> None:
    _configure_job(parser)
    parser.add_argument("step", metavar="STEP", help="the step, from `job marks`")
    parser.add_argument(
        "value", metavar="VALUE", nargs="?", help="where to go on; everything is copied again when left out"
    )


MARKS = Command(
    "show how far the incremental copies of a job have come", marks, _configure_job, reaches_jobs=True
)
RESET_MARK = Command(
    "let an incremental copy take everything again, or go on from a value",
    reset_mark,
    _configure_reset,
    reaches_jobs=True,
)
