"""What an endpoint's answer becomes: the text, the decoded JSON, and the parts of it that were asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from liberty.connectors.http import HttpResponse


@dataclass(slots=True)
class ApiResponse:
    """The answer of an endpoint; an error status is reported, not raised.

    Attributes:
        success: the status was 2xx.
        body: the text of the answer.
        json: the decoded body, None when it is not JSON.
        extracted: what `response_field` points to.
        mapped: `response_map` applied to the extracted part (to each item when that is a list).
        error: status and an excerpt of the body when not successful.
        pages: how many the answer came in. Of several, `json` and `extracted` are the items of all.
    """

    success: bool
    status_code: int
    url: str
    body: str
    json: Any = None
    extracted: Any = None
    mapped: Any = None
    error: str | None = None
    duration_ms: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False
    pages: int = 1


def decoded(answer: HttpResponse) -> Any:
    if answer.truncated or not answer.body:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def pick(value: Any, path: str) -> Any:
    """What a dotted path points to; numbers index lists; None when a part is missing."""
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def mapped_by(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [mapped_by(item, paths) for item in value]
    return {name: pick(value, path) for name, path in paths.items()}
