"""Lays out the demo: an apps repo with real data that a server can be started on."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

DATABASE = Path("data", "operational.db")
_SETUP = Path("plugins", "flights", "setup.py")
_MADE_AT_RUN_TIME = frozenset({"data", "__pycache__"})


def lay_out(target: Path) -> Path:
    """Make `target` a complete demo repo and return its config folder, which is what `LIBERTY_APPS_DIR` names.

    Files that are there stay as they are, so a demo somebody has edited keeps the edits; missing ones are copied.
    The first call builds the operational database, which takes a few seconds. Raises OSError when a file cannot be
    written.
    """
    source = demo_files()
    for path in _files_below(source):
        copy = target / path.relative_to(source)
        if not copy.exists():
            _copy(path, copy)
    database = target / DATABASE
    database.parent.mkdir(mode=0o700, exist_ok=True)
    _build_database(target / _SETUP, database)
    return target / "config"


def demo_files() -> Path:
    """The demo as it was shipped: inside of an installed package, or beside the sources."""
    here = Path(__file__).parent
    installed = here / "demo_files"
    return installed if installed.is_dir() else here.parents[1] / "demo"


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in _MADE_AT_RUN_TIME:
            continue
        if entry.is_dir():
            yield from _files_below(entry)
        else:
            yield entry


def _copy(path: Path, copy: Path) -> None:
    """An interrupted copy leaves nothing under the file's name, so the next call copies it again."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.copyfile(path, unfinished)
    unfinished.replace(copy)


def _build_database(setup: Path, database: Path) -> None:
    spec = importlib.util.spec_from_file_location("nomaflow_demo_setup", setup)
    if spec is None or spec.loader is None:
        raise OSError(f"cannot load {setup}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build_operational_database(database)
