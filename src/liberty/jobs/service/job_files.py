"""The files that define jobs: which there are, where a job stands in them, and whether all is well after a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liberty.errors import Conflict, Invalid, NotFound, Problem, did_you_mean
from liberty.jobs.catalogue import (
    BUILTIN,
    FILE_NAME,
    Catalogue,
    JobSource,
    catalogue_of,
    job_sources,
)
from liberty.jobs.definition import NAME
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import DEFAULT_APP
from liberty.jobs.references import check_references
from liberty.settings import Settings
from liberty.toml_files import parse_toml, read_toml


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file in which jobs may be written. `label` is what callers call it; `jobs` counts those in it now."""

    label: str
    path: Path
    app: str
    jobs: int
    is_default: bool


def label_of(settings: Settings, path: Path) -> str:
    """`config/jobs.toml`, `plugins/sales/jobs.toml`: the path below the apps repository; else the whole path."""
    if path == BUILTIN:
        return "shipped with the program"
    for folder in (settings.paths.apps_repo, settings.paths.plugins_dir.parent):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return str(path)


def job_files(generation: Generation) -> list[JobFile]:
    """The config folder's file first, then one for each plugin folder, whether there is a file yet or not."""
    settings = generation.settings
    main = settings.jobs.config_path or settings.paths.new_config_dir / FILE_NAME
    found = [(main, DEFAULT_APP)]
    plugins = settings.paths.plugins_dir
    folders = sorted(folder for folder in plugins.iterdir() if folder.is_dir()) if plugins.is_dir() else []
    found += [
        (folder / FILE_NAME, DEFAULT_APP if folder.name == "nomaflow" else folder.name)
        for folder in folders
        if not folder.name.startswith((".", "__"))
    ]
    catalogue = generation.catalogue
    origins = [job.origin.file for jobs in (catalogue.jobs, catalogue.quarantined) for job in jobs.values()]
    return [
        JobFile(label_of(settings, path), path, app, origins.count(str(path)), path == main)
        for path, app in found
    ]


def chosen_file(generation: Generation, label: str | None) -> JobFile:
    """The file of that label; the config folder's when none is named. Raises NotFound naming the nearest."""
    files = job_files(generation)
    if label is None:
        return files[0]
    for file in files:
        if label == file.label:
            return file
    known = [file.label for file in files]
    raise NotFound(
        f"jobs are not written into {label!r}{did_you_mean(label, known) or '; choose one of ' + ', '.join(known)}"
    )


def path_of(catalogue: Catalogue, name: str) -> Path:
    """The file the job is defined in. Raises Conflict when it is shipped with the program."""
    job = catalogue.jobs.get(name) or catalogue.quarantined[name]
    path = Path(job.origin.file)
    if path == BUILTIN:
        raise Conflict(f"job {name!r} ships with the program and cannot be edited; define a job of your own")
    return path


def place_in(raw: Mapping[str, Any], key: str, path: Path) -> int | None:
    """Which of the file's jobs is called `key`, as the catalogue calls it; None when it is not there any more.

    Raises Conflict when two are.
    """
    jobs = raw.get("jobs")
    found = [
        index
        for index, job in enumerate(jobs if isinstance(jobs, list) else [])
        if isinstance(job, dict) and _key_of(job, index, path).lower() == key.lower()
    ]
    if len(found) > 1:
        raise Conflict(f"{path.name} has {len(found)} jobs called {key!r}; rename all but one in the file")
    return found[0] if found else None


def _key_of(job: Mapping[str, Any], index: int, path: Path) -> str:
    name = job.get("name", job.get("id"))
    usable = isinstance(name, str) and (path == BUILTIN or NAME.fullmatch(name))
    return str(name) if usable else f"{path.name}#{index + 1}"


def app_of_file(generation: Generation, path: Path) -> str:
    """The app of jobs in that file that name none."""
    return next((file.app for file in job_files(generation) if file.path == path), DEFAULT_APP)


def new_problems(generation: Generation, texts: Mapping[Path, str]) -> list[Problem]:
    """What would be wrong with all jobs if these files had these texts, and is not wrong now."""
    before = generation.catalogue
    known = {_same(problem) for problem in before.problems}
    after = catalogue_with(generation, texts)
    return [problem for problem in after.problems if _same(problem) not in known]


def catalogue_with(generation: Generation, texts: Mapping[Path, str]) -> Catalogue:
    """The catalogue with these files having these texts, references to connectors checked. Raises Invalid."""
    settings = generation.settings
    sources = job_sources(settings)
    known = {source.path for source in sources}
    sources += [JobSource(path, app_of_file(generation, path)) for path in texts if path not in known]
    documents = []
    for source in sources:
        text = texts.get(source.path)
        document = (
            read_toml(source.path, settings.environ)
            if text is None
            else parse_toml(text, file=str(source.path), environ=settings.environ)
        )
        documents.append((document, source))
    catalogue = catalogue_of(documents)
    wrong = {name: check_references(job, generation.connectors) for name, job in catalogue.jobs.items()}
    return catalogue.quarantine({name: found for name, found in wrong.items() if found})


def refuse(problems: list[Problem], what: str) -> None:
    """Raises Invalid when there are problems."""
    if problems:
        raise Invalid(f"{what}: {problems[0].message}", problems=problems)


def _same(problem: Problem) -> tuple[str | None, str | None, str]:
    return problem.job, problem.key, problem.message
