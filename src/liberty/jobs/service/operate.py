"""Operating jobs: enable and disable, pause and resume, freeze all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from liberty.auth import audit
from liberty.clock import Clock, rfc3339, to_millis
from liberty.database import Database, Tx
from liberty.errors import Conflict, Invalid, NotFound
from liberty.jobs.catalogue import BUILTIN, Catalogue
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.job_files import label_of
from liberty.jobs.service.job_text import found
from liberty.jobs.store import edits, pauses
from liberty.jobs.store.edits import Edit
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.toml_files import read_toml, set_values

type Then = Literal["drop", "latest", "all"]

MAX_REASON = 500


class Operations:
    """What operators do to jobs. Whether the caller may is checked against the job they may read; the rest, before.

    `reload` makes an edited file count.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        scheduler: Scheduler,
        current: Callable[[], Generation],
        reload: Callable[[], Awaitable[object]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._current = current
        self._reload = reload

    async def set_enabled(self, name: str, caller: Caller, *, enabled: bool) -> str:
        """Write `enabled` into the job's file, comments kept, and reload; the job's name.

        Raises NotFound, Conflict for a job that is shipped and so has no file to edit.
        """
        catalogue = self._current().catalogue
        name = caller.job_name(catalogue, name, "read")
        path = file_of(catalogue, name)
        await asyncio.to_thread(_write_enabled, path, name, enabled)
        await self._reload()
        await self._note_enabled(caller, name, path, enabled=enabled)
        return name

    async def pause(
        self, name: str, caller: Caller, *, until: datetime | None, reason: str | None, then: Then = "drop"
    ) -> str:
        """Hold the job's schedules back until then, or until it is resumed; the job's name.

        `then`: what happens at the end to what was held back.
        """
        name = caller.job_name(self._current().catalogue, name, "read")
        await self._hold(name, caller, "pause", f"job:{name}", until=until, reason=reason, then=then)
        return name

    async def resume(self, name: str, caller: Caller) -> str:
        """End a pause. Raises Conflict when the job is not paused."""
        name = caller.job_name(self._current().catalogue, name, "read")
        if not await self._release(name, caller, "resume", f"job:{name}"):
            raise Conflict(f"job {name!r} is not paused")
        return name

    async def freeze(self, caller: Caller, *, until: datetime | None, reason: str | None, then: Then) -> None:
        """Hold all schedules back. `then`: what happens at the end to what was held back."""
        await self._hold(FREEZE, caller, "freeze", "jobs:*", until=until, reason=reason, then=then)

    async def unfreeze(self, caller: Caller) -> bool:
        """End the freeze; False when there was none."""
        return await self._release(FREEZE, caller, "unfreeze", "jobs:*")

    @property
    def frozen(self) -> Pause | None:
        """The freeze in force."""
        freeze = self._scheduler.all_pauses.get(FREEZE)
        return freeze if freeze is not None and freeze.holds(self._scheduler.now()) else None

    async def _hold(
        self,
        key: str,
        caller: Caller,
        action: str,
        subject: str,
        *,
        until: datetime | None,
        reason: str | None,
        then: str,
    ) -> None:
        now = to_millis(self._scheduler.now())
        if until is not None and until <= now:
            raise Invalid(f"until is in the past: {rfc3339(until)}")
        if reason is not None and len(reason) > MAX_REASON:
            raise Invalid(f"a reason has at most {MAX_REASON} characters")
        pause = Pause(key, now, until and to_millis(until), reason, then, caller.by)
        details = {"until": until and rfc3339(until), "reason": reason, "then": then}

        async def put(tx: Tx) -> None:
            await pauses.put(tx, pause)
            await audit.record(
                tx,
                at=now,
                actor=caller.principal,
                action=action,
                object=subject,
                details=details,
                address=caller.address,
            )

        await self._database.write(put)
        await self._scheduler.refresh_pauses()

    async def _release(self, key: str, caller: Caller, action: str, subject: str) -> bool:
        now = to_millis(self._scheduler.now())

        async def clear(tx: Tx) -> bool:
            if not await pauses.clear(tx, key, now):
                return False
            await audit.record(
                tx,
                at=self._clock.now(),
                actor=caller.principal,
                action=action,
                object=subject,
                address=caller.address,
            )
            return True

        released = await self._database.write(clear)
        await self._scheduler.refresh_pauses()
        return released

    async def _note_enabled(self, caller: Caller, name: str, path: Path, *, enabled: bool) -> None:
        generation = self._current()
        text, _ = await asyncio.to_thread(found, name, path)
        now = to_millis(self._clock.now())
        action = "enable" if enabled else "disable"
        file = label_of(generation.settings, path)
        version = generation.versions.get(name)
        edit = Edit(name, version, "change", f"{action}d", text, file, caller.by, now)

        async def record(tx: Tx) -> None:
            await edits.add(tx, edit)
            await audit.record(
                tx,
                at=now,
                actor=caller.principal,
                action=action,
                object=f"job:{name}",
                address=caller.address,
            )

        await self._database.write(record)


def file_of(catalogue: Catalogue, name: str) -> Path:
    """The file a job is defined in. Raises Conflict when it is shipped with the program."""
    job = catalogue.jobs.get(name) or catalogue.quarantined[name]
    path = Path(job.origin.file)
    if path == BUILTIN:
        raise Conflict(f"job {name!r} ships with the program and cannot be edited; define a job of your own")
    return path


def _write_enabled(path: Path, name: str, enabled: bool) -> None:
    document = read_toml(path, {})
    at = index_of(document.raw, name, path)
    set_values(path, {("jobs", at, "enabled"): enabled}, expected_hash=document.content_hash)


def index_of(raw: dict[str, object], name: str, path: Path) -> int:
    """Which of the file's jobs is called `name`. Raises NotFound, Conflict when two are."""
    jobs = raw.get("jobs")
    found = [
        index
        for index, job in enumerate(jobs if isinstance(jobs, list) else [])
        if isinstance(job, dict) and str(job.get("name", job.get("id", ""))).lower() == name.lower()
    ]
    if not found:
        raise NotFound(f"{path} has no job {name!r} any more; reload")
    if len(found) > 1:
        raise Conflict(f"{path} has {len(found)} jobs called {name!r}; rename all but one")
    return found[0]
