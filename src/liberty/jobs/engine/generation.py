"""One loaded configuration. Runs hold the generation they began with, so a reload never changes what is in flight."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from liberty.connectors import ConnectorRegistry
from liberty.jobs.job import Job, pools_of
from liberty.jobs.run import Gate
from liberty.jobs.store.queue import job_gate
from liberty.plugins import Plugins
from liberty.settings import Settings

if TYPE_CHECKING:
    from liberty.jobs.catalogue import Catalogue


class Admission(TypedDict):
    """The part of a new run that says what it waits for, and what it is refused for."""

    exclusive: bool
    gates: tuple[Gate, ...]
    max_queued: int | None
    replaces: bool


@dataclass(slots=True)
class Generation:
    """Settings, jobs, connectors and plugins as one whole; `versions` numbers each job's definition.

    `hold` and `release` count the runs that use it. Its connectors close when it is retired and the last of
    them has ended. Both are called on the work loop only.
    """

    settings: Settings
    catalogue: "Catalogue"
    connectors: ConnectorRegistry
    plugins: Plugins
    versions: Mapping[str, int] = field(default_factory=dict)
    _admissions: dict[str, Admission] = field(default_factory=dict)
    _holders: int = 0
    _retired: bool = False
    _closing: asyncio.Task[None] | None = None

    def admission_of(self, job: Job) -> Admission:
        """What runs of `job` wait for and are refused for: by its `overlap`, and the limits of the pools it uses."""
        if self.catalogue.jobs.get(job.name) is not job:  # a replay by an earlier definition
            return self._admission(job)
        known = self._admissions.get(job.name)
        if known is None:
            known = self._admissions[job.name] = self._admission(job)
        return known

    def _admission(self, job: Job) -> Admission:
        in_a_row = (job_gate(job.name),) if job.overlap in ("queue", "replace") else ()
        pools = tuple(
            Gate(f"pool:{pool}", limit)
            for pool in sorted(pools_of(job, self.connectors))
            if (limit := self.connectors.max_runs(pool)) is not None
        )
        return {
            "exclusive": job.overlap == "skip",
            "gates": (*in_a_row, *pools),
            "max_queued": job.max_queued,
            "replaces": job.overlap == "replace",
        }

    def hold(self) -> None:
        self._holders += 1

    def release(self) -> None:
        self._holders -= 1
        self._close_when_unused()

    def retire(self) -> None:
        """A newer generation has taken over."""
        self._retired = True
        self._close_when_unused()

    def _close_when_unused(self) -> None:
        if self._retired and not self._holders:
            self._closing = asyncio.get_running_loop().create_task(
                self.connectors.close(), name="close connectors"
            )
