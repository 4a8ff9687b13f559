"""Pools and connectors as the settings pages show them: what there is, whether it works, what is in it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from liberty.auth import audit
from liberty.clock import Clock
from liberty.connectors import looking
from liberty.connectors.ldap import LdapPool
from liberty.connectors.looking_at_directories import test_directory
from liberty.connectors.sql import SqlConnector
from liberty.database import Database, Tx
from liberty.errors import Invalid, LibertyError, NotFound, did_you_mean
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import pools_of
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.loose import loose
from liberty.jobs.service.wire import Wire
from liberty.secrets import MASK, is_secret_name, redactor

MAX_CELL = 2_000  # characters of one value
QUERY_SECONDS = 30.0


class DataSources:
    """Looks at databases over the pools of the present generation. Rights were checked by the table of routes."""

    def __init__(self, *, database: Database, clock: Clock, current: Callable[[], Generation]) -> None:
        self._database = database
        self._clock = clock
        self._current = current

    # -- pools

    def pools(self) -> Wire:
        """Every pool with its limits and connections; no URL, as it may hold a password."""
        generation = self._current()
        pools = generation.connectors.pools
        users: dict[str, list[str]] = {}
        for job in generation.catalogue.jobs.values():
            for name in pools_of(job, generation.connectors):
                users.setdefault(name, []).append(job.name)
        found = {stats["pool"]: self._pool(stats["pool"], stats) for stats in pools.stats()}
        found |= {directory.name: _directory(directory) for directory in generation.connectors.directories()}
        items: list[Json] = [{**found[name], "jobs": len(users.get(name, ()))} for name in sorted(found)]
        return {"items": items, "next_cursor": None}

    def _pool(self, name: str, stats: Mapping[str, Any]) -> Wire:
        pools = self._current().connectors.pools
        problem = stats.get("problem")
        try:
            config = pools.config(name)
        except LibertyError as error:
            problem = problem or error.message
            config = None
        opened = stats["checked_out"] + stats["idle"]
        limit = None if config is None else config.pool_size + config.max_overflow
        per_loop = max(1, stats["engines"])
        if problem is not None:
            status = "unusable"
        elif not stats["engines"]:
            status = "not opened"
        elif limit is not None and stats["size"] and stats["checked_out"] >= limit * per_loop:
            status = "full"
        else:
            status = "up"
        return {
            "name": name,
            "status": status,
            "problem": None if problem is None else redactor.redact(str(problem)),
            "dialect": stats["dialect"] or (None if config is None else _dialect(config.url, config.dialect)),
            "in_use": stats["checked_out"],
            "idle": stats["idle"],
            "open": opened,
            "limit": limit,
            "pool_size": None if config is None else config.pool_size,
            "max_overflow": None if config is None else config.max_overflow,
            "pool_timeout_seconds": None if config is None else config.pool_timeout,
            "max_runs": None if config is None else config.max_runs,
            "max_rows": None if config is None else config.max_rows,
            "loops": stats["engines"],
        }

    async def test_pool(self, name: str) -> Wire:
        """Ask the database something. Raises NotFound."""
        registry = self._current().connectors
        directory = next((one for one in registry.directories() if one.name == name), None)
        if directory is not None:
            found = await test_directory(directory)
        else:
            found = await looking.test_pool(registry.pools, _declared(self._pool_names(), name))
        return {
            "pool": name,
            "ok": found.ok,
            "duration_ms": found.milliseconds,
            "dialect": found.dialect,
            "server_version": found.server,
            "problem": found.problem,
        }

    async def reload_pool(self, name: str, caller: Caller) -> Wire:
        """Close its connections; new ones are made when they are asked for. Raises NotFound."""
        if any(one.name == name for one in self._current().connectors.directories()):
            return {"pool": name, "loops": 0}  # it keeps no connection
        name = _declared(self._pool_names(), name)
        loops = await self._current().connectors.pools.recycle(name)
        at = self._clock.now()

        async def note(tx: Tx) -> None:
            await audit.record(
                tx,
                at=at,
                actor=caller.principal,
                action="pool.reload",
                object=f"pool:{name}",
                details={},
                address=caller.address,
            )

        await self._database.write(note)
        return {"pool": name, "loops": loops}

    def _pool_names(self) -> list[str]:
        return self._current().connectors.pools.names()

    # -- connectors

    def connectors(self) -> Wire:
        """Every connector with its queries or endpoints; secrets are no part of it."""
        items: list[Json] = [{**_NOTHING, **_plain(entry)} for entry in self._current().connectors.describe()]
        return {"items": items, "next_cursor": None}

    def names(self, caller: Caller) -> Wire:
        """Names and kinds, for whoever may run any job: what a parameter that names a connector may be."""
        generation = self._current()
        runs_any = any(
            caller.may("run", job.name, job.app) for job in generation.catalogue.jobs.values()
        ) or caller.principal.may_every_job("run")
        registry = generation.connectors
        items: list[Json] = []
        if runs_any:
            described = {entry["name"]: entry for entry in registry.describe()}
            for directory in registry.directories():
                described[directory.name] = {"type": "ldap", "label": directory.config.label}
            for name in registry.names():
                entry = described.get(name, {"type": "sql", "label": None})
                if entry["type"] is not None:
                    items.append({"name": name, "type": entry["type"], "label": entry.get("label")})
        return {"items": items, "next_cursor": None}

    async def run_query(
        self, connector: str, query: str, params: Mapping[str, Any], *, max_rows: int, pool: str | None
    ) -> Wire:
        """Run a declared query that only reads. Raises NotFound, Invalid for one that writes or wrong params."""
        found = self._sql(connector)
        declared = next((one for one in found.config.all_queries() if one.name == query), None)
        if declared is None:
            raise NotFound(
                f"connector {connector!r} has no query {query!r}{did_you_mean(query, found.query_names())}"
            )
        call = found.prepare(query, params, pool, max_rows)
        if declared.writable or declared.type == "sequence" or not call.statement.reads:
            raise Invalid(f"query {query!r} may change data; only queries that read can be run here")
        asking = found.execute(query, params, pool=pool, max_rows=max_rows)
        result = await looking.answered(asking, f"query {query!r}", QUERY_SECONDS)
        return {
            "connector": connector,
            "query": query,
            "columns": list(result.columns),
            "rows": [[_cell(name, row[name]) for name in result.columns] for row in result.rows],
            "row_count": len(result.rows),
            "truncated": result.truncated,
            "duration_ms": result.duration_ms,
        }

    async def tables(self, connector: str, *, schema: str | None, like: str | None) -> Wire:
        """Tables and views of the connector's database. Raises NotFound, Invalid."""
        found = self._sql(connector)
        listed = await looking.tables(
            self._current().connectors.pools, found.pool, schema=schema or None, like=like
        )
        return {
            "connector": connector,
            "schema": listed.schema,
            "schemas": list(listed.schemas),
            "items": [{"name": table.name, "kind": table.kind} for table in listed.tables],
            "truncated": listed.truncated,
        }

    async def columns(self, connector: str, table: str, *, schema: str | None) -> Wire:
        """The columns of a table or view. Raises NotFound, Invalid."""
        found = self._sql(connector)
        listed = await looking.columns(
            self._current().connectors.pools, found.pool, table, schema=schema or None
        )
        return {
            "connector": connector,
            "table": table,
            "schema": schema or None,
            "items": [
                {"name": one.name, "type": one.type, "nullable": one.nullable, "key": one.key}
                for one in listed
            ],
        }

    def _sql(self, name: str) -> SqlConnector:
        registry = self._current().connectors
        return registry.sql(name)


_NOTHING: Wire = {
    "problem": None,
    "label": None,
    "description": None,
    "pool": None,
    "pools": [],
    "base_url": None,
    "auth_type": None,
    "queries": [],
    "endpoints": [],
}


def _directory(pool: LdapPool) -> dict[str, Json]:
    """A directory among the pools: each search has a connection of its own, so none is kept."""
    counts: dict[str, Json] = dict.fromkeys(("in_use", "idle", "open", "loops"), 0)
    unknown: dict[str, Json] = dict.fromkeys(
        ("problem", "limit", "pool_size", "max_overflow", "pool_timeout_seconds", "max_rows")
    )
    about = {"name": pool.name, "status": "up", "dialect": "ldap", "max_runs": pool.config.max_runs}
    return {**about, **counts, **unknown}


def _declared(names: list[str], name: str) -> str:
    if name not in names:
        raise NotFound(f"no pool {name!r}{did_you_mean(name, names)}")
    return name


def _dialect(url: str, declared: str | None) -> str | None:
    return declared or url.partition(":")[0].partition("+")[0] or None


def _cell(column: str, value: Any) -> Json:
    """A value as JSON holds it: what under a secret's name stands is masked, a long text is cut."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes):
        value = f"0x{value[:MAX_CELL].hex()}"
    shown: Json = redactor.redact_value({column: loose(value)})[column]
    return shown[:MAX_CELL] + "…" if isinstance(shown, str) and len(shown) > MAX_CELL else shown


def _plain(entry: Mapping[str, Any]) -> Wire:
    shown: dict[str, Any] = redactor.redact_value(loose(dict(entry)))
    for declared in (*shown.get("queries", ()), *shown.get("endpoints", ())):
        for param in declared["params"]:
            if "default" in param and is_secret_name(param["name"]):
                param["default"] = MASK
    return shown
