"""Databases and HTTP services as `connectors.toml` declares them, ready to be awaited by job steps."""

from liberty.connectors.api import ApiConnector
from liberty.connectors.api_response import ApiResponse
from liberty.connectors.pools import PoolSet
from liberty.connectors.registry import ConnectorRegistry
from liberty.connectors.sql import SqlConnector
from liberty.connectors.sql_result import SqlResult

CONNECTOR_TYPES: dict[str, type[SqlConnector] | type[ApiConnector]] = {
    "sql": SqlConnector,
    "api": ApiConnector,
    "http": ApiConnector,
}
"""What `type` in `[connectors.<name>]` may say. A new kind is a new file and a line here."""

__all__ = [
    "CONNECTOR_TYPES",
    "ApiConnector",
    "ApiResponse",
    "ConnectorRegistry",
    "PoolSet",
    "SqlConnector",
    "SqlResult",
]
