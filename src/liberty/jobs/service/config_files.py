"""The configuration files as an editor sees them: values with secrets hidden, changes key by key, comments kept."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liberty.auth import audit
from liberty.clock import Clock
from liberty.connectors import ConnectorRegistry
from liberty.database import Database, Tx
from liberty.errors import Conflict, Invalid, NotFound, Problem, did_you_mean
from liberty.jobs.catalogue import Catalogue, validate_text
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.loose import loose
from liberty.jobs.service.operate import file_of
from liberty.secrets import MASK, PREFIX, Keyring, is_secret_name, redactor
from liberty.settings import Settings, load_settings
from liberty.toml_files import REMOVE, content_hash, parse_toml, read_toml, set_values

type Key = tuple[str | int, ...]

_ABOUT_SECRETS = frozenset(
    {
        "access_token_ttl",
        "auth_token_content_type",
        "auth_token_endpoint",
        "auth_token_field",
        "refresh_token_ttl",
    }
)
"""Keys that are named after secrets and hold none."""


@dataclass(frozen=True, slots=True)
class Change:
    """Set the key at `path` to `value`, or take it out."""

    path: Key
    value: Any = None
    remove: bool = False


@dataclass(frozen=True, slots=True)
class SectionView:
    """A file as it is now. `values` hides secrets; `hash` proves, when saving, which version was seen."""

    section: str
    file: Path
    hash: str
    values: Json


@dataclass(frozen=True, slots=True)
class ConfigSection:
    """A file that can be edited, and what tells whether its text is right. `secrets`: further keys that hold some."""

    name: str
    file: Callable[[Settings], Path | None]
    check: Callable[["ConfigFiles", str, Path], list[Problem]]
    secrets: frozenset[str] = frozenset()


class ConfigFiles:
    """Reads and edits. `reload` makes an edited file count; the caller's right to the section was checked before."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        current: Callable[[], Generation],
        reload: Callable[[], Awaitable[object]],
        more: Sequence[ConfigSection] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._current = current
        self._reload = reload
        self._sections = {**SECTIONS, **{section.name: section for section in more}}

    async def view(self, section: str, caller: Caller, *, job: str | None = None) -> SectionView:
        """The section's file; of `jobs`, the one that defines `job` when that is given. Raises NotFound."""
        known = self._known(section)
        return await asyncio.to_thread(self._view, known, self._path(known, caller, job))

    async def change(
        self,
        section: str,
        changes: Sequence[Change],
        caller: Caller,
        *,
        expected_hash: str,
        job: str | None = None,
    ) -> SectionView:
        """Apply `changes` if the file is still the one seen and the result is right, then reload.

        A value under a secret's name is encrypted on its way into the file, but for `jobs`, where `${…}` names
        secrets. Raises Conflict for a file that was changed meanwhile, Invalid with the problems the change would
        bring; then nothing is written.
        """
        if not changes:
            raise Invalid("there is nothing to change")
        known = self._known(section)
        path = self._path(known, caller, job)
        sealed: dict[Sequence[str | int], Any] = {
            change.path: REMOVE if change.remove else self._sealed(known, change) for change in changes
        }
        await asyncio.to_thread(self._save, known, path, sealed, expected_hash)

        async def note(tx: Tx) -> None:
            keys = [".".join(map(str, change.path)) for change in changes]
            await audit.record(
                tx,
                at=self._clock.now(),
                actor=caller.principal,
                action="config.change",
                object=f"config:{section}",
                details={"file": path.name, "keys": keys},
                address=caller.address,
            )

        await self._database.write(note)
        await self._reload()
        return await asyncio.to_thread(self._view, known, path)

    def problems_of_jobs(self, text: str, path: Path) -> list[Problem]:
        """What is wrong with the text of a jobs file, all other files being as they are."""
        generation = self._current()
        environ = generation.settings.environ
        others = _without(generation.catalogue, path)
        return validate_text(text, environ, file=str(path), others=others)

    def problems_of_connectors(self, text: str, path: Path) -> list[Problem]:
        settings = self._current().settings
        document = parse_toml(text, file=str(path), environ=settings.environ)
        return ConnectorRegistry.from_document(document, settings, self._keyring).problems

    def problems_of_app(self, text: str, path: Path) -> list[Problem]:
        """Settings are read from a file, so they are tried on a copy beside nothing else."""
        settings = self._current().settings
        with tempfile.TemporaryDirectory(prefix="nomaflow-") as folder:
            copy = Path(folder) / path.name
            copy.write_text(text, encoding="utf-8")
            try:
                load_settings({**settings.environ, "LIBERTY_APP_CONFIG": str(copy)}, cwd=Path(folder))
            except Invalid as error:
                return list(error.problems) or [Problem(error.message, file=str(path))]
        return []

    def _known(self, name: str) -> ConfigSection:
        try:
            return self._sections[name]
        except KeyError:
            raise NotFound(f"no section {name!r}{did_you_mean(name, self._sections)}") from None

    def _path(self, section: ConfigSection, caller: Caller, job: str | None) -> Path:
        generation = self._current()
        if job is not None:
            if section.name != "jobs":
                raise Invalid(f"section {section.name!r} has no jobs")
            return file_of(generation.catalogue, caller.job_name(generation.catalogue, job, "read"))
        path = section.file(generation.settings)
        if path is None:
            raise NotFound(f"there is no file for section {section.name!r}")
        return path

    def _view(self, section: ConfigSection, path: Path) -> SectionView:
        try:
            document = read_toml(path, {})
        except NotFound:
            return SectionView(section.name, path, content_hash(""), {})
        values = _hidden(loose(document.raw), section.secrets)
        return SectionView(section.name, path, document.content_hash, values)

    def _sealed(self, section: ConfigSection, change: Change) -> Any:
        if section.name == "jobs":
            return change.value
        return self._seal(change.value, change.path, section.secrets)

    def _seal(self, value: Any, path: Key, secrets: frozenset[str]) -> Any:
        if isinstance(value, dict):
            return {key: self._seal(item, (*path, key), secrets) for key, item in value.items()}
        if isinstance(value, list):
            return [self._seal(item, (*path, index), secrets) for index, item in enumerate(value)]
        name = path[-1] if path else ""
        if not isinstance(value, str) or not holds_secret(name, secrets):
            return value
        if value == MASK:
            raise Invalid(
                f"{'.'.join(map(str, path))}: {MASK!r} stands for a secret; leave the key out to keep it"
            )
        if value.startswith((PREFIX, "${")) or not value:
            return value
        redactor.register(value)
        return self._keyring.encrypt(value)

    def _save(
        self,
        section: ConfigSection,
        path: Path,
        changes: Mapping[Sequence[str | int], Any],
        expected_hash: str,
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="nomaflow-") as folder:
            trial = Path(folder) / path.name
            if path.exists():
                shutil.copyfile(path, trial)
            try:
                set_values(trial, changes, expected_hash=expected_hash)
            except Conflict:
                raise Conflict(
                    f"{path.name} was changed since it was opened; look at the new version and save again"
                ) from None
            after = section.check(self, trial.read_text(encoding="utf-8"), path)
        before = section.check(self, path.read_text(encoding="utf-8"), path) if path.exists() else []
        known = {(problem.job, problem.key, problem.message) for problem in before}
        # What was wrong already must not keep the rest from being edited.
        problems = [problem for problem in after if (problem.job, problem.key, problem.message) not in known]
        if problems:
            raise Invalid(f"{path.name} would not be right: {problems[0]}", problems=problems)
        set_values(path, changes, expected_hash=expected_hash)


SECTIONS: Mapping[str, ConfigSection] = {
    section.name: section
    for section in (
        ConfigSection(
            "app",
            lambda settings: settings.paths.app_config or settings.paths.new_config_dir / "app.toml",
            ConfigFiles.problems_of_app,
        ),
        ConfigSection(
            "connectors",
            lambda settings: (
                settings.connectors.config_path or settings.paths.new_config_dir / "connectors.toml"
            ),
            ConfigFiles.problems_of_connectors,
        ),
        ConfigSection(
            "jobs",
            lambda settings: settings.jobs.config_path or settings.paths.new_config_dir / "jobs.toml",
            ConfigFiles.problems_of_jobs,
        ),
    )
}


def _without(catalogue: Catalogue, path: Path) -> Catalogue:
    """The jobs of every other file."""
    elsewhere = {name: job for name, job in catalogue.jobs.items() if job.origin.file != str(path)}
    broken = {name: job for name, job in catalogue.quarantined.items() if job.origin.file != str(path)}
    return Catalogue(elsewhere, broken)


def holds_secret(name: str | int, secrets: frozenset[str] = frozenset()) -> bool:
    """Whether what stands under this name is a secret; `secrets` are names that only their file knows as such."""
    return isinstance(name, str) and (
        name in secrets or (is_secret_name(name) and name not in _ABOUT_SECRETS)
    )


def _hidden(value: Json, secrets: frozenset[str], name: str = "") -> Json:
    """Secrets go by the name they stand under, and encrypted values wherever they stand."""
    if isinstance(value, dict):
        return {key: _hidden(item, secrets, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, secrets, name) for item in value]
    if not isinstance(value, str) or not value:
        return value
    # A variable's name is no secret, and an editor has to see it.
    if value.startswith(PREFIX) or (holds_secret(name, secrets) and not value.startswith("${")):
        return MASK
    return redactor.redact(value)
