"""What the routes call: the open program and the use cases made from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from liberty.api.liveness import Liveness
from liberty.jobs.service.jobs import JobReader
from liberty.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may use. `admin_ready` ends when the first administrator exists."""

    runtime: Runtime
    liveness: Liveness
    admin_ready: Callable[[], Awaitable[object]]
    jobs: JobReader

    @classmethod
    def of(
        cls, runtime: Runtime, liveness: Liveness, admin_ready: Callable[[], Awaitable[object]]
    ) -> "Services":
        return cls(
            runtime=runtime,
            liveness=liveness,
            admin_ready=admin_ready,
            jobs=JobReader(
                database=runtime.database, scheduler=runtime.scheduler, current=lambda: runtime.generation
            ),
        )
