"""What tests of copies share: every pair of databases, and ways to fill and read them."""

import itertools
from typing import Any

from liberty.connectors import ConnectorRegistry
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.testing import build_fake_ctx

PAIRS = list(itertools.product(("sqlite", "pg"), ("sqlite2", "pg")))


def place(pool: str, **values: Any) -> dict[str, Any]:
    return {"connector": pool, **values}


def copy_step(source: Any, target: Any, **options: Any) -> SqlCopyStep:
    """`source` and `target` are (pool, table) or whole places."""
    sides = [place(side[0], table=side[1]) if isinstance(side, tuple) else side for side in (source, target)]
    return SqlCopyStep.model_validate({"source": sides[0], "target": sides[1], **options})


async def copied(pools: ConnectorRegistry, source: Any, target: Any, **options: Any) -> dict[str, Any]:
    result = await copy_step(source, target, **options).execute(build_fake_ctx(connectors=pools))
    return result.extras


async def run(pools: ConnectorRegistry, pool: str, *statements: str) -> None:
    for statement in statements:
        await pools.sql(pool).execute(statement)


async def rows(pools: ConnectorRegistry, pool: str, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await pools.sql(pool).rows(sql)]
