"""From a raw table (TOML, or a stored version) to a checked `Job`, or to plain sentences about what is wrong."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from liberty.auth.principal import TEST_PREFIX
from liberty.errors import Invalid, Problem, did_you_mean
from liberty.jobs.aliases import JOB_KEYS, RETRY_KEYS, STEP_KEYS, read_aliases, read_backoff
from liberty.jobs.consistency import check_consistency
from liberty.jobs.job import DEFAULT_APP, NAME_PATTERN, RESERVED_NAMES, Job, Origin
from liberty.jobs.params import jsonable
from liberty.jobs.steps import STEP_TYPES, StepConfig
from liberty.jobs.validation import Finding, Path, findings_of

NAME = re.compile(NAME_PATTERN)
STEP_NAME = re.compile(r"\w[\w .:\-]{0,127}")
MEMORY = Origin("<memory>")
STORED = Origin("<stored version>")
MERGED_BY_KEY = frozenset({"source", "target", "headers", "mapping", "op_kwargs"})
"""Keys of `step_defaults` that are merged into a step's table; any other key is replaced by the step's."""

type Locate = Callable[[Path], int | None]
"""The line of a path inside the job, e.g. `("steps", 0, "retry")`."""


def build_job(
    raw: Mapping[str, Any],
    *,
    app_default: str = DEFAULT_APP,
    origin: Origin = MEMORY,
    locate: Locate | None = None,
    builtin: bool = False,
) -> Job:
    """The job that `raw` defines. Raises Invalid whose problems name file, line, job, key and nearest known key.

    `builtin` allows the names under `_default/` that are kept for jobs shipped with the framework.
    """
    reader = _Reader(raw, app_default, builtin)
    job = reader.job(origin)
    if job is None or reader.findings:
        name = raw.get("name", raw.get("id"))
        problems = [
            Problem(
                finding.message,
                file=origin.file,
                line=locate(reader.as_written(finding.path)) if locate else origin.line,
                job=name if isinstance(name, str) else None,
                key=dotted(reader.as_written(finding.path)) or None,
            )
            for finding in reader.findings
        ]
        raise Invalid("; ".join(str(problem) for problem in problems), problems=problems)
    return job


def definition_json(job: Job) -> str:
    """The definition as canonical JSON: only what was written, keys sorted; `job_from_definition` reads it back."""
    table = job.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False)
    specs = table.pop("param_specs", None)
    if specs:
        table["params"] = specs
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(job: Job) -> str:
    """SHA-256 of the canonical definition: equal exactly when two definitions say the same."""
    return sha256(definition_json(job).encode()).hexdigest()


def job_from_definition(text: str, *, origin: Origin = STORED) -> Job:
    """The job a stored version defines. Raises Invalid when this release cannot read it any more."""
    return build_job(json.loads(text), origin=origin, builtin=True)


def dotted(path: Sequence[str | int]) -> str:
    """`steps[0].retry.attempts`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class _Reader:
    """Collects findings while one raw table becomes a Job."""

    def __init__(self, raw: Mapping[str, Any], app_default: str, builtin: bool) -> None:
        self.findings: list[Finding] = []
        self._raw = raw
        self._app_default = app_default
        self._builtin = builtin
        self._spelling: dict[Path, str] = {}

    def job(self, origin: Origin) -> Job | None:
        table = self._renamed(self._plain(self._raw, ()), JOB_KEYS, ())
        for key in ("origin", "param_specs", "overlap_rule"):
            if key in table:
                del table[key]
                self._find((key,), f"unknown key {key!r}")
        table.setdefault("app", self._app_default)
        self._check_names(table)
        self._read_params(table)
        self._read_retry(table, ())
        for key in ("presets", "schedules"):
            self._read_named(table, key)
        steps = self._read_steps(table.pop("steps", None), table.pop("step_defaults", None))
        try:
            job = Job.model_validate({**table, "steps": steps or (_PLACEHOLDER,), "origin": origin})
        except ValidationError as error:
            known = [*JOB_KEYS, "step_defaults"]
            self.findings += findings_of(error, Job, table, (), known)
            return None
        if not steps or self.findings:
            return None
        self.findings += check_consistency(job)
        return job

    def as_written(self, path: Path) -> Path:
        """`path` with the keys the author used where an alias stood."""
        return tuple(
            self._spelling.get(path[: number + 1], part) if isinstance(part, str) else part
            for number, part in enumerate(path)
        )

    def _find(self, path: Path, message: str) -> None:
        self.findings.append(Finding(path, message))

    def _plain(self, raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """JSON values only, so that a stored version is the same definition: dates become ISO text."""
        plain: dict[str, Any] = {}
        for key, value in raw.items():
            try:
                plain[key] = jsonable(value, key)
            except Invalid as error:
                self._find((*path, key), error.message)
        return plain

    def _renamed(self, table: Mapping[str, Any], aliases: Mapping[str, str], path: Path) -> dict[str, Any]:
        read, written_as, contradictions = read_aliases(table, aliases)
        for name, written in written_as.items():
            self._spelling[(*path, name)] = written
        for key, message in contradictions:
            self._find((*path, key), message)
        return read

    def _check_names(self, table: dict[str, Any]) -> None:
        name, app = table.get("name"), table["app"]
        if isinstance(name, str):
            bare = name.removeprefix(f"{DEFAULT_APP}/").removeprefix(TEST_PREFIX) if self._builtin else name
            if not NAME.fullmatch(bare):
                self._find(
                    ("name",),
                    f"job name {name!r} contains invalid characters: it is 1 to 64 letters, digits, '-' and '_', "
                    "starting with a letter or digit",
                )
            elif name.lower() in RESERVED_NAMES:
                self._find(("name",), f"{name!r} is a fixed address of the API; call the job something else")
        if isinstance(app, str) and app != DEFAULT_APP and not NAME.fullmatch(app):
            self._find(
                ("app",), f"app {app!r} contains invalid characters: letters, digits, '-' and '_' only"
            )

    def _read_params(self, table: dict[str, Any]) -> None:
        """A list of declarations becomes `param_specs`, and their defaults the params."""
        declared = table.get("params")
        if not isinstance(declared, list):
            return
        table["param_specs"] = declared
        self._spelling[("param_specs",)] = "params"
        table["params"] = {
            spec["name"]: spec["default"]
            for spec in declared
            if isinstance(spec, dict)
            and isinstance(spec.get("name"), str)
            and spec.get("default") is not None
        }

    def _read_retry(self, table: dict[str, Any], path: Path) -> None:
        retry = table.get("retry")
        if isinstance(retry, dict):
            here = (*path, "retry")
            read, contradiction = read_backoff(self._renamed(retry, RETRY_KEYS, here))
            if contradiction:
                self._find((*here, "backoff"), contradiction)
            table["retry"] = read

    def _read_named(self, table: dict[str, Any], key: str) -> None:
        entries = table.get(key)
        if isinstance(entries, list):
            table[key] = [
                self._renamed(entry, {"kwargs": "op_kwargs"}, (key, index))
                if isinstance(entry, dict)
                else entry
                for index, entry in enumerate(entries)
            ]

    def _read_steps(self, raw_steps: Any, defaults: Any) -> tuple[StepConfig, ...]:
        if not isinstance(raw_steps, list) or not raw_steps:
            self._find(("steps",), "a job needs at least one step: [[jobs.steps]]")
            return ()
        if defaults is not None and not isinstance(defaults, dict):
            self._find(("step_defaults",), "must be a table")
            defaults = None
        shared = self._renamed(defaults or {}, STEP_KEYS, ("step_defaults",))
        known = {key for model in STEP_TYPES.values() for key in model.model_fields}
        for key in shared:
            if key not in known:
                self._find(("step_defaults", key), f"unknown key {key!r}{did_you_mean(key, known)}")
        steps = [
            step
            for index, raw in enumerate(raw_steps)
            if (step := self._read_step(index, raw, shared)) is not None
        ]
        return self._named(steps) if len(steps) == len(raw_steps) else ()

    def _read_step(self, index: int, raw: Any, shared: Mapping[str, Any]) -> StepConfig | None:
        path: Path = ("steps", index)
        if not isinstance(raw, dict):
            self._find(path, "a step is a table: [[jobs.steps]]")
            return None
        table = self._renamed(raw, STEP_KEYS, path)
        model = self._step_type(table.get("type", shared.get("type")), path)
        if model is None:
            return None
        table = _with_defaults(
            table, {key: value for key, value in shared.items() if key in model.model_fields}
        )
        self._read_retry(table, path)
        if "name" in table and not (isinstance(table["name"], str) and STEP_NAME.fullmatch(table["name"])):
            self._find(
                (*path, "name"), f"step name {table['name']!r} may hold letters, digits and _ - . : only"
            )
        try:
            return model.model_validate(table)
        except ValidationError as error:
            self.findings += findings_of(error, model, table, path, list(STEP_KEYS))
            return None

    def _step_type(self, kind: Any, path: Path) -> type[StepConfig] | None:
        if kind is None:
            self._find((*path, "type"), f"'type' is required; one of {', '.join(STEP_TYPES)}")
        elif not isinstance(kind, str) or kind not in STEP_TYPES:
            near = did_you_mean(str(kind), STEP_TYPES) or f"; known: {', '.join(STEP_TYPES)}"
            self._find((*path, "type"), f"unknown step type {kind!r}{near}")
        else:
            return STEP_TYPES[kind]
        return None

    def _named(self, steps: Sequence[StepConfig]) -> tuple[StepConfig, ...]:
        """Every step with a name of its own: a given one must be unique, a default one is made so."""
        given: dict[str, int] = {}
        for index, step in enumerate(steps):
            if step.name and step.name in given:
                first = given[step.name] + 1
                self._find(
                    ("steps", index, "name"),
                    f"steps {first} and {index + 1} are both called {step.name!r}; names are unique in a job",
                )
            elif step.name:
                given[step.name] = index
        taken = set(given)
        named: list[StepConfig] = []
        for index, step in enumerate(steps):
            if not step.name:
                name = wanted = step.default_name(index)
                number = 2
                while name in taken:
                    name, number = f"{wanted}-{number}", number + 1
                taken.add(name)
                step = step.model_copy(update={"name": name})
            named.append(step)
        return tuple(named)


class _Placeholder(StepConfig):
    """Stands for steps that were already found wrong, while the rest of the job is checked."""


_PLACEHOLDER = _Placeholder.model_validate({"type": "placeholder", "name": "placeholder"})


def _with_defaults(table: dict[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**shared, **table}
    for key in MERGED_BY_KEY:
        if isinstance(shared.get(key), dict) and isinstance(table.get(key), dict):
            merged[key] = {**shared[key], **table[key]}
    return merged
