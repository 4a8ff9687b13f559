"""`connectors.toml` as text in an editor: secrets masked, checked line by line, saved as a whole, comments and all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from liberty.auth import audit
from liberty.clock import Clock
from liberty.connectors import ConnectorRegistry
from liberty.database import Database, Tx
from liberty.errors import Conflict, Invalid, NotFound, Problem
from liberty.jobs.engine.generation import Generation
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.config_files import SECTIONS, holds_secret
from liberty.jobs.service.hidden_text import masked, texts_in, unmasked
from liberty.secrets import PREFIX, Keyring, redactor
from liberty.toml_files import content_hash, parse_toml, rewrite
from liberty.toml_files.changes import TextChange, changed
from liberty.toml_files.document import read_text


@dataclass(frozen=True, slots=True)
class TextView:
    """A file's text as an editor may see it. `hash` proves, when saving, which version was seen."""

    file: str
    hash: str
    text: str
    problems: list[Problem]


class ConnectorsText:
    """Shows, checks and saves the file. The caller's right to the section was checked before."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        current: Callable[[], Generation],
        reload: Callable[[], Awaitable[object]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._current = current
        self._reload = reload

    async def view(self) -> TextView:
        """The file as it is now; one that is not there yet is empty."""
        return await asyncio.to_thread(self._view)

    async def check(self, text: str) -> list[Problem]:
        """What would be wrong with `text`. Nothing is saved."""
        return await asyncio.to_thread(self._checked, text)

    async def save(self, text: str, expected_hash: str | None, caller: Caller) -> TextView:
        """Write the text if the file is still the one seen and nothing is newly wrong, then reload.

        A new value under a secret's name is encrypted on its way into the file. Raises Conflict for a file that was
        changed meanwhile, Invalid with every problem; then nothing is written.
        """
        path = self._path()
        await asyncio.to_thread(self._save, path, text, expected_hash)

        async def note(tx: Tx) -> None:
            await audit.record(
                tx,
                at=self._clock.now(),
                actor=caller.principal,
                action="config.change",
                object="config:connectors",
                details={"file": path.name, "keys": []},
                address=caller.address,
            )

        await self._database.write(note)
        await self._reload()
        return await self.view()

    def _path(self) -> Path:
        path = SECTIONS["connectors"].file(self._current().settings)
        if path is None:
            raise NotFound("there is no file for connectors")
        return path

    def _view(self) -> TextView:
        path = self._path()
        text = _read(path)
        return TextView(path.name, content_hash(text), masked(text), self._problems(text, path))

    def _checked(self, text: str) -> list[Problem]:
        path = self._path()
        try:
            whole = unmasked(text, _read(path), skip=0)
        except Invalid as error:
            return _problems_of(error, path)
        return self._problems(whole, path)

    def _save(self, path: Path, text: str, expected_hash: str | None) -> None:
        def replaced(before: str) -> str:
            if expected_hash != content_hash(before):
                raise Conflict(
                    f"{path.name} was changed since it was opened; look at the new version and save again"
                )
            try:
                after = self._sealed(unmasked(text, before, skip=0), before)
            except Invalid as error:
                raise Invalid(
                    f"{path.name} would not be right: {error.message}", problems=_problems_of(error, path)
                ) from None
            # What was wrong already must not keep the rest from being edited.
            known = {(problem.key, problem.message) for problem in self._problems(before, path)}
            problems = [
                problem
                for problem in self._problems(after, path)
                if (problem.key, problem.message) not in known
            ]
            if problems:
                raise Invalid(f"{path.name} would not be right: {problems[0]}", problems=problems)
            return after

        rewrite(path, replaced)

    def _problems(self, text: str, path: Path) -> list[Problem]:
        settings = self._current().settings
        try:
            document = parse_toml(text, file=str(path), environ=settings.environ)
            found = ConnectorRegistry.from_document(document, settings, self._keyring).problems
        except Invalid as error:
            return _problems_of(error, path)
        return [Problem(redactor.redact(one.message), path.name, one.line, one.job, one.key) for one in found]

    def _sealed(self, text: str, before: str) -> str:
        """The text with new secrets encrypted; what stood there before, or names a variable, stays as it is."""
        try:
            known = set(texts_in(before))
        except Invalid:
            known = set()
        changes = []
        for path, value in texts_in(text):
            name = next((part for part in reversed(path) if isinstance(part, str)), "")
            if not value or value.startswith((PREFIX, "${")) or not holds_secret(name):
                continue
            if (path, value) not in known:
                redactor.register(value)
                changes.append(TextChange("set", path, self._keyring.encrypt(value)))
        return changed(text, changes)


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except NotFound:
        return ""


def _problems_of(error: Invalid, path: Path) -> list[Problem]:
    found = error.problems or [Problem(error.message)]
    return [Problem(redactor.redact(one.message), path.name, one.line, one.job, one.key) for one in found]
