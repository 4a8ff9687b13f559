"""A TOML text, parsed within limits, with the environment filled into its values and the line of each key."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from liberty.errors import Invalid, NotFound, Problem
from liberty.toml_files.scan import MAX_BYTES, check_limits, index_lines

RUN_TIME_WORDS = frozenset({"today", "yesterday", "now"})
"""Words that mean a date when a step runs, and are therefore never looked up in the environment."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class TomlDocument:
    """What one file says. `data` has the environment filled in, `raw` is what stands in the file."""

    def __init__(self, *, file: str, text: str, raw: dict[str, Any], environ: Mapping[str, str]) -> None:
        self.file = file
        self.text = text
        self.raw = raw
        self._unset_at: list[tuple[str, tuple[str | int, ...]]] = []
        self.data: dict[str, Any] = self._filled(raw, (), environ) if "${" in text else raw

    @cached_property
    def unset(self) -> list[tuple[str, int | None]]:
        """Variables that have neither a value nor a default, with the line that names them; each became ''."""
        return [(name, self.line_of(path)) for name, path in self._unset_at]

    @property
    def content_hash(self) -> str:
        """Changes whenever the text does; what an editor hands back to prove that it saw the newest version."""
        return content_hash(self.text)

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """The line of a key, table or array element: `("jobs", 2, "steps", 0, "retry")`.

        A path that is not in the file answers with the nearest table or element around it; None when there is none.
        """
        wanted = tuple(path)
        while wanted:
            if (line := self._lines.get(wanted)) is not None:
                return line
            wanted = wanted[:-1]
        return None

    @cached_property
    def _lines(self) -> dict[tuple[str | int, ...], int]:
        return index_lines(self.text)

    def _filled(self, value: Any, path: tuple[str | int, ...], environ: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return self._fill(value, path, environ) if "${" in value else value
        if isinstance(value, dict):
            return {key: self._filled(item, (*path, key), environ) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, (*path, number), environ) for number, item in enumerate(value)]
        return value

    def _fill(self, text: str, path: tuple[str | int, ...], environ: Mapping[str, str]) -> str:
        def replacement(match: re.Match[str]) -> str:
            name, default = match.group(1), match.group(2)
            if name in RUN_TIME_WORDS:
                return match.group()
            value = self._variable(name, path, environ)
            if value is None and default is None:
                self._unset_at.append((name, path))
            return value or default or ""

        return _VARIABLE.sub(replacement, text)

    def _variable(self, name: str, path: tuple[str | int, ...], environ: Mapping[str, str]) -> str | None:
        if name in environ:
            return environ[name]
        file = environ.get(f"{name}_FILE")
        if not file:
            return None
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            message = f"{name}_FILE names {file!r}, which cannot be read: {_reason(error)}"
            problem = Problem(message, file=self.file, line=self.line_of(path))
            raise Invalid(str(problem), problems=[problem]) from error


def parse_toml(text: str, *, file: str, environ: Mapping[str, str]) -> TomlDocument:
    """Parse TOML within limits, then fill `${NAME}` and `${NAME:-default}` into the values.

    The environment is put into parsed values, never into text, so no variable can add a key. `NAME_FILE` names a
    file that holds the value. Tokens with a dot or a colon and the run-time words stay as they are.
    Raises Invalid, with the file and the line, for bad syntax and for text beyond the limits.
    """
    check_limits(text, file=file)
    try:
        raw = tomllib.loads(text)
    except ValueError as error:  # also what int() says about a number of thousands of digits
        message = str(error)
        place = _PLACE.search(message)
        line = None if place is None else int(place["line"] or text.count("\n") + 1)
        problem = Problem(f"not valid TOML: {_PLACE.sub('', message)}", file=file, line=line)
        raise Invalid(str(problem), problems=[problem]) from error
    return TomlDocument(file=file, text=text, raw=raw, environ=environ)


def read_toml(path: Path, environ: Mapping[str, str]) -> TomlDocument:
    """Read and parse a file. Raises NotFound when there is none, Invalid when it cannot be read or parsed."""
    return parse_toml(read_text(path), file=str(path), environ=environ)


def read_text(path: Path) -> str:
    """The text of a TOML file, at most the size limit and one byte. Raises as `read_toml`."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"no file {path}") from error
    except OSError as error:
        problem = Problem(f"cannot be read: {_reason(error)}", file=str(path))
        raise Invalid(str(problem), problems=[problem]) from error
    if len(content) > MAX_BYTES:
        problem = Problem(f"the file has more than {MAX_BYTES} bytes; split it", file=str(path))
        raise Invalid(str(problem), problems=[problem])
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem("not UTF-8 text; save the file as UTF-8", file=str(path), line=line)
        raise Invalid(str(problem), problems=[problem]) from error


def content_hash(text: str) -> str:
    """A fingerprint of a file's text."""
    return sha256(text.encode()).hexdigest()


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
