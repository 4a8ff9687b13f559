"""What a hostile client may write in a request: it is refused as its own mistake, never as the server's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import socketio

from tests.server import Server, lay_out, serving

UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfffb"]
FAR_AWAY = ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31"]


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Server]:
    """PostgreSQL refuses texts and numbers that SQLite takes."""
    from tests.conftest import SHARED_SERVER

    with (
        pytestconfig.stash[SHARED_SERVER].database() as url,
        serving(lay_out(tmp_path_factory.mktemp("repo")), environ={"LIBERTY_DB_URL": url}) as found,
    ):
        yield found


def send(server: Server, method: str, path: str, body: Any) -> int:
    """As escaped JSON: a half of a surrogate pair can be written in no other way."""
    answer = server.root.request(
        method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    return answer.status_code


@pytest.mark.parametrize("text", UNSTORABLE)
def test_text_that_no_database_holds_is_refused_in_every_body(server: Server, text: str) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/auth/login", {"username": text, "password": "x"}),
        ("/auth/session", {"username": "x", "password": text}),
        ("/auth/refresh", {"refresh_token": text}),
        ("/admin/freeze", {"reason": text}),
        ("/admin/jobs/greet/pause", {"reason": text}),
        ("/admin/jobs/greet/run", {"params": {"who": text}}),
        ("/admin/jobs/greet/run", {"op_kwargs": {"say": {"who": [{"deep": text}]}}}),
        ("/admin/jobs/greet/run", {"params": {text: 1}}),
        ("/admin/jobs/validate", {"toml": text}),
    ]
    assert {path: send(server, "POST", path, body) for path, body in bodies} == {
        path: 422 for path, _ in bodies
    }


@pytest.mark.parametrize("text", UNSTORABLE)
def test_text_that_no_file_holds_is_refused_as_a_setting(server: Server, text: str) -> None:
    version = server.root.get("/admin/config/connectors").json()["hash"]
    change = {"path": ["connectors", "x", "password"], "value": text}
    assert send(server, "PUT", "/admin/config/connectors", {"hash": version, "changes": [change]}) == 422


def test_nul_in_a_query_is_refused(on_postgresql: Server) -> None:
    paths = [
        "/admin/jobs/runs?job=%00",
        "/admin/jobs/runs?status=a%00",
        "/auth/link?token=%00",
    ]
    assert [on_postgresql.root.get(path).status_code for path in paths] == [400] * len(paths)


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_line_number_beyond_any_column_is_refused(on_postgresql: Server, number: int) -> None:
    run_id = on_postgresql.start("greet")
    on_postgresql.ended(run_id)
    found = on_postgresql.root.get(f"/admin/jobs/runs/{run_id}/logs", params={"since": number})
    assert found.status_code == 422


async def test_a_socket_asks_for_a_line_beyond_any_column(on_postgresql: Server) -> None:
    run_id = on_postgresql.start("greet")
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(on_postgresql.url, auth={"token": on_postgresql.tokens["alice"]}, wait_timeout=10)
    try:
        answer = await client.call("run.subscribe", {"run_id": run_id, "since_seq": 10**30}, timeout=10)
    finally:
        await client.disconnect()
    assert (answer["ok"], answer["code"]) == (False, "invalid")


@pytest.mark.parametrize("instant", FAR_AWAY)
def test_instants_at_the_ends_of_time_are_refused(server: Server, instant: str) -> None:
    asked = [
        server.root.get("/admin/jobs/greet/why", params={"at": instant}),
        server.root.get("/admin/jobs/schedule", params={"from": instant}),
        server.root.get("/admin/jobs/cron-preview", params={"schedule": "@daily", "from": instant}),
        server.root.get("/admin/jobs/runs", params={"to": instant}),
        server.root.post("/admin/jobs/greet/backfill", json={"from": instant, "to": "2026-01-01"}),
        server.root.post("/admin/freeze", json={"until": instant}),
    ]
    assert [answer.status_code for answer in asked] == [422] * len(asked)


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", ""])
def test_an_origin_that_is_no_address_is_foreign(server: Server, origin: str) -> None:
    answer = server.client(None).post(
        "/auth/session", json={"username": "x", "password": "y"}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    handshake = server.client(None).get(
        "/socket.io/", params={"EIO": "4", "transport": "polling"}, headers={"Origin": origin}
    )
    assert handshake.status_code == (400 if origin else 200)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["app", "name"], None),
        (["app", "name"], {"a": {"b": [None]}}),
        (["app", "name", "x"], 1),
        (["app", "name", "x", "y"], 1),
        (["app", "name", 0], 1),
        (["app", 0], 1),
        ([0], 1),
        (["app"] * 5000, 1),
    ],
)
def test_a_setting_that_toml_cannot_hold_is_refused(own_server: Server, path: list[Any], value: Any) -> None:
    (own_server.config / "app.toml").write_text('[app]\nname = "x"\n')
    version = own_server.root.get("/admin/config/app").json()["hash"]
    change = {"path": path, "value": value}
    status = send(own_server, "PUT", "/admin/config/app", {"hash": version, "changes": [change]})
    assert status in (404, 422)
    assert (own_server.config / "app.toml").read_text() == '[app]\nname = "x"\n'


def test_a_list_of_jobs_takes_tables_only(server: Server) -> None:
    version = server.root.get("/admin/config/jobs").json()["hash"]
    for path, value in ((["jobs", "x"], {}), (["jobs", 1], 1), (["jobs", 0, "name", 0], 1)):
        change = {"path": path, "value": value}
        status = send(server, "PUT", "/admin/config/jobs", {"hash": version, "changes": [change]})
        assert status in (404, 422), path


def test_a_value_nested_hundreds_deep_is_refused(server: Server) -> None:
    value: Any = "x"
    for _ in range(500):
        value = [value]
    assert send(server, "POST", "/admin/jobs/greet/run", {"op_kwargs": {"say": {"who": value}}}) == 422
    version = server.root.get("/admin/config/jobs").json()["hash"]
    change = {"path": ["jobs", 0, "params", "who"], "value": value}
    assert send(server, "PUT", "/admin/config/jobs", {"hash": version, "changes": [change]}) == 422
