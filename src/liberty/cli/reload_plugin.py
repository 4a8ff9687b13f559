"""`liberty-admin reload-plugin`: a plugin's Python files are loaded now, whether or not they look changed."""

from liberty.cli import exits
from liberty.cli.backend import backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Terminal, print_json


def reload_plugin(arguments: Arguments) -> int:
    """Load the plugin as a new generation: the next run uses it, runs in flight keep theirs."""
    with backend(arguments) as jobs:
        found = jobs.reload_plugin(arguments.name)
    if arguments.json:
        print_json(found)
    else:
        Terminal().say(f"plugin {arguments.name} is reloaded")
    return exits.OK


def _configure(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the plugin's folder under plugins")


VERB = Command("load a plugin's changed Python files", reload_plugin, _configure, reaches_jobs=True)
