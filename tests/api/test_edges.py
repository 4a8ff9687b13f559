"""What holds for every route: problem documents, limits, headers, health, the OpenAPI document."""

import http.client
import json

import pytest

from tests.server import Server


def test_health_is_public_and_needs_no_database(server: Server) -> None:
    for path in ("/healthz", "/api/healthz", "/health"):
        answer = server.client(None).get(path)
        assert answer.status_code == 200
        assert answer.json()["ok"] is True
        assert answer.json()["status"] == "ok"
    assert server.client(None).get("/ready").json() == {"ready": True}


def test_an_error_is_a_problem_document_with_a_code(server: Server) -> None:
    answer = server.root.get("/admin/jobs/runs/r-999999")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:nomaflow:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "no run 'r-999999'",
        "code": "not_found",
    }
    assert server.client(None).get("/nowhere").json()["code"] == "not_found"
    assert server.root.put("/admin/reload", json={}).json()["code"] == "method_not_allowed"


def test_a_large_body_is_refused_with_and_without_a_length(server: Server) -> None:
    body = b'{"params": {"who": "' + b"x" * 1_100_000 + b'"}}'
    headers = {"Content-Type": "application/json"}
    assert server.root.post("/admin/jobs/greet/run", content=body, headers=headers).status_code == 413

    def in_pieces() -> "list[bytes]":
        return [body[at : at + 65536] for at in range(0, len(body), 65536)]

    answer = server.root.post("/admin/jobs/greet/run", content=iter(in_pieces()), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("body", [b"{", b"[" * 50_000, b'{"params": {"who": NaN}}', b"\xff\xfe", b"null x"])
def test_text_that_is_no_json_is_refused(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = server.root.post("/admin/jobs/greet/run", content=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_refused_password_is_never_echoed(server: Server) -> None:
    answer = server.client(None).post("/auth/login", json={"username": "x", "password": ["never-shown"]})
    assert answer.status_code == 422
    assert "never-shown" not in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/admin/jobs", "/docs", "/nowhere"])
def test_browsers_are_told_to_be_careful(server: Server, path: str) -> None:
    headers = server.root.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_head_asks_like_get(server: Server) -> None:
    assert server.root.head("/healthz").status_code in (200, 405)


def test_the_openapi_document_describes_real_shapes(server: Server) -> None:
    document = server.client(None).get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    start = document["paths"]["/admin/jobs/{name}/run"]["post"]
    assert start["responses"]["202"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "RunQueuedModel"
    )
    assert "Idempotency-Key" in {parameter["name"].title() for parameter in start["parameters"]}
    assert {parameter["name"] for parameter in start["parameters"] if parameter["in"] == "path"} == {"name"}
    run = document["components"]["schemas"]["RunModel"]["properties"]
    assert run["run_id"]["examples"] == ["r-1842"]
    shown = document["paths"]["/admin/jobs/runs"]["get"]["parameters"]
    filters = {"job", "status", "from", "to", "trigger", "user", "text"}
    assert filters | {"limit", "cursor", "direction"} == {parameter["name"] for parameter in shown}
    operations = [
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    ]
    assert len(operations) == len(set(operations))


def test_the_documentation_page_lists_every_path_without_scripts(server: Server) -> None:
    page = server.client(None).get("/docs").text
    assert "<script" not in page
    for path in server.client(None).get("/openapi.json").json()["paths"]:
        assert path.replace("<", "&lt;") in page


def test_metrics_tell_what_prometheus_can_read(server: Server) -> None:
    server.ended(server.start("greet"))
    answer = server.client("editor").get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for name in (
        "nomaflow_jobs ",
        "nomaflow_jobs_quarantined 1.0",
        "nomaflow_runs_queued",
        "nomaflow_pool_size",
    ):
        assert name in answer.text


def test_header_injection_and_odd_requests_do_no_harm(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
    connection.putrequest("POST", "/auth/login")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "2")
    connection.putheader("Cookie", "nomaflow_session=[]; =; ;;")
    connection.endheaders(b"{}")
    answer = connection.getresponse()
    assert answer.status == 422
    json.loads(answer.read())
    connection.close()
