"""Giving a job another name: its own file and every file whose jobs refer to it, all or none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from liberty.errors import Conflict, LibertyError
from liberty.jobs.catalogue import job_sources
from liberty.jobs.engine.generation import Generation
from liberty.jobs.service.job_files import place_in
from liberty.toml_files import parse_toml, rewrite
from liberty.toml_files.changes import TextChange, changed
from liberty.toml_files.document import read_text

_LISTS = ("depends_on", "dependencies")
_TARGETS = ("target_job", "target_job_id")

type Plan = Mapping[Path, tuple[str, str]]
"""For each file its text before and after."""


def texts(generation: Generation, path: Path, name: str, to: str) -> Plan:
    """Every file that changes. Raises Conflict when one is written in a way that only a person should change."""
    found: dict[Path, tuple[str, str]] = {}
    for source in job_sources(generation.settings):
        if source.builtin:
            continue
        before = read_text(source.path)
        raw = parse_toml(before, file=str(source.path), environ={}).raw
        changes = _references(raw, name, to)
        if source.path == path:
            at = place_in(raw, name, path)
            if at is None:
                raise Conflict(f"{path.name} has no job {name!r} any more")
            key = "id" if "name" not in raw["jobs"][at] else "name"
            changes.append(TextChange("set", ("jobs", at, key), to))
            if "id" in raw["jobs"][at] and key == "name":
                changes.append(TextChange("set", ("jobs", at, "id"), to))
        if changes:
            found[source.path] = (before, changed(before, changes))
    return found


def write(plan: Plan) -> None:
    """Write every file, or none: what was written is put back when a later one cannot be."""
    written: list[Path] = []
    try:
        for path, (before, after) in plan.items():
            rewrite(path, _exactly(path, before, after))
            written.append(path)
    except LibertyError:
        for path in written:
            before, after = plan[path]
            rewrite(path, _exactly(path, after, before))
        raise


def _exactly(path: Path, before: str, after: str) -> Callable[[str], str]:
    """A change from one text to another that refuses any third."""

    def change(text: str) -> str:
        if text != before:
            raise Conflict(f"{path.name} is being changed by somebody else; try again")
        return after

    return change


def _references(raw: Mapping[str, Any], name: str, to: str) -> list[TextChange]:
    changes: list[TextChange] = []
    jobs = raw.get("jobs")
    for index, job in enumerate(jobs if isinstance(jobs, list) else []):
        if not isinstance(job, dict):
            continue
        for key in _LISTS:
            listed = job.get(key)
            if _is(listed, name):
                changes.append(TextChange("set", ("jobs", index, key), to))
            elif isinstance(listed, list) and any(_is(entry, name) for entry in listed):
                new = [to if _is(entry, name) else entry for entry in listed]
                changes.append(TextChange("set", ("jobs", index, key), new))
        steps = job.get("steps")
        for number, step in enumerate(steps if isinstance(steps, list) else []):
            changes += [
                TextChange("set", ("jobs", index, "steps", number, key), to)
                for key in _TARGETS
                if isinstance(step, dict) and _is(step.get(key), name)
            ]
    return changes


def _is(value: Any, name: str) -> bool:
    return isinstance(value, str) and value.lower() == name.lower()
