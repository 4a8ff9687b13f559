"""Moving rows between databases. `choose` is where a faster way for a pair of databases takes its place."""

from collections.abc import Awaitable, Callable

from liberty.etl.transfer import general
from liberty.etl.transfer.request import CopyFailed, CopyOutcome, CopyRequest, Place, Transform

type Path = Callable[[CopyRequest], Awaitable[CopyOutcome]]

__all__ = ["CopyFailed", "CopyOutcome", "CopyRequest", "Path", "Place", "Transform", "choose", "copy"]


def choose(_request: CopyRequest) -> Path:
    """The way to run a copy: the first path that can do all it asks for; the general one can always."""
    return general.copy


async def copy(request: CopyRequest) -> CopyOutcome:
    """Run a copy by the path that suits it. Raises CopyFailed when the data does not fit."""
    return await choose(request)(request)
