"""Whether the connectors, pools, queries and endpoints that steps name exist."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from liberty.errors import Invalid, NotFound, Problem, did_you_mean
from liberty.jobs.job import Job
from liberty.jobs.steps import StepConfig
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.jobs.steps.sql_query import SqlQueryStep

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry

type _Found = tuple[str, str]
"""Key of the step, and what is wrong there."""


def check_references(job: Job, registry: "ConnectorRegistry") -> list[Problem]:
    """One problem per name that does not exist. Values with `${` are known only at run time and are left out."""
    return [
        Problem(
            message, file=job.origin.file, line=job.origin.line, job=job.name, key=f"steps[{index}].{key}"
        )
        for index, step in enumerate(job.steps)
        for key, message in _of_step(step, registry)
    ]


def _of_step(step: StepConfig, registry: "ConnectorRegistry") -> Iterator[_Found]:
    if isinstance(step, SqlQueryStep):
        yield from _sql(registry, step.connector, step.pool, "")
        yield from _query(registry, step.connector, step.query, "query")
    elif isinstance(step, SqlCopyStep):
        for side, prefix in ((step.source, "source."), (step.target, "target.")):
            if side.connector is not None:
                yield from _sql(registry, side.connector, side.pool, prefix)
            elif side.file is not None:
                yield from _file(registry, side.file, prefix)
        if step.source.query is not None and step.source.connector is not None:
            yield from _query(registry, step.source.connector, step.source.query, "source.query")
    elif isinstance(step, HttpStep):
        yield from _endpoint(registry, step)


def _sql(registry: "ConnectorRegistry", name: str, pool: str | None, prefix: str) -> Iterator[_Found]:
    if "${" in name:
        return
    try:
        connector = registry.sql(name)
    except (NotFound, Invalid) as error:
        yield f"{prefix}connector", error.message
        return
    if pool is not None and "${" not in pool and pool not in connector.allowed_pools:
        near = did_you_mean(pool, connector.allowed_pools)
        yield (
            f"{prefix}pool",
            f"connector {name!r} may use the pools {', '.join(connector.allowed_pools)}, not {pool!r}{near}",
        )


def _file(registry: "ConnectorRegistry", url: str, prefix: str) -> Iterator[_Found]:
    if "${" in url:
        return
    try:
        registry.files.place(url)
    except Invalid as error:
        yield f"{prefix}file", error.message


def _query(registry: "ConnectorRegistry", connector: str, query: str, key: str) -> Iterator[_Found]:
    """A text with a blank in it is SQL; anything else must be a declared query."""
    if "${" in connector or "${" in query or len(query.split()) > 1:
        return
    try:
        known = registry.sql(connector).query_names()
    except (NotFound, Invalid):
        return
    name = query.strip().removesuffix(":write")
    if name not in known:
        listed = ", ".join(known) or "none"
        yield (
            key,
            f"connector {connector!r} declares no query {name!r}{did_you_mean(name, known)}; declared: {listed}",
        )


def _endpoint(registry: "ConnectorRegistry", step: HttpStep) -> Iterator[_Found]:
    if step.connector is None or "${" in step.connector:
        return
    try:
        connector = registry.api(step.connector)
    except (NotFound, Invalid) as error:
        yield "connector", error.message
        return
    endpoint, known = step.endpoint or "", connector.endpoint_names()
    if "${" not in endpoint and endpoint not in known:
        near = did_you_mean(endpoint, known)
        listed = ", ".join(known) or "none"
        yield "endpoint", f"connector {step.connector!r} has no endpoint {endpoint!r}{near}; known: {listed}"
