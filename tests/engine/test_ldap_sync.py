"""Directories in a program that runs: no retry of a refused bind, previews, and what the pages ask."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from liberty.api.models.data_sources import (
    AttributesModel,
    EndpointResultModel,
    PoolListModel,
    PoolReloadModel,
    PoolTestModel,
)
from liberty.errors import Invalid
from liberty.jobs.service.plan import Planner
from tests.engine.test_pages import pages_of
from tests.factories import ALICE, AppsRepo
from tests.slapd import ADMIN, PASSWORD, SUFFIX, Slapd, person

JOB = f"""
[[jobs]]
name = "mirror"
retry = {{ attempts = 3, base_seconds = 0 }}
[[jobs.steps]]
type = "ldap_sync"
name = "sync"
ldap_pool = "POOL"
search_base = "ou=people,{SUFFIX}"
search_filter = "(uid=*)"
target_connector = "default"
target_table = "users"
key_column = "login"
deletion_mode = "hard"
mapping = {{ uid = "login", cn = "name" }}
[[jobs.steps]]
type = "sql_query"
name = "count"
connector = "default"
query = "SELECT count(*) AS n FROM users"
"""


def repo_with(tmp_path: Path, url: str, server: Slapd, more: str = "") -> AppsRepo:
    pools = "".join(
        f'[pools.{name}]\ntype = "ldap"\nurl = "{server.tls_url}"\nca_file = "{server.ca_file}"\n'
        f'bind_dn = "{ADMIN}"\nbind_password = "{password}"\n'
        for name, password in (("ad", PASSWORD), ("wrong", "no such password"))
    )
    repo = AppsRepo(tmp_path / "apps", url).connectors(pools + more)
    return repo.jobs(
        JOB.replace("POOL", "ad") + JOB.replace("POOL", "wrong").replace('"mirror"', '"refused"')
    )


async def test_a_job_mirrors_a_directory_and_its_plan_tells_what_it_would_do(
    tmp_path: Path, database_url: str, slapd: Callable[..., Slapd]
) -> None:
    repo = repo_with(tmp_path, database_url, slapd(person("alice"), person("bob")))
    async with repo.running() as program:
        connectors = program.runtime.generation.connectors
        await connectors.sql("default").execute(
            "CREATE TABLE users (login VARCHAR(40) PRIMARY KEY, name VARCHAR(40))"
        )
        runtime = program.runtime
        planner = Planner(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)
        plan = await planner.plan("mirror", ALICE)
        preview = plan.steps[0].preview
        assert isinstance(preview, dict)
        assert (preview["fetched"], preview["added"]) == (2, 2)
        run = await program.run("mirror")
        assert run.run.status == "succeeded", run
        first, second = run.steps
        assert isinstance(first.output, dict)
        assert isinstance(second.output, dict)
        assert (first.output["fetched"], first.output["upserted"], first.rows_affected) == (2, 2, 2)
        assert second.output["first_row"] == {"n": 2}


async def test_a_refused_bind_is_not_tried_again(
    tmp_path: Path, sqlite_url: str, slapd: Callable[..., Slapd]
) -> None:
    async with repo_with(tmp_path, sqlite_url, slapd(person("alice"))).running() as program:
        connectors = program.runtime.generation.connectors
        await connectors.sql("default").execute("CREATE TABLE users (login TEXT PRIMARY KEY, name TEXT)")
        run = await program.run("refused")
        step = run.steps[0]
        assert run.run.status == "failed"
        assert len(step.attempts) == 1
        assert step.error is not None
        assert step.error.type == "BindRefused"
        assert "no such password" not in str(await program.messages(run.run))


async def test_the_pages_test_a_directory_and_browse_its_attributes(
    tmp_path: Path, sqlite_url: str, slapd: Callable[..., Slapd]
) -> None:
    server = slapd(person("alice", mail=["a@example.org", "b@example.org"]), person("bob"))
    async with repo_with(tmp_path, sqlite_url, server).running() as program:
        sources, remote = pages_of(program).sources, pages_of(program).remote
        listed = {pool["name"]: pool for pool in sources.pools()["items"]}
        PoolListModel.model_validate(sources.pools())
        assert (listed["ad"]["dialect"], listed["ad"]["jobs"]) == ("ldap", 1)
        good = PoolTestModel.model_validate(await sources.test_pool("ad"))
        bad = PoolTestModel.model_validate(await sources.test_pool("wrong"))
        assert (good.ok, bad.ok) == (True, False)
        assert "invalidCredentials" in (bad.problem or "")
        assert PoolReloadModel.model_validate(await sources.reload_pool("ad", ALICE)).loops == 0
        found = AttributesModel.model_validate(
            await remote.attributes("ad", base=None, search_filter="(uid=*)", scope="subtree")
        )
        assert (found.base, found.bases, found.entries) == (SUFFIX, [SUFFIX], 2)
        mail = next(item for item in found.items if item.name == "mail")
        assert (mail.entries, mail.several, mail.example) == (1, True, "a@example.org;b@example.org")


async def test_the_pages_run_an_endpoint_that_reads(
    tmp_path: Path, sqlite_url: str, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/items").respond_with_json({"rows": [{"id": 1, "api_token": "hidden-away"}]})
    shop = (
        f'[connectors.shop]\ntype = "api"\nbase_url = "{httpserver.url_for("")}"\n'
        '[[connectors.shop.endpoints]]\nname = "list"\npath = "/items"\nresponse_field = "rows"\n'
        '[[connectors.shop.endpoints]]\nname = "drop"\nmethod = "DELETE"\npath = "/items"\n'
    )
    async with AppsRepo(tmp_path / "apps", sqlite_url).connectors(shop).jobs("").running() as program:
        remote = pages_of(program).remote
        found = EndpointResultModel.model_validate(await remote.run_endpoint("shop", "list", {}))
        assert (found.ok, found.status, found.items) == (True, 200, 1)
        assert found.result == [{"id": 1, "api_token": "***"}]
        assert "hidden-away" not in found.body
        with pytest.raises(Invalid, match="may change data"):
            await remote.run_endpoint("shop", "drop", {})
