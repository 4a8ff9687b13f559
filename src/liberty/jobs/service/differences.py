"""What is different between two runs of a job, the most telling first. Pure functions."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from liberty.jobs.run import Json, Run, StepRun
from liberty.jobs.store.code import Code
from liberty.jobs.store.history import StepTook

type Kind = Literal["definition", "params", "plugin", "library", "python", "duration", "rows", "status"]

MAX_LISTED = 6
MAX_TEXT = 200
_ORDER: Mapping[Kind, int] = {
    "definition": 0,
    "plugin": 1,
    "params": 2,
    "library": 3,
    "python": 4,
    "status": 5,
    "duration": 6,
    "rows": 7,
}
_SLOWER = 1.5
_SLOWER_MS = 1000
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was `before` and is `after`. `names`: words by which an error would name it."""

    kind: Kind
    name: str
    before: Json
    after: Json
    text: str
    names: tuple[str, ...] = ()
    weight: float = 0.0
    likely_cause: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs with all that is known of it."""

    run: Run
    steps: Sequence[StepRun]
    definition: Mapping[str, Json]
    code: Code | None


def differences(before: Side, after: Side, usual: Sequence[StepTook] = ()) -> list[Change]:
    """Every difference, ranked. `usual`: steps of earlier successes, against which durations are judged."""
    found = [
        *_of_definition(before.definition, after.definition),
        *_of_params(before.run.params, after.run.params),
        *_of_code(before.code, after.code),
        *_of_steps(before.steps, after.steps, usual),
    ]
    text = error_text(after)
    named = [change for change in found if _names(change, text)]
    rest = [change for change in found if change not in named]
    ranked = [*sorted(named, key=_rank), *sorted(rest, key=_rank)]
    if named:
        ranked[0] = replace(ranked[0], likely_cause=True)
    return ranked


def error_text(side: Side) -> str:
    """Everything the run says about why it went wrong."""
    parts = [side.run.reason or ""]
    for step in side.steps:
        for error in (step.error, *(attempt.error for attempt in step.attempts)):
            if error is not None:
                parts += [error.type, error.message, error.traceback or ""]
    return "\n".join(parts)


def _rank(change: Change) -> tuple[int, float, str]:
    return (_ORDER[change.kind], -change.weight, change.name)


def _names(change: Change, text: str) -> bool:
    return any(
        len(name) >= _SHORTEST_NAME and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)
        for name in change.names
    )


# -- the definition and the params


def _of_definition(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    if not before or not after:
        return
    old, new = dict(_flat(before)), dict(_flat(after))
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            yield _changed("definition", path, old.get(path), new.get(path), _words(path))


def _flat(
    value: Json | Mapping[str, Json], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Every leaf with its path; steps, presets and schedules stand under their names, not their places."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, (*path, str(key)))
    elif (
        isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value)
    ):
        for item in value:
            if isinstance(item, dict):
                yield from _flat(item, (*path, str(item["name"])))
        yield (*path, "(order)"), [item["name"] for item in value if isinstance(item, dict)]
    else:
        yield path, value  # type: ignore[misc]  # an empty mapping is a dict


def _words(path: tuple[str, ...]) -> tuple[str, ...]:
    last = path[-1]
    return () if last in _TOO_COMMON or last == "(order)" else (last,)


_TOO_COMMON = frozenset(
    {"name", "type", "enabled", "tags", "app", "description", "params", "steps", "job", "sql"}
)
"""Keys whose name in a message says nothing about the key."""


def _of_params(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield _changed("params", (name,), before.get(name), after.get(name), (name,))


def _changed(kind: Kind, path: tuple[str, ...], before: Json, after: Json, names: tuple[str, ...]) -> Change:
    where = (
        f"step {path[1]}: {'.'.join(path[2:])}" if path[0] == "steps" and len(path) > 2 else ".".join(path)
    )
    if before is None:
        text = f"{where} is new: {_shown(after)}"
    elif after is None:
        text = f"{where} is gone; it was {_shown(before)}"
    else:
        text = f"{where} was {_shown(before)}, is {_shown(after)}"
    return Change(kind, ".".join(path), _short(before), _short(after), text, names)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _short(value: Json) -> Json:
    return value if len(json.dumps(value)) <= 10 * MAX_TEXT else _shown(value)


# -- code


def _of_code(before: Code | None, after: Code | None) -> Iterator[Change]:
    if before is None or after is None or before.digest == after.digest:
        return
    for name in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(name), after.files.get(name)
        if old != new:
            how = "is new" if old is None else "is gone" if new is None else "was changed"
            module = name.removesuffix(".py").replace("/", ".")
            yield Change("plugin", name, old, new, f"plugin file {name} {how}", _file_names(name, module))
    for name in sorted(before.libraries.keys() | after.libraries.keys()):
        old, new = before.libraries.get(name), after.libraries.get(name)
        if old != new:
            how = f"{old or 'not installed'} → {new or 'not installed'}"
            yield Change("library", name, old, new, f"library {name} {how}", (name, name.replace("-", "_")))
    if before.python != after.python:
        text = f"Python {before.python} → {after.python}"
        yield Change("python", "python", before.python, after.python, text)


def _file_names(name: str, module: str) -> tuple[str, ...]:
    # As a traceback writes it: the path below the folder, after a separator.
    return (f"plugins/{name}", module, name) if "." in module else (f"plugins/{name}", name)


# -- steps


def _of_steps(
    before: Sequence[StepRun], after: Sequence[StepRun], usual: Sequence[StepTook]
) -> Iterator[Change]:
    earlier = {step.name: step for step in before}
    took: dict[str, list[int]] = {}
    for item in usual:
        if item.milliseconds is not None:
            took.setdefault(item.name, []).append(item.milliseconds)
    for step in after:
        old = earlier.get(step.name)
        normal = round(median(took[step.name])) if step.name in took else old.duration_ms if old else None
        if (
            step.duration_ms is not None
            and normal is not None
            and step.duration_ms > normal * _SLOWER
            and step.duration_ms - normal >= _SLOWER_MS
        ):
            yield Change(
                "duration",
                step.name,
                normal,
                step.duration_ms,
                f"step {step.name} took {step.duration_ms / 1000:.1f} s, usual are {normal / 1000:.1f} s",
                weight=step.duration_ms / max(normal, 1),
            )
        if old is None:
            continue
        if old.rows_affected != step.rows_affected and step.rows_affected is not None:
            was = old.rows_affected or 0
            yield Change(
                "rows",
                step.name,
                old.rows_affected,
                step.rows_affected,
                f"step {step.name}: {was} → {step.rows_affected} rows",
                weight=abs(step.rows_affected - was) / max(was, step.rows_affected, 1),
            )
        if old.status != step.status:
            yield Change(
                "status",
                step.name,
                str(old.status),
                str(step.status),
                f"step {step.name} was {old.status}, is {step.status}",
            )


def without_status(changes: Iterable[Change]) -> list[Change]:
    """For a run that failed: that its steps ended otherwise is no news."""
    return [change for change in changes if change.kind != "status"]
