"""The `http` step against a real server: what it sends, decodes, stores, refuses and says."""

import asyncio
import json
import logging
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from liberty.connectors import ConnectorRegistry
from liberty.errors import Forbidden
from liberty.jobs.steps.base import StepFailed
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.http_output import decoded, shown_url
from liberty.secrets import redactor
from liberty.testing import FakeContext, build_fake_ctx


@pytest.fixture
def connectors(httpserver: HTTPServer) -> ConnectorRegistry:
    return ConnectorRegistry(
        {
            "connectors": {
                "shop": {
                    "type": "api",
                    "base_url": httpserver.url_for("/api"),
                    "endpoints": [
                        {"name": "order", "path": "/orders/{{id}}", "response_field": "data.total"},
                    ],
                }
            }
        }
    )


@pytest.fixture
def context(connectors: ConnectorRegistry) -> FakeContext:
    return build_fake_ctx(connectors=connectors, run_id="r-7", step_name="ask")


async def test_a_json_answer_is_decoded_for_later_steps(httpserver: HTTPServer, context: FakeContext) -> None:
    httpserver.expect_request("/rates", query_string={"day": "2026-01-01", "all": "true"}).respond_with_json(
        {"eur": [1, 2.5]}
    )
    step = HttpStep(url=httpserver.url_for("/rates"), params={"day": "2026-01-01", "all": True, "none": None})
    result = await step.execute(context)
    assert result.extras["status"] == result.extras["status_code"] == 200
    assert result.extras["body"] == {"eur": [1, 2.5]}
    assert result.extras["headers"]["content-type"] == "application/json"
    assert result.extras["elapsed_ms"] > 0
    assert result.rows_affected is None
    await context.connectors.close()


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        ('{"as": "written"', '{"as": "written"', None),
        ({"a": [1, None]}, '{"a": [1, null]}', "application/json"),
        ([1, 2], "[1, 2]", "application/json"),
        (None, "", None),
    ],
)
async def test_text_is_sent_as_it_is_and_structures_as_json(
    httpserver: HTTPServer, context: FakeContext, body: Any, sent: str, content_type: str | None
) -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: Request) -> Response:
        seen.append((request.get_data(as_text=True), request.headers.get("Content-Type")))
        return Response("", status=204)

    httpserver.expect_request("/in", method="POST").respond_with_handler(answer)
    result = await HttpStep(url=httpserver.url_for("/in"), method="POST", body=body).execute(context)
    assert seen[0][0] == sent
    if content_type is not None:
        assert seen[0][1] == content_type
    assert result.extras["body"] is None
    await context.connectors.close()


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (
            {"type": "basic", "username": "alice", "password": "not-a-secret"},
            "Basic YWxpY2U6bm90LWEtc2VjcmV0",
        ),
        ({"type": "bearer", "token": "token-of-alice"}, "Bearer token-of-alice"),
        ({"type": "none"}, None),
    ],
)
async def test_credentials_are_sent_and_hidden(
    httpserver: HTTPServer, context: FakeContext, auth: dict[str, str], header: str | None
) -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return Response("ok")

    httpserver.expect_request("/in").respond_with_handler(answer)
    step = HttpStep.model_validate({"url": httpserver.url_for("/in"), "auth": auth})
    await step.execute(context)
    assert seen == [header]
    secret = auth.get("password") or auth.get("token")
    if secret:
        assert secret not in redactor.redact(f"sent {secret}")
    await context.connectors.close()


async def test_an_unexpected_status_fails_with_status_and_excerpt(
    httpserver: HTTPServer, context: FakeContext
) -> None:
    httpserver.expect_request("/down").respond_with_data("the  shop\nis closed " + "x" * 5_000, status=503)
    step = HttpStep(url=httpserver.url_for("/down?api_key=hush-hush&day=1"))
    with pytest.raises(StepFailed) as failed:
        await step.execute(context)
    message = str(failed.value)
    assert "answered 503 SERVICE UNAVAILABLE; expected 2xx: the shop is closed xxx" in message
    assert "hush-hush" not in message
    assert len(message) < 800
    await context.connectors.close()


async def test_the_expected_statuses_replace_the_default(
    httpserver: HTTPServer, context: FakeContext
) -> None:
    httpserver.expect_request("/gone").respond_with_data("", status=404)
    httpserver.expect_request("/fine").respond_with_data("", status=200)
    result = await HttpStep(url=httpserver.url_for("/gone"), expected_statuses=(404, 410)).execute(context)
    assert result.extras["status"] == 404
    with pytest.raises(StepFailed, match=r"answered 200 .*expected 404, 410"):
        await HttpStep(url=httpserver.url_for("/fine"), expected_statuses=(404, 410)).execute(context)
    await context.connectors.close()


async def test_a_large_body_is_whole_for_later_steps_and_cut_in_the_history(
    httpserver: HTTPServer, context: FakeContext
) -> None:
    rows = [{"n": n, "text": "é" * 20} for n in range(5_000)]
    httpserver.expect_request("/big").respond_with_json(rows)
    result = await HttpStep(url=httpserver.url_for("/big")).execute(context)
    assert result.output["body"] == rows
    assert result.extras["truncated"] is True
    assert len(result.extras["body"].encode()) <= 100 * 1024
    assert result.extras["body_bytes"] > 100 * 1024
    await context.connectors.close()


async def test_an_endpoint_of_a_connector_is_called(httpserver: HTTPServer, context: FakeContext) -> None:
    httpserver.expect_request("/api/orders/7").respond_with_json({"data": {"total": 12.5}})
    step = HttpStep(connector="shop", endpoint="order", params={"id": 6})
    context.params, context.explicit = {"id": 7}, frozenset({"id"})
    result = await step.execute(context)
    assert result.extras["body"] == {"data": {"total": 12.5}}
    assert result.extras["extracted"] == 12.5
    await context.connectors.close()


async def test_an_endpoints_error_status_fails_the_step(httpserver: HTTPServer, context: FakeContext) -> None:
    httpserver.expect_request("/api/orders/7").respond_with_data("broken", status=500)
    with pytest.raises(StepFailed, match=r"shop/order http://.*/api/orders/7 answered 500.*: broken"):
        await HttpStep(connector="shop", endpoint="order", params={"id": 7}).execute(context)
    await context.connectors.close()


async def test_no_answer_is_a_connection_error(context: FakeContext, unused_port: int) -> None:
    with pytest.raises(ConnectionError):
        await HttpStep(url=f"http://127.0.0.1:{unused_port}/").execute(context)
    await context.connectors.close()


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_a_private_address_from_a_parameter_is_refused(
    httpserver: HTTPServer, context: FakeContext
) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    written = HttpStep(url="http://${params.host}/in")
    rendered = HttpStep(url=httpserver.url_for("/in"))
    rendered.rendered_from(written)
    with pytest.raises(Forbidden, match="may not be private"):
        await rendered.execute(context)
    assert (await HttpStep(url=httpserver.url_for("/in")).execute(context)).extras["body"] == "ok"
    await context.connectors.close()


async def test_an_abort_closes_the_connection(context: FakeContext) -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    step = HttpStep(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/slow")
    async with asyncio.timeout(2), asyncio.TaskGroup() as group:
        task = group.create_task(step.execute(context))
        await asked.wait()
        task.cancel()
        await hung_up.wait()
    assert task.cancelled()
    server.close()
    await context.connectors.close()


async def test_the_log_tells_the_request_without_its_secrets(
    httpserver: HTTPServer, context: FakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    url = httpserver.url_for("/in")
    with caplog.at_level(logging.INFO, logger="nomaflow.http"):
        await HttpStep(url=f"{url}?token=hush-hush&day=1").execute(context)
    lines = [record.getMessage() for record in caplog.records if record.name == "nomaflow.http"]
    assert lines[0] == f"nomaflow.http start run=r-7 step='ask' request=GET {url}?token=***&day=1"
    assert lines[1].startswith("nomaflow.http done run=r-7 step='ask' status=200 ")
    await context.connectors.close()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"connector": "shop", "endpoint": "order", "body": "x"}, "'body' belongs to 'url'"),
        ({"connector": "shop", "endpoint": "order", "headers": {"A": "b"}}, "'headers' belongs to 'url'"),
        ({"connector": "shop", "endpoint": "order", "method": "PUT"}, "'method' belongs to 'url'"),
        ({"connector": "shop", "endpoint": "order", "auth": {"type": "none"}}, "'auth' belongs to 'url'"),
        ({"connector": "shop"}, "'connector' needs 'endpoint'"),
        ({}, "give either"),
    ],
)
def test_a_definition_names_one_destination(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HttpStep.model_validate(values)


@pytest.mark.parametrize(
    ("text", "content_type", "expected"),
    [
        ('{"a": 1}', "application/problem+json; charset=utf-8", {"a": 1}),
        ('{"a": 1}', "text/plain", {"a": 1}),
        ("7", "application/json", 7),
        ("7", "text/plain", "7"),
        ('{"a": NaN}', "application/json", '{"a": NaN}'),
        ('{"a": "\\ud800"}', "application/json", '{"a": "\\ud800"}'),
        ("[" * 100_000, "application/json", "[" * 100_000),
        ("", "application/json", None),
    ],
)
def test_only_what_json_can_hold_is_decoded(text: str, content_type: str, expected: object) -> None:
    found = decoded(text, content_type)
    assert found == expected
    json.dumps(found, allow_nan=False).encode()


def test_a_shown_url_keeps_no_secret() -> None:
    url = "https://alice:pw@shop.example:8443/a?access_token=abc&day=2026-01-01#x"
    assert shown_url(url) == "https://shop.example:8443/a?access_token=***&day=2026-01-01"
