"""`liberty-admin schema`: JSON Schemas beside the files, so that editors complete and check them."""

from pathlib import Path

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Terminal, print_json
from liberty.errors import Invalid

FOLDER = ".schema"


def write(arguments: Arguments) -> int:
    """Write the schemas of jobs.toml and connectors.toml."""
    from liberty.jobs.schema import write_schemas
    from liberty.settings import load_settings

    folder = Path(arguments.folder) if arguments.folder else load_settings().paths.new_config_dir / FOLDER
    try:
        written = write_schemas(folder)
    except OSError as error:
        raise Invalid(f"cannot write to {folder}: {error.strerror or error}") from error
    if arguments.json:
        print_json([str(path) for path in written])
        return exits.OK
    terminal = Terminal()
    for path in written:
        terminal.say(f"wrote {path}")
    return exits.OK


def _configure(parser: Parser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", help=f"where to; the config folder's {FOLDER} when left out"
    )


VERB = Command(
    "write the JSON Schemas that editors complete the files with",
    write,
    _configure,
    details=f"A file names its schema in its first line: #:schema {FOLDER}/jobs.schema.json",
)
