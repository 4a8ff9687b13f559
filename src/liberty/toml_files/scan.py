"""A linear scan of TOML text: the limits checked before it is parsed, and the line of every key after it."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from liberty.errors import Invalid, Problem

MAX_BYTES = 1024 * 1024
MAX_KEY_PARTS = 32
MAX_NESTING = 64

type Path = tuple[str | int, ...]

# Possessive, and a string that is never closed is taken to its end (the parser refuses it there): the scan never goes
# back, so it is linear whatever the text is.
_STRING = (
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5})?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
)
_STRUCTURE = re.compile(rf"{_STRING}|\#[^\n]*+|[\[\]{{}}=,.\n]", re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|\#[^\n]*+|(?P<mark>[\[\]{{}}=,.\n])|(?P<bare>[^\s\[\]{{}}=,.\#]++)", re.DOTALL
)


def check_limits(text: str, *, file: str) -> None:
    """Raise Invalid when the text is too large, too deep, or has a key of too many parts for a parser to be trusted."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _beyond(
            file, _line_at(text, error.start), "half a character stands here; save the file as UTF-8"
        ) from error
    if size > MAX_BYTES:
        raise _beyond(file, None, f"the file has {size} bytes; at most {MAX_BYTES} are read. Split it")
    depth = 0
    dots = 0
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark == ".":
            dots += 1
            if dots >= MAX_KEY_PARTS:
                message = f"a key has more than {MAX_KEY_PARTS} parts; shorten it"
                raise _beyond(file, _line_at(text, match.start()), message)
        elif mark in "[{":
            depth += 1
            dots = 0
            if depth > MAX_NESTING:
                message = f"brackets are nested more than {MAX_NESTING} deep; flatten the value"
                raise _beyond(file, _line_at(text, match.start()), message)
        elif mark in "]}":
            depth -= 1
            dots = 0
        elif mark in "=,\n":
            dots = 0


def index_lines(text: str) -> dict[Path, int]:
    """The line of every key, table and array element of a valid TOML text; elements are addressed by their number."""
    return _Indexer(text).run()


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_END = _Token("end", "", 0)


class _Indexer:
    """Walks the tokens once. Trusts that the text parses: it is only asked about texts that did."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._ahead = next(self._tokens, _END)
        self._lines: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while (token := self._next()).kind != "end":
            if token.text == "\n":
                continue
            if token.text == "[":
                table = self._header(token.line)
            else:
                self._assignment(table, token)
        return self._lines

    def _next(self) -> _Token:
        token = self._ahead
        self._ahead = next(self._tokens, _END)
        return token

    def _next_in_value(self) -> _Token:
        while (token := self._next()).text == "\n":
            pass
        return token

    def _header(self, line: int) -> Path:
        is_element = self._ahead.text == "["
        if is_element:
            self._next()
        parts = self._key(self._next(), closing="]")
        if is_element:
            self._next()
        path: Path = ()
        for part in parts[:-1]:
            path = (*path, part)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
            self._lines.setdefault(path, line)
        path = (*path, parts[-1])
        self._lines.setdefault(path, line)
        if is_element:
            number = self._elements.get(path, 0)
            self._elements[path] = number + 1
            path = (*path, number)
            self._lines[path] = line
        return path

    def _key(self, token: _Token, *, closing: str) -> list[str]:
        parts = []
        while token.kind != "end" and token.text != closing:
            if token.text != ".":
                parts.append(_key_text(token))
            token = self._next()
        return parts

    def _assignment(self, container: Path, first: _Token) -> None:
        path = container
        for part in self._key(first, closing="="):
            path = (*path, part)
            self._lines.setdefault(path, first.line)
        self._value(path, self._next())

    def _value(self, path: Path, token: _Token) -> None:
        if token.text == "[" and token.kind == "mark":
            number = 0
            while (token := self._next_in_value()).text != "]" and token.kind != "end":
                if token.text == ",":
                    continue
                self._lines[(*path, number)] = token.line
                self._value((*path, number), token)
                number += 1
        elif token.text == "{" and token.kind == "mark":
            while (token := self._next_in_value()).text != "}" and token.kind != "end":
                if token.text != ",":
                    self._assignment(path, token)
        else:
            while self._ahead.kind != "end" and self._ahead.text not in {",", "]", "}", "\n"}:
                self._next()


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        text_of_token = match.group()
        yield _Token(kind, text_of_token, line)
        line += text_of_token.count("\n")


def _key_text(token: _Token) -> str:
    if token.kind != "string":
        return token.text
    if "\\" not in token.text:
        return token.text[1:-1]
    return str(tomllib.loads(f"key = {token.text}")["key"])


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _beyond(file: str, line: int | None, message: str) -> Invalid:
    problem = Problem(message, file=file, line=line)
    return Invalid(str(problem), problems=[problem])
