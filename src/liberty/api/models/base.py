"""What all requests and answers share, and the shape of errors."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

type Instant = Annotated[
    str, Field(description="RFC 3339, UTC, milliseconds.", examples=["2026-03-29T01:00:00.000Z"])
]
type Values = dict[str, Any]
type Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Answer(BaseModel):
    """What the server sends."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """What a client sends; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


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
