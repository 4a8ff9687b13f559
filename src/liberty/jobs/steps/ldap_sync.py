"""The `ldap_sync` step: the entries of a directory into a table of a database."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from liberty.jobs.steps.base import PoolNames, RunContext, StepConfig, StepResult, pool_used
from liberty.jobs.steps.fields import Templatable
from liberty.jobs.steps.guard import CopyGuard
from liberty.jobs.tokens import environment_token, tokens_in

if TYPE_CHECKING:
    from liberty.connectors.ldap import LdapEntry, LdapPool
    from liberty.etl.mirror import Entry, MirrorOutcome, MirrorRequest

_log = logging.getLogger("nomaflow.ldap_sync")

DN = "dn"
"""Stands in a mapping for the entry's own name, which is no attribute."""
LOGGED_FAILURES = 10


def _in_filter(value: str) -> str:
    from liberty.connectors.ldap import escaped_for_filter

    return escaped_for_filter(value)


def _in_dn(value: str) -> str:
    from liberty.connectors.ldap import escaped_for_dn

    return escaped_for_dn(value)


class LdapSyncStep(StepConfig):
    """Mirror entries of a directory into a table: what is new or changed is written, what has gone can be deleted."""

    structural: ClassVar[frozenset[str]] = StepConfig.structural | {"bind_password"}
    escapes: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "search_filter": _in_filter,
        "search_base": _in_dn,
    }

    type: Literal["ldap_sync"] = "ldap_sync"
    ldap_pool: str | None = Field(None, description='Directory: a pool with `type = "ldap"`.')
    server: str | None = Field(
        None, description="`ldaps://host` of a directory that is no pool; ldap:// is encrypted by STARTTLS."
    )
    bind_dn: str | None = Field(None, description="Who asks; with `server`.")
    bind_password: str | None = Field(None, description="With `server`: `${env:NAME}` or an ENC: value.")
    search_base: str = Field(min_length=1, description="Name of the entry to search below.")
    search_filter: str = Field(
        "(objectClass=*)", min_length=1, description="Which entries. Values of `${…}` are escaped."
    )
    scope: Annotated[Literal["base", "one", "subtree"], Templatable()] = Field(
        "subtree", description="The entry itself, the ones right below it, or all below it."
    )
    page_size: Annotated[int | None, Field(ge=1, le=100_000), Templatable()] = Field(
        None, description="Entries asked for at once; default: what the pool says."
    )
    attributes: Annotated[tuple[str, ...], Templatable()] = Field(
        (),
        description="Attributes that go to columns of the same name; default: those the target has columns for.",
    )
    mapping: Annotated[dict[str, str], Templatable()] = Field(
        default_factory=dict,
        description="attribute = column (or parameter of the query); `dn` is the entry's name.",
    )
    target_connector: str = Field(min_length=1, description="SQL connector (or pool) of the table.")
    target_query: str | None = Field(None, description="Declared query that writes one row.")
    target_table: str | None = Field(
        None, description="Table to write, without `target_query`; and to delete from."
    )
    key_column: str | None = Field(
        None, description="Column that tells rows apart; needed with `target_table`."
    )
    deletion_mode: Annotated[Literal["none", "soft", "hard"], Templatable()] = Field(
        "none",
        description="What happens to rows whose entry is gone: nothing, `deletion_column` set, deleted.",
    )
    deletion_column: str | None = Field(
        None, description="For soft: a truth value, number, time or text; rows that come back are unmarked."
    )
    guard: CopyGuard | None = Field(
        None, description="Limits beyond which the step fails and the table stays as it was."
    )

    _server_written_out: bool = PrivateAttr(default=True)

    def rendered_from(self, template: "LdapSyncStep") -> None:
        """Remember whether a parameter chose the server: such a one may not be a private address."""
        self._server_written_out = all(
            environment_token(token) is not None for token in tokens_in(template.server or "")
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.ldap_pool is None) == (self.server is None):
            raise ValueError("give either 'ldap_pool' or 'server'")
        if self.ldap_pool is not None and (self.bind_dn is not None or self.bind_password is not None):
            raise ValueError("'bind_dn' and 'bind_password' belong to 'server'; a pool brings its own")
        if (self.bind_dn is None) != (self.bind_password is None):
            raise ValueError("give both 'bind_dn' and 'bind_password', or neither for an anonymous bind")
        if self.target_query is None and self.target_table is None:
            raise ValueError("give 'target_query', or 'target_table' with 'key_column'")
        if self.target_table is not None and self.key_column is None:
            raise ValueError("'target_table' needs 'key_column'")
        if self.deletion_mode != "none" and self.target_table is None:
            raise ValueError(
                "'deletion_mode' needs 'target_table' and 'key_column', to know which rows there are"
            )
        if self.deletion_mode == "soft" and self.deletion_column is None:
            raise ValueError("deletion_mode 'soft' needs 'deletion_column'")
        if self.deletion_mode in ("none", "hard") and self.deletion_column is not None:
            raise ValueError("'deletion_column' belongs to deletion_mode 'soft'")
        if self.guard is not None and self.guard.max_delete_pct is not None and self.deletion_mode == "none":
            raise ValueError("'guard.max_delete_pct' limits nothing here: deletion_mode is 'none'")
        return self

    async def execute(self, ctx: RunContext) -> StepResult:
        """Mirror. Raises BindRefused, which is not retried; CopyFailed when a guard stops it.

        `fetched` entries were found, `upserted` rows inserted or changed, `pruned` rows deleted or marked.
        """
        from liberty.etl.mirror import mirror

        work = await self._work(ctx)
        _log.info(
            "nomaflow.ldap_sync start run=%s step=%r pool=%s base=%r filter=%r scope=%s target=%s deletion=%s",
            ctx.run_id,
            ctx.step_name,
            work.pool.name,
            self.search_base,
            self.search_filter,
            self.scope,
            self.target_query or self.target_table,
            self.deletion_mode,
        )
        started = time.perf_counter()
        outcome = await mirror(work.request, self._pages(work))
        elapsed_ms = round((time.perf_counter() - started) * 1000, 3)
        _tell(outcome)
        _log.info(
            "nomaflow.ldap_sync done run=%s step=%r fetched=%d upserted=%d pruned=%d failed=%d elapsed_ms=%s",
            ctx.run_id,
            ctx.step_name,
            outcome.fetched,
            outcome.upserted,
            outcome.deleted,
            outcome.failed,
            elapsed_ms,
        )
        facts = {**_counts(outcome), "elapsed_ms": elapsed_ms}
        return StepResult(outcome.upserted + outcome.deleted, facts)

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """How many rows would be added, changed and deleted, the first of them, and what a guard would say."""
        from liberty.etl.mirror import look

        work = await self._work(ctx, look=True)
        outcome = await look(work.request, self._pages(work))
        found: dict[str, Any] = {**_counts(outcome), "rows": outcome.examples}
        if outcome.held is not None:
            found["rows_held"] = outcome.held
        if outcome.verdict is not None:
            found["guard"] = outcome.verdict
        return found

    def pools(self, connectors: PoolNames) -> frozenset[str]:
        """The directory and the database."""
        found = pool_used(connectors, self.target_connector, None)
        if self.ldap_pool is not None:
            found |= pool_used(connectors, self.ldap_pool, None)
        return found

    async def _work(self, ctx: RunContext, *, look: bool = False) -> "_Work":
        from liberty.etl.mirror import MirrorRequest

        columns = await self._columns(ctx)
        return _Work(
            self._pool(ctx),
            columns,
            MirrorRequest(
                connectors=ctx.connectors,
                connector=self.target_connector,
                names=tuple(columns.values()),
                table=self.target_table,
                query=self.target_query,
                key_column=self._key(columns),
                deletion=self.deletion_mode,
                deletion_column=self.deletion_column,
                guard=None if self.guard is None else self.guard.opened(),
                guarded=not look,
            ),
        )

    async def _columns(self, ctx: RunContext) -> dict[str, str]:
        """Which attribute goes where."""
        from liberty.etl.mirror import names_of_target

        mapping = dict(self.mapping)
        if mapping and self.attributes:
            known = {name.lower() for name in (*self.attributes, DN)}
            if all(value.lower() in known for value in mapping.values()) and not any(
                key.lower() in known for key in mapping
            ):
                _log.warning(
                    "'mapping' of step %r is taken as column = attribute, since its values are the attributes; "
                    "write attribute = column",
                    ctx.step_name,
                )
                mapping = {attribute: column for column, attribute in mapping.items()}
        if mapping:
            return mapping
        names = self.attributes or await names_of_target(
            ctx.connectors, self.target_connector, self.target_table, self.target_query
        )
        return {name: name for name in names if name != self.deletion_column}

    def _key(self, columns: Mapping[str, str]) -> str | None:
        """The key column as the mapping spells it. Raises Invalid when no attribute goes there."""
        from liberty.errors import Invalid

        if self.key_column is None:
            return None
        for column in columns.values():
            if column.lower() == self.key_column.lower():
                return column
        raise Invalid(
            f"no attribute goes to key_column {self.key_column!r}; the mapping fills: {', '.join(columns.values())}"
        )

    def _pool(self, ctx: RunContext) -> "LdapPool":
        if self.ldap_pool is not None:
            return ctx.connectors.directory(self.ldap_pool)
        from liberty.connectors.ldap import directory_at

        return directory_at(
            self.server or "",
            self.bind_dn,
            self._password(ctx),
            ctx.connectors.http.policy,
            trusted=self._server_written_out,
        )

    def _password(self, ctx: RunContext) -> str | None:
        from liberty.errors import Invalid
        from liberty.jobs.tokens import substitute
        from liberty.secrets import PREFIX, redactor

        if self.bind_password is None:
            return None

        def look_up(token: str) -> str:
            named = environment_token(token)
            if named is None:
                raise Invalid(f"'bind_password' may hold ${{env:NAME}} only, not ${{{token}}}")
            found = ctx.settings.environ.get(named.name, named.default)
            if found is None:
                raise Invalid(f"the environment variable {named.name} of 'bind_password' is not set")
            return found

        clear = str(substitute(self.bind_password, look_up))
        if clear.startswith(PREFIX):
            clear = ctx.settings.open_keyring().decrypt(clear)
        redactor.register(clear)
        return clear

    async def _pages(self, work: "_Work") -> AsyncIterator[list["Entry"]]:
        import asyncio

        asked = [name for name in work.columns if name.lower() != DN]
        pages = work.pool.search(
            self.search_base,
            self.search_filter,
            scope=self.scope,
            attributes=asked or ("1.1",),
            page_size=self.page_size,
        )
        async for page in pages:
            yield await asyncio.to_thread(partial(_entries, page, work.columns))


@dataclass(frozen=True, slots=True)
class _Work:
    """Where entries come from, which attribute goes where, and what is to be done with them."""

    pool: "LdapPool"
    columns: Mapping[str, str]
    request: "MirrorRequest"


def _entries(page: list["LdapEntry"], columns: Mapping[str, str]) -> list["Entry"]:
    from liberty.connectors.ldap_values import texts_of
    from liberty.etl.mirror import Entry

    found = []
    for entry in page:
        texts: dict[str, str | None] = {DN: entry.dn, **texts_of(entry.attributes)}
        values = {column: texts.get(name.partition(";")[0].lower()) for name, column in columns.items()}
        found.append(Entry(entry.dn, values))
    return found


def _counts(outcome: "MirrorOutcome") -> dict[str, Any]:
    """The counts under every name they are known by."""
    facts: dict[str, Any] = {
        "fetched": outcome.fetched,
        "read": outcome.fetched,
        "upserted": outcome.upserted,
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "pruned": outcome.deleted,
        "deleted": outcome.deleted,
        "failed": outcome.failed,
    }
    if outcome.failures:
        facts["failures"] = [{"entry": one.entry, "reason": one.reason} for one in outcome.failures]
    return facts


def _tell(outcome: "MirrorOutcome") -> None:
    for failure in outcome.failures[:LOGGED_FAILURES]:
        _log.warning("%s was not written: %s", failure.entry, failure.reason)
    if outcome.failed > LOGGED_FAILURES:
        _log.warning("%d entries were not written; these were the first %d", outcome.failed, LOGGED_FAILURES)
    if not outcome.fetched:
        _log.warning("the search found no entry")
