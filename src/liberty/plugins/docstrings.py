"""What a docstring says about single parameters, in the usual two styles."""

import re

_SECTION = re.compile(r"^(?:Args|Arguments|Parameters|Params):\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^(\s+)\*{0,2}(\w+)(?:\s*\([^)\n]*\))?\s*:\s*(.*)$")
_FIELD = re.compile(r"^:param\s+(?:[^:\n]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$", re.MULTILINE)


def descriptions(doc: str) -> dict[str, str]:
    """By name, from an `Args:` section or from `:param name:` lines."""
    found = {match[1]: match[2].strip() for match in _FIELD.finditer(doc)}
    section = _SECTION.search(doc)
    if section is None:
        return found
    indent, name = None, None
    for line in doc[section.end() :].split("\n")[1:]:
        if not line.strip():
            break
        entry = _ENTRY.match(line)
        if entry is not None and (indent is None or entry[1] == indent):
            indent, name = entry[1], entry[2]
            found[name] = entry[3].strip()
        elif name is not None and indent is not None and line.startswith(f"{indent} "):
            found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            break
    return found
