"""What `connectors.toml` may say: pools, SQL connectors, API connectors. Read here, used nowhere else directly."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from liberty.connectors.api_pages import Pagination
from liberty.connectors.ldap_config import LdapPoolConfig

MAX_ROWS_LIMIT = 1_000_000
"""No read keeps more rows than this in memory, whatever a file says."""

DEFAULT_MAX_ROWS = 1_000

type Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]*$")]
type MaxRows = Annotated[int, Field(ge=1, le=MAX_ROWS_LIMIT)]
type ParamType = Literal["string", "int", "float", "bool", "date", "datetime"]
type Scalar = str | int | float | bool | None


class _Table(BaseModel):
    # Built when first used: a server without API connectors starts without paying for them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PoolConfig(_Table):
    """`[pools.<name>]`: where a database is and how many connections it may get."""

    url: str = Field(description="SQLAlchemy URL; `postgresql://` and `sqlite:///` mean their async drivers.")
    password: str | None = Field(
        default=None, description="Replaces the one in the URL; may be an `ENC:` value."
    )
    dialect: str | None = Field(
        default=None, description="Key into per-dialect SQL; default: read from the URL."
    )
    schemas: dict[str, str] = Field(default_factory=dict, description="What `#SCHEMA.<NAME>#` stands for.")
    dblinks: dict[str, str] = Field(default_factory=dict, description="What `#DBLINK.<NAME>#` stands for.")
    pool_size: int = Field(default=5, ge=1, le=1_000, description="Connections kept open.")
    max_overflow: int = Field(default=10, ge=0, le=1_000, description="Further connections under load.")
    pool_timeout: float = Field(default=30, gt=0, description="Seconds to wait for a free connection.")
    pool_pre_ping: bool = Field(default=True, description="Test a connection before it is used.")
    pool_recycle: int = Field(
        default=-1, ge=-1, description="Seconds after which a connection is replaced; -1: never."
    )
    max_runs: int | None = Field(
        default=None, ge=1, description="Runs that may use this pool at once; others wait. Default: no limit."
    )
    echo: bool = False
    max_rows: MaxRows = Field(default=DEFAULT_MAX_ROWS, description="Rows a read keeps at most.")
    arraysize: int | None = Field(default=None, ge=1, description="Rows fetched per round trip.")
    trim_strings: bool = Field(
        default=False, description="Copies from this pool drop trailing blanks of texts."
    )
    coalesce_nulls: bool = Field(
        default=False, description="Copies into this pool write ' ' and 0 instead of NULL."
    )
    debug_sql: bool = Field(default=False, description="Log every statement at DEBUG.")

    @field_validator("schemas", "dblinks")
    @classmethod
    def _plain_identifiers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, target in value.items():
            bare = target.removeprefix("@")
            if not all(part.replace("$", "_").isidentifier() for part in bare.split(".")):
                raise ValueError(f"{name} = {target!r} must be a plain identifier")
        return {name.upper(): target for name, target in value.items()}


class ParamConfig(_Table):
    """One declared parameter of a query or an endpoint."""

    name: Identifier
    label: str | None = None
    description: str | None = None
    type: ParamType | None = Field(
        default=None, description="Texts are converted to it before they are bound."
    )
    default: Scalar = None
    required: bool = False
    multiple: bool = Field(default=False, description="A list; in SQL it stands for `(…, …)` after IN.")
    filter_from: str | None = None
    lookup: str | None = None


def _as_params(value: object) -> object:
    """`{name = default}` is read as a list of params."""
    if isinstance(value, Mapping):
        return [
            {"name": name, **default} if isinstance(default, Mapping) else {"name": name, "default": default}
            for name, default in value.items()
        ]
    return value


def _as_named_list(value: object) -> object:
    """`[x.queries.<name>]` tables are read as a list of entries with that name."""
    if isinstance(value, Mapping):
        return [
            {"name": name, **entry} if isinstance(entry, Mapping) else entry for name, entry in value.items()
        ]
    return value


class QueryConfig(_Table):
    """A declared statement: called by its name, bound by `:name`."""

    name: str = Field(min_length=1)
    sql: str | dict[str, str] = Field(description="One statement, or a map per dialect with a `default`.")
    writable: bool = Field(default=False, description="The statement may change data.")
    params: tuple[ParamConfig, ...] = ()
    max_rows: MaxRows | None = None
    type: Literal["table", "custom", "sequence", "lookup"] = "custom"
    label: str | None = None
    description: str | None = None
    app: str | None = None
    expose_to_ai: bool = False

    _params = field_validator("params", mode="before")(_as_params)

    @field_validator("sql")
    @classmethod
    def _has_text(cls, value: str | dict[str, str]) -> str | dict[str, str]:
        text = value if isinstance(value, str) else value.get("default", "")
        if not text.strip():
            raise ValueError(
                "the SQL is empty"
                if isinstance(value, str)
                else "a per-dialect map needs a non-empty `default`"
            )
        return value


class SlotConfig(_Table):
    """One of the four statements of a table."""

    sql: str | dict[str, str]
    writable: bool | None = Field(default=None, description="Default: false for `get`, true for the others.")
    params: tuple[ParamConfig, ...] = ()

    _params = field_validator("params", mode="before")(_as_params)


class TableConfig(_Table):
    """A table with up to four statements, called `<table>_get`, `_put`, `_post`, `_delete`."""

    name: str = Field(min_length=1)
    label: str | None = None
    description: str | None = None
    get: SlotConfig | None = None
    put: SlotConfig | None = None
    post: SlotConfig | None = None
    delete: SlotConfig | None = None

    _named = field_validator("get", "put", "post", "delete", mode="before")(
        lambda value: {"sql": value} if isinstance(value, str) else value
    )


class SqlConnectorConfig(_Table):
    """`[connectors.<name>] type = "sql"`: named statements over a pool."""

    type: Literal["sql"]
    pool: str = "default"
    pools: tuple[str, ...] = Field(default=(), description="Further pools a call may choose.")
    max_rows: MaxRows | None = None
    label: str | None = None
    description: str | None = None
    licensed: bool = False
    show_in_switcher: bool = True
    home: str | None = None
    queries: tuple[QueryConfig, ...] = ()
    sequences: tuple[QueryConfig, ...] = ()
    lookups: tuple[QueryConfig, ...] = ()
    tables: tuple[TableConfig, ...] = ()

    _lists = field_validator("sequences", "lookups", "tables", mode="before")(_as_named_list)

    @model_validator(mode="before")
    @classmethod
    def _move_typed_entries(cls, data: Any) -> Any:
        """One flat list whose entries name their kind is read as the separate lists."""
        if not isinstance(data, Mapping):
            return data
        entries = _as_named_list(data.get("queries", ()))
        if not isinstance(entries, (list, tuple)):
            return {**data, "queries": entries}
        tables = [entry for entry in entries if isinstance(entry, Mapping) and entry.get("type") == "table"]
        if not tables:
            return {**data, "queries": entries}
        declared = _as_named_list(data.get("tables", ()))
        return {
            **data,
            "queries": [entry for entry in entries if entry not in tables],
            "tables": [*(declared if isinstance(declared, (list, tuple)) else ())]
            + [{key: value for key, value in entry.items() if key != "type"} for entry in tables],
        }

    @model_validator(mode="after")
    def _names_once(self) -> "SqlConnectorConfig":
        seen: set[str] = set()
        for query in self.all_queries():
            if query.name in seen:
                raise ValueError(
                    f"two queries are called {query.name!r}; a name must be unique in its connector"
                )
            seen.add(query.name)
        return self

    def all_queries(self) -> list[QueryConfig]:
        """Every callable statement: queries, sequences, lookups, and the slots of tables under their names."""
        found = [*self.queries]
        found += [query.model_copy(update={"type": "sequence"}) for query in self.sequences]
        found += [query.model_copy(update={"type": "lookup"}) for query in self.lookups]
        for table in self.tables:
            for verb in ("get", "put", "post", "delete"):
                slot: SlotConfig | None = getattr(table, verb)
                if slot is not None:
                    writable = verb != "get" if slot.writable is None else slot.writable
                    found.append(
                        QueryConfig(
                            name=f"{table.name}_{verb}",
                            sql=slot.sql,
                            writable=writable,
                            params=slot.params,
                            type="table",
                            label=table.label,
                        )
                    )
        return found


type HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class EndpointConfig(_Table):
    """One call an API connector offers. `{{name}}` is filled in everywhere, `:name` in the path too."""

    name: str = Field(min_length=1)
    method: HttpMethod = "GET"
    path: str = Field(default="", description="Below the connector's base_url.")
    headers: dict[str, str] = Field(default_factory=dict)
    query_params: dict[str, Any] = Field(default_factory=dict)
    body: Any = Field(default=None, description="A text with placeholders, or a table or list sent as JSON.")
    content_type: str | None = None
    response_field: str | None = Field(
        default=None, description="Dotted path of the part of the answer to extract."
    )
    response_map: dict[str, str] = Field(default_factory=dict, description="name = dotted path.")
    pagination: Pagination | None = Field(
        default=None, description="The answer comes in pages; all are read."
    )
    params: tuple[ParamConfig, ...] = ()
    label: str | None = None
    description: str | None = None

    _params = field_validator("params", mode="before")(_as_params)
    _upper = field_validator("method", mode="before")(
        lambda value: value.upper() if isinstance(value, str) else value
    )

    @field_validator("path")
    @classmethod
    def _relative(cls, value: str) -> str:
        if "://" in value or value.startswith("//") or "\\" in value:
            raise ValueError("must be a path below base_url, not another address")
        return value


class ApiConnectorConfig(_Table):
    """`[connectors.<name>] type = "api"` (or `"http"`): calls to one HTTP service."""

    type: Literal["api", "http"]
    base_url: str
    auth_type: Literal["none", "basic", "bearer", "api_key", "oauth2"] = "none"
    auth_username: str | None = Field(default=None, description="User, or client id for oauth2.")
    auth_password: str | None = Field(default=None, description="Password, or client secret for oauth2.")
    auth_token: str | None = Field(default=None, description="Bearer token or API key.")
    auth_api_key_header: str = "X-Api-Key"
    auth_token_endpoint: str | None = Field(
        default=None, description="Path below base_url, full URL, or endpoint name."
    )
    auth_token_field: str = Field(
        default="access_token", description="Dotted path of the token in the answer."
    )
    auth_token_body: str | dict[str, Any] | None = Field(
        default=None,
        description="Default: the client-credentials grant. May use {{auth_username}}, {{auth_password}}.",
    )
    auth_token_content_type: str = Field(
        default="application/x-www-form-urlencoded", description="Of the sign-in body."
    )
    auth_token_headers: dict[str, str] = Field(default_factory=dict)
    auth_token_ttl: float = Field(
        default=3300, gt=0, description="Seconds a token is kept when its answer does not say."
    )
    default_headers: dict[str, str] = Field(default_factory=dict)
    timeout: float = Field(default=30, gt=0, le=3_600, description="Seconds for one request and its answer.")
    requests_per_second: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="Requests are spread to at most so many; default: no limit.",
    )
    retry_after_max_seconds: float = Field(
        default=60,
        ge=0,
        le=3_600,
        description="Longest pause that the service may ask for by Retry-After (429, 503) and gets; 0: none.",
    )
    proxy: str | None = Field(
        default=None, description="`http://host:port` to go through; the environment's is never used."
    )
    verify_ssl: bool = Field(
        default=True, description="Check the server's certificate. false is told in the log."
    )
    label: str | None = None
    description: str | None = None
    licensed: bool = False
    endpoints: tuple[EndpointConfig, ...] = ()

    _lists = field_validator("endpoints", mode="before")(_as_named_list)

    @field_validator("base_url")
    @classmethod
    def _http_only(cls, value: str) -> str:
        if not value.lower().startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy_is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.lower().startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @model_validator(mode="after")
    def _auth_is_complete(self) -> "ApiConnectorConfig":
        needed = {
            "basic": ("auth_username", "auth_password"),
            "bearer": ("auth_token",),
            "api_key": ("auth_token",),
            "oauth2": ("auth_token_endpoint",),
        }.get(self.auth_type, ())
        missing = [key for key in needed if not getattr(self, key)]
        if missing:
            raise ValueError(f"auth_type = {self.auth_type!r} needs {' and '.join(missing)}")
        names = [endpoint.name for endpoint in self.endpoints]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two endpoints are called {name!r}; a name must be unique in its connector")
        return self


SECRET_KEYS = frozenset({"password", "auth_password", "auth_token", "bind_password"})
"""Keys whose value is a secret: registered for redaction, never described."""


class ConnectorsFile(_Table):
    """The whole of `connectors.toml`; also the source of its JSON Schema."""

    pools: dict[str, PoolConfig | LdapPoolConfig] = Field(default_factory=dict)
    connectors: dict[str, Annotated[SqlConnectorConfig | ApiConnectorConfig, Field(discriminator="type")]] = (
        Field(default_factory=dict)
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `connectors.toml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ConnectorsFile.model_json_schema()}
