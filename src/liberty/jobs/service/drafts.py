"""A definition that is being written: its text and its form in step, and everything wrong or doubtful about it."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from liberty.clock import Clock
from liberty.errors import Invalid, Problem, did_you_mean
from liberty.jobs.catalogue import BUILTIN, Catalogue, JobSource, catalogue_of
from liberty.jobs.definition import definition_json
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import DEFAULT_APP, Job
from liberty.jobs.references import check_references
from liberty.jobs.run import Json
from liberty.jobs.service.doubts import doubts
from liberty.jobs.service.hidden_text import masked_value
from liberty.jobs.service.job_files import app_of_file
from liberty.jobs.service.loose import loose
from liberty.jobs.service.schedule import NamedNext, schedules_of
from liberty.toml_files import TomlDocument, parse_toml
from liberty.toml_files.changes import TextChange, changed, difference
from liberty.toml_files.write import table_text

DRAFT = "draft.toml"

_KEY = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_NEAREST = re.compile(r"did you mean '([^']+)'\?")
_COLUMN = re.compile(r"\(at line \d+, column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class DraftProblem:
    """Something wrong or doubtful, at a line and column of the draft (from 1). `path` leads there from the job."""

    message: str
    line: int | None
    column: int | None
    path: tuple[str | int, ...]
    key: str | None
    job: str | None
    nearest: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """One job's text and what it says. `job` is None while something is wrong, `raw` while it does not parse."""

    toml: str
    raw: Mapping[str, Any] | None
    job: Job | None
    problems: list[DraftProblem]
    warnings: list[DraftProblem]
    schedules: list[NamedNext]

    @property
    def definition(self) -> Json:
        """What stands in the text, secrets masked."""
        return None if self.raw is None else masked_value(loose(dict(self.raw)))

    @property
    def effective(self) -> Json:
        """The definition as it is stored: aliases read, steps named."""
        return None if self.job is None else masked_value(json.loads(definition_json(self.job)))


class Drafts:
    """Checks and rewrites texts of single jobs. Nothing is saved."""

    def __init__(self, *, clock: Clock, current: Callable[[], Generation]) -> None:
        self._clock = clock
        self._current = current

    def check(
        self, toml: str, *, name: str | None = None, file: Path | None = None, app: str | None = None
    ) -> Draft:
        """Everything about a text. `name`: the job it is to replace; `app`: the one of jobs that name none.

        `file` is where it stands, when its problems are to name that.
        """
        generation = self._current()
        path = file or Path(DRAFT)
        app = app or _usual_app(generation, name)
        try:
            document = parse_toml(toml, file=str(path), environ=generation.settings.environ)
            raw = one_job(document.raw, str(path))
            found = catalogue_of(
                [(document, JobSource(path, app, builtin=path == BUILTIN))],
                others=others(generation.catalogue, name),
            )
        except Invalid as error:
            listed = list(error.problems) or [Problem(error.message)]
            return Draft(toml, _raw(toml), None, [_syntax(problem, toml) for problem in listed], [], [])
        job = next(iter(found.jobs.values()), None)
        problems = [*found.problems, *_taken(job, raw, generation.catalogue, name)]
        if job is not None:
            problems += check_references(job, generation.connectors)
        warnings = list(found.warnings)
        if job is not None:
            warnings += doubts(job, generation, self._clock.now())
        return Draft(
            toml,
            raw,
            None if problems else job,
            [_placed(problem, document, raw) for problem in problems],
            [_placed(problem, document, raw) for problem in warnings],
            schedules_of(job, self._clock.now()) if job is not None else [],
        )

    def rewritten(
        self, toml: str, changes: Sequence[TextChange] = (), definition: Mapping[str, Any] | None = None
    ) -> str:
        """The text after changes, whose paths start at the job, or made to say what `definition` says.

        Only what differs is written anew. Raises Invalid for a text that does not parse, NotFound for a path that
        leads nowhere, Conflict when the text is written in a way that only a person should change.
        """
        if not toml.strip():
            if definition is None:
                raise Invalid("give the text of a job, or its definition")
            return text_of(definition)
        raw = one_job(parse_toml(toml, file=DRAFT, environ={}).raw, DRAFT)
        below = [TextChange(c.op, ("jobs", 0, *c.path), c.value, c.to) for c in changes]
        if any(len(change.path) < 3 for change in below):
            raise Invalid("a change needs the path of a key")
        text = changed(toml, below)
        if definition is not None:
            now = tomllib.loads(text)["jobs"][0] if below else raw
            shown = masked_value(loose(now))
            text = changed(text, difference(shown, dict(definition), ("jobs", 0)))
        return text


def text_of(definition: Mapping[str, Any]) -> str:
    """A definition written out: its own keys, its tables, then its lists of tables, the steps last."""
    ordered = dict(sorted(definition.items(), key=lambda item: _rank(item[0], item[1])))
    return table_text("jobs", ordered, element=True) + "\n"


_FIRST = ("name", "id", "app", "description", "tags", "enabled", "schedule", "timezone")


def _rank(key: str, value: Any) -> tuple[int, int]:
    if key in _FIRST:
        return 0, _FIRST.index(key)
    return (3 if key == "steps" else 2 if isinstance(value, list | dict) else 1), 0


def one_job(raw: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    """The only job of a text. Raises Invalid when there is none, another one, or something beside it."""
    jobs = raw.get("jobs")
    problem = None
    if not isinstance(jobs, list) or not jobs or not all(isinstance(job, dict) for job in jobs):
        problem = Problem("a job begins with [[jobs]]", file=file, line=1)
    elif len(jobs) > 1:
        problem = Problem(f"this is the text of one job, and {len(jobs)} stand in it", file=file, line=1)
    elif len(raw) > 1:
        beside = next(key for key in raw if key != "jobs")
        problem = Problem(
            f"{beside!r} does not belong to the job{did_you_mean(beside, ['jobs'])}", file=file, key=beside
        )
    if problem is not None:
        raise Invalid(problem.message, problems=[problem])
    job: Mapping[str, Any] = raw["jobs"][0]
    return job


def others(catalogue: Catalogue, name: str | None) -> Catalogue:
    """Every job but `name`."""
    if name is None:
        return catalogue
    known = name.lower()
    return Catalogue(
        {key: job for key, job in catalogue.jobs.items() if key.lower() != known},
        {key: job for key, job in catalogue.quarantined.items() if key.lower() != known},
    )


def _usual_app(generation: Generation, name: str | None) -> str:
    """The app of the file that the saved job stands in."""
    catalogue = generation.catalogue
    saved = None
    if name is not None:
        saved = catalogue.jobs.get(name) or catalogue.quarantined.get(name)
    return DEFAULT_APP if saved is None else app_of_file(generation, Path(saved.origin.file))


def _taken(job: Job | None, raw: Mapping[str, Any], catalogue: Catalogue, name: str | None) -> list[Problem]:
    wanted = job.name if job is not None else str(raw.get("name", raw.get("id", "")))
    if not wanted or wanted.lower() == (name or "").lower() or wanted not in catalogue:
        return []
    return [Problem(f"there is a job called {wanted!r} already; choose another name", job=wanted, key="name")]


def _raw(toml: str) -> Mapping[str, Any] | None:
    try:
        jobs = parse_toml(toml, file=DRAFT, environ={}).raw.get("jobs")
    except Invalid:
        return None
    return jobs[0] if isinstance(jobs, list) and jobs and isinstance(jobs[0], dict) else None


def _syntax(problem: Problem, toml: str) -> DraftProblem:
    column = None
    try:
        parse_toml(toml, file=DRAFT, environ={})
    except Invalid as error:
        place = _COLUMN.search(str(error.__cause__))
        column = int(place[1]) if place else None
    return DraftProblem(
        problem.message, problem.line, column, (), problem.key, problem.job, _nearest(problem.message)
    )


def _placed(problem: Problem, document: TomlDocument, raw: Mapping[str, Any]) -> DraftProblem:
    path = tuple(int(number) if number else word for word, number in _KEY.findall(problem.key or ""))
    line, column = problem.line, None
    if path:
        line = document.line_of(("jobs", 0, *path)) or line
    if line is not None:
        column = _column(document.text.split("\n")[line - 1], path)
    return DraftProblem(
        problem.message,
        line,
        column,
        path,
        problem.key,
        problem.job or _name(raw),
        _nearest(problem.message),
    )


def _name(raw: Mapping[str, Any]) -> str | None:
    name = raw.get("name", raw.get("id"))
    return name if isinstance(name, str) else None


def _column(line: str, path: tuple[str | int, ...]) -> int:
    """Where the key stands in its line; the first character that is not blank when it does not."""
    for key in reversed([part for part in path if isinstance(part, str)]):
        found = re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])\s*[\"']?\s*=", line)
        if found:
            return found.start() + 1
    return len(line) - len(line.lstrip()) + 1


def _nearest(message: str) -> str | None:
    found = _NEAREST.search(message)
    return found[1] if found else None


def refuse_draft(draft: Draft) -> None:
    """Raises Invalid when something is wrong, its problems at the lines of the draft."""
    if draft.problems:
        problems = [
            Problem(found.message, file=DRAFT, line=found.line, job=found.job, key=found.key)
            for found in draft.problems
        ]
        raise Invalid(
            problems[0].message,
            problems=problems,
            details={"draft_problems": [_plain(found) for found in draft.problems]},
        )


def _plain(found: DraftProblem) -> dict[str, Any]:
    return {**asdict(found), "path": list(found.path)}
