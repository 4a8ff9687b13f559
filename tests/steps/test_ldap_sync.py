"""The `ldap_sync` step between a real directory and real databases."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from liberty.connectors import ConnectorRegistry
from liberty.connectors.ldap import BindRefused
from liberty.errors import Invalid, LibertyError, NotFound
from liberty.etl.transfer import CopyFailed
from liberty.jobs.steps.ldap_sync import LdapSyncStep
from liberty.testing import build_fake_ctx
from tests.slapd import ADMIN, PASSWORD, SUFFIX, Slapd, person

PEOPLE = f"ou=people,{SUFFIX}"
MAPPING = {"uid": "login", "cn": "name", "mail": "email"}
TABLE = "CREATE TABLE users (login VARCHAR(40) PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(80))"

type Start = Callable[..., Slapd]


@pytest.fixture(params=["sqlite", "pg"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ConnectorRegistry]:
    """A database with the table `users`; the directory is added by `registry`."""
    url = request.getfixturevalue("pg_url") if request.param == "pg" else f"sqlite:///{tmp_path}/users.db"
    connectors = ConnectorRegistry({"pools": {"crm": {"url": url, "max_rows": 1_000_000}}})
    await connectors.sql("crm").execute(TABLE)
    yield connectors
    await connectors.close()


def with_directory(connectors: ConnectorRegistry, server: Slapd, **pool: Any) -> ConnectorRegistry:
    """The registry again, with the directory as the pool `ad`."""
    from liberty.connectors.ldap import LdapPool
    from liberty.connectors.ldap_config import LdapPoolConfig

    config = LdapPoolConfig.model_validate(server.pool(**pool))
    connectors._directories["ad"] = LdapPool("ad", config)
    return connectors


def step(**keys: Any) -> LdapSyncStep:
    usual = {"ldap_pool": "ad", "search_base": PEOPLE, "search_filter": "(uid=*)", "target_connector": "crm"}
    table = {} if "target_query" in keys else {"target_table": "users", "key_column": "login"}
    return LdapSyncStep.model_validate({"name": "sync", **usual, **table, "mapping": MAPPING, **keys})


async def synced(connectors: ConnectorRegistry, **keys: Any) -> dict[str, Any]:
    return (await step(**keys).execute(build_fake_ctx(connectors=connectors))).extras


async def users(connectors: ConnectorRegistry, columns: str = "login, name, email") -> list[tuple[Any, ...]]:
    found = await connectors.sql("crm").rows(f"SELECT {columns} FROM users ORDER BY login")
    return [tuple(row.values()) for row in found]


async def test_entries_are_added_changed_and_left_alone(database: ConnectorRegistry, slapd: Start) -> None:
    server = slapd(person("alice", mail=["a@example.org", "alice@example.org"]), person("bob"))
    connectors = with_directory(database, server, page_size=1)
    await connectors.sql("crm").execute(
        "INSERT INTO users VALUES ('bob', 'Robert', NULL), ('carol', 'Carol', NULL)"
    )
    first = await synced(connectors)
    counts = ("fetched", "read", "upserted", "added", "changed", "unchanged", "pruned", "deleted", "failed")
    assert [first[name] for name in counts] == [2, 2, 2, 1, 1, 0, 0, 0, 0]
    assert await users(connectors) == [
        ("alice", "Alice", "a@example.org;alice@example.org"),
        ("bob", "Bob", None),
        ("carol", "Carol", None),
    ]
    again = await synced(connectors)
    assert (again["upserted"], again["unchanged"]) == (0, 2)


async def test_rows_whose_entry_has_gone_are_deleted(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice"), person("bob")))
    await connectors.sql("crm").execute("INSERT INTO users VALUES ('zoe', 'Zoe', NULL)")
    found = await synced(connectors, deletion_mode="hard", guard={"max_delete_pct": 40})
    assert (found["upserted"], found["pruned"], found["deleted"]) == (2, 1, 1)
    assert [row[0] for row in await users(connectors)] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("kind", "gone"), [("BOOLEAN", True), ("INTEGER", 1), ("TIMESTAMP", None), ("VARCHAR(40)", None)]
)
async def test_a_soft_deletion_marks_rows_and_takes_the_mark_off_again(
    database: ConnectorRegistry, slapd: Start, kind: str, gone: Any
) -> None:
    connectors = with_directory(database, slapd(person("alice"), person("bob")))
    crm = connectors.sql("crm")
    await crm.execute(f"ALTER TABLE users ADD COLUMN gone {kind}")
    await crm.execute("INSERT INTO users (login, name) VALUES ('zoe', 'Zoe')")
    soft = {"deletion_mode": "soft", "deletion_column": "gone"}
    assert (await synced(connectors, **soft))["pruned"] == 1
    marks = dict(await users(connectors, "login, gone"))
    assert marks["zoe"] is not None
    assert gone is None or marks["zoe"] == gone
    assert not marks["alice"]
    assert (await synced(connectors, **soft))["pruned"] == 0, "what is marked does not vanish twice"
    found = await synced(connectors, **soft, search_filter="(uid=alice)")
    assert found["pruned"] == 1
    assert (await synced(connectors, **soft))["changed"] == 1
    assert not dict(await users(connectors, "login, gone"))["bob"]


async def test_a_guard_leaves_everything_as_it_was(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice")))
    await connectors.sql("crm").execute("INSERT INTO users VALUES ('yan', 'Yan', NULL), ('zoe', 'Zoe', NULL)")
    with pytest.raises(CopyFailed, match=r"2 of the target's 3 rows would be deleted \(66.7 %\)"):
        await synced(connectors, deletion_mode="hard", guard={"max_delete_pct": 50})
    with pytest.raises(CopyFailed, match="1 row found and min_rows is 2"):
        await synced(connectors, guard={"min_rows": 2})
    assert [row[0] for row in await users(connectors)] == ["yan", "zoe"]


async def test_an_empty_answer_deletes_nothing(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice")))
    await connectors.sql("crm").execute("INSERT INTO users VALUES ('zoe', 'Zoe', NULL)")
    with pytest.raises(CopyFailed, match="no entry was found"):
        await synced(connectors, deletion_mode="hard", search_filter="(uid=nobody)")
    assert [row[0] for row in await users(connectors)] == ["zoe"]
    assert (await synced(connectors, search_filter="(uid=nobody)"))["fetched"] == 0


async def test_entries_that_cannot_be_written_are_counted_and_their_rows_stay(
    database: ConnectorRegistry, slapd: Start
) -> None:
    names = [person(f"user{number:02}") for number in range(30)]
    server = slapd(*names, person("long", cn="x" * 90), person("nomail"))
    connectors = with_directory(database, server)
    crm = connectors.sql("crm")
    await crm.execute("DROP TABLE users")
    await crm.execute(
        "CREATE TABLE users (login VARCHAR(40) PRIMARY KEY, name VARCHAR(80), email VARCHAR(9), "
        "CHECK (login <> 'user07'))"
    )
    await crm.execute("INSERT INTO users (login) VALUES ('long'), ('zoe')")
    found = await synced(connectors, deletion_mode="hard")
    assert (found["fetched"], found["upserted"], found["failed"], found["pruned"]) == (32, 30, 2, 1)
    reasons = {one["entry"].partition(",")[0]: one["reason"] for one in found["failures"]}
    assert "column 'name' holds 80 characters, and there are 90" in reasons["uid=long"]
    assert "check" in reasons["uid=user07"].lower()
    left = [row[0] for row in await users(connectors, "login")]
    assert "long" in left, "an entry that is there but does not fit has not gone"
    assert "zoe" not in left


async def test_nothing_written_at_all_is_a_failure(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice"), person("bob")))
    with pytest.raises(
        CopyFailed, match=r"none of 2 entries could be written.*uid=alice.*key column 'email'"
    ):
        await synced(connectors, key_column="email")


async def test_a_key_that_comes_twice_is_written_once(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice", sn="Same"), person("bob", sn="Same")))
    found = await synced(connectors, mapping={"sn": "login", "cn": "name"})
    assert (found["upserted"], found["failed"]) == (1, 1)
    assert "'Same'" in found["failures"][0]["reason"]


async def test_a_declared_query_is_called_for_every_entry(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(
        database, slapd(*(person(f"user{number}", employeeNumber=number) for number in range(5)))
    )
    url = connectors.pools.config("crm").url
    await connectors.sql("crm").execute("ALTER TABLE users ADD COLUMN number INTEGER")
    sql = "INSERT INTO users (login, name, number) VALUES (:login, upper(:name), :number)"
    queries = [{"name": "put-user", "sql": sql, "writable": True}, {"name": "all", "sql": "SELECT 1"}]
    both = ConnectorRegistry(
        {
            "pools": {"crm": {"url": url}},
            "connectors": {"app": {"type": "sql", "pool": "crm", "queries": queries}},
        }
    )
    both._directories = connectors._directories
    await connectors.sql("crm").execute(
        "INSERT INTO users (login, name) VALUES ('user3', 'there'), ('zoe', 'Zoe')"
    )
    mapping = {"uid": "login", "cn": "name", "employeeNumber": "number"}
    keys = {"target_connector": "app", "mapping": mapping, "target_query": "put-user:write"}
    found = await synced(both, **keys, target_table="users", key_column="login", deletion_mode="hard")
    assert (found["fetched"], found["upserted"], found["failed"], found["pruned"]) == (5, 4, 1, 1)
    assert (await users(connectors, "login, name, number"))[0] == ("user0", "USER0", 0)
    with pytest.raises(Invalid, match="no parameter 'nam'; did you mean 'name'"):
        await synced(both, **{**keys, "mapping": {"uid": "login", "cn": "nam"}})
    with pytest.raises(Invalid, match="only reads"):
        await synced(both, **{**keys, "target_query": "all"})
    await both.close()


async def test_a_mapping_written_the_other_way_round_is_understood(
    database: ConnectorRegistry, slapd: Start, caplog: pytest.LogCaptureFixture
) -> None:
    connectors = with_directory(database, slapd(person("alice")))
    await synced(connectors, attributes=["uid", "cn"], mapping={"login": "uid", "name": "cn"})
    assert await users(connectors) == [("alice", "Alice", None)]
    assert "write attribute = column" in caplog.text


async def test_without_a_mapping_columns_get_the_attributes_of_their_name(
    database: ConnectorRegistry, slapd: Start
) -> None:
    connectors = with_directory(database, slapd(person("alice", telephoneNumber="1")))
    crm = connectors.sql("crm")
    await crm.execute("DROP TABLE users")
    await crm.execute(
        "CREATE TABLE users (UID VARCHAR(40) PRIMARY KEY, dn VARCHAR(200), telephoneNumber VARCHAR(20))"
    )
    await synced(connectors, mapping={}, key_column="uid")
    found = await crm.rows("SELECT * FROM users")
    assert list(found[0].values()) == ["alice", f"uid=alice,{PEOPLE}", "1"]


async def test_scopes(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice"), person("bob")))
    alice = f"uid=alice,{PEOPLE}"
    assert (await synced(connectors, scope="base", search_base=alice))["fetched"] == 1
    assert (await synced(connectors, scope="one"))["fetched"] == 2
    assert (await synced(connectors, scope="one", search_base=SUFFIX))["fetched"] == 0
    assert (await synced(connectors, search_base=SUFFIX))["fetched"] == 2


async def test_a_bind_that_is_refused_says_so(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice")), bind_password="wrong horse")
    with pytest.raises(BindRefused, match="refuses to be bound to as 'cn=admin") as refused:
        await synced(connectors)
    assert "wrong horse" not in str(refused.value)


async def test_wrong_places_are_told(database: ConnectorRegistry, slapd: Start) -> None:
    connectors = with_directory(database, slapd(person("alice")))
    with pytest.raises(NotFound, match="has no entry 'ou=peple"):
        await synced(connectors, search_base=f"ou=peple,{SUFFIX}")
    with pytest.raises(Invalid, match="filter"):
        await synced(connectors, search_filter="(uid=*")
    with pytest.raises(Invalid, match="table 'user' does not exist"):
        await synced(connectors, target_table="user")
    with pytest.raises(Invalid, match="no column 'emial'; did you mean 'email'"):
        await synced(connectors, mapping={"uid": "login", "mail": "emial"})
    with pytest.raises(Invalid, match="no attribute goes to key_column 'login'"):
        await synced(connectors, mapping={"mail": "email"})


async def test_an_answer_that_the_server_cuts_is_a_failure(database: ConnectorRegistry, slapd: Start) -> None:
    server = slapd(*(person(f"user{number}") for number in range(20)), limit="size.soft=5 size.hard=5")
    connectors = with_directory(database, server, bind_dn=None, bind_password=None)
    with pytest.raises(LibertyError, match="did not answer the search completely: sizeLimitExceeded"):
        await synced(connectors)
    assert await users(connectors) == []


async def test_a_server_of_the_step_is_asked_for_tls(
    database: ConnectorRegistry, slapd: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = slapd(person("alice"))
    keys = {"ldap_pool": None, "server": server.url, "bind_dn": ADMIN, "bind_password": PASSWORD}
    with pytest.raises(ConnectionError, match="certificate is not believed"):
        await synced(database, **keys)
    monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
    assert (await synced(database, **keys))["fetched"] == 1
    with pytest.raises(LibertyError, match="link-local"):
        await synced(database, **{**keys, "server": "ldaps://169.254.169.254"})


async def test_an_abort_takes_effect_at_once_and_changes_nothing(
    database: ConnectorRegistry, slapd: Start
) -> None:
    server = slapd(*(person(f"user{number}") for number in range(50)))
    connectors = with_directory(database, server, page_size=10)
    server.freeze()
    running = asyncio.ensure_future(synced(connectors))
    await asyncio.wait({running}, timeout=0.5)
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 2
    assert await users(connectors) == []


async def test_a_preview_tells_what_would_happen_and_writes_nothing(
    database: ConnectorRegistry, slapd: Start
) -> None:
    connectors = with_directory(database, slapd(person("alice"), person("bob"), person("charlie")))
    await connectors.sql("crm").execute(
        "INSERT INTO users VALUES ('bob', 'Robert', NULL), ('zoe', 'Zoe', NULL)"
    )
    before = await users(connectors)
    wanted = step(deletion_mode="hard", guard={"max_delete_pct": 10})
    found = await wanted.preview(build_fake_ctx(connectors=connectors))
    assert [found[name] for name in ("fetched", "added", "changed", "deleted", "rows_held")] == [
        3,
        2,
        1,
        1,
        2,
    ]
    assert [row["change"] for row in found["rows"]] == ["add", "add", "change", "delete"]
    assert "max_delete_pct" in found["guard"]
    assert await users(connectors) == before


async def test_fifty_thousand_entries(database: ConnectorRegistry, slapd: Start) -> None:
    server = slapd(
        *(person(f"user{number:05}", mail=f"user{number}@example.org") for number in range(50_000))
    )
    connectors = with_directory(database, server)
    await connectors.sql("crm").execute("INSERT INTO users VALUES ('zoe', 'Zoe', NULL)")
    began = time.monotonic()
    found = await synced(connectors, deletion_mode="hard")
    logging.getLogger(__name__).warning("50,000 entries took %.1f s", time.monotonic() - began)
    assert (found["fetched"], found["upserted"], found["failed"], found["pruned"]) == (50_000, 50_000, 0, 1)
    assert await connectors.sql("crm").scalar("SELECT count(*) FROM users WHERE email IS NOT NULL") == 50_000


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"server": "ldaps://x"}, "either 'ldap_pool' or 'server'"),
        ({"bind_dn": "cn=x", "bind_password": "y"}, "belong to 'server'"),
        ({"target_table": None}, "give 'target_query', or 'target_table'"),
        ({"key_column": None}, "'target_table' needs 'key_column'"),
        ({"deletion_mode": "soft"}, "needs 'deletion_column'"),
        ({"deletion_column": "gone"}, "belongs to deletion_mode 'soft'"),
        ({"guard": {"max_delete_pct": 5}}, "limits nothing here"),
        ({"target_query": "q", "deletion_mode": "hard"}, "'deletion_mode' needs 'target_table'"),
    ],
)
def test_keys_that_do_not_fit_each_other_are_refused(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        step(**keys)
