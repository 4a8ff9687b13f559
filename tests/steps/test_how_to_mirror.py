"""The pages about directories and APIs, followed as they stand, with the servers' addresses changed."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.architecture.tree import ROOT
from tests.factories import AppsRepo
from tests.slapd import ADMIN, PASSWORD, Slapd, person


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / "how-to" / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


async def test_mirror_a_directory(tmp_path: Path, database_url: str, slapd: Callable[..., Slapd]) -> None:
    server = slapd(person("alice", mail="alice@example.org"), person("bob"))
    pool, job = blocks("mirror-a-directory.md", "toml")
    pool = pool.replace("ldaps://dc1.example.org", server.tls_url).replace(
        "cn=reader,dc=example,dc=org", ADMIN
    )
    repo = AppsRepo(tmp_path / "apps", database_url, {"DIRECTORY_PASSWORD": PASSWORD})
    repo.app(scheduler_enabled=False).connectors(f'{pool}ca_file = "{server.ca_file}"\n').jobs(job)
    async with repo.running() as program:
        connectors = program.runtime.generation.connectors
        assert connectors.problems == []
        (table,) = blocks("mirror-a-directory.md", "sql")
        await connectors.sql("default").execute(table)
        run = await program.run("directory-mirror")
        assert run.run.status == "succeeded", run.steps
        rows = await connectors.sql("default").rows("SELECT login, email FROM users ORDER BY login")
        assert [row["login"] for row in rows] == ["alice", "bob"]


async def test_pull_an_api(tmp_path: Path, sqlite_url: str, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/v2/oauth/token").respond_with_json(
        {"access_token": "t0ken-of-the-shop"}
    )
    signed = {"Authorization": "Bearer t0ken-of-the-shop"}
    order = {"id": 1, "customer": {"name": "Alice"}, "amounts": {"total": 3}}
    httpserver.expect_ordered_request("/v2/orders", headers=signed).respond_with_json(
        {"data": [order], "meta": {"next": "b"}}
    )
    httpserver.expect_ordered_request("/v2/orders", headers=signed).respond_with_json(
        {"data": [{**order, "id": 2}], "meta": {"next": None}}
    )
    connector, job = blocks("pull-an-api.md", "toml")
    assert tomllib.loads(job)["jobs"][0]["name"] == "orders-hourly"
    connector = connector.replace("https://api.example.org", httpserver.url_for("").rstrip("/"))
    repo = AppsRepo(tmp_path / "apps", sqlite_url, {"SHOP_SECRET": "secret of the shop"})
    repo.app(scheduler_enabled=False).connectors(connector).jobs(job)
    async with repo.running() as program:
        assert program.runtime.generation.connectors.problems == []
        run = await program.run("orders-hourly")
        assert run.run.status == "succeeded", run.steps
        output = run.steps[0].output
        assert isinstance(output, dict)
        mapped = [{"id": number, "customer": "Alice", "total": 3} for number in (1, 2)]
        assert output["mapped"] == mapped
