"""The sections of `app.toml` that this program reads, their defaults and their bounds."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

FOREIGN_SECTIONS = frozenset(
    {
        "actions",
        "ai",
        "charts",
        "dashboards",
        "dictionary",
        "hooks",
        "i18n",
        "license",
        "menus",
        "notifications",
        "oidc",
        "reports",
        "screens",
        "smtp",
        "theme",
    }
)
"""Sections of `app.toml` that other parts of the framework read; here they are only parsed."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _words(value: object) -> object:
    """A list may also be written as one text with commas, which is the only form an environment variable has."""
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


class AppSettings(Section):
    """`[app]`: the server."""

    name: str = "Liberty"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    default_language: str = "en"
    timezone: str | None = None
    public_url: str | None = None
    apps_dir: str | None = None
    static_dir: str | None = None
    watch_config: bool = False
    metrics_public: bool = False
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _hot_reload_means_watch_config(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "hot_reload" not in values:
            return values
        values = dict(values)
        alias = values.pop("hot_reload")
        if values.setdefault("watch_config", alias) != alias:
            raise ValueError("'hot_reload' and 'watch_config' mean the same and differ; keep 'watch_config'")
        return values

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return {"WARN": "WARNING"}.get(value.upper(), value.upper()) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        from zoneinfo import ZoneInfo

        if not value:
            return None
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {value!r}; use an IANA name such as 'Europe/Paris'") from error
        return value

    _split = field_validator("trusted_proxies", "cors_origins", mode="before")(_words)


class JobsSettings(Section):
    """`[jobs]`: the engine, and how long its history is kept. `config_path` is the jobs file, as in `[connectors]`."""

    enabled: bool = True
    scheduler_enabled: bool = True
    config_path: Path | None = None
    pool: str = "default"
    max_concurrent_runs: int = Field(default=8, ge=1)
    max_queued_runs: int = Field(default=10_000, ge=1)
    sync_threads: int = Field(default=32, ge=1)
    max_abandoned_threads: int = Field(default=8, ge=1)
    drain_seconds: float = Field(default=30, ge=0)
    abort_grace_seconds: float = Field(default=10, ge=0)
    history_days: int = Field(default=90, ge=1)
    history_keep_failed: bool = True
    log_truncate_kb: int = Field(default=100, ge=1)
    run_log_max_lines: int | None = Field(default=None, ge=1)
    file_folders: tuple[Path, ...] = ()

    _split = field_validator("file_folders", mode="before")(_words)

    @field_validator("file_folders")
    @classmethod
    def _whole_paths(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for folder in value:
            if not folder.is_absolute() or ".." in folder.parts or folder == Path(folder.anchor):
                raise ValueError(f"'{folder}' is not the whole path of a folder, such as /data/incoming")
        return value


class SecuritySettings(Section):
    """`[security]`: where outgoing HTTP may go."""

    http_allow: tuple[str, ...] = ()
    http_private: Literal["allow", "deny"] = "allow"

    _split = field_validator("http_allow", mode="before")(_words)

    @field_validator("http_allow")
    @classmethod
    def _origins_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if "/" in entry:
                raise ValueError(f"{entry!r} is not an origin; write host:port, such as '127.0.0.1:8000'")
        return value


class PluginsSettings(Section):
    """`[plugins]`: when changed Python files are picked up."""

    reload: Literal["auto", "restart"] = "auto"


class ConnectorsSettings(Section):
    """`[connectors]`: `config_path` is the connectors file, absolute; None only when there is no config folder."""

    config_path: Path | None = None
    dictionary_path: str | None = None


class AuthSettings(Section):
    """`[auth]`: how long a sign-in lasts; the keys of other sign-in methods are accepted and left to them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pool: str = "default"
    access_token_ttl: int = Field(default=900, ge=1)
    refresh_token_ttl: int = Field(default=7 * 24 * 3600, ge=1)


class CryptoSettings(Section):
    """`[crypto]`: keys for `ENC:` values besides those of the environment and the key file."""

    master_key: SecretStr | None = None
    legacy_keys: tuple[SecretStr, ...] = ()

    _split = field_validator("legacy_keys", mode="before")(_words)


SECTIONS: dict[str, type[Section]] = {
    "app": AppSettings,
    "auth": AuthSettings,
    "connectors": ConnectorsSettings,
    "crypto": CryptoSettings,
    "jobs": JobsSettings,
    "plugins": PluginsSettings,
    "security": SecuritySettings,
}
