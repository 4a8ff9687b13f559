"""The configuration: files to edit, reload, plugins, JSON Schemas."""

import asyncio

from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import ConfigBody, ConfigModel, PluginReloadModel, ReloadModel
from liberty.clock import rfc3339
from liberty.jobs.service import wire
from liberty.jobs.service.config_files import Change

router = resource("configuration", "/admin")


@router.get("/config/{section}", responses={200: {"model": ConfigModel}})
async def show_section(section: str, asked: Guarded, job: str | None = None) -> Response:
    """A file's values, secrets hidden, and the hash that a change must name. `job` picks the file it is in."""
    return json_answer(wire.section(await asked.services.config.view(section, asked.caller, job=job)))


@router.put("/config/{section}", responses={200: {"model": ConfigModel}})
async def change_section(section: str, asked: Guarded, body: ConfigBody) -> Response:
    """Change keys of a file, comments kept, and reload. 409 when the file was changed since it was opened."""
    view = await asked.services.config.change(
        section,
        [Change(tuple(change.path), change.value, change.remove) for change in body.changes],
        asked.caller,
        expected_hash=body.hash,
        job=body.job,
    )
    return json_answer(wire.section(view))


@router.post("/reload", responses={200: {"model": ReloadModel}})
async def reload(asked: Guarded) -> Response:
    """Read every file again. 422, and nothing changed, when one does not parse."""
    found = await asked.services.reload(asked.caller)
    return json_answer(
        {
            "reloaded_at": rfc3339(found.reloaded_at),
            "jobs": found.jobs,
            "quarantined": found.quarantined,
            "problems": [problem.as_dict() for problem in found.problems],
        }
    )


@router.post("/plugins/{name}/reload", responses={200: {"model": PluginReloadModel}})
async def reload_plugin(name: str, asked: Guarded) -> Response:
    """Take over a plugin's files as they are now; runs in flight keep the old ones."""
    modules = await asyncio.to_thread(asked.services.runtime.plugins.reload, name)
    return json_answer({"plugin": name, "modules": modules})


@router.get("/schema/jobs.json")
async def jobs_schema(asked: Guarded) -> Response:  # noqa: ARG001 - the guard
    """The JSON Schema of `jobs.toml`."""
    from liberty.jobs.schema import jobs_schema

    return json_answer(await asyncio.to_thread(jobs_schema))


@router.get("/schema/connectors.json")
async def connectors_schema(asked: Guarded) -> Response:  # noqa: ARG001 - the guard
    """The JSON Schema of `connectors.toml`."""
    from liberty.jobs.schema import connectors_schema

    return json_answer(await asyncio.to_thread(connectors_schema))


@router.get("/schema/notifications.json")
async def notifications_schema(asked: Guarded) -> Response:  # noqa: ARG001 - the guard
    """The JSON Schema of `notifications.toml`."""
    from liberty.notify.config import json_schema

    return json_answer(await asyncio.to_thread(json_schema))
