"""The condition of a step: literals, tokens, comparisons, `&&`, `||`, `!`, `in [..]`. No arithmetic, no calls."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from liberty.errors import Invalid

MAX_LENGTH = 4096
MAX_DEPTH = 32

type Lookup = Callable[[str], Any]
type Node = Callable[[Lookup], Any]

_PIECE = re.compile(
    r"""\s*(?:
      \$\{(?P<token>[^{}]*)\}
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | (?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],])
    | (?P<word>[A-Za-z_][\w.]*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_HINTS = {
    "and": "write &&",
    "or": "write ||",
    "not": "write !",
    "=": "write ==",
    "&": "write &&",
    "|": "write ||",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition; `tokens` are the bodies of its `${…}`, in order."""

    text: str
    tokens: tuple[str, ...]
    _root: Node

    def holds(self, lookup: Lookup) -> bool:
        """Whether it is true: false, null, 0, empty text and empty list are not. Raises what `lookup` raises,
        and Invalid when values of different kinds are compared."""
        return bool(self._root(lookup))


def evaluate(text: str, lookup: Lookup) -> bool:
    """Whether the condition holds; `lookup` gives the value of a token's body. Sides not needed are not looked up."""
    return compile_condition(text).holds(lookup)


def check(text: str) -> None:
    """Raises Invalid when `text` is not a condition."""
    compile_condition(text)


@lru_cache(maxsize=1024)
def compile_condition(text: str) -> Condition:
    """The condition written as `text`. Raises Invalid with the place that is wrong."""
    if len(text) > MAX_LENGTH:
        raise Invalid(f"the condition has {len(text)} characters; at most {MAX_LENGTH} are accepted")
    parser = _Parser(text, _pieces(text))
    root = parser.whole()
    return Condition(text, tuple(parser.tokens), root)


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    value: Any
    start: int


def _pieces(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _PIECE.match(text, position)
        if match is None:
            raise _wrong(text, position + len(text[position:]) - len(text[position:].lstrip()))
        kind = match.lastgroup or ""
        pieces.append(_Piece(kind, match.group(kind), match.start(kind)))
        position = match.end()
    return pieces


def _wrong(text: str, position: int, expected: str | None = None) -> Invalid:
    rest = text[position:].strip()
    word = re.match(r"\w+|.", rest)
    found = word.group(0) if word else ""
    if expected is None:
        if found in {"'", '"'}:
            expected = "the text is not closed"
        elif rest.startswith("$"):
            expected = "a token is written ${…}"
        else:
            expected = _HINTS.get(
                found, "allowed are values, ${…}, == != < <= > >=, && || !, ( ) and in [..]"
            )
    place = f"at {found!r}, character {position + 1}" if found else "at its end"
    return Invalid(f"condition {text!r}: {expected} ({place})")


class _Parser:
    def __init__(self, text: str, pieces: list[_Piece]) -> None:
        self.tokens: list[str] = []
        self._text = text
        self._pieces = pieces
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._pieces:
            raise Invalid("the condition is empty; leave the key out to run always")
        root = self._either()
        if self._next < len(self._pieces):
            piece = self._pieces[self._next]
            raise _wrong(self._text, piece.start, _HINTS.get(piece.value, "an operator is missing"))
        return root

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Invalid(f"condition {self._text[:80]!r}… nests deeper than {MAX_DEPTH} levels")
        parts = [self._both()]
        while self._take("||"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda lookup: any(part(lookup) for part in parts)

    def _both(self) -> Node:
        parts = [self._negation()]
        while self._take("&&"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda lookup: all(part(lookup) for part in parts)

    def _negation(self) -> Node:
        count = 0
        while self._take("!"):
            count += 1
        node = self._comparison()
        if not count:
            return node
        wanted = count % 2 == 0
        return lambda lookup: bool(node(lookup)) is wanted

    def _comparison(self) -> Node:
        left = self._operand()
        if self._take("=="):
            right = self._operand()
            return lambda lookup: _equal(left(lookup), right(lookup))
        if self._take("!="):
            right = self._operand()
            return lambda lookup: not _equal(left(lookup), right(lookup))
        for sign in ("<=", ">=", "<", ">"):
            if self._take(sign):
                right = self._operand()
                return lambda lookup: _ordered(sign, left(lookup), right(lookup))
        if self._take("in", kind="word"):
            members = self._members()
            return lambda lookup: _contained(left(lookup), [member(lookup) for member in members])
        return left

    def _members(self) -> list[Node]:
        self._expect("[", "after `in` stands a list: in ['a', 'b']")
        members: list[Node] = []
        while not self._take("]"):
            if members:
                self._expect(",", "members of a list are separated by commas and end with ]")
            members.append(self._operand())
        return members

    def _operand(self) -> Node:
        piece = self._pieces[self._next] if self._next < len(self._pieces) else None
        if piece is None:
            raise _wrong(self._text, len(self._text), "a value is missing")
        self._next += 1
        match piece.kind:
            case "token":
                return self._token(str(piece.value).strip(), piece)
            case "number":
                return _constant(float(piece.value) if "." in piece.value else int(piece.value))
            case "single" | "double":
                return self._literal(piece)
            case "word" if piece.value in _WORDS:
                return _constant(_WORDS[piece.value])
            case "sign" if piece.value == "(":
                inner = self._either()
                self._expect(")", "a parenthesis is not closed")
                return inner
        hint = f"write ${{{piece.value}}} or quote the text" if piece.kind == "word" else "a value is missing"
        raise _wrong(self._text, piece.start, _HINTS.get(piece.value, hint))

    def _token(self, body: str, piece: _Piece) -> Node:
        if not body:
            raise _wrong(self._text, piece.start, "the token ${} is empty")
        self.tokens.append(body)
        return lambda lookup: lookup(body)

    def _literal(self, piece: _Piece) -> Node:
        text = re.sub(r"\\(.)", r"\1", str(piece.value), flags=re.DOTALL)
        if "${" in text:
            raise _wrong(self._text, piece.start, "tokens are written without quotes: ${params.x} == 'a'")
        return _constant(text)

    def _take(self, value: str, *, kind: str = "sign") -> bool:
        if self._next < len(self._pieces):
            piece = self._pieces[self._next]
            if piece.kind == kind and piece.value == value:
                self._next += 1
                return True
        return False

    def _expect(self, value: str, message: str) -> None:
        if not self._take(value):
            place = self._pieces[self._next].start if self._next < len(self._pieces) else len(self._text)
            raise _wrong(self._text, place, message)


def _constant(value: Any) -> Node:
    return lambda _lookup: value


def _equal(left: Any, right: Any) -> bool:
    left, right = _comparable(left), _comparable(right)
    if left is None or right is None:
        return left is right
    _same_kind("==", left, right)
    return bool(left == right)


def _ordered(sign: str, left: Any, right: Any) -> bool:
    """Nothing is smaller or larger than null: such a comparison is false."""
    left, right = _comparable(left), _comparable(right)
    if left is None or right is None:
        return False
    if _same_kind(sign, left, right) not in {"text", "number"}:
        raise Invalid(f"{_shown(left)} and {_shown(right)} have no order; {sign} compares numbers or texts")
    return _ORDER[sign](left, right)


def _contained(value: Any, members: list[Any]) -> bool:
    return any(_equal(value, member) for member in members)


def _same_kind(sign: str, left: Any, right: Any) -> str:
    kind, other = _kind(left), _kind(right)
    if kind != other:
        raise Invalid(
            f"cannot compare {_shown(left)} ({kind}) {sign} {_shown(right)} ({other}); "
            "declare the param's type, or write the literal as the same kind"
        )
    return kind


def _comparable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "truth value"
    return "list" if isinstance(value, list | tuple) else "table" if isinstance(value, dict) else "number"


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else repr(str(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
