"""The `${…}` tokens of job definitions: finding and splitting them. Their values are looked up in `params.py`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"\$(\$?)\{([^{}]*)\}")
"""Group 1 is `$` in the escape `$${…}`, which stands for the literal text `${…}`; group 2 is the token's body."""

_ENVIRONMENT = re.compile(r"(env[:.])?([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)
_ROOT = re.compile(r"(\w+)[.:]")

DATE_TOKENS = frozenset(
    {
        "today",
        "yesterday",
        "now",
        "week.monday",
        "week.sunday",
        "month.first",
        "month.last",
        "month.previous",
    }
)
BARE_WORDS = frozenset({"today", "yesterday", "now", "scheduled_at"})
"""One-word tokens that are looked up at run time; every other bare word names an environment variable."""


def has_token(value: Any) -> bool:
    """True when a string anywhere inside `value` holds `${`."""
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, dict):
        return any(has_token(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(has_token(item) for item in value)
    return False


def single_token(text: str) -> str | None:
    """The body when `text` is exactly one token and nothing else."""
    match = TOKEN.fullmatch(text)
    return match.group(2).strip() if match and not match.group(1) else None


def tokens_in(value: Any) -> Iterator[str]:
    """The body of every token inside `value`, escapes left out."""
    if isinstance(value, str):
        if "${" in value:
            for match in TOKEN.finditer(value):
                if not match.group(1):
                    yield match.group(2).strip()
    elif isinstance(value, dict):
        for item in value.values():
            yield from tokens_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tokens_in(item)


@dataclass(frozen=True, slots=True)
class EnvironmentToken:
    """`${env:NAME}`, `${env.NAME}` or plain `${NAME}`, each with an optional `:-default`."""

    name: str
    default: str | None
    explicit: bool
    """Written with `env`: then a variable without value and default is an error, not an empty text."""


def environment_token(token: str) -> EnvironmentToken | None:
    """How `token` names an environment variable; None for every other token."""
    if token in BARE_WORDS or (match := _ENVIRONMENT.fullmatch(token)) is None:
        return None
    return EnvironmentToken(match.group(2), match.group(3), explicit=match.group(1) is not None)


def split_token(token: str) -> tuple[str, str]:
    """Root and rest: `steps.load.rows` is (`steps`, `load.rows`), `kw:period` is (`kw`, `period`)."""
    match = _ROOT.match(token)
    return (match.group(1), token[match.end() :]) if match else (token, "")


def substitute(value: Any, lookup: Callable[[str], Any]) -> Any:
    """`value` with its tokens replaced, in one pass: what `lookup` returns is never scanned again.

    A string that is exactly one token becomes the looked-up value itself; inside a longer text the value is
    written by `as_text`. Dictionary keys are left alone.
    """
    if isinstance(value, str):
        if "${" not in value:
            return value
        alone = single_token(value)
        if alone is not None:
            return lookup(alone)
        return TOKEN.sub(
            lambda match: match.group(0)[1:] if match.group(1) else as_text(lookup(match.group(2).strip())),
            value,
        )
    if isinstance(value, dict):
        return {key: substitute(item, lookup) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, lookup) for item in value]
    return value


def as_text(value: Any) -> str:
    """How a value looks inside a longer text: JSON words and structures, ISO dates, nothing for null."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool | dict | list | tuple):
        import json

        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
