"""A job's definition: printed, edited, renamed, copied, deleted; its versions, what differs, and going back."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from liberty.cli import exits
from liberty.cli.backend import Backend, Document, backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.exits import UsageError
from liberty.cli.terminal import Cell, Terminal, print_json, short_time, write
from liberty.errors import Invalid, LibertyError


def definition(arguments: Arguments) -> int:
    """Print the job's text as it stands in its file."""
    with backend(arguments) as jobs:
        found = jobs.definition(arguments.name)
    if arguments.json:
        print_json(found)
    else:
        write(found["toml"].removesuffix("\n"))
    return exits.OK


def edit(arguments: Arguments) -> int:
    """Let an editor change the text, or take it from a file, and save it."""
    with backend(arguments) as jobs:
        found = jobs.definition(arguments.name)
        text = _given(arguments.file) if arguments.file else _edited(found["toml"])
        if text == found["toml"]:
            Terminal().say("Nothing was changed.")
            return exits.OK
        saved = _saved(jobs, arguments.name, text, found["revision"], given=bool(arguments.file))
    return _said(
        arguments, saved, f"{saved['name']} is saved in {saved['file']} as version {saved['version']}."
    )


def _saved(jobs: Backend, name: str, text: str, revision: str, *, given: bool) -> Document:
    """Save; what was typed into an editor is kept in a file when it cannot be."""
    try:
        return jobs.save_definition(name, text, revision)
    except LibertyError:
        if not given:
            descriptor, path = tempfile.mkstemp(prefix=f"{Path(name).name}-", suffix=".toml")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Terminal().say(Cell(f"Not saved. Your text is kept in {path}; save it with --file.", "yellow"))
        raise


def _given(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{name} cannot be read: {error}") from error


def _edited(text: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise UsageError("set EDITOR to your editor, or give the text with --file")
    with tempfile.TemporaryDirectory(prefix="nomaflow-") as folder:
        path = Path(folder) / "job.toml"
        path.write_text(text, "utf-8")
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the caller's own editor
        if done.returncode:
            raise Invalid(f"the editor ended with code {done.returncode}; nothing is saved")
        return path.read_text("utf-8")


def versions(arguments: Arguments) -> int:
    """Print the newest versions."""
    with backend(arguments) as jobs:
        found = jobs.versions(arguments.name)
    if arguments.json:
        print_json(found)
    else:
        Terminal().table(
            ["VERSION", "SINCE", "BY", "WHAT"],
            [
                [
                    f"{item['version']}{' *' if item['current'] else ''}",
                    short_time(item["loaded_at"]),
                    item["saved_by"] or "in the file",
                    item["summary"],
                ]
                for item in found
            ],
        )
    return exits.OK


def diff(arguments: Arguments) -> int:
    """Print what differs."""
    with backend(arguments) as jobs:
        found = jobs.diff(arguments.name, arguments.old, arguments.new)
    if arguments.json:
        print_json(found)
        return exits.OK
    terminal = Terminal()
    for line in found["unified"].splitlines() or ["They are the same."]:
        colour = {"+": "green", "-": "red"}.get(line[:1])
        terminal.say(Cell(line, colour) if colour else line)
    return exits.OK


def restore(arguments: Arguments) -> int:
    """Write the job as it was."""
    with backend(arguments) as jobs:
        saved = jobs.restore(arguments.name, arguments.version)
    text = f"{saved['name']} is as it was in version {arguments.version}; that is version {saved['version']} now."
    return _said(arguments, saved, text)


def rename(arguments: Arguments) -> int:
    """Give the job another name."""
    with backend(arguments) as jobs:
        saved = jobs.rename(arguments.name, arguments.to)
    return _said(arguments, saved, f"{arguments.name} is called {saved['name']} now.")


def copy(arguments: Arguments) -> int:
    """Make another job like it."""
    with backend(arguments) as jobs:
        saved = jobs.duplicate(arguments.name, arguments.to)
    return _said(arguments, saved, f"{saved['name']} is in {saved['file']}, its schedules switched off.")


def delete(arguments: Arguments) -> int:
    """Take the job out of its file and print what was taken out."""
    with backend(arguments) as jobs:
        gone = jobs.delete_job(arguments.name)
    if arguments.json:
        print_json(gone)
    else:
        write(gone["toml"].removesuffix("\n"))
        Terminal().say(f"{gone['name']} is deleted from {gone['file']}; its runs are kept.")
    return exits.OK


def _said(arguments: Arguments, answer: Document, text: str) -> int:
    if arguments.json:
        print_json(answer)
        return exits.OK
    terminal = Terminal()
    for warning in answer["warnings"]:
        place = f"line {warning['line']}: " if warning["line"] else ""
        terminal.say(Cell(f"warning: {place}{warning['message']}", "yellow"))
    terminal.say(text)
    return exits.OK


def _name(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")


def _name_and_to(parser: Parser) -> None:
    _name(parser)
    parser.add_argument("to", metavar="TO", help="the new name")


def _configure_edit(parser: Parser) -> None:
    _name(parser)
    parser.add_argument("--file", metavar="F", help="take the text from this file (- for standard input)")


def _configure_diff(parser: Parser) -> None:
    _name(parser)
    parser.add_argument(
        "old", metavar="FROM", nargs="?", type=int, help="a version; the one before TO when left out"
    )
    parser.add_argument(
        "new", metavar="TO", nargs="?", type=int, help="a version; the current one when left out"
    )


def _configure_restore(parser: Parser) -> None:
    _name(parser)
    parser.add_argument("version", metavar="VERSION", type=int, help="from `job versions`")


DEFINITION = Command("print a job's text as it stands in its file", definition, _name, reaches_jobs=True)
EDIT = Command(
    "change a job's text in an editor, check it and save it", edit, _configure_edit, reaches_jobs=True
)
VERSIONS = Command("show the versions of a job's definition", versions, _name, reaches_jobs=True)
DIFF = Command("show what differs between two versions", diff, _configure_diff, reaches_jobs=True)
RESTORE = Command("write a job as it was in a version", restore, _configure_restore, reaches_jobs=True)
RENAME = Command("rename a job, also where others refer to it", rename, _name_and_to, reaches_jobs=True)
COPY = Command("copy a job, its schedules switched off", copy, _name_and_to, reaches_jobs=True)
DELETE = Command("delete a job; its runs are kept", delete, _name, reaches_jobs=True)
