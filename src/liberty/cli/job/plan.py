"""`job plan`: what a run would do, with nothing written."""

import json
from typing import Any

from liberty.cli import exits
from liberty.cli.backend import Document, backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Cell, Terminal, counted, print_json

_WIDEST = 40
_APART = ("columns", "rows", "problems", "notes")
"""What is shown below the other facts of a preview."""


def plan(arguments: Arguments) -> int:
    """Print the plan of a run that would start now."""
    with backend(arguments) as jobs:
        found = jobs.plan(arguments.name, arguments.preset)
    if arguments.json:
        print_json(found)
        return exits.OK
    terminal = Terminal()
    terminal.say(Cell(f"{found['job']}: {counted(len(found['steps']), 'step')}, nothing is written", "bold"))
    for name, value in (found["params"] or {}).items():
        terminal.say(f"  {name} = {_text(value)}")
    for step in found["steps"]:
        _show_step(terminal, step)
    return exits.OK


def _show_step(terminal: Terminal, step: Document) -> None:
    state = "" if step["enabled"] else ", disabled"
    terminal.say("")
    terminal.say(Cell(f"{step['index'] + 1}. {step['name']} ({step['type']}{state})", "bold"))
    if step["condition"]:
        terminal.say(f"  only when {step['condition']}")
    if step["unresolved"]:
        terminal.say(f"  known only when earlier steps have run: {step['unresolved']}")
    preview = step["preview"]
    if isinstance(preview, dict):
        _show_preview(terminal, preview)


def _show_preview(terminal: Terminal, preview: Document) -> None:
    for name, value in preview.items():
        if name == "error":
            terminal.say(Cell(f"  no preview: {value}", "red"))
        elif isinstance(value, dict):
            terminal.say(f"  {name}:")
            for key, item in value.items():
                terminal.say(f"    {key}: {_text(item)}")
        elif name not in _APART:
            terminal.say(f"  {name.replace('_', ' ')}: {_text(value)}")
    for problem in preview.get("problems", ()):
        terminal.say(Cell(f"  would fail: {problem}", "red"))
    for note in preview.get("notes", ()):
        terminal.say(f"  note: {note}")
    columns = preview.get("columns") or []
    if columns:
        terminal.say("")
        terminal.table(
            ["  COLUMN", "TYPE", "GOES TO", "TYPE", "CHANGE"],
            [
                [
                    f"  {column['source']}",
                    column["source_type"] or "-",
                    column["target"],
                    column["target_type"],
                    column["change"] or "",
                ]
                for column in columns
            ],
        )
    rows = preview.get("rows") or []
    if rows:
        terminal.say("")
        names = list(rows[0])
        terminal.table(
            [f"  {names[0]}", *names[1:]],
            [[("  " if name == names[0] else "") + _short(row[name]) for name in names] for row in rows],
        )


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    text = "NULL" if value is None else _text(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _configure(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the job")
    parser.add_argument("--preset", metavar="P", help="with the values of this preset")


PLAN = Command(
    "show what a run would do: values, counts, columns, sample rows; nothing is written",
    plan,
    _configure,
    reaches_jobs=True,
)
