"""Definitions of jobs: one shown and edited, jobs made, renamed, copied and deleted, and the form of a run."""

import asyncio
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import (
    CreateBody,
    DefinitionModel,
    DeletedModel,
    DraftChange,
    DraftRefusedModel,
    DuplicateBody,
    EditConflictModel,
    JobFilesModel,
    RenameBody,
    RunFormModel,
    SaveBody,
)
from liberty.errors import Invalid
from liberty.jobs.service import wire_definitions as wire
from liberty.jobs.service.definitions import DefinitionView, Save
from liberty.jobs.service.job_files import job_files
from liberty.jobs.service.run_form import form_of
from liberty.toml_files.changes import TextChange

router = resource("definitions", "/admin")

type IfMatch = Annotated[
    str | None,
    Header(
        description="The revision you saw, as in ETag; `*` takes whatever is there.",
        examples=['"9f2c1b7a40d3e812"'],
    ),
]
_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": EditConflictModel},
    422: {"model": DraftRefusedModel},
}


@router.post("/jobs", status_code=201, responses={201: {"model": DefinitionModel}, **_REFUSED})
async def create_job(asked: Guarded, body: CreateBody) -> Response:
    """Append a job to a file, and reload. 422 with every problem when it cannot run as written."""
    view = await asked.services.definitions.create(
        asked.caller, toml=body.toml, definition=body.definition, file=body.file, summary=body.summary
    )
    return _answer(view, 201)


@router.get("/job-files", responses={200: {"model": JobFilesModel}})
async def list_job_files(asked: Guarded) -> Response:
    """The files in which jobs may be written."""
    found = await asyncio.to_thread(job_files, asked.services.runtime.generation)
    return json_answer({"items": [wire.job_file(file) for file in found]})


@router.get("/jobs/{name:path}/definition", responses={200: {"model": DefinitionModel}})
async def show_definition(name: str, asked: Guarded) -> Response:
    """A job's text as it stands in its file now, its form, and everything wrong or doubtful about it."""
    return _answer(await asked.services.definitions.view(name, asked.caller))


@router.put("/jobs/{name:path}/definition", responses={200: {"model": DefinitionModel}, **_REFUSED})
async def save_definition(name: str, asked: Guarded, body: SaveBody, if_match: IfMatch = None) -> Response:
    """Write the job anew, the rest of its file byte for byte, and reload.

    409 with what changed when it is not the text you saw any more; 422 with every problem. Then nothing is written.
    """
    if body.toml is None and body.definition is None and not body.changes:
        raise Invalid("send toml, definition or changes")
    save = Save(
        revision_in(if_match),
        toml=body.toml,
        definition=body.definition,
        changes=text_changes(body.changes),
        base=body.base,
        summary=body.summary,
    )
    return _answer(await asked.services.definitions.save(name, asked.caller, save))


@router.delete(
    "/jobs/{name:path}/definition",
    responses={200: {"model": DeletedModel}, 409: {"model": EditConflictModel}},
)
async def delete_job(name: str, asked: Guarded, if_match: IfMatch = None) -> Response:
    """Take the job out of its file. Its runs and versions are kept. 422 while other jobs refer to it."""
    gone = await asked.services.definitions.delete(name, asked.caller, revision=revision_in(if_match))
    return json_answer(wire.gone(gone))


@router.post(
    "/jobs/{name:path}/rename",
    responses={200: {"model": DefinitionModel}, 409: {"model": EditConflictModel}},
)
async def rename_job(name: str, asked: Guarded, body: RenameBody, if_match: IfMatch = None) -> Response:
    """Give the job another name, also where other jobs refer to it. Its pause and marks go along; past runs do not."""
    revision = None if if_match is None else revision_in(if_match)
    return _answer(await asked.services.definitions.rename(name, asked.caller, body.to, revision=revision))


@router.post("/jobs/{name:path}/duplicate", status_code=201, responses={201: {"model": DefinitionModel}})
async def duplicate_job(name: str, asked: Guarded, body: DuplicateBody) -> Response:
    """Another job like this one, comments included. Its schedules are switched off unless told otherwise."""
    view = await asked.services.definitions.duplicate(
        name, asked.caller, body.to, file=body.file, enabled=body.enabled
    )
    return _answer(view, 201)


@router.get("/jobs/{name:path}/form", responses={200: {"model": RunFormModel}})
async def run_form(name: str, asked: Guarded) -> Response:
    """What to ask before a run: declared params and those of the steps' functions, presets, switches of steps."""
    generation = asked.services.runtime.generation
    job = asked.caller.job(generation.catalogue, name, "run")
    return json_answer(wire.form(await asyncio.to_thread(form_of, job, generation)))


def text_changes(changes: list[DraftChange]) -> list[TextChange]:
    """As the service takes them."""
    return [TextChange(change.op, tuple(change.path), change.value, change.to) for change in changes]


def revision_in(if_match: str | None) -> str | None:
    """The revision in the header; None for `*`. Raises Invalid when it is missing."""
    if if_match is None or not if_match.strip():
        raise Invalid("send the header If-Match with the revision you saw, or * for whatever is there")
    revision = if_match.strip().removeprefix("W/").strip('"')
    return None if revision == "*" else revision


def _answer(view: DefinitionView, status: int = 200) -> Response:
    response = json_answer(wire.definition(view), status)
    response.headers["ETag"] = f'"{view.revision}"'
    return response
