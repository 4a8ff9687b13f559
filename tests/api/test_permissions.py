"""Every route for every kind of caller, generated from the access table."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liberty.api.access import EVENTS, ROUTES, Access, allowed, check_complete
from liberty.api.application import served_routes
from liberty.errors import Internal
from liberty.live.events import HANDLED
from tests.factories import caller
from tests.server import Server, lay_out, serving

MAY = {
    "alice": {"read", "run"},
    "bob": {"read", "abort"},
    "editor": {"read", "settings", "monitoring"},
    "charlie": set[str](),
    "root": {"read", "run", "abort", "settings", "monitoring"},
}
BODIES: dict[str, dict[str, Any]] = {
    "/auth/login": {"username": "nobody", "password": "-"},
    "/auth/session": {"username": "nobody", "password": "-"},
    "/auth/refresh": {"refresh_token": "-"},
    "/admin/jobs/validate": {"toml": ""},
    "/admin/files/connectors": {"text": "", "hash": "-"},
    "/admin/files/connectors/check": {"text": ""},
    "/admin/jobs/{name:path}/backfill": {"from": "2026-05-01", "to": "2026-05-03"},
    "/admin/config/{section}": {"hash": "-", "changes": [{"path": ["x"], "value": 1}]},
    "/admin/jobs/runs/abort": {"run_ids": ["r-999999"]},
    "/admin/jobs/runs/replay": {"run_ids": ["r-999999"]},
}
QUERIES = {
    "/auth/link": {"token": "-"},
    "/admin/jobs/cron-preview": {"schedule": "0 2 * * *"},
    "/admin/jobs/{name:path}/marks/{step}": {"value": ""},
    "/admin/jobs/runs/compare": {"a": "{run_id}", "b": "{run_id}"},
    "/admin/jobs/runs/{run_id}/logs/search": {"q": "hello"},
}
CONNECTORS = """
[connectors.orders]
type = "sql"
[[connectors.orders.queries]]
name = "count"
sql = "SELECT count(*) AS runs FROM ly2_job_runs"
"""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with one finished run of each of two jobs whose names begin alike."""
    folder: Path = tmp_path_factory.mktemp("matrix")
    config = lay_out(folder, connectors=CONNECTORS)
    (config / "notifications.toml").write_text('[channels.centre]\ntype = "in_app"\n')
    with serving(config) as server:
        runs = {job: server.start(job) for job in ("greet", "greet2")}
        for run_id in runs.values():
            server.ended(run_id)
        yield server, runs


def expected(access: Access, person: str | None) -> bool:
    if access.kind == "public":
        return True
    if person is None:
        return False
    if access.kind == "signed-in":
        return True
    needed = (
        {access.verb}
        if access.kind in ("job", "run")
        else {name.split(":")[0] for name in access.permissions}
    )
    return bool(needed & MAY[person])


def ask(crowd: tuple[Server, dict[str, str]], method: str, path: str, person: str | None, job: str) -> int:
    server, runs = crowd
    target = path.replace("{name:path}", job).replace("{run_id}", runs[job])
    target = target.replace("{section}", "jobs").replace("{name}", "hello")
    target = target.replace("{pool}", "default").replace("{connector}", "orders").replace("{query}", "count")
    target = target.replace("{channel}", "centre").replace("{table}", "ly2_job_runs")
    query = {key: value.replace("{run_id}", runs[job]) for key, value in QUERIES.get(path, {}).items()}
    body = BODIES.get(path, {}) if method in ("POST", "PUT") else None
    client = server.client(person)
    if path == "/auth/logout":
        # The token would be gone for the tests that follow.
        return client.request("GET", "/auth/me").status_code
    return client.request(method, target, json=body, params=query).status_code


NO_PAGES = [route for route, access in ROUTES.items() if access.kind != "page"]
"""What is asked of everything else. Pages hold no data; test_pages.py has them."""


@pytest.mark.parametrize("person", [None, "charlie", "alice", "bob", "editor", "root"])
@pytest.mark.parametrize("route", NO_PAGES, ids=lambda route: " ".join(route))
def test_a_route_lets_in_whom_the_table_says(
    crowd: tuple[Server, dict[str, str]], route: tuple[str, str], person: str | None
) -> None:
    method, path = route
    status = ask(crowd, method, path, person, "greet")
    if expected(ROUTES[route], person):
        assert status not in (403, 404, 500), status
        assert status != 401 or ROUTES[route].kind == "public"
    else:
        assert status == (401 if person is None else 404)


OF_A_JOB = [route for route, access in ROUTES.items() if access.kind in ("job", "run")] + [
    ("POST", f"/admin/jobs/{{name:path}}/{verb}") for verb in ("enable", "disable", "pause", "resume")
]


@pytest.mark.parametrize("person", ["charlie", "alice", "bob", "editor"])
@pytest.mark.parametrize("route", OF_A_JOB, ids=lambda route: " ".join(route))
def test_a_right_on_one_job_is_none_on_another_of_a_similar_name(
    crowd: tuple[Server, dict[str, str]], route: tuple[str, str], person: str
) -> None:
    assert ask(crowd, *route, person, "greet2") == 404


def test_forbidden_and_absent_look_the_same(crowd: tuple[Server, dict[str, str]]) -> None:
    server, runs = crowd
    alice = server.client("alice")
    forbidden, absent = alice.get("/admin/jobs/greet2"), alice.get("/admin/jobs/greet3")
    assert forbidden.json()["detail"].replace("greet2", "greet3") == absent.json()["detail"]
    assert forbidden.status_code == absent.status_code == 404
    hidden = alice.get(f"/admin/jobs/runs/{runs['greet2']}").json()
    missing = alice.get("/admin/jobs/runs/r-999999").json()
    assert hidden["detail"].replace(runs["greet2"], "r-999999") == missing["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/x/healthz",
        "/admin/jobs/healthz",
        "/admin/jobs/x/../healthz",
        "//admin/jobs",
        "/admin/jobs/",
        "/ADMIN/jobs",
        "/admin/jobs%2fruns",
        "/admin/jobs/greet/",
        "/auth/login/../../admin/jobs",
        "/admin/jobs/..;/healthz",
        "/docs/../admin/jobs",
    ],
)
def test_no_spelling_of_a_path_goes_round_the_guard(crowd: tuple[Server, dict[str, str]], path: str) -> None:
    server, _ = crowd
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status in (401, 404), text


def test_lists_show_only_what_may_be_read(crowd: tuple[Server, dict[str, str]]) -> None:
    server, _ = crowd

    def seen(person: str, path: str, key: str) -> set[str]:
        return {item[key] for item in server.client(person).get(path).json()["items"]}

    span = "?from=2026-05-01&to=2026-05-08"
    server.root.post("/admin/jobs/greet/enable")
    assert seen("charlie", "/admin/jobs", "name") == seen("charlie", "/admin/jobs/runs", "job") == set()
    assert seen("charlie", f"/admin/jobs/schedule{span}", "job") == set()
    for person in ("alice", "bob"):
        assert seen(person, "/admin/jobs", "name") == {"greet"}
        assert seen(person, "/admin/jobs/runs", "job") == {"greet"}
        assert seen(person, "/admin/jobs/runs?job=greet,greet2", "job") == {"greet"}
        assert seen(person, f"/admin/jobs/schedule{span}", "job") == {"greet"}
        assert seen(person, "/admin/overview/jobs", "name") == {"greet"}
        lanes = server.client(person).get("/admin/overview/calendar").json()["lanes"]
        assert {lane["job"] for lane in lanes} == {"greet"}
        load = server.client(person).get("/admin/overview/load").json()
        assert {event["job"] for event in load["events"]} == {"greet"}
        counts = server.client(person).get("/admin/jobs/runs/counts").json()["counts"]
        listed = server.client(person).get("/admin/jobs/runs?limit=1000").json()["items"]
        assert sum(counts.values()) == len(listed)
        exported = server.client(person).get("/admin/jobs/runs/export").text.splitlines()
        assert {line.split(",")[1] for line in exported[1:]} == {"greet"}
    assert {"greet", "greet2", "broken"} <= seen("root", "/admin/jobs", "name")


def test_many_at_once_is_one_right_for_each(crowd: tuple[Server, dict[str, str]]) -> None:
    server, runs = crowd
    body = {"run_ids": [runs["greet"], runs["greet2"], "r-999999"]}

    def codes(person: str, verb: str) -> list[str | None]:
        items = server.client(person).post(f"/admin/jobs/runs/{verb}", json=body).json()["items"]
        return [item["code"] for item in items]

    assert codes("alice", "replay") == [None, "not_found", "not_found"]
    assert codes("bob", "replay") == ["not_found"] * 3
    assert codes("bob", "abort") == ["conflict", "not_found", "not_found"]
    everything = {"filter": {}, "limit": 500}
    named = server.client("bob").post("/admin/jobs/runs/replay", json=everything).json()
    assert named == {"items": [], "done": 0, "refused": 0}
    for wrong in ({}, {"run_ids": [], "filter": {}}, {"run_ids": ["r-1"] * 501}, {"filter": {"jbo": []}}):
        assert server.root.post("/admin/jobs/runs/abort", json=wrong).status_code == 422


def test_a_query_is_run_by_who_holds_its_name(crowd: tuple[Server, dict[str, str]]) -> None:
    server, _ = crowd
    path = "/admin/connectors/orders/queries/count/run"
    assert server.client("editor").post(path).json()["columns"] == ["runs"]
    assert server.client("alice").post(path).status_code == 404
    assert all(allowed_of(permission) for permission in ("sql:orders:count", "sql:orders:*", "sql:*"))
    assert not any(allowed_of(permission) for permission in ("sql:orders:other", "sql:count"))


def allowed_of(permission: str) -> bool:
    access = ROUTES["POST", "/admin/connectors/{connector}/queries/{query}/run"]
    person = caller(name="charlie", permissions=(permission,))
    return allowed(person, access, {"connector": "orders", "query": "count"})


def test_an_unlisted_route_or_event_stops_the_start() -> None:
    with pytest.raises(Internal, match="GET /secret"):
        check_complete([*ROUTES, ("GET", "/secret")], HANDLED)
    with pytest.raises(Internal, match=r"shell\.open"):
        check_complete(ROUTES, [*HANDLED, "shell.open"])
    with pytest.raises(Internal, match="entries for nothing: GET /healthz"):
        check_complete(set(ROUTES) - {("GET", "/healthz")}, EVENTS)


def test_every_documented_operation_is_in_the_table(crowd: tuple[Server, dict[str, str]]) -> None:
    server, _ = crowd
    templates = {path.replace("{name:path}", "{name}") for _, path in ROUTES}
    assert set(server.root.get("/openapi.json").json()["paths"]) <= templates
    assert set(served_routes(server.application.fastapi.routes)) == set(ROUTES)
