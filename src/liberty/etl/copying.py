"""The helper for plugins that copies a query's rows into a table."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer import CopyRequest, Place, copy

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry

_log = logging.getLogger("liberty.etl")
_numbers = itertools.count(1)


async def copy_query_to_table(
    *,
    connectors: "ConnectorRegistry",
    source_connector: str,
    source_sql: str,
    source_params: Mapping[str, Any] | None = None,
    target_connector: str,
    target_table: str,
    target_columns: Sequence[str] | None = None,
    batch_size: int = 1_000,
) -> int:
    """Add the rows of a query to a table, which may have a schema before its name; returns how many.

    Either all rows arrive or none. `target_columns` names the target's columns in the order of the query's; by
    default they are the query's own names in lower case. A target that does not exist is made. Raises CopyFailed
    naming row, column and value for data that does not fit.
    """
    outcome = await copy(
        CopyRequest(
            connectors=connectors,
            source=Place(source_connector, query=source_sql, params=dict(source_params or {})),
            target=Place(target_connector, table=target_table),
            label=f"etl_{next(_numbers)}",
            mode="append",
            batch_size=batch_size,
            lower_names=True,
            target_columns=tuple(target_columns or ()),
        )
    )
    _log.info(
        "liberty.etl copy %s -> %s: %s rows=%d",
        source_connector,
        target_connector,
        target_table,
        outcome.rows_written,
    )
    return outcome.rows_written
