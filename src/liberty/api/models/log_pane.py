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


class LogMatchesModel(Answer):
    """The numbers of the lines that hold the text. Add the answers up when `next_cursor` leads on."""

    lines: list[int] = Field(examples=[[250, 252, 293]])
    count: int
    searched_to: int
    last_seq: int
    next_cursor: str | None = Field(description="For `cursor`, when lines are left to search.")
