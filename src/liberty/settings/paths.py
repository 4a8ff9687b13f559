"""Where the files of an installation are, and the private folder for its data."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from liberty.errors import Invalid, Problem
from liberty.secrets import KEY_FILE, MASK

APP_FILE = "app.toml"
DATABASE_FILE = "liberty.db"

# To the last `@`: database libraries accept any character in a password, so a strict URL parser would miss some.
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^:/@]*):(?P<password>.*)@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are. All absolute."""

    app_config: Path | None
    """The `app.toml` that was read."""
    config_dir: Path | None
    """The folder of `jobs.toml` and `connectors.toml`; None when there is none yet."""
    new_config_dir: Path
    """Where the first file is written when there is no config folder; else the same as `config_dir`."""
    apps_repo: Path
    """Parent of the config folder; what relative SQLite paths are relative to."""
    plugins_dir: Path
    data_dir: Path


def resolve_paths(
    environ: Mapping[str, str], cwd: Path, *, app_config: Path | None, apps_dir: Path | None
) -> Paths:
    """Every folder, from the configured apps folder (None: there is none) and the `app.toml` that was found."""
    config_dir = apps_dir
    if config_dir is None:
        candidates = [cwd / "config", *([app_config.parent] if app_config else [])]
        config_dir = next((folder for folder in candidates if folder.is_dir()), None)
    new_config_dir = config_dir or cwd / "config"
    apps_repo = new_config_dir.parent
    unconfigured_data = cwd / "liberty-data"
    if environ.get("LIBERTY_DATA_DIR"):
        data_dir = absolute(Path(environ["LIBERTY_DATA_DIR"]), cwd)
    elif config_dir is None or (apps_dir is None and unconfigured_data.is_dir()):
        # Saving the first job makes ./config, which must not move a data folder that was begun without it.
        data_dir = unconfigured_data
    else:
        data_dir = apps_repo / "data"
    return Paths(
        app_config=app_config,
        config_dir=config_dir,
        new_config_dir=new_config_dir,
        apps_repo=apps_repo,
        plugins_dir=(apps_repo if apps_dir else cwd) / "plugins",
        data_dir=data_dir,
    )


def find_app_config(environ: Mapping[str, str], cwd: Path, apps_dir: Path | None) -> Path | None:
    """The `app.toml` to read: `LIBERTY_APP_CONFIG`, the apps folder's, `./config/app.toml`; None when there is none.

    Raises Invalid when `LIBERTY_APP_CONFIG` names a file that does not exist.
    """
    if environ.get("LIBERTY_APP_CONFIG"):
        named = absolute(Path(environ["LIBERTY_APP_CONFIG"]), cwd)
        if not named.is_file():
            raise Invalid(f"LIBERTY_APP_CONFIG names {named}, which is not a file; correct it or unset it")
        return named
    candidates = [*([apps_dir / APP_FILE] if apps_dir else []), cwd / "config" / APP_FILE]
    return next((file for file in candidates if file.is_file()), None)


def doubtful_apps_dir(apps_dir: Path) -> Problem | None:
    """What is probably wrong with the apps folder, for a warning: it is to be the `config` folder of an apps repo."""
    if not apps_dir.is_dir():
        return Problem(
            "the apps folder does not exist; set LIBERTY_APPS_DIR to an apps repo's config folder",
            str(apps_dir),
        )
    if any(apps_dir.glob("*.toml")):
        return None
    for meant in (apps_dir / "config", apps_dir.parent / "config"):
        if meant != apps_dir and meant.is_dir():
            return Problem(
                f"the apps folder holds no .toml file; did you mean {str(meant)!r}?", str(apps_dir)
            )
    return None


def make_private_data_dir(folder: Path, *, with_database: bool) -> None:
    """Make the data folder, readable by its owner only, and an empty database file in it when asked.

    A folder that was there and holds other things keeps its mode: the files made in it are private anyway.
    Raises Invalid when the folder belongs to another user or cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            _tighten(folder)
        if with_database:
            # SQLite would make it with the umask's mode, and gives its journals the mode of this file.
            os.close(os.open(folder / DATABASE_FILE, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        reason = error.strerror or str(error)
        raise Invalid(
            f"cannot use the data folder {folder}: {reason}; set LIBERTY_DATA_DIR to another"
        ) from error


def _tighten(folder: Path) -> None:
    facts = folder.stat()
    if not stat.S_ISDIR(facts.st_mode):
        raise Invalid(f"the data folder {folder} is not a folder; set LIBERTY_DATA_DIR to one")
    if os.geteuid() not in {facts.st_uid, 0}:
        raise Invalid(
            f"the data folder {folder} belongs to another user; set LIBERTY_DATA_DIR to one of your own"
        )
    names = {entry.name for entry in folder.iterdir()}
    is_ours = not names or names & {DATABASE_FILE, KEY_FILE}
    if facts.st_mode & 0o077 and not facts.st_mode & stat.S_ISVTX and is_ours:
        folder.chmod(0o700)


def absolute(path: Path, folder: Path) -> Path:
    """An absolute path without `..`; a relative one starts at `folder`. Links stay: they may be switched later."""
    return Path(os.path.normpath(folder / path.expanduser()))


def sqlite_url(file: Path) -> str:
    """The URL of a pool over a SQLite file."""
    return f"sqlite+aiosqlite:///{file}"


def absolute_sqlite_url(url: str, folder: Path) -> str:
    """A SQLite URL with a relative file, made absolute from `folder`; any other URL as it is."""
    scheme, separator, rest = url.partition(":///")
    file, question, query = rest.partition("?")
    if (
        not separator
        or scheme.partition("+")[0] != "sqlite"
        or not file
        or file.startswith(("/", ":memory:", "file:"))
    ):
        return url
    return f"{scheme}:///{absolute(Path(file), folder)}{question}{query}"


def masked_url(url: str) -> str:
    """A database URL that may be shown: without its password and its query."""
    return _USER_INFO.sub(rf"\g<user>:{MASK}@", url).partition("?")[0]


def password_in(url: str) -> str | None:
    """The password of a database URL, as it is written there."""
    found = _USER_INFO.search(url)
    return found["password"] if found else None
