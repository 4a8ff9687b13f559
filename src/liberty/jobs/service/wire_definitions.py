"""The same as `wire`, for definitions, drafts, versions and forms."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from liberty.clock import rfc3339
from liberty.jobs.run import Json
from liberty.jobs.service.run_form import preset_shown
from liberty.jobs.service.wire import Wire, instant, schedule_of_job

if TYPE_CHECKING:
    from liberty.jobs.service.comparing import FieldChange
    from liberty.jobs.service.definitions import DefinitionView, Gone
    from liberty.jobs.service.drafts import Draft, DraftProblem
    from liberty.jobs.service.job_files import JobFile
    from liberty.jobs.service.plan import PlannedStep
    from liberty.jobs.service.run_form import FormField, RunForm, StepForm
    from liberty.jobs.service.versions import Version, VersionDiff, VersionPage


def draft(fact: "Draft") -> Wire:
    """A text and its form."""
    return {
        "toml": fact.toml,
        "definition": fact.definition,
        "effective": fact.effective,
        "ok": not fact.problems,
        "problems": [_problem(found) for found in fact.problems],
        "warnings": [_problem(found) for found in fact.warnings],
        "schedules": [schedule_of_job(entry) for entry in fact.schedules],
    }


def _problem(fact: "DraftProblem") -> Wire:
    return {**asdict(fact), "path": list(fact.path)}


def definition(view: "DefinitionView") -> Wire:
    """A job's definition as it stands in its file."""
    return {
        "name": view.name,
        "app": view.app,
        "file": view.file,
        "line": view.line,
        "revision": view.revision,
        "version": view.version,
        "editable": view.editable,
        **draft(view.draft),
    }


def gone(fact: "Gone") -> Wire:
    """A job that was deleted."""
    return {"name": fact.name, "file": fact.file, "toml": fact.toml}


def job_file(fact: "JobFile") -> Wire:
    """A file in which jobs may be written."""
    return {"file": fact.label, "app": fact.app, "jobs": fact.jobs, "is_default": fact.is_default}


def version(fact: "Version") -> Wire:
    """A version of the list."""
    edit = fact.edit
    return {
        "version": fact.number,
        "loaded_at": rfc3339(fact.loaded_at),
        "current": fact.is_current,
        "saved_by": None if edit is None else edit.author,
        "saved_at": instant(None if edit is None else edit.at),
        "action": "file" if edit is None else edit.action,
        "summary": fact.summary,
        "file": None if edit is None else edit.file,
    }


def version_page(page: "VersionPage") -> Wire:
    """A page of versions."""
    return {"items": [version(item) for item in page.items], "next_cursor": page.next_cursor}


def version_detail(fact: "Version") -> Wire:
    """A version with what it says."""
    return {
        **version(fact),
        "toml": fact.toml,
        "as_written": fact.as_written,
        "definition": fact.definition,
    }


def diff(fact: "VersionDiff") -> Wire:
    """What differs between two versions."""
    return {
        "from": fact.old,
        "to": fact.new,
        "unified": fact.unified,
        "changes": [field_change(change) for change in fact.changes],
    }


def field_change(fact: "FieldChange") -> Wire:
    """A key that differs."""
    return asdict(fact)


def form(fact: "RunForm") -> Wire:
    """What to ask before a run."""
    return {
        "job": fact.job,
        "log_level": fact.log_level,
        "log_levels": list(fact.log_levels),
        "fields": _fields(fact.fields),
        "steps": [_step_form(step) for step in fact.steps],
        "presets": [preset_shown(preset) for preset in fact.presets],
    }


def _step_form(fact: "StepForm") -> Wire:
    return {
        "name": fact.name,
        "type": fact.type,
        "enabled": fact.enabled,
        "callable": fact.callable,
        "description": fact.description,
        "fields": _fields(fact.fields),
    }


def _fields(facts: "list[FormField]") -> list[Json]:
    return [asdict(fact) for fact in facts]


def planned(fact: "PlannedStep") -> Wire:
    """A step as it would run."""
    return asdict(fact)
