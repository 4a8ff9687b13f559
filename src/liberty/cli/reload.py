"""`liberty-admin reload`: the running server reads its files again."""

from liberty.cli import exits
from liberty.cli.backend import backend
from liberty.cli.command import Arguments, Command
from liberty.cli.job.render import problem_text
from liberty.cli.terminal import Cell, Terminal, counted, print_json


def reload(arguments: Arguments) -> int:
    """Swap the configuration and print what was found; jobs that are wrong are listed, the others run."""
    with backend(arguments) as jobs:
        found = jobs.reload()
    if arguments.json:
        print_json(found)
        return exits.OK
    terminal = Terminal()
    terminal.say(f"reloaded: {counted(found['jobs'], 'job')}, {found['quarantined']} quarantined")
    for problem in found["problems"]:
        terminal.say(Cell(problem_text(problem), "red"))
    return exits.OK


VERB = Command("read the configuration again", reload, reaches_jobs=True)
