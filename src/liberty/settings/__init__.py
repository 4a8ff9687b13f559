"""What was configured: `app.toml`, the environment and the command line, checked and frozen."""

from liberty.settings.load import Settings, ensure_data_dir, load_settings
from liberty.settings.paths import Paths, absolute_sqlite_url, masked_url
from liberty.settings.sections import (
    AppSettings,
    AuthSettings,
    ConnectorsSettings,
    CryptoSettings,
    JobsSettings,
    PluginsSettings,
    SecuritySettings,
)

__all__ = [
    "AppSettings",
    "AuthSettings",
    "ConnectorsSettings",
    "CryptoSettings",
    "JobsSettings",
    "Paths",
    "PluginsSettings",
    "SecuritySettings",
    "Settings",
    "absolute_sqlite_url",
    "ensure_data_dir",
    "load_settings",
    "masked_url",
]
