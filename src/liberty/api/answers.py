"""JSON answers from what is already in its wire shape: no model is built or checked on the way out."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def json_answer(body: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response:
    """`body` as JSON that no cache keeps."""
    # A lone surrogate in a user's text cannot be UTF-8; it is shown as its escape.
    text = _encode(body).encode("utf-8", "backslashreplace")
    return Response(text, status, media_type="application/json")
