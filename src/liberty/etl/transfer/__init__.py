"""Moving rows between databases. `paths` is where a faster way for a pair of databases takes its place."""

from liberty.etl.transfer.flow import copy
from liberty.etl.transfer.request import (
    BatchTransform,
    CopyFailed,
    CopyOutcome,
    CopyRequest,
    Mark,
    Place,
    Transform,
)

__all__ = ["BatchTransform", "CopyFailed", "CopyOutcome", "CopyRequest", "Mark", "Place", "Transform", "copy"]
