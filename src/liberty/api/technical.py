"""What the Technical page shows: scheduler, queue, runs in flight, threads, pools, recent failures."""

from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import TechnicalModel

router = resource("technical", "/admin/jobs")


@router.get("/health", responses={200: {"model": TechnicalModel}})
async def health(asked: Guarded) -> Response:
    """Whether the scheduler is alive, what runs, what waits, and how the pools are."""
    return json_answer(await asked.services.technical.document(asked.caller))
