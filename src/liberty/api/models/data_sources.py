"""The settings pages of pools and connectors."""

from typing import Any, Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body, Values


class PoolModel(Answer):
    """A pool: how many connections it has of how many it may have. Counts are those of this replica."""

    name: str = Field(examples=["warehouse"])
    status: Literal["up", "full", "not opened", "unusable"]
    problem: str | None = Field(description="Why it cannot be used.")
    dialect: str | None = Field(examples=["postgresql"])
    in_use: int
    idle: int
    open: int
    limit: int | None = Field(
        description="Connections for each loop: pool_size + max_overflow.", examples=[15]
    )
    pool_size: int | None
    max_overflow: int | None
    pool_timeout_seconds: float | None
    max_runs: int | None = Field(description="Runs that may use it at once; null: no limit.")
    max_rows: int | None
    loops: int = Field(description="Event loops that have connections of their own.")
    jobs: int = Field(description="Jobs whose definition names it.")


class PoolListModel(Answer):
    """Every pool, by name."""

    items: list[PoolModel]
    next_cursor: None


class PoolTestModel(Answer):
    """Whether the database answered."""

    pool: str = Field(examples=["warehouse"])
    ok: bool
    duration_ms: float = Field(examples=[3.4])
    dialect: str | None = Field(examples=["postgresql"])
    server_version: str | None = Field(examples=["16.4"])
    problem: str | None = Field(examples=["ConnectionRefusedError: [Errno 111] Connect call failed"])


class PoolReloadModel(Answer):
    """The pool's connections were let go."""

    pool: str
    loops: int = Field(description="Event loops that had connections.")


class AttributeModel(Answer):
    """An attribute of a directory's entries."""

    name: str = Field(examples=["mail"])
    entries: int = Field(description="Entries of those looked at that have it.")
    several: bool = Field(description="An entry has more than one value, which a mapping joins by `;`.")
    example: str | None


class AttributesModel(Answer):
    """What the first 50 entries below a base have."""

    pool: str
    base: str = Field(examples=["dc=example,dc=org"])
    bases: list[str] = Field(description="What the server holds.")
    entries: int
    items: list[AttributeModel]


class EndpointRunBody(Body):
    """Values of the endpoint's parameters."""

    params: Values = Field(default_factory=dict, examples=[{"since": "2026-05-01"}])


class EndpointResultModel(Answer):
    """What an endpoint answered: of many pages the first, of a list the first 100 items."""

    connector: str
    endpoint: str
    ok: bool
    status: int = Field(examples=[200])
    duration_ms: float
    content_type: str | None
    result: Any = Field(description="The part that response_field and response_map make of it.")
    items: int | None = Field(description="Items of that page, when it is a list.")
    body: str
    truncated: bool
    error: str | None


class ConnectorModel(Answer):
    """A connector with what it declares. `type` null: it cannot be used, `problem` says why."""

    name: str = Field(examples=["warehouse"])
    type: Literal["sql", "api"] | None
    problem: str | None
    label: str | None = None
    description: str | None = None
    pool: str | None
    pools: list[str]
    base_url: str | None = None
    auth_type: str | None = None
    queries: list[Values] = Field(
        examples=[[{"name": "open_orders", "kind": "custom", "writable": False, "params": []}]]
    )
    endpoints: list[Values]


class ConnectorListModel(Answer):
    """Every declared connector, by name."""

    items: list[ConnectorModel]
    next_cursor: None


class ConnectorNameModel(Answer):
    """A connector or pool a parameter may name."""

    name: str
    type: str = Field(examples=["sql"])
    label: str | None


class ConnectorNamesModel(Answer):
    """For pickers; empty for who may run no job."""

    items: list[ConnectorNameModel]
    next_cursor: None


class QueryRunBody(Body):
    """Values of the query's parameters, and how many rows to show."""

    params: Values = Field(default_factory=dict, examples=[{"period": "2026-05"}])
    max_rows: int = Field(100, ge=1, le=1000)
    pool: str | None = Field(None, description="Another of the connector's pools.")


class QueryResultModel(Answer):
    """Rows of a query, as lists in the order of the columns."""

    connector: str
    query: str
    columns: list[str] = Field(examples=[["id", "total"]])
    rows: list[list[Any]] = Field(examples=[[[1, "12.50"]]])
    row_count: int
    truncated: bool = Field(description="There are more rows.")
    duration_ms: float


class TableModel(Answer):
    """A table or view."""

    name: str
    kind: Literal["table", "view"]


class TablesModel(Answer):
    """Tables and views of one schema, at most 2,000."""

    connector: str
    schema_: str | None = Field(alias="schema", examples=["public"])
    schemas: list[str]
    items: list[TableModel]
    truncated: bool


class ColumnModel(Answer):
    """A column."""

    name: str
    type: str = Field(examples=["NUMERIC(12, 2)"])
    nullable: bool
    key: bool = Field(description="Part of the primary key.")


class ColumnsModel(Answer):
    """The columns of a table, in order."""

    connector: str
    table: str
    schema_: str | None = Field(alias="schema")
    items: list[ColumnModel]
