"""What commands print: colour and progress at a terminal, plain aligned text in a pipe, JSON for programs."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as _Console

STATUS_STYLES = {
    "queued": "blue",
    "running": "cyan",
    "aborting": "magenta",
    "succeeded": "green",
    "failed": "red",
    "partial-success": "yellow",
    "aborted": "magenta",
    "skipped": "dim",
    "quarantined": "red",
    "never-due": "red",
    "disabled": "dim",
    "paused": "yellow",
}
_LEVEL_STYLES = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "red"}

# Control characters would drive the terminal; marks of writing direction would reorder what is read.
_UNSEEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with everything that acts on a terminal written out, such as `\\x1b`; tabs stay."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def write(text: str) -> None:
    """Text of our own and a line end to standard output, at once: a reader in a pipe need not wait."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Lines to standard error, made visible."""
    sys.stdout.flush()
    sys.stderr.write("".join(f"{visible(line)}\n" for line in text.split("\n")))
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of text and how it looks, in rich's words."""

    text: str
    style: str = ""


def status_cell(status: str | None) -> Cell:
    """A status in its colour; a dash for none."""
    return Cell(status or "-", STATUS_STYLES.get(status or "", ""))


class Terminal:
    """Standard output."""

    def __init__(self) -> None:
        self._console: _Console | None = None
        if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            from rich.console import Console

            self._console = Console(highlight=False, soft_wrap=True)

    def say(self, *parts: str | Cell) -> None:
        """One line. Whatever came from outside is made visible first."""
        if self._console is None:
            write("".join(visible(part if isinstance(part, str) else part.text) for part in parts))
            return
        from rich.text import Text

        line = Text()
        for part in parts:
            cell = Cell(part) if isinstance(part, str) else part
            line.append(visible(cell.text), style=cell.style or None)
        self._console.print(line)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str | Cell]]) -> None:
        """Aligned columns, separated by two blanks."""
        cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
        widths = [
            max([len(heading), *(len(visible(row[column].text)) for row in cells)])
            for column, heading in enumerate(headings)
        ]
        self._row([Cell(heading, "bold") for heading in headings], widths)
        for row in cells:
            self._row(row, widths)

    def _row(self, row: Sequence[Cell], widths: Sequence[int]) -> None:
        last = max((number for number, cell in enumerate(row) if cell.text), default=0)
        parts: list[str | Cell] = []
        for cell, width in zip(row[:last], widths, strict=False):
            parts += [cell, " " * (width - len(visible(cell.text)) + 2)]
        self.say(*parts, row[last])

    def log_line(self, line: Mapping[str, Any]) -> None:
        """One record of a run's log. Its further lines are indented, so that none passes for another record."""
        level, logger = str(line["level"]), str(line["logger"])
        first, *more = str(line["message"]).split("\n")
        source = "" if first.startswith(logger) else f"{logger} "
        style = _LEVEL_STYLES.get(level, "")
        self.say(
            Cell(local_time(line["ts"]), "dim"),
            " ",
            Cell(f"{level:<5}", style),
            " ",
            Cell(source, "dim"),
            Cell(first, style),
        )
        for text in more:
            self.say("    ", Cell(text, style))

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """Shows at a terminal that something goes on, below the lines said meanwhile; call it to change the text."""
        if self._console is None:
            yield lambda _: None
            return
        from rich.markup import escape

        with self._console.status(escape(text)) as status:
            yield lambda now: status.update(escape(visible(now)))


def counted(number: int, thing: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def print_json(value: object, *, one_line: bool = False) -> None:
    """One JSON document; `one_line` for a stream of them."""
    write(json.dumps(value, indent=None if one_line else 2))


def local_time(instant: str | None) -> str:
    """A time of the wire in this machine's zone, to the millisecond; a dash for none."""
    if instant is None:
        return "-"
    local = datetime.fromisoformat(instant).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"


def short_time(instant: str | None) -> str:
    """The same to the second."""
    return local_time(instant).partition(".")[0]


def span(milliseconds: float | None) -> str:
    """A duration as people say it: `240 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`; a dash for none."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
