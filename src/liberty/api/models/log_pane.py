"""The log pane: counts and positions in a long log, matches of a search."""

from pydantic import Field

from liberty.api.models.base import Answer


class LogFoldModel(Answer):
    """The lines of one step; null is what the run itself said."""

    step: str | None = Field(examples=["match-planes"])
    first_seq: int
    last_seq: int = Field(description="Lines of others may lie in between.")
    counts: dict[str, int] = Field(examples=[{"INFO": 46, "ERROR": 3}])
    first_error: int | None


class LogSummaryModel(Answer):
    """How many lines there are of which level and step. Add the answers up when `next_cursor` leads on."""

    last_seq: int = Field(description="The number of the last line stored now.", examples=[1000000])
    counted_to: int
    next_cursor: str | None = Field(description="For `cursor`, when lines are left to count.")
    counts: dict[str, int] = Field(examples=[{"DEBUG": 12, "INFO": 280, "WARNING": 4, "ERROR": 3}])
    first_error: int | None = Field(examples=[250])
    first_warning: int | None
    steps: list[LogFoldModel] = Field(description="In the order in which they begin.")
    dropped: int
    status: str


class LogPartModel(Answer):
    """So many lines in a row belong to this step; null is what the run itself said."""

    step: str | None = Field(examples=["match-planes"])
    count: int


class LogTryModel(Answer):
    """The line with which a try of a step begins."""

    seq: int
    attempt: int
    of: int


class LogShapeModel(Answer):
    """Level and step of each line, without texts. Put the answers one after the other when `next_cursor` leads on."""

    after: int = Field(description="The first letter of `levels` is the line after this one.")
    levels: str = Field(description="D, I, W or E for each line.", examples=["IDDIWE"])
    parts: list[LogPartModel]
    tries: list[LogTryModel] = Field(description="Of steps that may be tried more than once.")
    next_cursor: str | None = Field(description="For `cursor`, when there are more lines.")
    last_seq: int
    dropped: int
    status: str


class LogMatchesModel(Answer):
    """The numbers of the lines that hold the text. Add the answers up when `next_cursor` leads on."""

    lines: list[int] = Field(examples=[[250, 252, 293]])
    count: int
    searched_to: int
    last_seq: int
    next_cursor: str | None = Field(description="For `cursor`, when lines are left to search.")
