"""Definitions that are being written: text and form in step, a step looked at or tried out. Nothing is saved."""

import asyncio
from typing import Any

from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.definitions import text_changes
from liberty.api.models import (
    DraftBody,
    DraftModel,
    DraftRefusedModel,
    StepPreviewModel,
    StepTestBody,
    StepTestQueuedModel,
)
from liberty.jobs.run import Overrides
from liberty.jobs.service import wire_definitions as wire
from liberty.jobs.service.job_files import chosen_file
from liberty.jobs.service.step_tests import StepTest

router = resource("drafts", "/admin/drafts")

_REFUSED: dict[int | str, dict[str, Any]] = {422: {"model": DraftRefusedModel}}


@router.post("", responses={200: {"model": DraftModel}})
async def draft(asked: Guarded, body: DraftBody) -> Response:
    """The text after the changes, what it says key by key, and everything wrong or doubtful, with lines and columns.

    Only lines that are meant are written anew; comments stay. A text that does not parse comes back with its problem.
    """
    drafts = asked.services.drafts
    toml = body.toml
    if body.changes or body.definition is not None:
        toml = await asyncio.to_thread(drafts.rewritten, toml, text_changes(body.changes), body.definition)
    generation = asked.services.runtime.generation
    app = await asyncio.to_thread(lambda: chosen_file(generation, body.file).app) if body.file else None
    return json_answer(wire.draft(await asyncio.to_thread(drafts.check, toml, name=body.name, app=app)))


@router.post("/preview-step", responses={200: {"model": StepPreviewModel}, **_REFUSED})
async def preview_step(asked: Guarded, body: StepTestBody) -> Response:
    """What a step of the draft would do now; nothing is changed. Takes the right to run the job."""
    plan = await asked.services.step_tests.preview(_test(body), asked.caller)
    return json_answer({"job": plan.job, "params": plan.params, "step": wire.planned(plan.steps[0])})


@router.post("/test-step", status_code=202, responses={202: {"model": StepTestQueuedModel}, **_REFUSED})
async def test_step(asked: Guarded, body: StepTestBody) -> Response:
    """Run one step of the draft for real, as a run of `_test/<job>`: it writes what the step writes.

    It leaves the job's own history, single instance, dependants and marks alone. Takes the right to run the job.
    """
    asked.services.refuse_while_stopping()
    run = await asked.services.step_tests.run(_test(body), asked.caller)
    return json_answer(
        {"run_id": run.run_id, "job": run.job, "status": str(run.status), "reason": run.reason}, 202
    )


def _test(body: StepTestBody) -> StepTest:
    return StepTest(
        body.toml,
        body.step,
        body.name,
        Overrides(
            params=body.params,
            op_kwargs={body.step: body.op_kwargs} if body.op_kwargs else {},
            log_level=body.log_level,
        ),
        body.outputs_of,
    )
