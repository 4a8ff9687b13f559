"""The `sql_copy` step: rows from one database into another."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liberty.jobs.steps.base import StepConfig
from liberty.jobs.steps.fields import CallableRef, Templatable


class CopySource(BaseModel):
    """Where rows are read: a table, or the result of a query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: str = Field(min_length=1, description="SQL connector (or pool) to read from.")
    # `schema` is the published key, and a method of every pydantic model: the attribute needs another name.
    schema_name: str | None = Field(None, alias="schema", description="Schema of the table.")
    table: str | None = Field(None, description="Table to read; or give `query`.")
    pool: str | None = Field(None, description="Read on this pool instead of the connector's own.")
    query: str | None = Field(None, description="Declared query or SELECT text to read instead of a table.")
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Values for the query's `:name` placeholders."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query'")
        if self.query is None and self.params:
            raise ValueError("'params' belong to 'query'; a table has none")
        return self


class CopyTarget(BaseModel):
    """Where rows are written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: str = Field(min_length=1, description="SQL connector (or pool) to write to.")
    schema_name: str | None = Field(None, alias="schema", description="Schema of the table.")
    table: str = Field(
        min_length=1, description="Table to write; made from the source's columns when missing."
    )
    pool: str | None = Field(None, description="Write on this pool instead of the connector's own.")


class Incremental(BaseModel):
    """Copy only rows beyond the highest value the target already has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(min_length=1, description="Ever-growing column, e.g. a change time or an identity.")


class SqlCopyStep(StepConfig):
    """Copy rows between databases; a copy that fails or is aborted leaves the target as it was."""

    type: Literal["sql_copy"] = "sql_copy"
    source: CopySource = Field(description="Table or query to read.")
    target: CopyTarget = Field(description="Table to write.")
    mode: Annotated[Literal["overwrite", "append", "upsert"], Templatable()] = Field(
        "overwrite",
        description="overwrite swaps in a full new table, append adds rows, upsert updates by key.",
    )
    key_columns: Annotated[tuple[str, ...], Templatable()] = Field(
        (), description="Key for upsert; default: the target's primary key."
    )
    batch_size: Annotated[int, Field(ge=1, le=1_000_000), Templatable()] = Field(
        10_000, description="Rows per batch."
    )
    where: str | None = Field(None, description="SQL condition on the source table's rows.")
    transform: CallableRef | None = Field(
        None,
        description="`module.path:function` called with each row as a dict; returns a dict, or None to drop it.",
    )
    type_coercion: Annotated[Literal["none", "jde"], Templatable()] = Field(
        "none", description="jde: lower-case names and JD Edwards types."
    )
    decimal_mode: Annotated[Literal["preserve", "truncate"], Templatable()] = Field(
        "preserve", description="truncate: decimals become whole numbers, toward zero."
    )
    strip_both_columns: Annotated[tuple[str, ...], Templatable()] = Field(
        (), description="Text columns stripped of blanks on both sides."
    )
    incremental: Incremental | None = Field(None, description="Copy only what is new since the last copy.")
    verify: Annotated[bool, Templatable()] = Field(
        False, description="Compare checksums of source and target after the copy."
    )

    @model_validator(mode="after")
    def _options_fit_the_mode(self) -> Self:
        if self.where is not None and self.source.table is None:
            raise ValueError("'where' filters a source table; put the condition into the query instead")
        if self.incremental is not None and self.mode == "overwrite":
            raise ValueError("'incremental' needs mode 'append' or 'upsert'")
        return self
