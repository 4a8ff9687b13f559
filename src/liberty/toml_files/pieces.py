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


def piece_of(text: str, path: Sequence[str | int]) -> Piece:
    """The lines of the element at `path`, such as `("jobs", 2)` or `("jobs", 2, "steps", 0)`.

    Raises NotFound when there is none, Conflict when it is written inline, without a header of its own.
    """
    wanted = tuple(path)
    index = index_lines(text)
    lines = text.split("\n")
    if wanted not in index:
        raise NotFound(f"no {_words(wanted)} in the file")
    start = index[wanted] - 1
    if not _HEADER.match(lines[start]):
        raise Conflict(
            f"{_words(wanted)} is written inside of a list on one line; write it as [[{_key(wanted)}]] first"
        )
    after = [line - 1 for other, line in index.items() if line - 1 > start and other[: len(wanted)] != wanted]
    end = min(after, default=len(lines))
    if end < len(lines):
        end = _without_comments_above(lines, end, start + 1)
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return Piece(_without_comments_above(lines, start, 0), end)


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
