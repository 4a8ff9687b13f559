"""The text of one table of an array of tables: found, taken out, replaced, moved, the rest untouched byte for byte.

A piece goes from its `[[header]]`, with the comment lines right above it, to the last line of it that is not blank.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from liberty.errors import Conflict, NotFound
from liberty.toml_files.scan import index_lines

type Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*\[\[")


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines `first` to `end`, counted from 0, `end` not included."""

    first: int
    end: int


def piece_of(text: str, path: Sequence[str | int], *, count: int | None = None) -> Piece:
    """The lines of the element at `path`, such as `("jobs", 2)` or `("jobs", 2, "steps", 0)`.

    `count`: how many elements a list at the top of the file has; a large file is then not read whole.
    Raises NotFound when there is none, Conflict when it is written inline, without a header of its own.
    """
    wanted = tuple(path)
    lines = text.split("\n")
    start, end = _near(lines, wanted, count) or _span(text, wanted, len(lines))
    if not _HEADER.match(lines[start]):
        raise Conflict(
            f"{_words(wanted)} is written inside of a list on one line; write it as [[{_key(wanted)}]] first"
        )
    if end < len(lines):
        end = _without_comments_above(lines, end, start + 1)
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return Piece(_without_comments_above(lines, start, 0), end)


def _span(text: str, wanted: Path, length: int) -> tuple[int, int]:
    """From the header to what follows, by an index of the text."""
    index = index_lines(text)
    if wanted not in index:
        raise NotFound(f"no {_words(wanted)} in the file")
    start = index[wanted] - 1
    after = [line - 1 for other, line in index.items() if line - 1 > start and other[: len(wanted)] != wanted]
    return start, min(after, default=length)


def _near(lines: Sequence[str], wanted: Path, count: int | None) -> tuple[int, int] | None:
    """The same for an element of a list at the top, read from its own lines only; None when they cannot be told."""
    key, number = wanted[0], wanted[-1]
    if count is None or len(wanted) != 2 or not isinstance(number, int):
        return None
    header = re.compile(rf"\s*\[\[\s*{re.escape(str(key))}\s*\]\]")
    found = [line for line, text in enumerate(lines) if header.match(text)]
    if len(found) != count or number >= count:
        return None  # one more stands inside of a text, or one is written in another way
    start = found[number]
    following = found[number + 1] if number + 1 < count else len(lines)
    own = lines[start:following]
    first, end = _span("\n".join(own), (key, 0), len(own))
    return start + first, start + end


def taken(text: str, piece: Piece) -> str:
    """The piece's own text, with one line feed at its end."""
    return "\n".join(text.split("\n")[piece.first : piece.end]) + "\n"


def replaced(text: str, piece: Piece, new: str) -> str:
    """The text with `new` in the piece's place."""
    lines = text.split("\n")
    own = new.strip("\n").split("\n")
    lines[piece.first : piece.end] = [*_apart(lines[: piece.first], own), *own]
    return _ended("\n".join(lines))


def without(text: str, piece: Piece) -> str:
    """The text without the piece and the blank lines that set it apart."""
    lines = text.split("\n")
    first, end = piece.first, piece.end
    while end < len(lines) and not lines[end].strip():
        end += 1
    if end == len(lines):
        while first > 0 and not lines[first - 1].strip():
            first -= 1
    kept = [*lines[:first], *lines[end:]]
    return _ended("\n".join(kept)) if any(line.strip() for line in kept) else ""


def inserted(text: str, line: int, new: str) -> str:
    """The text with `new` before that line (counted from 0), set apart by blank lines."""
    lines = text.split("\n")
    before, behind = lines[:line], lines[line:]
    while before and not before[-1].strip():
        before.pop()
    while behind and not behind[0].strip():
        behind.pop(0)
    own = new.strip("\n").split("\n")
    if not before:
        own = [*_apart(before, own), *own]
    parts = [part for part in ("\n".join(before), "\n".join(own), "\n".join(behind)) if part]
    return _ended("\n\n".join(parts))


def moved(text: str, array: Sequence[str | int], origin: int, to: int) -> str:
    """The text with element `origin` of the array standing at `to`, comments along with it."""
    if origin == to:
        return text
    piece = piece_of(text, (*array, origin))
    own = taken(text, piece)
    # What would have stood at `to` stands one further once the element is gone.
    if to > origin:
        place = piece_of(text, (*array, to)).end
        return without(inserted(text, place, own), piece)
    place = piece_of(text, (*array, to)).first
    rest = without(text, piece)
    return inserted(rest, place, own)


def _without_comments_above(lines: Sequence[str], line: int, lowest: int) -> int:
    """The first of the comment lines right above `line`. Those that begin the file are about the file."""
    first = line
    while first > lowest and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return line if first == 0 else first


def _apart(before: Sequence[str], own: Sequence[str]) -> list[str]:
    """A blank line where the comments that a piece begins with would pass for those that begin the file."""
    is_head = all(line.lstrip().startswith("#") for line in before)
    return [""] if own[0].lstrip().startswith("#") and is_head else []


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _words(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _key(path: Path) -> str:
    return ".".join(part for part in path if isinstance(part, str))
