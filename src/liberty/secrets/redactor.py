"""Takes known secrets out of everything that is stored, sent or shown, in every spelling they may have there."""

import base64
import json
import re
from collections.abc import Iterator
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

_WHOLE_TOKEN_BELOW_CHARACTERS = 6
_SHORTEST_SECRET = 3
_SHORTEST_LINE = 8
_SECRET_NAME = re.compile(r"passw(?:or)?d|secret|token|authorization|cookie|api[_-]?key", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a key, header or parameter of this name holds a secret by its very name."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Replaces registered secrets by `***`. Thread-safe; costs next to nothing while none is registered."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._patterns: tuple[re.Pattern[str], ...] = ()
        self._is_current = True
        self._changing = Lock()

    def register(self, secret: str) -> None:
        """Hide `secret` from now on.

        Under 6 characters it is hidden only where it stands alone, and under 3 not at all: it would blank every
        log and still be guessed.
        """
        secret = secret.strip()
        if len(secret) < _SHORTEST_SECRET or secret in self._secrets:
            return
        with self._changing:
            self._secrets.add(secret)
            self._is_current = False

    def redact(self, text: str) -> str:
        """The text without any registered secret."""
        for pattern in self._patterns if self._is_current else self._compiled():
            text = pattern.sub(MASK, text)
        return text

    def redact_value(self, value: Any) -> Any:
        """A JSON value without any registered secret; what stands under a secret's name goes whatever it is.

        Null and booleans stay even there: whether a secret is set is not a secret.
        """
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {
                self.redact(key) if isinstance(key, str) else key: self._redact_item(key, item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.redact_value(item) for item in value]
        return value

    def _redact_item(self, key: object, item: Any) -> Any:
        if isinstance(key, str) and is_secret_name(key) and item is not None and not isinstance(item, bool):
            return MASK
        return self.redact_value(item)

    def _compiled(self) -> tuple[re.Pattern[str], ...]:
        with self._changing:
            if not self._is_current:
                self._patterns = _patterns_for(self._secrets)
                self._is_current = True
            return self._patterns


def _patterns_for(secrets: set[str]) -> tuple[re.Pattern[str], ...]:
    whole = {secret for secret in secrets if len(secret) < _WHOLE_TOKEN_BELOW_CHARACTERS}
    anywhere = {form for secret in secrets - whole for form in _forms(secret)}
    patterns = []
    if anywhere:
        patterns.append(re.compile(_alternatives(anywhere)))
    if whole:
        patterns.append(re.compile(rf"(?<!\w)(?:{_alternatives(whole)})(?!\w)"))
    return tuple(patterns)


def _forms(secret: str) -> Iterator[str]:
    lines = [line.strip() for line in secret.splitlines()]
    pieces = [secret, *(line for line in lines if len(line) >= _SHORTEST_LINE and line != secret)]
    for piece in pieces:
        yield piece
        yield quote(piece, errors="surrogatepass")
        for encoded in (
            quote(piece, safe="", errors="surrogatepass"),
            quote_plus(piece, errors="surrogatepass"),
        ):
            yield encoded
            yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), encoded)
        yield json.dumps(piece)[1:-1]
        yield json.dumps(piece, ensure_ascii=False)[1:-1]
        yield repr(piece)[1:-1]
    octets = secret.encode("utf-8", "surrogatepass")
    yield octets.hex()
    yield octets.hex().upper()
    yield repr(octets)[2:-1]
    for before in range(3):
        yield from _base64_forms(octets, before)


def _base64_forms(octets: bytes, before: int) -> Iterator[str]:
    """What base64 makes of the secret when `before` other octets (modulo 3) precede it: the digits it alone decides."""
    padded = b"\0" * before + octets
    first = (before * 8 + 5) // 6
    last = len(padded) * 8 // 6
    yield base64.b64encode(padded).decode()[first:last]
    yield base64.urlsafe_b64encode(padded).decode()[first:last]


def _alternatives(forms: set[str]) -> str:
    """A pattern that shares prefixes and prefers the longest form: its cost grows little with the number of secrets."""
    by_first: dict[str, list[str]] = {}
    for form in sorted(forms):
        by_first.setdefault(form[0], []).append(form)
    branches = []
    for group in by_first.values():
        prefix = _shared_prefix(group[0], group[-1])
        rests = {form[len(prefix) :] for form in group}
        longer = rests - {""}
        tail = f"(?:{_alternatives(longer)}){'?' if '' in rests else ''}" if longer else ""
        branches.append(re.escape(prefix) + tail)
    return "|".join(branches)


def _shared_prefix(first: str, last: str) -> str:
    """What the first and the last of some sorted texts have in common, all of them have in common."""
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:length]


redactor = Redactor()
"""The redactor of this process: whatever decrypts a secret registers it here."""
