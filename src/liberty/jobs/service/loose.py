"""JSON of whatever a definition holds, for reading only."""

import math
from datetime import datetime
from typing import Any

from liberty.clock import rfc3339
from liberty.jobs.run import Json


def loose(value: Any) -> Json:
    """JSON of a definition's values: dates, paths and the like as text, and numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): loose(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [loose(item) for item in value]
    return rfc3339(value) if isinstance(value, datetime) and value.tzinfo else str(value)
