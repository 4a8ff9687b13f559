"""Reads a SQL statement just enough to be safe with it: its binds, its kind, and that it is only one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from liberty.errors import Invalid

type Kind = Literal["code", "opaque"]

# Order matters: what opens first wins. Opaque stretches can hold no bind: texts, quoted names, comments.
_OPAQUE = re.compile(
    r"""
    (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)          # PostgreSQL dollar quote; its end is searched for separately
  | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'                   # PostgreSQL escape string
  | '(?:[^']|'')*'
  | "(?:[^"]|"")*"
  | `(?:[^`]|``)*`
  | --[^\n]*
  | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)
# What SQLAlchemy's `text()` takes for a bind, and what it turns back into a plain colon.
_TAKEN_FOR_BIND = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
_TAKEN_FOR_ESCAPE = re.compile(r"\\(?=:\w*(?![:\w]))")
_BIND = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)(?!\w)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_MAIN = frozenset({"SELECT", "VALUES", "TABLE"}) | _WRITES
_HAS_A_BODY = re.compile(
    r"\s*(?:CREATE\s+(?:[A-Z]+\s+){0,3}?(?:TRIGGER|FUNCTION|PROCEDURE|PACKAGE)"
    r"|DECLARE|BEGIN(?!\s*(?:;|$|TRANSACTION|WORK|DEFERRED|IMMEDIATE|EXCLUSIVE)))\b",
    re.IGNORECASE,
)
_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
_OUTSIDE_TRANSACTION = re.compile(
    r"\s*(?:VACUUM|CALL|PRAGMA|ATTACH|DETACH|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE)|ALTER\s+SYSTEM|REINDEX"
    r"|(?:CREATE\s+(?:UNIQUE\s+)?INDEX|DROP\s+INDEX)\s+CONCURRENTLY)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it may be handed to SQLAlchemy's `text()`.

    Attributes:
        text: the SQL, every colon that is not a bind made harmless.
        binds: names after `:`, in order of first use.
        kind: leading keyword in upper case, CTEs looked through (`WITH … INSERT` is INSERT).
        writes: changes data, also when only one of its CTEs does.
        outside_transaction: databases refuse it inside one (VACUUM, CREATE DATABASE, …), or it opens its own (CALL).
    """

    text: str
    binds: tuple[str, ...]
    kind: str
    writes: bool
    outside_transaction: bool

    @property
    def reads(self) -> bool:
        return self.kind in ("SELECT", "VALUES", "TABLE") and not self.writes


@lru_cache(maxsize=1_024)
def parse_statement(sql: str) -> Statement:
    """Read one statement. Raises Invalid when the text is empty or holds more than one."""
    parts = list(_parts(sql))
    code = "".join(text if kind == "code" else _blank(text) for kind, text in parts)
    if not code.strip(" \t\r\n;"):
        raise Invalid("the SQL is empty")
    end = len(code.rstrip(" \t\r\n;"))
    has_body = _HAS_A_BODY.match(code) is not None
    if ";" in code[:end] and not has_body:
        raise Invalid("the SQL holds more than one statement; give each statement a step of its own")
    binds: dict[str, None] = {}
    pieces: list[str] = []
    for part, stretch in parts:
        if part == "opaque":
            pieces.append(_TAKEN_FOR_BIND.sub(r"\\:\1", _TAKEN_FOR_ESCAPE.sub(r"\\\\", stretch)))
            continue
        binds.update(dict.fromkeys(match[1] for match in _BIND.finditer(stretch)))
        # A driver may refuse the last `;`. The others are gone or belong to a body by now.
        pieces.append(_mark_binds(stretch if has_body else stretch.replace(";", " ")))
    text = "".join(pieces).strip()
    kind, writes = _kind(code)
    return Statement(text, tuple(binds), kind, writes, _OUTSIDE_TRANSACTION.match(code) is not None)


def _parts(sql: str) -> Iterator[tuple[Kind, str]]:
    position = 0
    while position < len(sql):
        match = _OPAQUE.search(sql, position)
        if match is None:
            yield "code", sql[position:]
            return
        start, end = match.span()
        if match["dollar"]:
            closing = sql.find(match["dollar"], end)
            if closing < 0 or (start > 0 and (sql[start - 1].isalnum() or sql[start - 1] in "_$")):
                yield "code", sql[position:end]
                position = end
                continue
            end = closing + len(match["dollar"])
        if start > position:
            yield "code", sql[position:start]
        yield "opaque", sql[start:end]
        position = end


def _blank(opaque: str) -> str:
    """Something of the same length that is neither keyword nor separator."""
    return ("'" if opaque[0] not in "-/" else " ") * len(opaque)


def _mark_binds(code: str) -> str:
    """Escape what only looks like a bind (`x[:2]`), and part a bind from the cast after it (`:day::date`)."""
    harmless = _TAKEN_FOR_BIND.sub(lambda m: m[0] if not m[1][0].isdigit() else f"\\{m[0]}", code)
    return _BIND.sub(lambda m: f"{m[0]} " if harmless.startswith(":", m.end()) else m[0], harmless)


def _kind(code: str) -> tuple[str, bool]:
    first = _WORD.search(code)
    if first is None:
        return "", False
    keyword = first[0].upper()
    if keyword != "WITH":
        return keyword, keyword in _WRITES or (keyword == "SELECT" and _INTO.search(code) is not None)
    depth = 0
    main = ""
    writes = False
    previous = ""
    for token in re.finditer(r"[()]|[A-Za-z_]\w*", code[first.end() :]):
        word = token[0].upper()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth == 0 and word in _MAIN:
            main = word
            writes = writes or word in _WRITES
            break
        elif depth == 1 and previous == "(" and word in _WRITES:
            writes = True
        previous = word
    return main or keyword, writes
