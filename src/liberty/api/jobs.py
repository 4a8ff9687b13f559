"""The catalogue: every job with its state, one job with its definition and last runs."""

from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import JobDetailModel, JobListModel
from liberty.jobs.service import wire

router = resource("jobs", "/admin/jobs")
catch_all = resource("jobs", "/admin/jobs")


@router.get("", responses={200: {"model": JobListModel}})
async def list_jobs(asked: Guarded) -> Response:
    """Every job you may read, quarantined ones with their problems included."""
    views = await asked.services.jobs.views(asked.caller)
    return json_answer({"items": [wire.job(view) for view in views], "next_cursor": None})


@catch_all.get("/{name:path}", responses={200: {"model": JobDetailModel}})
async def show_job(name: str, asked: Guarded) -> Response:
    """One job with its definition and its last 50 runs."""
    return json_answer(wire.job_detail(await asked.services.jobs.detail(name, asked.caller)))
