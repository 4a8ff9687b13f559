"""Checking files before a server reads them. Needs no server and writes nothing."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.job.render import problem_text
from liberty.cli.terminal import Cell, Terminal, counted, print_json
from liberty.errors import Invalid, NotFound, Problem

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry
    from liberty.jobs.catalogue import Catalogue
    from liberty.settings import Settings


def validate(arguments: Arguments) -> int:
    """Print what is wrong, each problem with its place."""
    found, warnings, jobs = check(Path(arguments.path) if arguments.path else None, os.environ)
    if arguments.json:
        print_json({"ok": not found, "problems": [problem.as_dict() for problem in found]})
        return exits.INVALID if found else exits.OK
    terminal = Terminal()
    for problem in warnings:
        terminal.say(Cell(f"warning: {problem_text(problem.as_dict())}", "yellow"))
    for problem in found:
        terminal.say(Cell(problem_text(problem.as_dict()), "red"))
    if not found:
        terminal.say(f"ok: {counted(jobs, 'job')}")
    return exits.INVALID if found else exits.OK


def check(path: Path | None, environ: Mapping[str, str]) -> tuple[list[Problem], list[Problem], int]:
    """Problems, warnings and the number of jobs, of one file, of an apps repository, or of what is configured here.

    Raises NotFound when there is nothing at `path`.
    """
    if path is not None and not path.exists():
        raise NotFound(f"there is no file or folder {str(path)!r}")
    try:
        return _check(path, environ)
    except Invalid as error:
        return (
            list(error.problems) or [Problem(error.message, file=None if path is None else str(path))],
            [],
            0,
        )


def _check(path: Path | None, environ: Mapping[str, str]) -> tuple[list[Problem], list[Problem], int]:
    from liberty.jobs.catalogue import job_sources, load_catalogue
    from liberty.settings import load_settings

    if path is None or path.is_dir():
        settings = load_settings(environ, apps_dir=None if path is None else _config_folder(path))
        connectors = _connectors(settings)
        catalogue = _with_references(load_catalogue(job_sources(settings), environ), connectors)
        own = len(catalogue.jobs) - _shipped()
        return [*catalogue.problems, *connectors.problems], [*settings.warnings, *catalogue.warnings], own
    if path.name == "app.toml":
        settings = load_settings({**environ, "LIBERTY_APP_CONFIG": str(path)})
        return [], list(settings.warnings), 0
    settings = load_settings(environ, apps_dir=_config_folder(path.parent))
    if path.name == "connectors.toml":
        return _connectors(settings, path).problems, [], 0
    return _check_jobs_file(path, settings)


def _check_jobs_file(path: Path, settings: "Settings") -> tuple[list[Problem], list[Problem], int]:
    """One file of jobs; those of the other files count as known."""
    from liberty.jobs.catalogue import JobSource, catalogue_of, job_sources, load_catalogue
    from liberty.toml_files import read_toml

    sources = job_sources(settings)
    mine = next((source for source in sources if source.path.samefile(path)), JobSource(path))
    others = load_catalogue([source for source in sources if source is not mine], settings.environ)
    catalogue = catalogue_of([(read_toml(path, settings.environ), mine)], others=others)
    catalogue = _with_references(catalogue, _connectors(settings))
    return catalogue.problems, list(catalogue.warnings), len(catalogue.jobs)


def _config_folder(folder: Path) -> Path | None:
    """The config folder in or at `folder`; the folder of a plugin belongs to the repository above it."""
    for candidate in _above(folder.absolute()):
        if (candidate / "config").is_dir():
            return candidate / "config"
        if any((candidate / name).is_file() for name in ("app.toml", "connectors.toml")):
            return candidate
    return None


def _above(folder: Path) -> Iterator[Path]:
    yield folder
    if folder.parent.name == "plugins":
        yield folder.parent.parent


def _connectors(settings: "Settings", path: Path | None = None) -> "ConnectorRegistry":
    from liberty.connectors import ConnectorRegistry
    from liberty.toml_files import read_toml

    file = path or settings.connectors.config_path
    document = read_toml(file, settings.environ) if file is not None and file.exists() else None
    return ConnectorRegistry.from_document(document, settings, settings.open_keyring())


def _with_references(catalogue: "Catalogue", connectors: "ConnectorRegistry") -> "Catalogue":
    from liberty.jobs.references import check_references

    found = {name: check_references(job, connectors) for name, job in catalogue.jobs.items()}
    return catalogue.quarantine({name: problems for name, problems in found.items() if problems})


def _shipped() -> int:
    from liberty.jobs.catalogue import BUILTIN, JobSource, load_catalogue

    return len(load_catalogue([JobSource(BUILTIN, builtin=True)], {}).jobs)


def _configure(parser: Parser) -> None:
    parser.add_argument(
        "path",
        metavar="FILE|DIR",
        nargs="?",
        help="a jobs.toml, connectors.toml or app.toml, or an apps repository; what is configured here when left out",
    )


VALIDATE = Command(
    "check the files, each problem with its place", validate, _configure, details="exit codes: 0 sound, 4 not"
)
