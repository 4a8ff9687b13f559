"""Moving data: six helpers that plugins and `python` steps call."""

from liberty.etl.copying import copy_query_to_table
from liberty.etl.current_run import current_run_id
from liberty.etl.statements import delete_rows, insert_audit_record, run_query, snapshot_rows, truncate_table

__all__ = [
    "copy_query_to_table",
    "current_run_id",
    "delete_rows",
    "insert_audit_record",
    "run_query",
    "snapshot_rows",
    "truncate_table",
]
