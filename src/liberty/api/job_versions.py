"""Versions of a job's definition: the list, one of them, what differs, and going back."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.definitions import IfMatch, revision_in
from liberty.api.models import (
    DefinitionModel,
    EditConflictModel,
    VersionDetailModel,
    VersionDiffModel,
    VersionPageModel,
)
from liberty.errors import Invalid
from liberty.jobs.service import wire_definitions as wire

router = resource("versions", "/admin/jobs/{name:path}")


@router.get("/versions", responses={200: {"model": VersionPageModel}})
async def list_versions(
    name: str,
    asked: Guarded,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """The versions of a job's definition, newest first: who saved each, when, and what it changed."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Invalid(f"{cursor!r} is no cursor of this list")
    page = await asked.services.versions.page(
        name, asked.caller, limit=limit, before=int(cursor) if cursor else None
    )
    return json_answer(wire.version_page(page))


@router.get("/versions/{version}", responses={200: {"model": VersionDetailModel}})
async def show_version(name: str, version: int, asked: Guarded) -> Response:
    """One version with its text."""
    return json_answer(
        wire.version_detail(await asked.services.versions.one(name, _number(version), asked.caller))
    )


@router.get("/diff", responses={200: {"model": VersionDiffModel}})
async def diff_versions(
    name: str,
    asked: Guarded,
    old: Annotated[
        int | None, Query(alias="from", ge=1, lt=2**31, description="Default: the one before `to`.")
    ] = None,
    new: Annotated[
        int | None, Query(alias="to", ge=1, lt=2**31, description="Default: the current one.")
    ] = None,
) -> Response:
    """What differs between two versions, as text and key by key."""
    return json_answer(wire.diff(await asked.services.versions.diff(name, asked.caller, old=old, new=new)))


@router.post(
    "/versions/{version}/restore",
    responses={200: {"model": DefinitionModel}, 409: {"model": EditConflictModel}},
)
async def restore_version(name: str, version: int, asked: Guarded, if_match: IfMatch = None) -> Response:
    """Write the job as it was in that version. That is a new version."""
    revision = None if if_match is None else revision_in(if_match)
    view = await asked.services.versions.restore(name, _number(version), asked.caller, revision=revision)
    return json_answer(wire.definition(view))


def _number(version: int) -> int:
    """Beyond what a column holds there is no version; 0 names none either."""
    return version if 0 <= version < 2**31 - 1 else 0
