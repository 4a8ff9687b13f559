"""`liberty-admin init`: the first files of an apps repository, written to be read."""

from pathlib import Path

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.schema import FOLDER
from liberty.cli.skeleton import FILES
from liberty.cli.terminal import Terminal, print_json
from liberty.errors import Invalid


def init(arguments: Arguments) -> int:
    """Write what is missing; a file that is there stays as it is."""
    target = Path(arguments.folder or ".")
    try:
        written, kept = lay_out(target)
    except OSError as error:
        raise Invalid(f"cannot lay out {target}: {error.strerror or error}") from error
    if arguments.json:
        print_json({"written": [str(path) for path in written], "kept": [str(path) for path in kept]})
        return exits.OK
    terminal = Terminal()
    for path in written:
        terminal.say(f"wrote {path}")
    for path in kept:
        terminal.say(f"kept  {path}")
    terminal.say("")
    if arguments.folder:
        terminal.say(f"  cd {target}")
    terminal.say("  liberty-admin job run hello      runs the first job")
    terminal.say("  liberty-next                     starts the server")
    return exits.OK


def lay_out(target: Path) -> tuple[list[Path], list[Path]]:
    """Write the files below `target`: those written, those that were there. Raises OSError."""
    from liberty.jobs.schema import write_schemas

    written: list[Path] = []
    kept: list[Path] = []
    for name, text in FILES.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            kept.append(path)
        else:
            written.append(path)
    return [*written, *write_schemas(target / "config" / FOLDER)], kept


def _configure(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", nargs="?", help="where to; this folder when left out")


VERB = Command("lay out a new apps repository with a first job", init, _configure)
