"""The two sides of a `sql_copy` step as a job writes them: a table, a query, or a file."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from liberty.jobs.steps.addressed import own_params
from liberty.jobs.steps.base import PoolNames, RunContext, pool_used
from liberty.jobs.steps.fields import Templatable

if TYPE_CHECKING:
    from liberty.etl.transfer import Place
    from liberty.etl.transfer.file_end import FileOptions

type ColumnKind = Literal[
    "int",
    "decimal",
    "float",
    "text",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "bytes",
    "uuid",
    "json",
]
_FILE_KEYS = ("form", "delimiter", "encoding", "null", "columns")


class _Side(BaseModel):
    """What both sides may say: a table of a connector, or a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: str | None = Field(None, min_length=1, description="SQL connector (or pool); or give `file`.")
    # `schema` is the published key, and a method of every pydantic model: the attribute needs another name.
    schema_name: str | None = Field(None, alias="schema", description="Schema of the table.")
    table: str | None = Field(None, min_length=1, description="The table.")
    pool: str | None = Field(None, description="Use this pool instead of the connector's own.")
    file: str | None = Field(
        None,
        description="A file in a folder of `[jobs] file_folders`: `file:///data/orders.csv` or `.parquet`.",
    )
    form: Literal["csv", "parquet"] | None = Field(
        None, description="What the file is; default: what its name ends with."
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the fields of a CSV file.")
    encoding: str = Field("utf-8", description="Of a CSV file.")
    null: str = Field("", description="Text that stands for NULL in a CSV file, besides an unquoted nothing.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            letter = "a".encode(value)
        except LookupError:
            raise ValueError(f"no encoding {value!r}; use utf-8, latin-1, cp1252 or another one") from None
        if len(letter) != 1:
            raise ValueError(
                f"encoding {value!r} has more than one byte for a letter; convert the file to utf-8"
            )
        return value

    def _check_file(self) -> None:
        given = self.model_fields_set
        if self.file is None:
            for key in _FILE_KEYS:
                if key in given:
                    raise ValueError(f"'{key}' belongs to 'file'")
            if self.connector is None:
                raise ValueError("give 'connector', or 'file'")
            return
        for key, name in (
            ("connector", "connector"),
            ("schema_name", "schema"),
            ("table", "table"),
            ("pool", "pool"),
        ):
            if key in given:
                raise ValueError(f"give either 'file' or '{name}'")

    def _options(self) -> "FileOptions":
        from liberty.etl.transfer.file_end import FileOptions

        return FileOptions(form=self.form, delimiter=self.delimiter, encoding=self.encoding, null=self.null)

    def pools(self, connectors: PoolNames) -> frozenset[str]:
        """The pool that is used; none by a file."""
        return frozenset() if self.connector is None else pool_used(connectors, self.connector, self.pool)


class CopySource(_Side):
    """Where rows are read: a table, the result of a query, or a file."""

    query: str | None = Field(None, description="Declared query or SELECT text to read instead of a table.")
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Values for the `:name` placeholders of `query` or `where`."
    )
    columns: dict[str, ColumnKind] = Field(
        default_factory=dict,
        description="Kinds of a CSV file's columns; default: what the target's columns are, else text.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        self._check_file()
        given = [name for name in ("table", "query", "file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give either 'table' or 'query', or 'file'")
        if self.file is not None and self.params:
            raise ValueError("'params' belong to 'query' or 'where'; a file has none")
        return self

    def place(self, ctx: RunContext) -> "Place":
        """With this run's values for the parameters."""
        from liberty.etl.transfer import Place

        if self.file is not None:
            return Place(file=self.file, options=replace(self._options(), columns=self.columns))
        params = own_params(self.params, ctx)
        return Place(self.connector or "", self.schema_name, self.table, self.pool, self.query, params)


class CopyTarget(_Side):
    """Where rows are written: a table, made from the source's columns when it is missing, or a file."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        self._check_file()
        if self.file is None and self.table is None:
            raise ValueError("give 'table', or 'file'")
        return self

    def place(self) -> "Place":
        from liberty.etl.transfer import Place

        if self.file is not None:
            return Place(file=self.file, options=self._options())
        return Place(self.connector or "", self.schema_name, self.table, self.pool)
