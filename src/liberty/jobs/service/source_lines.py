"""The lines of plugin files around the places that a traceback names. Nothing outside the plugins folder is read."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from liberty.plugins import PluginSet
from liberty.secrets import redactor

AROUND = 5
MAX_FRAMES = 5
MAX_LINE = 400
_FRAME = re.compile(r'^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """A place in a plugin. `changed`: the file is not the one the run had; None when that is not known."""

    file: str
    line: int
    function: str
    changed: bool | None
    lines: tuple[tuple[int, str], ...]


def frames_of(traceback: str | None, plugins: PluginSet, then: Mapping[str, str] | None) -> list[SourceFrame]:
    """The last places of a traceback that lie in plugins, innermost last. `then`: the digests the run had."""
    if not traceback:
        return []
    root = plugins.tree.root + os.sep
    texts = {source.path: source.text for source in plugins.tree.modules.values() if source.text is not None}
    now = plugins.file_digests
    found: list[SourceFrame] = []
    for match in _FRAME.finditer(traceback):
        path = match["file"]
        if not path.startswith(root) or ".." in path:
            continue
        name = path.removeprefix(root)
        known = then.get(name) if then is not None else None
        number = int(match["line"])
        changed = None if known is None else now.get(name) != known
        found.append(SourceFrame(name, number, match["function"], changed, _lines(texts.get(path), number)))
    return found[-MAX_FRAMES:]


def _lines(text: bytes | None, number: int) -> tuple[tuple[int, str], ...]:
    if text is None:
        return ()
    lines = text.decode("utf-8", "replace").splitlines()
    first = max(1, number - AROUND)
    return tuple(
        (first + index, redactor.redact(line[:MAX_LINE]))
        for index, line in enumerate(lines[first - 1 : number + AROUND])
    )
