"""Which plugin files and libraries runs of this process have: worked out once per generation of the plugins."""

import asyncio
import platform
import sys
from hashlib import sha256
from pathlib import Path
from weakref import WeakKeyDictionary

from liberty.jobs.store.code import Code
from liberty.plugins import PluginSet

DIGITS = 16
_DISTRIBUTION = ".dist-info"


class CodeSeen:
    """Belongs to the loop it is made on, which it does not hold up: the libraries are listed in a thread."""

    def __init__(self) -> None:
        self._libraries = asyncio.ensure_future(asyncio.to_thread(installed))
        self._known: WeakKeyDictionary[PluginSet, Code] = WeakKeyDictionary()
        self._stored: set[str] = set()

    async def of(self, plugins: PluginSet) -> Code:
        """What a run with these plugins has."""
        found = self._known.get(plugins)
        if found is None:
            libraries = await asyncio.shield(self._libraries)
            found = self._known[plugins] = made_of(plugins.file_digests, libraries)
        return found

    def is_stored(self, code: Code) -> bool:
        """Whether this process has kept it before."""
        return code.digest in self._stored

    def stored(self, code: Code) -> None:
        """It was kept, and that is durable."""
        self._stored.add(code.digest)


def made_of(files: dict[str, str], libraries: dict[str, str]) -> Code:
    """The facts with a digest over them."""
    python = platform.python_version()
    digest = sha256(python.encode())
    for parts in (files, libraries):
        digest.update(f"\0\0{len(parts)}".encode())
        for name, what in sorted(parts.items()):
            digest.update(f"\0{name}\0{what}".encode("utf-8", "surrogatepass"))
    return Code(digest.hexdigest()[:DIGITS], files, libraries, python)


def installed() -> dict[str, str]:
    """Every installed distribution with its version, as the names of their folders say it.

    `importlib.metadata` reads and parses a file for each, which takes a hundred times as long.
    """
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = sorted(entry.name for entry in Path(place or ".").iterdir())
        except OSError:  # an archive, or no longer there
            continue
        for folder in names:
            if folder.endswith(_DISTRIBUTION):
                name, _, version = folder.removesuffix(_DISTRIBUTION).partition("-")
                found.setdefault(name.lower().replace("_", "-"), version)
    return found
