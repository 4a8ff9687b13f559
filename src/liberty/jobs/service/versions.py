"""The versions of a job's definition: which there were and who saved them, what differs, and going back to one."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liberty.database import Database, Tx
from liberty.errors import NotFound
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.comparing import FieldChange, compared, summary_of, unified
from liberty.jobs.service.definitions import Definitions, DefinitionView, Save
from liberty.jobs.service.drafts import text_of
from liberty.jobs.service.hidden_text import masked, masked_value
from liberty.jobs.store import edits, versions
from liberty.jobs.store.edits import Edit


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `edit` is None for one that came with the file: somebody edited it on disk, or deployed it."""

    number: int
    loaded_at: datetime
    is_current: bool
    edit: Edit | None
    summary: str
    text: str
    stored: Mapping[str, Any]

    @property
    def as_written(self) -> bool:
        """Whether `toml` is what somebody wrote, comments included; else it is written out from the definition."""
        return self.edit is not None

    @property
    def toml(self) -> str:
        """Its text, secrets masked."""
        return masked(self.text)

    @property
    def definition(self) -> Json:
        """What it says, secrets masked."""
        shown: Json = masked_value(dict(self.stored))
        return shown


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Newest first."""

    items: list[Version]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """From one version to another: the texts as a unified diff, and key by key."""

    old: int
    new: int
    unified: str
    changes: list[FieldChange]


class Versions:
    """Reads versions of the jobs that a caller may read."""

    def __init__(
        self, *, database: Database, current: Callable[[], Generation], definitions: Definitions
    ) -> None:
        self._database = database
        self._current = current
        self._definitions = definitions

    async def page(
        self, name: str, caller: Caller, *, limit: int = 50, before: int | None = None
    ) -> VersionPage:
        """A page of a job's versions."""
        name = caller.job_name(self._current().catalogue, name, "read")
        found = await self._read(name, limit + 1, before)
        more = len(found) > limit
        return VersionPage(found[:limit], str(found[limit - 1].number) if more else None)

    async def one(self, name: str, number: int, caller: Caller) -> Version:
        """One version. Raises NotFound."""
        name = caller.job_name(self._current().catalogue, name, "read")
        return await self._one(name, number)

    async def diff(self, name: str, caller: Caller, *, old: int | None, new: int | None) -> VersionDiff:
        """From `old` (the one before `new`) to `new` (the current one). Raises NotFound."""
        name = caller.job_name(self._current().catalogue, name, "read")
        after = await self._one(name, new) if new is not None else await self._newest(name)
        before = await self._one(name, after.number - 1 if old is None else old)
        both = before.as_written and after.as_written
        texts = (before.toml, after.toml) if both else (_written_out(before), _written_out(after))
        return VersionDiff(
            before.number,
            after.number,
            unified(*texts, f"{name} version {before.number}", f"{name} version {after.number}"),
            compared(before.stored, after.stored),
        )

    async def restore(
        self, name: str, number: int, caller: Caller, *, revision: str | None = None
    ) -> DefinitionView:
        """Write the job as it was in that version, which makes a new version. Raises as `Definitions.save`."""
        version = await self.one(name, number, caller)
        save = Save(revision, toml=version.text, summary=f"as in version {number}")
        return await self._definitions.save(name, caller, save, action="restore")

    async def _newest(self, name: str) -> Version:
        generation = self._current()
        number = generation.versions.get(name)
        if number is not None:
            return await self._one(name, number)
        found = await self._read(name, 1, None)
        if not found:
            raise NotFound(f"job {name!r} has no version yet")
        return found[0]

    async def _one(self, name: str, number: int) -> Version:
        found = await self._read(name, 1, number + 1)
        if not found or found[0].number != number:
            raise NotFound(f"job {name!r} has no version {number}")
        return found[0]

    async def _read(self, name: str, count: int, before: int | None) -> list[Version]:
        now = self._current().versions.get(name)

        async def read(tx: Tx) -> tuple[list[tuple[int, datetime, str]], dict[int, Edit]]:
            rows = await versions.page(tx, name, count + 1, before)
            return rows, await edits.of_versions(tx, name, [row[0] for row in rows])

        rows, saved = await self._database.read(read)
        stored = [json.loads(row[2]) for row in rows]
        found = []
        for index, (number, loaded_at, _) in enumerate(rows[:count]):
            edit = saved.get(number)
            earlier = stored[index + 1] if index + 1 < len(rows) else None
            found.append(
                Version(
                    number,
                    loaded_at,
                    number == now,
                    edit,
                    edit.summary if edit is not None else _summary(earlier, stored[index]),
                    edit.toml if edit is not None else text_of(stored[index]),
                    stored[index],
                )
            )
        return found


def _summary(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    return "first version" if before is None else summary_of(compared(before, after))


def _written_out(version: Version) -> str:
    return masked(text_of(version.stored))
