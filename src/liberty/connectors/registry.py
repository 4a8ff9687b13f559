"""The connectors and pools of one configuration, each usable or with the reason why it is not."""

import asyncio
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from liberty.connectors.api import ApiConnector
from liberty.connectors.config import PoolConfig, SqlConnectorConfig
from liberty.connectors.file_folders import FileFolders
from liberty.connectors.http import HttpClients
from liberty.connectors.http_policy import HttpPolicy
from liberty.connectors.ldap import LdapPool
from liberty.connectors.ldap_config import LdapPoolConfig
from liberty.connectors.pools import PoolSet
from liberty.connectors.sql import SqlConnector
from liberty.errors import Invalid, NotFound, Problem, did_you_mean
from liberty.secrets import PREFIX, Keyring, is_secret_name, redactor
from liberty.toml_files import TomlDocument, validation_problems

if TYPE_CHECKING:
    from liberty.settings import Settings

type Connector = SqlConnector | ApiConnector | LdapPool

DEFAULT_POOL = "default"

_ENV_TOKEN = re.compile(r"\$\{env:(\w+)\}")
_URL_PASSWORD = re.compile(r"(?P<before>://[^:/@]*:)(?P<password>.*)@", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ConnectorRegistry:
    """What job steps reach databases and services through.

    `ConnectorRegistry()` is empty: add engines with `pools.register_engine`. A mapping shaped like
    `connectors.toml` may be given instead of a file. What is wrong in it is in `problems`; the pool or connector
    concerned raises Invalid with the reason when it is used, all others work.
    """

    def __init__(
        self, definitions: Mapping[str, Any] | None = None, *, settings: "Settings | None" = None
    ) -> None:
        self.problems: list[Problem] = []
        self.pools = PoolSet(base_dir=settings.paths.apps_repo if settings is not None else None)
        self.pools.pool_of_connector = self._pool_of
        security = settings.security if settings is not None else None
        self.http = HttpClients(
            HttpPolicy.of(security.http_allow, security.http_private)
            if security is not None
            else HttpPolicy()
        )
        self.files = FileFolders(settings.jobs.file_folders if settings is not None else ())
        self.source: TomlDocument | None = None
        """The file this was read from, for making the same connectors in another process."""
        self.home_loop: asyncio.AbstractEventLoop | None = None
        """The loop on which built-in steps run; what synchronous helpers submit their work to."""
        self._environ: Mapping[str, str] = settings.environ if settings is not None else MappingProxyType({})
        self._keyring = Keyring()
        self._connectors: dict[str, SqlConnector | ApiConnector] = {}
        self._over_pools: dict[str, SqlConnector] = {}
        self._directories: dict[str, LdapPool] = {}
        self._refused: dict[str, str] = {}
        if definitions:
            self._load(TomlDocument(file="definitions", text="", raw=dict(definitions), environ={}))

    @classmethod
    def from_document(
        cls, document: TomlDocument | None, settings: "Settings", keyring: Keyring | None = None
    ) -> "ConnectorRegistry":
        """Read `connectors.toml`; without a `[pools.default]`, the settings' default pool takes that name."""
        registry = cls(settings=settings)
        registry._keyring = keyring or settings.open_keyring()
        registry.source = document
        if document is not None:
            registry._load(document)
        if DEFAULT_POOL not in registry.pools:
            source = str(settings.paths.app_config or "environment")
            raw = {"default_pool": dict(settings.default_pool)}
            registry._load_pool(
                DEFAULT_POOL, TomlDocument(file=source, text="", raw=raw, environ={}), ("default_pool",)
            )
        registry._check_pools_exist(document)
        return registry

    # -- asking

    def get(self, name: str) -> Connector:
        """The connector of that name; the name of a pool is a plain SQL connector over it, or the directory it is.

        Raises NotFound naming the nearest known one, Invalid when its definition has an error.
        """
        found = self._connectors.get(name) or self._directories.get(name) or self._over_pools.get(name)
        if found is not None:
            return found
        if name in self._refused:
            raise Invalid(f"connector {name!r} cannot be used: {self._refused[name]}")
        if name in self.pools:
            self.pools.resolve(name)
            found = SqlConnector(
                name, SqlConnectorConfig.model_validate({"type": "sql", "pool": name}), self.pools
            )
            return self._over_pools.setdefault(name, found)
        known = ", ".join(self.names()) or "none"
        raise NotFound(f"no connector {name!r}{did_you_mean(name, self.names())}; known connectors: {known}")

    def sql(self, name: str) -> SqlConnector:
        """The SQL connector of that name. Raises as `get`, and Invalid when it is of another kind."""
        found = self.get(name)
        if not isinstance(found, SqlConnector):
            raise Invalid(f"connector {name!r} is {_KINDS[found.kind]}, not a database; it has no SQL")
        return found

    def api(self, name: str) -> ApiConnector:
        """The API connector of that name. Raises as `get`, and Invalid when it is of another kind."""
        found = self.get(name)
        if not isinstance(found, ApiConnector):
            raise Invalid(f"connector {name!r} is {_KINDS[found.kind]}, not an API; it has no endpoints")
        return found

    def directory(self, name: str) -> LdapPool:
        """The LDAP pool of that name. Raises as `get`, and Invalid when it is no directory."""
        found = self.get(name)
        if not isinstance(found, LdapPool):
            raise Invalid(
                f'{name!r} is {_KINDS[found.kind]}, not a directory; declare [pools.{name}] with type = "ldap"'
            )
        return found

    def directories(self) -> list[LdapPool]:
        """Every LDAP pool that can be used, by name."""
        return [self._directories[name] for name in sorted(self._directories)]

    def max_runs(self, pool: str) -> int | None:
        """How many runs may use a pool, of either kind, at once; None when nobody said."""
        found = self._directories.get(pool)
        return self.pools.max_runs(pool) if found is None else found.config.max_runs

    def pool_of(self, connector: str) -> str | None:
        """The pool that a SQL connector works on, or the pool of that name; None for an API and the unknown."""
        found = self._connectors.get(connector)
        if found is None:
            return connector if connector in self.pools or connector in self._directories else None
        return found.pool if isinstance(found, SqlConnector) else None

    def names(self) -> list[str]:
        """Everything `get` knows, sorted: connectors and pools, unusable ones included."""
        return sorted({*self._connectors, *self._refused, *self._directories, *self.pools.names()})

    def __contains__(self, name: object) -> bool:
        return any(
            name in known for known in (self._connectors, self._refused, self._directories, self.pools)
        )

    def describe(self) -> list[dict[str, Any]]:
        """Every declared connector with its queries or endpoints, for pickers; no secret."""
        refused = [{"name": name, "type": None, "problem": reason} for name, reason in self._refused.items()]
        return sorted(
            [*(connector.describe() for connector in self._connectors.values()), *refused],
            key=lambda d: str(d["name"]),
        )

    # -- letting go

    async def close_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what belongs to one loop, before that loop is stopped."""
        await self.http.close_loop(loop)
        await self.pools.close_loop(loop)

    async def close(self) -> None:
        """Close every connection of every loop."""
        await self.http.close()
        await self.pools.close()

    # -- reading

    def _pool_of(self, connector: str) -> str | None:
        if connector in self._refused:
            raise Invalid(f"connector {connector!r} cannot be used: {self._refused[connector]}")
        found = self._connectors.get(connector)
        return found.pool if isinstance(found, SqlConnector) else None

    def _load(self, document: TomlDocument) -> None:
        known = ("pools", "connectors", "meta")
        for key in document.data:
            if key not in known:
                message = f"unknown section {key!r}{did_you_mean(key, known)}; it may hold [pools.…] and [connectors.…]"
                self.problems.append(Problem(message, document.file, document.line_of((key,)), key=key))
        for name in self._tables(document, "pools"):
            self._load_pool(name, document, ("pools", name))
        for name in self._tables(document, "connectors"):
            self._load_connector(name, document, ("connectors", name))

    def _tables(self, document: TomlDocument, section: str) -> list[str]:
        """Names of the tables in a section; what is not a table, or has no usable name, becomes a problem."""
        tables = document.data.get(section, {})
        if not isinstance(tables, Mapping):
            line = document.line_of((section,))
            self.problems.append(
                Problem(f"write [{section}.<name>] tables", document.file, line, key=section)
            )
            return []
        good = []
        for name, table in tables.items():
            if not isinstance(table, Mapping):
                message = f"{name!r} must be a table: [{section}.{name}]"
            elif _NAME.fullmatch(name) is None:
                message = f"{name!r} is not a name: use letters, digits, - and _"
            else:
                good.append(name)
                continue
            line = document.line_of((section, name))
            self.problems.append(Problem(message, document.file, line, key=f"{section}.{name}"))
        return good

    def _load_pool(self, name: str, document: TomlDocument, at: tuple[str, ...]) -> None:
        raw = _at(document.data, at)
        model: type[PoolConfig | LdapPoolConfig] = LdapPoolConfig if raw.get("type") == "ldap" else PoolConfig
        try:
            config = model.model_validate(self._revealed(raw, ".".join(at)))
        except (ValidationError, Invalid) as error:
            self.pools.refuse(name, self._note(error, document, at, model))
            return
        if isinstance(config, LdapPoolConfig):
            self._directories[name] = LdapPool(name, config)
        else:
            self.pools.add(name, config)

    def _load_connector(self, name: str, document: TomlDocument, at: tuple[str, ...]) -> None:
        from liberty.connectors import CONNECTOR_TYPES

        table = _at(document.data, at)
        kind = table.get("type")
        if kind not in CONNECTOR_TYPES:
            known = ", ".join(sorted(CONNECTOR_TYPES))
            said = (
                "no type"
                if kind is None
                else f"unknown type {kind!r}{did_you_mean(str(kind), CONNECTOR_TYPES)}"
            )
            problem = Problem(
                f"{said}; known types: {known}",
                document.file,
                document.line_of((*at, "type")),
                key=".".join(at),
            )
            self.problems.append(problem)
            self._refused[name] = problem.message
            return
        connector = CONNECTOR_TYPES[kind]
        try:
            values = self._revealed(table, ".".join(at))
            built = self._connectors[name] = connector.build(name, values, self.pools, self.http)
        except (ValidationError, Invalid) as error:
            self._refused[name] = self._note(error, document, at, connector.config_model)
        else:
            if isinstance(built, SqlConnector):
                self._note_queries(built, document, at)

    def _note(
        self, error: ValidationError | Invalid, document: TomlDocument, at: tuple[str, ...], model: Any
    ) -> str:
        """Add the error's problems; the text that explains to a caller why the thing cannot be used."""
        if isinstance(error, ValidationError):
            found = [
                Problem(p.message, p.file, p.line, key=".".join((*at, p.key)) if p.key else ".".join(at))
                for p in validation_problems(error, document, at=at, model=model)
            ]
        else:
            found = [Problem(error.message, document.file, document.line_of(at), key=".".join(at))]
        self.problems += found
        return "; ".join(map(str, found))

    def _note_queries(self, connector: SqlConnector, document: TomlDocument, at: tuple[str, ...]) -> None:
        """A query that would be refused when called is reported now; the connector's others work."""
        numbers = {query.name: number for number, query in enumerate(connector.config.queries)}
        for name, message in connector.query_problems():
            line = document.line_of((*at, "queries", numbers.get(name, name)))
            self.problems.append(
                Problem(
                    f"query {name!r} {message}", document.file, line, key=".".join((*at, "queries", name))
                )
            )

    def _check_pools_exist(self, document: TomlDocument | None) -> None:
        for name, connector in list(self._connectors.items()):
            if not isinstance(connector, SqlConnector) or document is None:
                continue
            for pool in connector.allowed_pools:
                if pool in self.pools:
                    continue
                at = ("connectors", name, "pool" if pool == connector.pool else "pools")
                message = f"no pool {pool!r}{did_you_mean(pool, self.pools.names())}; declare [pools.{pool}]"
                self.problems.append(Problem(message, document.file, document.line_of(at), key=".".join(at)))
                self._refused[name] = message
                self._connectors.pop(name, None)

    def _revealed(self, value: Any, place: str) -> Any:
        """The values with `${env:X}` filled in and `ENC:` decrypted; what is secret is known to the redactor."""
        if isinstance(value, Mapping):
            return {key: self._revealed(item, f"{place}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._revealed(item, place) for item in value]
        if not isinstance(value, str):
            return value
        key = place.rpartition(".")[2]
        text = _ENV_TOKEN.sub(lambda match: self._variable(match[1]), value)
        if text.startswith(PREFIX):
            text = self._keyring.decrypt(text, bound_to=place)
        elif is_secret_name(key) and key not in _NOT_SECRET:
            redactor.register(text)
        if key.lower().endswith("authorization"):
            redactor.register(text.rpartition(" ")[2])
        return self._with_clear_password(text, place) if key in ("url", "base_url", "proxy") else text

    def _variable(self, name: str) -> str:
        found = self._environ.get(name)
        if found is None:
            raise Invalid(f"the environment variable {name} of ${{env:{name}}} is not set")
        redactor.register(found)
        return found

    def _with_clear_password(self, url: str, place: str) -> str:
        found = _URL_PASSWORD.search(url)
        if found is None or not found["password"]:
            return url
        written = unquote(found["password"])
        clear = self._keyring.decrypt(written, bound_to=place)
        redactor.register(clear)
        if clear == written:
            return url
        return f"{url[: found.start()]}{found['before']}{quote(clear, safe='')}@{url[found.end() :]}"


_KINDS = {"sql": "a database", "api": "an API", "ldap": "a directory"}

_NOT_SECRET = frozenset(
    {
        "auth_token_endpoint",
        "auth_token_field",
        "auth_token_content_type",
        "auth_api_key_header",
        "auth_token_ttl",
    }
)
"""Keys with a secret's name in theirs that say only where or how."""


def _at(data: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    found: Any = data
    for part in path:
        found = found[part]
    table: Mapping[str, Any] = found
    return table
