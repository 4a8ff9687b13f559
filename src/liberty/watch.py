"""Reloads the configuration when its files change on disk: `[app] watch_config = true`."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from liberty.errors import LibertyError

if TYPE_CHECKING:
    from liberty.settings import Settings

DEBOUNCE_MILLISECONDS = 500

_log = logging.getLogger("liberty.watch")


async def watch(settings: "Settings", reload: Callable[[], Awaitable[object]]) -> None:
    """Call `reload` after every change of a configuration file, until cancelled. What it raises is logged."""
    from watchfiles import Change, awatch

    folders = [folder for folder in (settings.paths.config_dir, settings.paths.plugins_dir) if folder]
    present = [folder for folder in folders if folder.is_dir()]
    if not present:
        _log.warning("there is no configuration folder to watch")
        return
    jobs_only = settings.paths.plugins_dir

    def counts(_: Change, path: str) -> bool:
        return is_config_file(Path(path), jobs_only)

    async for changes in awatch(*present, watch_filter=counts, debounce=DEBOUNCE_MILLISECONDS):
        changed = sorted({Path(path).name for _, path in changes})
        _log.info("%s changed on disk: reloading", ", ".join(changed))
        try:
            await reload()
        except LibertyError as error:
            _log.error("the old configuration stays: %s", error.message)


def is_config_file(path: Path, plugins_dir: Path) -> bool:
    """TOML files, of plugins only `jobs.toml`; not what an editor or this program leaves beside them."""
    if path.suffix != ".toml" or path.name.startswith("."):
        return False
    return path.name == "jobs.toml" if path.is_relative_to(plugins_dir) else True
