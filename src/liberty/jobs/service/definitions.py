"""One job's definition: shown as it stands in its file, changed there and nowhere else, every saving remembered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from liberty.auth import audit
from liberty.clock import Clock, to_millis
from liberty.database import Database, Tx
from liberty.errors import Conflict, Invalid
from liberty.jobs.catalogue import BUILTIN
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.service import renaming
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.comparing import compared, summary_of, unified
from liberty.jobs.service.drafts import DRAFT, Draft, Drafts, one_job, refuse_draft
from liberty.jobs.service.hidden_text import masked, unmasked
from liberty.jobs.service.job_files import app_of_file, chosen_file, label_of, new_problems, path_of, refuse
from liberty.jobs.service.job_text import found, found_in, name_of, raw_of, revision_of
from liberty.jobs.store import edits, marks, pauses
from liberty.jobs.store.edits import Edit
from liberty.toml_files import parse_toml, pieces, rewrite
from liberty.toml_files.changes import TextChange, changed

MAX_SUMMARY = 500


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A job's text as it is in the file now, secrets masked. `revision` proves, when saving, which text was seen."""

    name: str
    app: str
    file: str
    line: int
    revision: str
    version: int | None
    editable: bool
    draft: Draft


@dataclass(frozen=True, slots=True)
class Save:
    """What to save: a text, or changes of the one in the file, or what the definition is to say.

    `revision` is the one that was seen; `base`, if given, its text, so that a conflict can tell what changed since.
    """

    revision: str | None
    toml: str | None = None
    definition: Mapping[str, Any] | None = None
    changes: Sequence[TextChange] = ()
    base: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A job that was deleted. Its runs and versions are kept; creating it from `toml` undoes the deletion."""

    name: str
    file: str
    toml: str


class Definitions:
    """Shows and edits. The right to edit was checked before; which jobs the caller sees is checked here."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        scheduler: Scheduler,
        current: Callable[[], Generation],
        reload: Callable[[], Awaitable[object]],
        drafts: Drafts,
    ) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._current = current
        self._reload = reload
        self._drafts = drafts

    async def view(self, name: str, caller: Caller) -> DefinitionView:
        """The job as its file defines it now. Raises NotFound, Conflict when the file does not have it any more."""
        generation = self._current()
        name = caller.job_name(generation.catalogue, name, "read")
        return await asyncio.to_thread(self._view, name, generation)

    async def text(self, name: str, caller: Caller) -> str:
        """The job's own text with its secrets, for use inside. Raises as `view`."""
        generation = self._current()
        name = caller.job_name(generation.catalogue, name, "read")
        return (await asyncio.to_thread(found, name, _origin(generation, name)))[0]

    async def save(
        self, name: str, caller: Caller, wanted: Save, *, action: str = "change"
    ) -> DefinitionView:
        """Write the job anew if its text is still the one seen and the result is right, then reload.

        Raises Conflict, telling what changed, when it is not; Invalid with every problem; then nothing is written.
        """
        generation = self._current()
        name = caller.job_name(generation.catalogue, name, "read")
        path = path_of(generation.catalogue, name)

        def rewritten(own: str) -> str:
            if wanted.revision is not None and wanted.revision != revision_of(own):
                raise _conflict(name, own, wanted)
            text = self._drafts.rewritten(
                own if wanted.toml is None else wanted.toml, wanted.changes, wanted.definition
            )
            text = unmasked(text, own)
            self._check(text, name, path, generation)
            return text

        before, after = await asyncio.to_thread(self._replace, name, path, rewritten, generation)
        summary = wanted.summary or summary_of(compared(raw_of(before), raw_of(after)))
        await self._reload()
        await self._remember(name, caller, action, summary, after, path)
        return await self._seen(name)

    async def create(
        self,
        caller: Caller,
        *,
        toml: str | None = None,
        definition: Mapping[str, Any] | None = None,
        file: str | None = None,
        action: str = "create",
        summary: str | None = None,
    ) -> DefinitionView:
        """Append a job to a file. Raises Invalid with every problem, NotFound for a file that is no place for jobs."""
        generation = self._current()
        target = chosen_file(generation, file)
        text = self._drafts.rewritten(toml or "", (), definition)

        def append(before: str) -> str:
            self._check(unmasked(text, ""), None, target.path, generation)
            after = pieces.inserted(before, len(before.split("\n")), text)
            refuse(new_problems(generation, {target.path: after}), f"{target.label} would not be right")
            return after

        await asyncio.to_thread(rewrite, target.path, append)
        name = name_of(text)
        await self._reload()
        await self._remember(name, caller, action, summary or f"created in {target.label}", text, target.path)
        return await self._seen(name)

    async def delete(self, name: str, caller: Caller, *, revision: str | None = None) -> Gone:
        """Take the job out of its file. Raises Conflict when it was changed since, Invalid when others refer to it."""
        generation = self._current()
        name = caller.job_name(generation.catalogue, name, "read")
        path = path_of(generation.catalogue, name)
        own = ""

        def cut(before: str) -> str:
            nonlocal own
            own, piece = found_in(before, name, path)
            if revision is not None and revision != revision_of(own):
                raise _conflict(name, own, Save(revision))
            after = pieces.without(before, piece)
            refuse(new_problems(generation, {path: after}), f"job {name!r} cannot be deleted")
            return after

        await asyncio.to_thread(rewrite, path, cut)
        await self._reload()
        await self._remember(name, caller, "delete", "deleted", own, path, is_gone=True)
        return Gone(name, label_of(generation.settings, path), masked(own))

    async def duplicate(
        self, name: str, caller: Caller, to: str, *, file: str | None = None, enabled: bool = False
    ) -> DefinitionView:
        """Another job like this one, in the same file unless told otherwise; its schedules switched off."""
        own = await self.text(name, caller)
        generation = self._current()
        origin = _origin(generation, caller.job_name(generation.catalogue, name, "read"))
        label = file or (None if origin == BUILTIN else label_of(generation.settings, origin))
        raw = raw_of(own)
        changes = [TextChange("set", ("jobs", 0, "id" if "id" in raw and "name" not in raw else "name"), to)]
        if not enabled:
            changes.append(TextChange("set", ("jobs", 0, "enabled"), False))
            changes += [
                TextChange("set", ("jobs", 0, "presets", index, "enabled"), False)
                for index, preset in enumerate(raw.get("presets", []))
                if isinstance(preset, dict) and preset.get("schedule")
            ]
        return await self.create(
            caller, toml=changed(own, changes), file=label, action="duplicate", summary=f"copied from {name}"
        )

    async def rename(
        self, name: str, caller: Caller, to: str, *, revision: str | None = None
    ) -> DefinitionView:
        """Give the job another name, wherever jobs refer to it. Its pause and its marks go along; past runs do not.

        Raises Conflict when its text was changed since, Invalid for a name that cannot be.
        """
        generation = self._current()
        name = caller.job_name(generation.catalogue, name, "read")
        path = path_of(generation.catalogue, name)
        own, _ = await asyncio.to_thread(found, name, path)
        if revision is not None and revision != revision_of(own):
            raise _conflict(name, own, Save(revision))
        plan = await asyncio.to_thread(renaming.texts, generation, path, name, to)
        refuse(
            await asyncio.to_thread(new_problems, generation, {p: after for p, (_, after) in plan.items()}),
            f"job {name!r} cannot be called {to!r}",
        )
        now = to_millis(self._clock.now())
        pause = self._scheduler.all_pauses.get(name)
        await asyncio.to_thread(renaming.write, plan)
        if pause is not None and pause.holds(now):
            # Before the reload, so that nothing fires under the new name.
            await self._database.write(pauses.put, replace(pause, job=to))
        await self._reload()

        async def follow(tx: Tx) -> None:
            await marks.rename(tx, name, to)
            if pause is not None:
                await pauses.clear(tx, name, now)

        await self._database.write(follow)
        await self._scheduler.refresh_pauses()
        text = (await asyncio.to_thread(found, to, path))[0]
        await self._remember(to, caller, "rename", f"renamed from {name}", text, path)
        return await self._seen(to)

    def _view(self, name: str, generation: Generation) -> DefinitionView:
        path = _origin(generation, name)
        own, line = found(name, path)
        app = app_of_file(generation, path)
        job = generation.catalogue.jobs.get(name) or generation.catalogue.quarantined[name]
        return DefinitionView(
            name=name,
            app=job.app,
            file=label_of(generation.settings, path),
            line=line,
            revision=revision_of(own),
            version=generation.versions.get(name),
            editable=path != BUILTIN,
            draft=self._drafts.check(masked(own), name=name, app=app, file=path if path == BUILTIN else None),
        )

    async def _seen(self, name: str) -> DefinitionView:
        """What was just written, also for somebody who may not read jobs of its name."""
        generation = self._current()
        if name not in generation.catalogue:
            raise Conflict(f"job {name!r} was saved and is gone again: somebody else has changed the file")
        return await asyncio.to_thread(self._view, name, generation)

    def _check(self, text: str, name: str | None, path: Path, generation: Generation) -> None:
        draft = self._drafts.check(text, name=name, app=app_of_file(generation, path))
        refuse_draft(draft)
        if name is not None and name_of(text).lower() != name.lower():
            raise Invalid(f"the text calls the job {name_of(text)!r}; rename job {name!r} to change its name")

    def _replace(
        self, name: str, path: Path, rewritten: Callable[[str], str], generation: Generation
    ) -> tuple[str, str]:
        """The job's text before and after."""
        texts = ("", "")

        def change(before: str) -> str:
            nonlocal texts
            own, piece = found_in(before, name, path)
            texts = (own, rewritten(own))
            after = pieces.replaced(before, piece, texts[1])
            refuse(
                new_problems(generation, {path: after}),
                f"{label_of(generation.settings, path)} would not be right",
            )
            return after

        rewrite(path, change)
        return texts

    async def _remember(
        self,
        name: str,
        caller: Caller,
        action: str,
        summary: str,
        toml: str,
        path: Path,
        *,
        is_gone: bool = False,
    ) -> None:
        generation = self._current()
        edit = Edit(
            job=name,
            version=None if is_gone else generation.versions.get(name),
            action=action,
            summary=summary[:MAX_SUMMARY],
            toml=toml,
            file=label_of(generation.settings, path),
            author=caller.by,
            at=to_millis(self._clock.now()),
        )

        async def note(tx: Tx) -> None:
            await edits.add(tx, edit)
            await audit.record(
                tx,
                at=edit.at,
                actor=caller.principal,
                action=f"job.{action}",
                object=f"job:{name}",
                details={"file": edit.file, "version": edit.version, "summary": edit.summary},
                address=caller.address,
            )

        await self._database.write(note)


def _conflict(name: str, own: str, wanted: Save) -> Conflict:
    """What an editor needs to show both sides: the text as it is now, and what is different from what was seen."""
    now = masked(own)
    details: dict[str, Any] = {"revision": revision_of(own), "toml": now}
    if wanted.base is not None:
        details["diff"] = unified(wanted.base, now, "as you opened it", "as it is now")
        try:
            seen = one_job(parse_toml(wanted.base, file=DRAFT, environ={}).raw, DRAFT)
        except Invalid:
            seen = None
        if seen is not None:
            since = compared(seen, raw_of(own))
            details["changed"] = [
                {"key": c.key, "how": c.how, "before": c.before, "after": c.after} for c in since
            ]
    return Conflict(
        f"job {name!r} was changed since you opened it; look at what changed, then save again",
        details=details,
    )


def _origin(generation: Generation, name: str) -> Path:
    catalogue = generation.catalogue
    return Path((catalogue.jobs.get(name) or catalogue.quarantined[name]).origin.file)
