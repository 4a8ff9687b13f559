"""What an HTTP answer becomes: the decoded body for later steps, at most 100 KiB of it for the history."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from liberty.jobs.run import Json
from liberty.jobs.steps.base import StepResult
from liberty.secrets import MASK, is_secret_name

STORED_BODY_BYTES = 100 * 1024
EXCERPT_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One answer. `cut` means that the text is only its beginning; `extra` is what an endpoint made of it."""

    method: str
    url: str
    status: int
    text: str
    headers: dict[str, str]
    elapsed_ms: float
    cut: bool = False
    reason: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def result(self) -> StepResult:
        """The whole decoded body as `output`, what fits of it as `extras`."""
        body = self.text if self.cut else decoded(self.text, self.headers.get("content-type", ""))
        facts: dict[str, Any] = {
            "status": self.status,
            "status_code": self.status,
            "url": self.url,
            "headers": self.headers,
            "elapsed_ms": self.elapsed_ms,
        }
        if self.cut:
            facts["truncated"] = True
        output = {**facts, "body": body, **self.extra}
        size = len(self.text.encode("utf-8", "replace"))
        if size <= STORED_BODY_BYTES:
            return StepResult(None, output)
        beginning = self.text.encode("utf-8", "replace")[:STORED_BODY_BYTES].decode("utf-8", "ignore")
        return StepResult(None, {**facts, "body": beginning, "body_bytes": size, "truncated": True}, output)

    def unexpected(self, expected: tuple[int, ...]) -> str:
        """What to tell about a status nobody expected."""
        wanted = ", ".join(map(str, expected)) or "2xx"
        said = f"{self.method} {self.url} answered {self.status} {self.reason}".rstrip()
        excerpt = " ".join(self.text[: EXCERPT_CHARACTERS * 2].split())
        if len(excerpt) > EXCERPT_CHARACTERS:
            excerpt = f"{excerpt[: EXCERPT_CHARACTERS - 1]}…"
        return f"{said}; expected {wanted}" + (f": {excerpt}" if excerpt else "")


def decoded(text: str, content_type: str) -> Json:
    """The JSON value when the text is one; else the text. None for an empty one.

    Text that only looks like JSON (NaN, lone surrogates, nesting beyond the parser) stays text.
    """
    if not text:
        return None
    says_json = "json" in content_type.partition(";")[0].lower()
    if not says_json and text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        value: Json = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        return text
    return value


def shown_url(url: str) -> str:
    """The URL for logs and snapshots: without fragment, values under a secret's name masked."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(name, MASK if is_secret_name(name) else value) for name, value in pairs], safe="*")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
