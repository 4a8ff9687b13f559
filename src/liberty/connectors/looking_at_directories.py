"""Looking at a directory: whether it lets us in, and what attributes its entries have."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass

from liberty.connectors.ldap import LdapEntry, LdapPool, Scope
from liberty.connectors.ldap_values import text_of
from liberty.connectors.looking import BROWSE_SECONDS, TEST_SECONDS, PoolAnswer, answered
from liberty.errors import LibertyError
from liberty.secrets import redactor

LOOKED_AT = 50
EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class AttributeFact:
    """An attribute of the entries looked at: how many have it, whether one has several values, and a value."""

    name: str
    entries: int
    several: bool
    example: str | None


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the first entries below `base` have; `bases` are what the server holds."""

    base: str
    bases: list[str]
    entries: int
    attributes: list[AttributeFact]


async def test_directory(pool: LdapPool) -> PoolAnswer:
    """Bind and ask what the server is. Never raises for what the directory does wrong."""
    began = time.perf_counter()

    def took() -> float:
        return round((time.perf_counter() - began) * 1000, 3)

    try:
        server = await answered(pool.test(), f"directory {pool.name!r}", TEST_SECONDS)
    except LibertyError as error:
        return PoolAnswer(False, took(), "ldap", None, redactor.redact(error.message))
    return PoolAnswer(True, took(), "ldap", server, None)


async def attributes(pool: LdapPool, *, base: str | None, search_filter: str, scope: Scope) -> Attributes:
    """The attributes of the first entries, by name. Raises NotFound, Invalid, Unavailable."""
    return await answered(
        _attributes(pool, base, search_filter, scope), f"directory {pool.name!r}", BROWSE_SECONDS
    )


async def _attributes(pool: LdapPool, base: str | None, search_filter: str, scope: Scope) -> Attributes:
    bases = []
    for root in await _first(pool, "", "(objectClass=*)", "base", ("namingContexts",)):
        bases = [value.decode("utf-8", "replace") for values in root.attributes.values() for value in values]
    base = base or (bases[0] if bases else "")
    entries = await _first(pool, base, search_filter, scope, ())
    found: dict[str, list[list[bytes]]] = {}
    for entry in entries:
        for name, values in entry.attributes.items():
            found.setdefault(name, []).append(values)
    listed = await asyncio.to_thread(
        lambda: [_fact(name, found[name]) for name in sorted(found, key=str.lower)]
    )
    return Attributes(base, bases, len(entries), listed)


async def _first(
    pool: LdapPool, base: str, search_filter: str, scope: Scope, wanted: tuple[str, ...]
) -> list[LdapEntry]:
    searching = pool.search(base, search_filter, scope=scope, attributes=wanted, page_size=LOOKED_AT)
    async with aclosing(searching) as pages:
        return (await anext(pages, []))[:LOOKED_AT]


def _fact(name: str, entries: list[list[bytes]]) -> AttributeFact:
    example = next((text for values in entries if (text := text_of(name, values)) is not None), None)
    if example is not None and len(example) > EXAMPLE_CHARACTERS:
        example = f"{example[:EXAMPLE_CHARACTERS]}…"
    several = any(len(values) > 1 for values in entries)
    return AttributeFact(name, len(entries), several, example)
