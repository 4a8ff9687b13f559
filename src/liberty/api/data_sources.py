"""Pools and connectors: what there is, whether it works, and what is in the databases behind."""

from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models.data_sources import (
    AttributesModel,
    ColumnsModel,
    ConnectorListModel,
    ConnectorNamesModel,
    EndpointResultModel,
    EndpointRunBody,
    PoolListModel,
    PoolReloadModel,
    PoolTestModel,
    QueryResultModel,
    QueryRunBody,
    TablesModel,
)

router = resource("data sources", "/admin")

_SCHEMA = Query(description="Default: the database's own.")


@router.get("/pools", responses={200: {"model": PoolListModel}})
async def list_pools(asked: Guarded) -> Response:
    """Every pool with its limits and connections."""
    return json_answer(asked.services.pages.sources.pools())


@router.post("/pools/{pool}/test", responses={200: {"model": PoolTestModel}})
async def test_pool(pool: str, asked: Guarded) -> Response:
    """Ask the database something, for 5 seconds at most."""
    return json_answer(await asked.services.pages.sources.test_pool(pool))


@router.post("/pools/{pool}/reload", responses={200: {"model": PoolReloadModel}})
async def reload_pool(pool: str, asked: Guarded) -> Response:
    """Close the pool's connections, those in use when they come back; new ones are made on demand."""
    return json_answer(await asked.services.pages.sources.reload_pool(pool, asked.caller))


@router.get("/pools/{pool}/attributes", responses={200: {"model": AttributesModel}})
async def list_attributes(
    pool: str,
    asked: Guarded,
    base: Annotated[str | None, Query(max_length=1000, description="Default: what the server holds.")] = None,
    search_filter: Annotated[str, Query(alias="filter", max_length=2000)] = "(objectClass=*)",
    scope: Literal["base", "one", "subtree"] = "subtree",
) -> Response:
    """The attributes of a directory's first entries, for writing a mapping."""
    return json_answer(
        await asked.services.pages.remote.attributes(
            pool, base=base, search_filter=search_filter, scope=scope
        )
    )


@router.post(
    "/connectors/{connector}/endpoints/{endpoint}/run", responses={200: {"model": EndpointResultModel}}
)
async def run_endpoint(
    connector: str, endpoint: str, asked: Guarded, body: EndpointRunBody | None = None
) -> Response:
    """Call a declared endpoint that only reads, and show what it answers."""
    wanted = body or EndpointRunBody.model_validate({})
    return json_answer(await asked.services.pages.remote.run_endpoint(connector, endpoint, wanted.params))


@router.get("/connectors", responses={200: {"model": ConnectorListModel}})
async def list_connectors(asked: Guarded) -> Response:
    """Every connector with its declared queries or endpoints."""
    return json_answer(asked.services.pages.sources.connectors())


@router.get("/connectors/names", responses={200: {"model": ConnectorNamesModel}})
async def connector_names(asked: Guarded) -> Response:
    """Names for pickers; none for who may run no job."""
    return json_answer(asked.services.pages.sources.names(asked.caller))


@router.post("/connectors/{connector}/queries/{query}/run", responses={200: {"model": QueryResultModel}})
async def run_query(connector: str, query: str, asked: Guarded, body: QueryRunBody | None = None) -> Response:
    """Run a declared query that only reads, and show its first rows."""
    wanted = body or QueryRunBody.model_validate({})
    return json_answer(
        await asked.services.pages.sources.run_query(
            connector, query, wanted.params, max_rows=wanted.max_rows, pool=wanted.pool
        )
    )


@router.get("/connectors/{connector}/tables", responses={200: {"model": TablesModel}})
async def list_tables(
    connector: str,
    asked: Guarded,
    schema: Annotated[str | None, _SCHEMA] = None,
    like: Annotated[str | None, Query(max_length=200, description="A part of the name.")] = None,
) -> Response:
    """Tables and views, for browsing and completion."""
    return json_answer(await asked.services.pages.sources.tables(connector, schema=schema, like=like))


@router.get("/connectors/{connector}/tables/{table}/columns", responses={200: {"model": ColumnsModel}})
async def list_columns(
    connector: str, table: str, asked: Guarded, schema: Annotated[str | None, _SCHEMA] = None
) -> Response:
    """The columns of a table or view."""
    return json_answer(await asked.services.pages.sources.columns(connector, table, schema=schema))
