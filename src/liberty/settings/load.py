"""`app.toml`, the environment and the command line, as one frozen Settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from liberty.errors import Invalid, Problem, did_you_mean
from liberty.secrets import PREFIX, Keyring, redactor
from liberty.settings.paths import (
    DATABASE_FILE,
    Paths,
    absolute,
    absolute_sqlite_url,
    doubtful_apps_dir,
    find_app_config,
    make_private_data_dir,
    masked_url,
    password_in,
    resolve_paths,
    sqlite_url,
)
from liberty.settings.sections import (
    FOREIGN_SECTIONS,
    SECTIONS,
    AppSettings,
    AuthSettings,
    ConnectorsSettings,
    CryptoSettings,
    JobsSettings,
    PluginsSettings,
    Section,
    SecuritySettings,
)
from liberty.toml_files import TomlDocument, parse_toml, read_toml, validation_problems

type Overrides = Mapping[str, Mapping[str, object]]

_VARIABLES = {
    "HOST": ("app", "host"),
    "PORT": ("app", "port"),
    "LIBERTY_LOG_LEVEL": ("app", "log_level"),
    "LIBERTY_JOBS_SCHEDULER_ENABLED": ("jobs", "scheduler_enabled"),
    "LIBERTY_SCHEDULER_ENABLED": ("jobs", "scheduler_enabled"),
    "LIBERTY_RUN_HISTORY_DAYS": ("jobs", "history_days"),
}
"""Environment variables that stand above a key of `app.toml`; of two for one key the later counts."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured, checked. `environ` is the environment as it was when the process started."""

    paths: Paths
    app: AppSettings
    jobs: JobsSettings
    security: SecuritySettings
    plugins: PluginsSettings
    connectors: ConnectorsSettings
    auth: AuthSettings
    crypto: CryptoSettings = field(repr=False)
    default_pool: Mapping[str, Any] = field(repr=False)
    """The keys of `[default_pool]`, always with a `url`; as in the file, so a password may be an `ENC:` value."""
    environ: Mapping[str, str] = field(repr=False)
    debug_config: bool = False
    warnings: tuple[Problem, ...] = ()
    """What is not wrong but probably not meant."""

    @property
    def default_pool_url(self) -> str:
        """The URL of the `default` pool when `connectors.toml` has none; relative SQLite paths are made absolute."""
        return str(self.default_pool["url"])

    def open_keyring(self) -> Keyring:
        """The keys for `ENC:` values. Raises Invalid when a key file is there and must not be used."""
        keys = [self.crypto.master_key] if self.crypto.master_key else []
        configured = [key.get_secret_value() for key in (*keys, *self.crypto.legacy_keys)]
        return Keyring.from_environment(self.environ, self.paths.data_dir, configured=configured)

    def describe(self) -> dict[str, Any]:
        """Everything resolved, as JSON, with secrets masked: what `LIBERTY_DEBUG_CONFIG=1` prints."""
        paths = {name: getattr(self.paths, name) for name in Paths.__slots__}
        return {
            "paths": {name: None if path is None else str(path) for name, path in paths.items()},
            **{name: getattr(self, name).model_dump(mode="json") for name in SECTIONS},
            "crypto": {"keys": len(self.crypto.legacy_keys) + (self.crypto.master_key is not None)},
            "default_pool": {
                **redactor.redact_value(dict(self.default_pool)),
                "url": masked_url(self.default_pool_url),
            },
        }


def load_settings(
    environ: Mapping[str, str] | None = None,
    *,
    cwd: Path | None = None,
    apps_dir: Path | None = None,
    overrides: Overrides | None = None,
) -> Settings:
    """Read `app.toml`, put the environment above it and `overrides` (`{"app": {"port": 0}}`) above both.

    `apps_dir` stands for `LIBERTY_APPS_DIR`. Raises Invalid with every problem found.
    """
    environ = MappingProxyType(dict(os.environ if environ is None else environ))
    cwd = Path.cwd() if cwd is None else cwd.absolute()
    if apps_dir is None and environ.get("LIBERTY_APPS_DIR"):
        apps_dir = Path(environ["LIBERTY_APPS_DIR"])
    if apps_dir is not None:
        apps_dir = absolute(apps_dir, cwd)
    app_config = find_app_config(environ, cwd, apps_dir)
    document = (
        read_toml(app_config, environ) if app_config else parse_toml("", file="app.toml", environ=environ)
    )
    reader = _Reader(document, environ, overrides or {})
    app = reader.section("app", AppSettings)
    if apps_dir is None and app.apps_dir and app_config is not None:
        apps_dir = absolute(Path(app.apps_dir), app_config.parent)
    doubt = None if apps_dir is None else doubtful_apps_dir(apps_dir)
    paths = resolve_paths(environ, cwd, app_config=app_config, apps_dir=apps_dir)
    connectors = reader.section("connectors", ConnectorsSettings)
    jobs = reader.section("jobs", JobsSettings)
    settings = Settings(
        paths=paths,
        app=app,
        jobs=jobs.model_copy(update={"config_path": _config_file(jobs.config_path, "jobs.toml", paths)}),
        security=reader.section("security", SecuritySettings),
        plugins=reader.section("plugins", PluginsSettings),
        connectors=connectors.model_copy(
            update={"config_path": _config_file(connectors.config_path, "connectors.toml", paths)}
        ),
        auth=reader.section("auth", AuthSettings),
        crypto=reader.section("crypto", CryptoSettings),
        default_pool=MappingProxyType(reader.default_pool(paths)),
        environ=environ,
        debug_config=_is_true(environ.get("LIBERTY_DEBUG_CONFIG", "")),
        warnings=(*reader.warnings, *([doubt] if doubt else [])),
    )
    if reader.problems:
        raise Invalid("; ".join(map(str, reader.problems)), problems=reader.problems)
    return settings


def ensure_data_dir(settings: Settings) -> Path:
    """Make the data folder private to its owner, with the empty default SQLite file when that is the default pool.

    Raises Invalid when the folder belongs to another user or cannot be made.
    """
    folder = settings.paths.data_dir
    is_default = settings.default_pool_url == sqlite_url(folder / DATABASE_FILE)
    make_private_data_dir(folder, with_database=is_default)
    return folder


class _Reader:
    """Collects the problems of all sections, so that one start shows them all."""

    def __init__(self, document: TomlDocument, environ: Mapping[str, str], overrides: Overrides) -> None:
        self._document = document
        self._environ = environ
        self._overrides = overrides
        self.problems: list[Problem] = []
        self.warnings = [
            Problem(
                f"the environment variable {name} is not set and has no default, so it is ''",
                document.file,
                line,
            )
            for name, line in document.unset
        ]
        self._check_section_names()

    def section[S: Section](self, name: str, model: type[S]) -> S:
        """The section; its defaults where something is wrong, which is then among the problems."""
        values = self._table(name)
        try:
            model.model_validate(values)
        except ValidationError as error:
            self.problems += self._found(error, name, model)
            values = {}
        settings = model.model_validate(values)
        above = {**self._from_environment(name), **self._overrides.get(name, {})}
        if not above:
            return settings
        try:
            return model.model_validate({**settings.model_dump(), **above})
        except ValidationError as error:
            for problem in self._found(error, name, model):
                self.problems.append(replace(problem, file=self._source_of(problem.key), line=None))
            return settings

    def default_pool(self, paths: Paths) -> dict[str, Any]:
        """`[default_pool]` with the URL that counts."""
        pool = self._table("default_pool")
        url = (
            pool.get("url")
            or self._environ.get("LIBERTY_DB_URL")
            or sqlite_url(paths.data_dir / DATABASE_FILE)
        )
        if not isinstance(url, str):
            self._add(
                "the URL of a pool is a text such as 'postgresql+asyncpg://host/name'", "default_pool", "url"
            )
            return {**pool, "url": ""}
        for secret in (password_in(url), pool.get("password")):
            if isinstance(secret, str) and not secret.startswith(PREFIX):
                redactor.register(secret)
                redactor.register(unquote(secret))
        return {**pool, "url": absolute_sqlite_url(url, paths.apps_repo)}

    def _found(self, error: ValidationError, section: str, model: type[Section]) -> list[Problem]:
        found = validation_problems(error, self._document, at=(section,), model=model)
        return [
            replace(problem, key=f"{section}.{problem.key}" if problem.key else section) for problem in found
        ]

    def _from_environment(self, section: str) -> dict[str, object]:
        values: dict[str, object] = {}
        for variable, (named_section, key) in _VARIABLES.items():
            if named_section == section and (value := self._environ.get(variable)):
                values[key] = value
        if section == "app" and _is_true(self._environ.get("LIBERTY_LOG_JSON", "")):
            values["log_format"] = "json"
        return values

    def _source_of(self, dotted_key: str | None) -> str:
        section, _, key = (dotted_key or "").partition(".")
        set_by = [
            name for name, place in _VARIABLES.items() if place == (section, key) and self._environ.get(name)
        ]
        is_override = key in self._overrides.get(section, {}) or not set_by
        return "command line" if is_override else f"environment variable {set_by[-1]}"

    def _table(self, name: str) -> dict[str, Any]:
        value = self._document.data.get(name, {})
        if isinstance(value, dict):
            return value
        self._add(f"{name!r} is a section: write [{name}] and its keys below it", name)
        return {}

    def _check_section_names(self) -> None:
        known = {*SECTIONS, *FOREIGN_SECTIONS, "default_pool"}
        for name in self._document.data.keys() - known:
            nearest = did_you_mean(name, known)
            if nearest:
                self._add(f"unknown section {name!r}{nearest}", name)
            else:
                line = self._document.line_of((name,))
                self.warnings.append(
                    Problem(f"section {name!r} means nothing here", self._document.file, line)
                )

    def _add(self, message: str, *path: str) -> None:
        line = self._document.line_of(path)
        self.problems.append(Problem(message, file=self._document.file, line=line, key=".".join(path)))


def _config_file(named: Path | None, usual_name: str, paths: Paths) -> Path | None:
    if named is None:
        return paths.config_dir and paths.config_dir / usual_name
    folder = paths.app_config.parent if paths.app_config else paths.new_config_dir
    # Published examples write it from the apps repo (`config/jobs.toml`) as well as from the file's own folder.
    candidates = [absolute(named, folder), absolute(named, folder.parent)]
    return next((file for file in candidates if file.is_file()), candidates[0])


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}
