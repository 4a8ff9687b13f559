"""The registry: reading `connectors.toml`, quarantine, pools per loop, secrets."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from liberty.connectors import CONNECTOR_TYPES, ConnectorRegistry
from liberty.connectors.config import json_schema
from liberty.errors import Invalid, NotFound
from liberty.secrets import Keyring, redactor
from liberty.settings import Settings, load_settings
from liberty.toml_files import parse_toml


def settings_at(folder: Path, **environ: str) -> Settings:
    (folder / "config").mkdir(exist_ok=True)
    return load_settings({"LIBERTY_APPS_DIR": str(folder / "config"), **environ}, cwd=folder)


def read(text: str, settings: Settings, keyring: Keyring | None = None) -> ConnectorRegistry:
    document = parse_toml(text, file="connectors.toml", environ=settings.environ)
    return ConnectorRegistry.from_document(document, settings, keyring)


async def test_an_empty_registry_takes_engines() -> None:
    registry = ConnectorRegistry()
    engine = create_async_engine("sqlite+aiosqlite://")
    registry.pools.register_engine("reporting", engine)
    assert registry.pools.engine("reporting") is engine
    assert await registry.sql("reporting").scalar("select 1") == 1
    assert (registry.names(), "reporting" in registry, "other" in registry) == (["reporting"], True, False)
    await engine.dispose()


async def test_names_are_explained_when_unknown() -> None:
    registry = ConnectorRegistry({"pools": {"reporting": {"url": "sqlite://"}}})
    with pytest.raises(NotFound, match="no connector 'reportng'; did you mean 'reporting'"):
        registry.get("reportng")
    with pytest.raises(NotFound, match="no pool 'reportng'; did you mean 'reporting'"):
        registry.pools.engine("reportng")
    with pytest.raises(Invalid, match="is a database, not an API"):
        registry.api("reporting")


async def test_an_engine_is_found_by_pool_then_by_connector() -> None:
    registry = ConnectorRegistry(
        {"pools": {"p": {"url": "sqlite://"}}, "connectors": {"crm": {"type": "sql", "pool": "p"}}}
    )
    assert registry.pools.engine("crm") is registry.pools.engine("p")
    await registry.close()


BROKEN = """\
[pools.good]
url = "sqlite:///good.db"

[pools.bad]
url = "sqlite:///bad.db"
pool_sise = 3

[connectors.crm]
type = "sql"
pool = "good"

[connectors.typo]
type = "sqll"

[connectors.lost]
type = "sql"
pool = "god"

[connectors.svc]
type = "api"
base_url = "https://svc.example"

[[connectors.svc.endpoints]]
name = "x"
methud = "GET"

[poools]
"""


def test_one_bad_table_does_not_stop_the_others(tmp_path: Path) -> None:
    registry = read(BROKEN, settings_at(tmp_path))
    found = {(problem.line, problem.key): problem.message for problem in registry.problems}
    assert found[(6, "pools.bad.pool_sise")] == "unknown key 'pool_sise'; did you mean 'pool_size'?"
    assert "unknown type 'sqll'; did you mean 'sql'?" in found[(13, "connectors.typo")]
    assert "no pool 'god'; did you mean 'good'?" in found[(17, "connectors.lost.pool")]
    assert "did you mean 'method'?" in found[(25, "connectors.svc.endpoints[0].methud")]
    assert "did you mean 'pools'?" in found[(27, "poools")]
    assert len(found) == 5
    assert all(problem.file == "connectors.toml" for problem in registry.problems)
    assert registry.get("crm").name == "crm"
    for name, reason in (("bad", "pool_sise"), ("typo", "sqll"), ("lost", "god"), ("svc", "methud")):
        with pytest.raises(Invalid, match=reason):
            registry.get(name)
    with pytest.raises(Invalid, match="pool_sise"):
        registry.pools.engine("bad")
    listed = {entry["name"]: entry for entry in registry.describe()}
    assert "methud" in listed["svc"]["problem"]


async def test_relative_files_are_below_the_apps_repo(tmp_path: Path) -> None:
    registry = read('[pools.p]\nurl = "sqlite:///data/p.db"', settings_at(tmp_path))
    await registry.sql("p").execute("create table t (a integer)")
    assert (tmp_path / "data" / "p.db").exists()
    assert await registry.sql("p").scalar("pragma journal_mode") == "wal"
    assert await registry.sql("p").scalar("pragma foreign_keys") == 1
    await registry.close()


async def test_the_default_pool_comes_from_the_settings(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, LIBERTY_DB_URL=f"sqlite:///{tmp_path}/elsewhere.db")
    registry = ConnectorRegistry.from_document(None, settings)
    assert registry.problems == []
    await registry.sql("default").execute("create table t (a integer)")
    assert (tmp_path / "elsewhere.db").exists()
    await registry.close()


def test_secrets_are_decrypted_hidden_and_never_described(tmp_path: Path) -> None:
    keyring = Keyring(["a key that is only for tests"])
    encrypted = [
        keyring.encrypt(f"canary-number-{number}", bound_to=place) for number, place in enumerate(PLACES)
    ]
    text = f"""
        [pools.one]
        url = "postgresql://alice@db.example/x"
        password = "{encrypted[0]}"
        [pools.two]
        url = "postgresql://alice:{encrypted[1]}@db.example/x"
        [pools.three]
        url = "postgresql://alice:${{CANARY}}@db.example/x"
        [connectors.svc]
        type = "api"
        base_url = "https://svc.example"
        auth_type = "bearer"
        auth_token = "${{env:CANARY_TOKEN}}"
        default_headers = {{ X-Secret = "{encrypted[2]}" }}
    """
    settings = settings_at(tmp_path, CANARY="canary-number-3", CANARY_TOKEN="canary-number-4")
    registry = read(text, settings, keyring)
    assert registry.problems == []
    for number, pool in ((0, "one"), (1, "two"), (3, "three")):
        engine = registry.pools.engine(pool)
        assert engine.url.password == f"canary-number-{number}"
        assert engine.url.drivername == "postgresql+asyncpg"
    assert registry.api("svc").config.auth_token == "canary-number-4"
    assert registry.api("svc").config.default_headers == {"X-Secret": "canary-number-2"}
    shown = f"{registry.describe()} {registry.pools.stats()}"
    assert "canary" not in shown
    assert "canary" not in redactor.redact(" ".join(f"canary-number-{number}" for number in range(5)))


PLACES = ("pools.one.password", "pools.two.url", "connectors.svc.default_headers.X-Secret")


def test_a_value_that_cannot_be_decrypted_or_found_names_its_place(tmp_path: Path) -> None:
    encrypted = Keyring(["one key for tests"]).encrypt("canary")
    text = f'[pools.a]\nurl = "sqlite://"\npassword = "{encrypted}"\n[pools.b]\nurl = "${{env:ABSENT}}"'
    registry = read(text, settings_at(tmp_path), Keyring(["another key for tests"]))
    assert [(problem.line, problem.key) for problem in registry.problems] == [(1, "pools.a"), (4, "pools.b")]
    with pytest.raises(Invalid, match="environment variable ABSENT"):
        registry.pools.engine("b")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "not a database URL"),
        ("sqlite+pysqlite:///x.db", "not an asynchronous driver.*sqlite\\+aiosqlite://"),
        ("oracle://db.example/x", "driver package 'oracledb'"),
        ("oracel://db.example/x", "knows no database 'oracel'"),
    ],
)
async def test_an_unusable_url_is_explained(url: str, why: str) -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": url}}})
    with pytest.raises(Invalid, match=why):
        registry.pools.engine("p")


async def test_a_password_in_a_broken_url_is_not_shown() -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": "postgres//alice:canary-word@db"}}})
    with pytest.raises(Invalid) as caught:
        registry.pools.engine("p")
    assert "canary-word" not in str(caught.value)


async def test_every_loop_has_engines_of_its_own_over_one_database() -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": "sqlite://"}}})
    mine = registry.pools.engine("p")
    await registry.sql("p").execute("create table t (a integer)")
    seen: list[Any] = []

    def other_loop() -> None:
        async def use() -> None:
            seen.append(registry.pools.engine("p"))
            await registry.sql("p").execute("insert into t values (1)")
            await registry.close_loop(asyncio.get_running_loop())

        asyncio.run(use())
        # No loop runs here: the engine must work in whichever loop the caller starts next.
        engine = registry.pools.engine("p")

        async def count() -> Any:
            async with engine.connect() as connection:
                return (await connection.exec_driver_sql("select count(*) from t")).scalar()

        seen.extend([engine, asyncio.run(count()), asyncio.run(count())])

    thread = threading.Thread(target=other_loop)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert seen[0] is not mine
    assert seen[1] is not mine
    assert seen[2:] == [1, 1]
    assert registry.pools.engine("p") is mine
    assert await registry.sql("p").scalar("select count(*) from t") == 1
    await registry.close()


async def test_engines_of_closed_loops_are_forgotten() -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": "sqlite://"}}})

    def short_lived() -> None:
        async def use() -> None:
            await registry.sql("p").scalar("select 1")

        asyncio.run(use())

    await asyncio.to_thread(short_lived)
    await registry.sql("p").scalar("select 1")
    assert [entry["engines"] for entry in registry.pools.stats()] == [1]
    await registry.close()


async def test_stats_count_connections(database_url: str) -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": database_url}, "unused": {"url": "sqlite://"}}})
    async with registry.pools.engine("p").connect():
        assert {(entry["pool"], entry["checked_out"], entry["idle"]) for entry in registry.pools.stats()} == {
            ("p", 1, 0),
            ("unused", 0, 0),
        }
    assert [(entry["checked_out"], entry["idle"]) for entry in registry.pools.stats()] == [(0, 1), (0, 0)]
    await registry.close()


async def test_ddl_is_part_of_the_transaction(database_url: str) -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": database_url}}})
    engine = registry.pools.engine("p")
    await registry.sql("p").execute("create table t (a integer)")

    async def fail_half_way() -> None:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("alter table t rename to t_old")
            await connection.exec_driver_sql("create table t (b integer)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    assert (await registry.sql("p").execute("select * from t")).columns == ["a"]
    await registry.close()


async def test_writers_wait_for_each_other_on_sqlite(tmp_path: Path) -> None:
    registry = ConnectorRegistry({"pools": {"p": {"url": f"sqlite:///{tmp_path}/p.db"}}})
    connector = registry.sql("p")
    await connector.execute("create table t (a integer)")
    await asyncio.gather(
        *(connector.execute("insert into t values (:i)", {"i": number}) for number in range(20))
    )
    assert await connector.scalar("select count(*) from t") == 20
    await registry.close()


async def test_schema_placeholders_come_from_the_pool() -> None:
    pool = {"url": "sqlite://", "schemas": {"sales": "main"}, "dblinks": {"far": "remote"}}
    registry = ConnectorRegistry({"pools": {"p": pool}})
    assert registry.pools.expand("#SCHEMA.SALES#.t#DBLINK.FAR##DBLINK.NONE#", "p") == "main.t@remote"
    await registry.sql("p").execute("create table #SCHEMA.sales#.t (a integer)")
    with pytest.raises(Invalid, match=r"no schema 'HR'.*SALES"):
        await registry.sql("p").execute("select * from #SCHEMA.HR#.t")
    bad = ConnectorRegistry({"pools": {"p": {"url": "sqlite://", "schemas": {"a": "b; drop table t"}}}})
    assert "plain identifier" in bad.problems[0].message


async def test_a_connector_may_use_only_its_pools(tmp_path: Path) -> None:
    pools = {name: {"url": f"sqlite:///{tmp_path}/{name}.db"} for name in ("a", "b", "c")}
    registry = ConnectorRegistry(
        {"pools": pools, "connectors": {"x": {"type": "sql", "pool": "a", "pools": ["b"]}}}
    )
    assert (
        await registry.sql("x").scalar("select file like '%/b.db' from pragma_database_list", pool="b") == 1
    )
    with pytest.raises(Invalid, match="it may use: a, b"):
        await registry.sql("x").scalar("select 1", pool="c")
    await registry.close()


def test_query_forms_of_older_files_are_read() -> None:
    definition = {
        "type": "sql",
        "queries": [
            {"name": "next-id", "type": "sequence", "sql": "select 1"},
            {
                "name": "orders",
                "type": "table",
                "get": {"sql": "select 1"},
                "put": {"sql": "update t set a = 1"},
            },
        ],
    }
    registry = ConnectorRegistry(
        {"pools": {"default": {"url": "sqlite://"}}, "connectors": {"c": definition}}
    )
    assert registry.problems == []
    assert registry.sql("c").query_names() == ["next-id", "orders_get", "orders_put"]
    named = {"type": "sql", "queries": {"a": {"sql": "select 1"}}}
    assert ConnectorRegistry({"connectors": {"c": named}}).sql("c").query_names() == ["a"]
    twice = {"type": "sql", "queries": [{"name": "a", "sql": "select 1"}, {"name": "a", "sql": "select 2"}]}
    assert "two queries are called 'a'" in ConnectorRegistry({"connectors": {"c": twice}}).problems[0].message


def test_unverified_certificates_are_announced(caplog: pytest.LogCaptureFixture) -> None:
    definition = {"type": "http", "base_url": "https://svc.example", "verify_ssl": False}
    with caplog.at_level(logging.WARNING):
        ConnectorRegistry({"connectors": {"svc": definition}})
    assert "NOT verified" in caplog.text


def test_the_schema_names_every_connector_type() -> None:
    schema = json_schema()
    assert set(schema["properties"]) >= {"pools", "connectors"}
    mapped = schema["properties"]["connectors"]["additionalProperties"]["discriminator"]["mapping"]
    assert set(mapped) == set(CONNECTOR_TYPES)


def test_a_query_that_would_be_refused_is_reported_when_the_file_is_read(tmp_path: Path) -> None:
    text = """
        [connectors.c]
        type = "sql"
        [[connectors.c.queries]]
        name = "good"
        sql = "select 1"
        [[connectors.c.queries]]
        name = "bad"
        sql = "delete from t"
    """
    registry = read(text, settings_at(tmp_path))
    (problem,) = registry.problems
    assert (problem.line, problem.key) == (7, "connectors.c.queries.bad")
    assert "set writable = true" in problem.message
    assert registry.sql("c").query_names() == ["bad", "good"]
