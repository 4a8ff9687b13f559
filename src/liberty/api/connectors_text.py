"""`connectors.toml` in an editor: its text, what is wrong with a changed one, saving."""

from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import FileTextBody, FileTextModel, ValidationModel
from liberty.jobs.service.connectors_text import TextView

router = resource("configuration", "/admin/files/connectors")


@router.get("", responses={200: {"model": FileTextModel}})
async def show_text(asked: Guarded) -> Response:
    """The file as it is now, comments and all, secrets masked."""
    return _answer(await asked.services.connectors_text.view())


@router.put("", responses={200: {"model": FileTextModel}})
async def save_text(asked: Guarded, body: FileTextBody) -> Response:
    """Write it anew and reload. 409 when it was changed since it was opened, 422 with every problem."""
    return _answer(await asked.services.connectors_text.save(body.text, body.hash, asked.caller))


@router.post("/check", responses={200: {"model": ValidationModel}})
async def check_text(asked: Guarded, body: FileTextBody) -> Response:
    """What would be wrong with the text; nothing is saved."""
    found = await asked.services.connectors_text.check(body.text)
    return json_answer({"ok": not found, "problems": [problem.as_dict() for problem in found]})


def _answer(view: TextView) -> Response:
    return json_answer(
        {
            "file": view.file,
            "hash": view.hash,
            "text": view.text,
            "problems": [problem.as_dict() for problem in view.problems],
        }
    )
