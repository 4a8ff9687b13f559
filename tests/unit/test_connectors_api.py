"""API connectors: filling in, signing in, reading answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from liberty.connectors import ApiConnector, ConnectorRegistry
from liberty.errors import Invalid, NotFound
from liberty.secrets import redactor

ENDPOINTS = [
    {"name": "echo", "path": "echo"},
    {
        "name": "customer",
        "path": "/customers/:id/orders/{{order}}",
        "query_params": {"limit": "{{limit}}", "tag": "t-{{tag}}"},
        "params": [{"name": "limit", "default": 10, "type": "int"}, {"name": "id", "required": True}],
    },
    {
        "name": "table-body",
        "method": "post",
        "path": "/echo",
        "body": {"n": "{{n}}", "text": "n is {{n}}", "list": ["{{n}}"]},
    },
    {"name": "text-body", "method": "POST", "path": "/echo", "body": '{"name": "{{name}}", "n": {{n}}}'},
    {
        "name": "form",
        "method": "POST",
        "path": "/echo",
        "body": {"a": "{{a}}"},
        "content_type": "application/x-www-form-urlencoded",
    },
    {"name": "missing", "path": "/status/404"},
    {
        "name": "releases",
        "path": "/releases",
        "response_field": "data.items",
        "response_map": {"version": "tag.name", "first_asset": "assets.0"},
    },
]


class Service:
    """A small HTTP service that remembers what it was asked."""

    def __init__(self) -> None:
        self.tokens_given = 0
        self.valid_token = ""
        self.base = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/token":
            self.tokens_given += 1
            self.valid_token = f"granted-token-{self.tokens_given}"
            assert (
                await request.text()
                == "grant_type=client_credentials&client_id=alice&client_secret=for+tests+only"
            )
            return web.json_response({"access_token": self.valid_token, "expires_in": 3600})
        if (
            request.path == "/guarded/echo"
            and request.headers.get("Authorization") != f"Bearer {self.valid_token}"
        ):
            return web.json_response({"error": "sign in"}, status=401)
        if request.path.startswith("/status/"):
            return web.Response(status=int(request.path.removeprefix("/status/")), text="no such thing")
        if request.path == "/releases":
            items = [{"tag": {"name": "v1"}, "assets": ["a", "b"]}, {"tag": {"name": "v2"}, "assets": []}]
            return web.json_response({"data": {"items": items}})
        headers = {name.lower(): value for name, value in request.headers.items()}
        return web.json_response({"path": request.raw_path, "headers": headers, "body": await request.text()})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    found = Service()
    runner = web.ServerRunner(web.Server(found.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def connect(service: Service) -> AsyncIterator[Callable[..., ApiConnector]]:
    registries: list[ConnectorRegistry] = []

    def make(**keys: Any) -> ApiConnector:
        definition = {"type": "api", "base_url": service.base, "endpoints": ENDPOINTS, **keys}
        registry = ConnectorRegistry({"connectors": {"svc": definition}})
        registries.append(registry)
        return registry.api("svc")

    yield make
    for registry in registries:
        await registry.close()


async def test_values_are_filled_in_and_encoded_for_their_place(connect: Callable[..., ApiConnector]) -> None:
    answer = await connect().call("customer", {"id": "a/../b?c", "order": 7}, tag="x&y")
    assert answer.success
    assert answer.json["path"] == "/customers/a%2F..%2Fb%3Fc/orders/7?limit=10&tag=t-x%26y"


@pytest.mark.parametrize("value", ["..", ".", ""])
async def test_a_path_value_cannot_climb(connect: Callable[..., ApiConnector], value: str) -> None:
    with pytest.raises(Invalid, match="cannot stand in the path"):
        await connect().call("customer", id=value, order=1)


async def test_bodies_keep_types_and_escape_texts(connect: Callable[..., ApiConnector]) -> None:
    service = connect()
    sent = json.loads((await service.call("table-body", n=5)).json["body"])
    assert sent == {"n": 5, "text": "n is 5", "list": [5]}
    answer = (await service.call("text-body", name='x", "admin": "y', n=None)).json
    assert json.loads(answer["body"]) == {"name": 'x", "admin": "y', "n": None}
    assert answer["headers"]["content-type"] == "application/json"
    form = (await service.call("form", a="1&b=2")).json
    assert form["body"] == "a=1%26b%3D2"


async def test_an_error_status_is_an_answer(connect: Callable[..., ApiConnector]) -> None:
    answer = await connect().call("missing")
    assert (answer.success, answer.status_code, answer.json, answer.body) == (
        False,
        404,
        None,
        "no such thing",
    )
    assert answer.error == "404 Not Found: no such thing"


async def test_parts_of_an_answer_are_extracted_and_mapped(connect: Callable[..., ApiConnector]) -> None:
    answer = await connect().call("releases")
    assert [item["assets"] for item in answer.extracted] == [["a", "b"], []]
    assert answer.mapped == [{"version": "v1", "first_asset": "a"}, {"version": "v2", "first_asset": None}]


async def test_wrong_calls_say_what_is_wrong(connect: Callable[..., ApiConnector]) -> None:
    service = connect()
    with pytest.raises(NotFound, match="no endpoint 'ecko'; did you mean 'echo'"):
        await service.call("ecko")
    with pytest.raises(Invalid, match="no parameter 'limt'; did you mean 'limit'"):
        await service.call("customer", id=1, order=2, limt=3)
    with pytest.raises(Invalid, match="'id' is required"):
        await service.call("customer", order=2)


@pytest.mark.parametrize(
    ("keys", "header", "value"),
    [
        (
            {"auth_type": "basic", "auth_username": "alice", "auth_password": "for tests only"},
            "authorization",
            "Basic YWxpY2U6Zm9yIHRlc3RzIG9ubHk=",
        ),
        ({"auth_type": "bearer", "auth_token": "for-tests-only"}, "authorization", "Bearer for-tests-only"),
        ({"auth_type": "api_key", "auth_token": "for-tests-only"}, "x-api-key", "for-tests-only"),
        (
            {"auth_type": "api_key", "auth_token": "for-tests-only", "auth_api_key_header": "X-K"},
            "x-k",
            "for-tests-only",
        ),
        ({"default_headers": {"X-Team": "data"}}, "x-team", "data"),
    ],
)
async def test_every_way_to_sign_in(
    connect: Callable[..., ApiConnector], keys: dict[str, Any], header: str, value: str
) -> None:
    service = connect(**keys)
    assert (await service.call("echo")).json["headers"][header] == value
    assert "for-tests-only" not in json.dumps(service.describe())
    if "auth_type" in keys:
        assert value not in redactor.redact(f"sent {value}")


OAUTH2 = {
    "auth_type": "oauth2",
    "auth_username": "alice",
    "auth_password": "for tests only",
    "auth_token_endpoint": "/token",
}


async def test_a_token_is_fetched_once_and_again_after_it_was_refused(
    connect: Callable[..., ApiConnector], service: Service
) -> None:
    guarded = {**OAUTH2, "endpoints": [{"name": "echo", "path": "/guarded/echo"}]}
    connector = connect(**guarded)
    answers = await asyncio.gather(*(connector.call("echo") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert service.tokens_given == 1
    service.valid_token = "another"
    assert (await connector.call("echo")).success
    assert service.tokens_given == 2
    assert "granted-token-2" not in redactor.redact("token granted-token-2")


async def test_a_refused_token_is_renewed_only_once(
    connect: Callable[..., ApiConnector], service: Service
) -> None:
    connector = connect(
        **OAUTH2,
    )
    connector = connect(**{**OAUTH2, "endpoints": [{"name": "no", "path": "/status/401"}]})
    assert (await connector.call("no")).status_code == 401
    assert service.tokens_given == 2


async def test_a_failed_sign_in_says_where(connect: Callable[..., ApiConnector], service: Service) -> None:
    connector = connect(**{**OAUTH2, "auth_token_endpoint": "/status/500"})
    with pytest.raises(ConnectionError, match=r"signing in at http://127\.0\.0\.1:\d+ failed: status 500"):
        await connector.call("echo")


@pytest.mark.parametrize("path", ["//evil.example/x", "http://evil.example/", "\\\\evil.example"])
def test_a_path_cannot_name_another_origin(path: str) -> None:
    definition = {"type": "api", "base_url": "http://svc.example", "endpoints": [{"name": "x", "path": path}]}
    registry = ConnectorRegistry({"connectors": {"svc": definition}})
    assert "path below base_url" in registry.problems[0].message


async def test_a_path_that_continues_the_host_stays_below_it(connect: Callable[..., ApiConnector]) -> None:
    connector = connect(
        endpoints=[{"name": "x", "path": "@evil.example/x"}, {"name": "y", "path": ".evil.example"}]
    )
    assert (await connector.call("x")).json["path"] == "/@evil.example/x"
    assert (await connector.call("y")).json["path"] == "/.evil.example"
