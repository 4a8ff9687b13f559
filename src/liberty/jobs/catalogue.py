"""All job definitions of an installation: which run, which are quarantined, and why."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from liberty.errors import Conflict, Invalid, NotFound, Problem, did_you_mean
from liberty.jobs.aliases import STEP_KEYS
from liberty.jobs.definition import NAME, build_job, definition_json, dotted
from liberty.jobs.dependencies import dependency_problems
from liberty.jobs.job import DEFAULT_APP, Job, NamedSchedule, Origin, Preset
from liberty.jobs.lookup import hide_variables
from liberty.jobs.steps import StepConfig
from liberty.jobs.tokens import BARE_WORDS
from liberty.toml_files import TomlDocument, parse_toml, read_toml

if TYPE_CHECKING:
    from liberty.settings import Settings

MAX_JOBS = 2000
BUILTIN = FilePath(__file__).with_name("builtin.toml")
FILE_NAME = "jobs.toml"

_RENAMED = {"_internal-prune-runs": "_default/cleanup-job-history"}
_META = {
    "version": frozenset[str](),
    "retention": frozenset({"enabled", "days", "keep_last_per_job", "sweep_interval_minutes"}),
}
_STRUCTURAL = (StepConfig.structural - {"condition"}) | {
    written for written, read in STEP_KEYS.items() if read in StepConfig.structural
}
_HEADER = re.compile(r"\s*\[\[\s*jobs\s*\]\]")
_NAMED_STRUCTURE = {
    "presets": frozenset(Preset.model_fields) - {"params", "op_kwargs"},
    "schedules": frozenset(NamedSchedule.model_fields) - {"params", "op_kwargs"},
}


@dataclass(frozen=True, slots=True)
class JobSource:
    """A file that may hold jobs, and the app its jobs belong to unless they say otherwise."""

    path: FilePath
    app: str = DEFAULT_APP
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class QuarantinedJob:
    """A definition that cannot run. It is listed with its problems and holds up no other job."""

    name: str
    app: str
    problems: tuple[Problem, ...]
    raw: Mapping[str, Any]
    origin: Origin

    @property
    def reason(self) -> str:
        """All problems in one line."""
        return "; ".join(str(problem) for problem in self.problems)


@dataclass(frozen=True)
class Catalogue:
    """An immutable set of definitions. `jobs` and `quarantined` are keyed by the name as written, sorted."""

    jobs: Mapping[str, Job] = field(default_factory=dict)
    quarantined: Mapping[str, QuarantinedJob] = field(default_factory=dict)
    file_problems: tuple[Problem, ...] = ()
    """Wrong, but about no single job: an unknown table beside `[[jobs]]`."""
    warnings: tuple[Problem, ...] = ()
    """Nothing is wrong for certain: a variable without a value."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """Everything wrong in every file."""
        return [*self.file_problems, *(p for job in self.quarantined.values() for p in job.problems)]

    def get(self, name: str) -> Job:
        """The job called `name`, upper and lower case alike.

        Raises NotFound naming the nearest, Conflict with the reason when the job is quarantined.
        """
        wanted = self._names.get(_RENAMED.get(name, name).lower())
        if wanted is None:
            raise NotFound(f"no job {name!r}{did_you_mean(name, [*self.jobs, *self.quarantined])}")
        if wanted in self.quarantined:
            job = self.quarantined[wanted]
            raise Conflict(
                f"job {wanted!r} is quarantined: {job.reason}",
                details={"problems": [problem.as_dict() for problem in job.problems]},
            )
        return self.jobs[wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def quarantine(self, problems: Mapping[str, Sequence[Problem]]) -> "Catalogue":
        """The same set with the jobs named in `problems` quarantined for them."""
        moved = {
            name: QuarantinedJob(name, job.app, tuple(found), json.loads(definition_json(job)), job.origin)
            for name, job in self.jobs.items()
            if (found := problems.get(name))
        }
        if not moved:
            return self
        return Catalogue(
            {name: job for name, job in self.jobs.items() if name not in moved},
            dict(sorted({**self.quarantined, **moved}.items())),
            self.file_problems,
            self.warnings,
            self.meta,
        )

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name.lower(): name for name in [*self.jobs, *self.quarantined]}


def job_sources(settings: "Settings") -> list[JobSource]:
    """Every file that may define jobs: the shipped one, the config folder's, one per plugin folder."""
    sources = [JobSource(BUILTIN, builtin=True)]
    if settings.jobs.config_path is not None:
        sources.append(JobSource(settings.jobs.config_path))
    plugins = settings.paths.plugins_dir
    folders = sorted(folder for folder in plugins.iterdir() if folder.is_dir()) if plugins.is_dir() else []
    for folder in folders:
        if not folder.name.startswith((".", "__")):
            app = DEFAULT_APP if folder.name == "nomaflow" else folder.name
            sources.append(JobSource(folder / FILE_NAME, app))
    return [source for source in sources if source.path.is_file()]


def load_catalogue(sources: Iterable[JobSource], environ: Mapping[str, str]) -> Catalogue:
    """Read every source. A bad job is quarantined.

    Raises Invalid when a file does not parse, is not a list of jobs, or there are more than 2,000: then the
    caller keeps the set it has.
    """
    documents = [(read_toml(source.path, environ), source) for source in sources]
    for document, _ in documents:
        hide_variables(document.raw, environ)
    return catalogue_of(documents)


def validate_text(
    text: str, environ: Mapping[str, str], *, file: str = FILE_NAME, others: Catalogue | None = None
) -> list[Problem]:
    """What is wrong with a `jobs.toml` text; `others` are jobs outside of it that it may refer to."""
    try:
        source = JobSource(FilePath(file))
        found = catalogue_of([(parse_toml(text, file=file, environ=environ), source)], others=others)
    except Invalid as error:
        return list(error.problems) or [Problem(error.message, file=file)]
    return found.problems


def catalogue_of(
    documents: Iterable[tuple[TomlDocument, JobSource]], *, others: Catalogue | None = None
) -> Catalogue:
    """The catalogue that parsed documents define. Raises as `load_catalogue`."""
    entries: list[_Entry] = []
    file_problems: list[Problem] = []
    warnings: list[Problem] = []
    meta: dict[str, Any] = {}
    for document, source in documents:
        file_problems += _file_problems(document)
        warnings += _warnings(document)
        if isinstance(document.data.get("meta"), dict):
            meta.update(document.data["meta"])
        entries += _entries(document, source)
        if len(entries) > MAX_JOBS:
            message = f"more than {MAX_JOBS} jobs are defined"
            raise Invalid(message, problems=[Problem(message, file=document.file)])
    _mark_duplicates(entries)
    known = [entry.key for entry in entries] + ([*others.jobs, *others.quarantined] if others else [])
    sound = {entry.key: entry for entry in entries if entry.job is not None and not entry.problems}
    spelling = {key.lower(): key for key in known}
    jobs = {key: _as_named(entry.job, spelling) for key, entry in sound.items() if entry.job is not None}
    catalogue = Catalogue(
        MappingProxyType(dict(sorted(jobs.items()))),
        _quarantined(entries),
        tuple(file_problems),
        tuple(warnings),
        MappingProxyType(meta),
    )
    places = {key: entry.locate for key, entry in sound.items()}
    return catalogue.quarantine(dependency_problems(jobs, known, places))


@dataclass(slots=True)
class _Entry:
    key: str
    document: TomlDocument
    index: int
    raw: Mapping[str, Any]
    origin: Origin
    app: str
    job: Job | None = None
    problems: list[Problem] = field(default_factory=list)

    def locate(self, path: tuple[str | int, ...]) -> int | None:
        return self.document.line_of(("jobs", self.index, *path))


def _entries(document: TomlDocument, source: JobSource) -> Iterator[_Entry]:
    jobs = document.data.get("jobs", [])
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        problem = Problem(
            "'jobs' must be a list of tables; write [[jobs]] with two brackets",
            file=document.file,
            line=document.line_of(("jobs",)),
            key="jobs",
        )
        raise Invalid(str(problem), problems=[problem])
    raws = document.raw["jobs"] if jobs else []
    lines = _job_lines(document, len(raws))
    for index, (raw, filled) in enumerate(zip(raws, jobs, strict=True)):
        yield _entry(document, source, index, _late(raw, filled), lines[index])


def _job_lines(document: TomlDocument, count: int) -> list[int | None]:
    """The line of each job. The full index of a large file costs more than loading it, so headers are tried first."""
    lines = [number for number, line in enumerate(document.text.split("\n"), 1) if _HEADER.match(line)]
    if len(lines) == count:
        return list(lines)
    return [document.line_of(("jobs", index)) for index in range(count)]


def _entry(
    document: TomlDocument, source: JobSource, index: int, raw: dict[str, Any], line: int | None
) -> _Entry:
    name, app = raw.get("name", raw.get("id")), raw.get("app", source.app)
    origin = Origin(document.file, line)
    usable = isinstance(name, str) and (source.builtin or NAME.fullmatch(name) is not None)
    key = str(name) if usable else f"{FilePath(document.file).name}#{index + 1}"
    entry = _Entry(key, document, index, raw, origin, app if isinstance(app, str) else source.app)
    try:
        entry.job = build_job(
            raw, app_default=source.app, origin=origin, locate=entry.locate, builtin=source.builtin
        )
    except Invalid as error:
        entry.problems += error.problems
    return entry


def _late(raw: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
    """The job with load-time variables filled in where structure is decided, and left as written elsewhere.

    What a step works with is looked up when it runs: a stored definition then never holds a secret.
    """
    if raw is filled:
        return dict(raw)
    job = dict(filled)
    if "params" in raw:
        job["params"] = raw["params"]
    for key, early in {"steps": _STRUCTURAL, **_NAMED_STRUCTURE}.items():
        if isinstance(raw.get(key), list):
            job[key] = [_late_table(*pair, early) for pair in zip(raw[key], filled[key], strict=True)]
    if isinstance(raw.get("step_defaults"), dict):
        job["step_defaults"] = _late_table(raw["step_defaults"], filled["step_defaults"], _STRUCTURAL)
    return job


def _late_table(raw: Any, filled: Any, early: frozenset[str]) -> Any:
    if not isinstance(raw, dict):
        return raw
    return {key: filled[key] if key in early else value for key, value in raw.items()}


def _as_named(job: Job, spelling: Mapping[str, str]) -> Job:
    """`depends_on` spelled as the jobs themselves are, so that rows can be compared exactly."""
    wanted = tuple(spelling.get(name.lower(), name) for name in job.depends_on)
    return job if wanted == job.depends_on else job.model_copy(update={"depends_on": wanted})


def _mark_duplicates(entries: Sequence[_Entry]) -> None:
    by_name: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.key.lower(), []).append(entry)
    for same in by_name.values():
        if len(same) > 1:
            places = " and ".join(str(entry.origin) for entry in same)
            for entry in same:
                entry.problems.append(
                    Problem(
                        f"{len(same)} jobs are called {entry.key!r}: {places}; rename all but one",
                        file=entry.origin.file,
                        line=entry.locate(("name",)),
                        job=entry.key,
                        key="name",
                    )
                )


def _quarantined(entries: Sequence[_Entry]) -> Mapping[str, QuarantinedJob]:
    """Definitions of one name are one entry with the problems of all."""
    found: dict[str, QuarantinedJob] = {}
    for entry in entries:
        if entry.problems:
            first = found.get(entry.key.lower())
            found[entry.key.lower()] = QuarantinedJob(
                first.name if first else entry.key,
                first.app if first else entry.app,
                (*(first.problems if first else ()), *entry.problems),
                first.raw if first else entry.raw,
                first.origin if first else entry.origin,
            )
    return MappingProxyType({job.name: job for _, job in sorted(found.items())})


def _file_problems(document: TomlDocument) -> Iterator[Problem]:
    for key, value in document.data.items():
        if key == "meta" and isinstance(value, dict):
            yield from _meta_problems(document, value)
        elif key != "jobs":
            near = did_you_mean(key, ["jobs", "meta"])
            yield _at(document, (key,), f"unknown key {key!r}{near}")


def _meta_problems(document: TomlDocument, meta: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in meta.items():
        if key not in _META:
            yield _at(document, ("meta", key), f"unknown key {key!r}{did_you_mean(key, _META)}")
        elif isinstance(value, dict):
            for inner in value:
                if inner not in _META[key]:
                    near = did_you_mean(inner, _META[key])
                    yield _at(document, ("meta", key, inner), f"unknown key {inner!r}{near}")


def _at(document: TomlDocument, path: tuple[str | int, ...], message: str) -> Problem:
    return Problem(message, file=document.file, line=document.line_of(path), key=dotted(path))


def _warnings(document: TomlDocument) -> Iterator[Problem]:
    for name, line in document.unset:
        if name not in BARE_WORDS:
            yield Problem(
                f"environment variable {name!r} has no value and ${{{name}}} no default; it reads as empty text",
                file=document.file,
                line=line,
            )
