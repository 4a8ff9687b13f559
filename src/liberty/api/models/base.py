"""What all requests and answers share, and the shape of errors."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

type Instant = Annotated[
    str, Field(description="RFC 3339, UTC, milliseconds.", examples=["2026-03-29T01:00:00.000Z"])
]
type Values = dict[str, Any]
type Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

MAX_DEPTH = 64  # containers within containers


class Answer(BaseModel):
    """What the server sends."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """What a client sends; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _can_be_stored(cls, value: Any) -> Any:
        check_storable(value)
        return value


class ProblemItem(Answer):
    """One thing wrong in a definition or a request."""

    message: str
    file: str | None = None
    line: int | None = None
    job: str | None = None
    key: str | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; `code` is stable."""

    type: str = Field(examples=["urn:nomaflow:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_found"])
    problems: list[ProblemItem] | None = None


def check_storable(value: Any) -> None:
    """Raises ValueError for what databases and files cannot hold: NUL, halves of surrogate pairs, deep nesting."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return
        level = below
    raise ValueError(f"values are nested at most {MAX_DEPTH} deep")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("a text holds the character NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half of a surrogate pair, which is no character") from None
