"""Reads `notifications.toml`: what is wrong in it is a problem with its line, and the rest works."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from liberty.errors import Invalid, LibertyError, Problem, did_you_mean
from liberty.jobs.catalogue import Catalogue
from liberty.notify.config import (
    CHANNEL_MODELS,
    SECRET_KEYS,
    Channel,
    Defaults,
    NotificationsFile,
    QuietHours,
    Route,
)
from liberty.notify.recipients import Notifications, channel_named
from liberty.secrets import PREFIX, Keyring, is_secret_name, redactor
from liberty.settings import Settings
from liberty.toml_files import TomlDocument, parse_toml, read_toml, validation_problems

FILE = "notifications.toml"
_ENV_TOKEN = re.compile(r"\$\{env:(\w+)\}")


def path_of(settings: Settings) -> Path:
    """Where the file is, or would be."""
    return (settings.paths.config_dir or settings.paths.new_config_dir) / FILE


def load_notifications(settings: Settings, keyring: Keyring, catalogue: Catalogue) -> Notifications:
    """What the file says; nothing when there is none. Raises Invalid when it does not parse."""
    path = path_of(settings)
    document = (
        read_toml(path, settings.environ)
        if path.exists()
        else parse_toml("", file=str(path), environ=settings.environ)
    )
    return from_document(document, settings, keyring, catalogue)


def problems_of_text(
    text: str, path: Path, settings: Settings, keyring: Keyring, catalogue: Catalogue
) -> list[Problem]:
    """What is wrong with the text of a file that is to be saved. Raises Invalid when it does not parse."""
    document = parse_toml(text, file=str(path), environ=settings.environ)
    return list(from_document(document, settings, keyring, catalogue).problems)


def from_document(
    document: TomlDocument, settings: Settings, keyring: Keyring, catalogue: Catalogue
) -> Notifications:
    """The notifications of a parsed file, with every problem found, also in what jobs say of recipients."""
    reader = _Reader(document, settings.environ, keyring)
    channels = reader.channels()
    defaults = reader.table("defaults", Defaults) or Defaults()
    routes = reader.tables("routes", Route)
    quiet = reader.tables("quiet_hours", QuietHours)
    reader.refuse_unknown()
    reader.check_names(("defaults", "recipients"), defaults.recipients, channels)
    for number, route in routes:
        reader.check_names(("routes", number, "channels"), route.channels, channels)
    reader.check_jobs(catalogue, channels)
    return Notifications(
        channels=channels,
        defaults=defaults,
        routes=tuple(route for _, route in routes),
        quiet_hours=tuple(hours for _, hours in quiet),
        problems=tuple(reader.problems),
        public_url=settings.app.public_url,
        app_name=settings.app.name,
    )


class _Reader:
    def __init__(self, document: TomlDocument, environ: Mapping[str, str], keyring: Keyring) -> None:
        self._document = document
        self._environ = environ
        self._keyring = keyring
        self.problems: list[Problem] = []

    def channels(self) -> dict[str, Channel]:
        found: dict[str, Channel] = {}
        tables = self._document.data.get("channels", {})
        if not isinstance(tables, dict):
            self._add("must be tables [channels.<name>]", "channels")
            return found
        for name, values in tables.items():
            kind = values.get("type") if isinstance(values, dict) else None
            model = CHANNEL_MODELS.get(str(kind))
            if model is None:
                known = ", ".join(sorted(CHANNEL_MODELS))
                what = (
                    f"no type {kind!r}{did_you_mean(str(kind), CHANNEL_MODELS)}" if kind else "needs a 'type'"
                )
                self._add(f"{what}; known types: {known}", "channels", name, "type")
                continue
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
                self._add("a channel's name is made of a-z, 0-9, - and _", "channels", name)
                continue
            channel = self._validated(model, values, ("channels", name))
            if channel is not None:
                found[name] = channel  # type: ignore[assignment]  # the map holds the union's members
        return found

    def table[M: BaseModel](self, name: str, model: type[M]) -> M | None:
        return self._validated(model, self._document.data.get(name, {}), (name,))

    def tables[M: BaseModel](self, name: str, model: type[M]) -> list[tuple[int, M]]:
        rows = self._document.data.get(name, [])
        if not isinstance(rows, list):
            self._add(f"must be tables [[{name}]]", name)
            return []
        made = [(number, self._validated(model, row, (name, number))) for number, row in enumerate(rows)]
        return [(number, one) for number, one in made if one is not None]

    def refuse_unknown(self) -> None:
        known = NotificationsFile.model_fields
        for name in self._document.data:
            if name not in known:
                self._add(f"unknown key {name!r}{did_you_mean(name, known)}", name)

    def check_names(
        self, place: tuple[str | int, ...], named: tuple[str, ...], channels: Mapping[str, Channel]
    ) -> None:
        for number, name in enumerate(named):
            if channel_named(name, channels) is None:
                self._add(_unknown(name, channels), *place, number)

    def check_jobs(self, catalogue: Catalogue, channels: Mapping[str, Channel]) -> None:
        """A job that names an unknown channel still runs; whoever reads the problems repairs it."""
        if not channels:
            return
        for job in catalogue.jobs.values():
            alerts = job.alerts
            if alerts is None:
                continue
            lists = (alerts.on_failure, alerts.on_success, alerts.on_skipped, alerts.on_recovery)
            named = {*alerts.recipients, *(name for one in lists if isinstance(one, tuple) for name in one)}
            for name in sorted(named):
                if channel_named(name, channels) is None:
                    origin = job.origin
                    self.problems.append(
                        Problem(
                            _unknown(name, channels), origin.file, origin.line, job=job.name, key="alerts"
                        )
                    )

    def _validated[M: BaseModel](self, model: type[M], values: Any, at: tuple[str | int, ...]) -> M | None:
        try:
            return model.model_validate(self._revealed(values, at))
        except ValidationError as error:
            self.problems += [
                Problem(
                    problem.message,
                    problem.file,
                    problem.line,
                    key=_dotted(at) + (f".{problem.key}" if problem.key else ""),
                )
                for problem in validation_problems(error, self._document, at=at, model=model)
            ]
        except Invalid as error:
            self._add(error.message, *at)
        return None

    def _revealed(self, value: Any, at: tuple[str | int, ...]) -> Any:
        """The values with `${env:X}` filled in and `ENC:` decrypted; what is secret is known to the redactor."""
        if isinstance(value, dict):
            return {key: self._revealed(item, (*at, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._revealed(item, (*at, number)) for number, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        key = str(at[-1])
        if key == "body":
            return self._raw(at)  # its `${…}` name facts of the message, not variables
        text = _ENV_TOKEN.sub(lambda match: self._variable(match[1], at), value)
        if text.startswith(PREFIX):
            try:
                return self._keyring.decrypt(text, bound_to=_dotted(at))
            except LibertyError as error:
                raise Invalid(f"{_dotted(at)}: {error.message}") from error
        if key in SECRET_KEYS or is_secret_name(key):
            redactor.register(text)
        return text

    def _raw(self, at: tuple[str | int, ...]) -> Any:
        value: Any = self._document.raw
        for part in at:
            value = value[part]
        return value

    def _variable(self, name: str, at: tuple[str | int, ...]) -> str:
        found = self._environ.get(name)
        if found is None:
            raise Invalid(f"{_dotted(at)}: the environment variable {name} is not set")
        return found

    def _add(self, message: str, *at: str | int) -> None:
        line = self._document.line_of(at)
        self.problems.append(Problem(message, self._document.file, line, key=_dotted(at)))


def _unknown(name: str, channels: Mapping[str, Channel]) -> str:
    known = ", ".join(sorted(channels)) or "none"
    return f"no channel for {name!r}{did_you_mean(name.partition(':')[0], channels)}; known channels: {known}"


def _dotted(at: tuple[str | int, ...]) -> str:
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
