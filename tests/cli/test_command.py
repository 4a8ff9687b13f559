"""Finding the command, its help, and what each kind of error exits with."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from liberty.cli import VERBS, exits
from liberty.cli.command import Command
from liberty.cli.exits import exit_code
from liberty.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tests.cli.conftest import BIN, Cli, environment


def every_command() -> Iterator[tuple[str, ...]]:
    for name, (module, _) in VERBS.items():
        verb = importlib.import_module(module).VERB
        if isinstance(verb, Command):
            yield (name,)
        else:
            yield from ((name, inner) for inner in verb)


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], cli: Cli) -> None:
    done = cli(*words, "--help")
    assert done.code == exits.OK
    assert done.out.startswith(f"usage: liberty-admin {' '.join(words)} ")
    assert "--json" in done.out


@pytest.mark.parametrize("words", [(), ("job",)])
def test_half_a_command_lists_what_there_is(words: tuple[str, ...], cli: Cli) -> None:
    assert cli(*words).code == exits.USAGE
    assert cli(*words, "-h").code == exits.OK
    assert "COMMAND" in cli(*words, "-h").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("jbo",), "did you mean 'job'"),
        (("job", "histroy"), "did you mean 'history'"),
        (("--json", "job", "list"), "options stand after"),
        (("job", "list", "--jsn"), "--jsn"),
        (("job", "run"), "NAME"),
        (("job", "run", "x", "--params", "novalue"), "key=value"),
        (("job", "logs", "r-1", "--level", "LOUD"), "DEBUG, INFO"),
        (("job", "list", "--server", "ftp://x"), "http://host:port"),
        (("job", "list", "--server", "http://x:99999"), "not the address"),
        (("job", "schedule", "--to", "soon"), "not a time"),
        (("token", "create", "--name", "ci"), "--permission"),
    ],
)
def test_a_wrong_command_line_is_explained(words: tuple[str, ...], said: str, cli: Cli, apps: Path) -> None:
    done = cli(*words)
    assert done.code == exits.USAGE
    assert said in done.err
    assert done.out == ""


def test_errors_have_their_exit_codes() -> None:
    assert [
        exit_code(error("x"))
        for error in (NotFound, Conflict, Invalid, Unavailable, TooMany, Internal, Unauthenticated, Forbidden)
    ] == [3, 4, 4, 5, 5, 5, 6, 6]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from liberty.cli import main; main(['job', '--help']); main(['job', 'run', '--help']);"
        "main(['user', '--help']);"
        "heavy = {'asyncio', 'fastapi', 'pydantic', 'rich', 'sqlalchemy', 'cryptography'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr


def test_the_installed_program_knows_its_version() -> None:
    done = subprocess.run(
        [BIN / "liberty-admin", "--version"], capture_output=True, text=True, env=environment()
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "liberty-admin")


def test_a_reader_that_stops_reading_is_no_error(apps: Path) -> None:
    command = f"'{BIN / 'liberty-admin'}' job schedule --to 14d | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=apps, capture_output=True, text=True, env=environment()
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("DUE")
