"""API connectors over many requests: pages in four kinds, a rate, pauses the service asks for, a proxy."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from liberty.connectors import ApiConnector, ConnectorRegistry
from liberty.connectors.api_pages import next_link
from liberty.errors import Invalid, LibertyError
from liberty.jobs.steps.http import HttpStep
from liberty.testing import build_fake_ctx

ITEMS = [{"id": number} for number in range(7)]


@pytest.fixture
async def made() -> AsyncIterator[Any]:
    """`made(server, endpoint keys, connector keys)` is a registry with the connector `shop`."""
    registries: list[ConnectorRegistry] = []

    def make(server: HTTPServer, endpoint: dict[str, Any], **connector: Any) -> ConnectorRegistry:
        shop = {
            "type": "api",
            "base_url": server.url_for(""),
            "endpoints": [{"name": "list", "path": "/items", **endpoint}],
            **connector,
        }
        registries.append(ConnectorRegistry({"connectors": {"shop": shop}}))
        assert registries[-1].problems == []
        return registries[-1]

    yield make
    for registry in registries:
        await registry.close()


def shop_of(registry: ConnectorRegistry) -> ApiConnector:
    return registry.api("shop")


def serve(server: HTTPServer, answer: Any) -> list[dict[str, str]]:
    """Answer /items by `answer(arguments)`; the arguments of every request so far."""
    asked: list[dict[str, str]] = []

    def handle(request: Request) -> Response:
        asked.append(dict(request.args))
        found: Response = answer(dict(request.args))
        return found

    server.expect_request("/items").respond_with_handler(handle)
    return asked


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    import json

    return Response(
        json.dumps(value), status, {name.title(): text for name, text in headers.items()}, "application/json"
    )


async def test_pages_are_counted(httpserver: HTTPServer, made: Any) -> None:
    asked = serve(httpserver, lambda args: as_json({"data": ITEMS[(int(args["p"]) - 1) * 3 :][:3]}))
    paging = {"type": "page", "param": "p", "size_param": "per_page", "size": 3}
    answer = await shop_of(
        made(httpserver, {"pagination": paging, "response_field": "data", "response_map": {"n": "id"}})
    ).call("list")
    assert answer.extracted == ITEMS
    assert answer.mapped == [{"n": number} for number in range(7)]
    assert answer.pages == 3
    assert asked == [{"p": str(page), "per_page": "3"} for page in (1, 2, 3)]


async def test_offsets_go_on_until_a_page_is_empty(httpserver: HTTPServer, made: Any) -> None:
    asked = serve(httpserver, lambda args: as_json(ITEMS[int(args["offset"]) :][:3]))
    answer = await shop_of(made(httpserver, {"pagination": {"type": "offset"}})).call("list")
    assert answer.extracted == ITEMS
    assert [args["offset"] for args in asked] == ["0", "3", "6", "7"]


async def test_a_cursor_is_handed_back(httpserver: HTTPServer, made: Any) -> None:
    def answer(args: dict[str, str]) -> Response:
        start = int(args.get("after", "0"))
        return as_json(
            {"rows": ITEMS[start : start + 4], "meta": {"next": start + 4 if start + 4 < 7 else None}}
        )

    asked = serve(httpserver, answer)
    paging = {"type": "cursor", "param": "after", "cursor_field": "meta.next", "items": "rows"}
    found = await shop_of(made(httpserver, {"pagination": paging, "query_params": {"q": "x"}})).call("list")
    assert found.extracted == ITEMS
    assert asked == [{"q": "x"}, {"q": "x", "after": "4"}]


async def test_links_are_followed_and_a_step_sees_all_items(httpserver: HTTPServer, made: Any) -> None:
    def answer(args: dict[str, str]) -> Response:
        page = int(args.get("page", "1"))
        link = f'</items?page={page + 1}>; rel="next", </items?page=9>; rel="last"' if page < 3 else ""
        return as_json([page], Link=link)

    serve(httpserver, answer)
    registry = made(httpserver, {"pagination": {"type": "link"}})
    result = await HttpStep(connector="shop", endpoint="list").execute(build_fake_ctx(connectors=registry))
    assert result.extras["body"] == [1, 2, 3]
    pages = [page.extracted async for page in shop_of(registry).pages("list")]
    assert pages == [[1], [2], [3]]


async def test_a_link_to_another_origin_is_not_followed(httpserver: HTTPServer, made: Any) -> None:
    serve(httpserver, lambda args: as_json([1], Link='<https://elsewhere.example/items>; rel="next"'))
    with pytest.raises(Invalid, match="leads away"):
        await shop_of(made(httpserver, {"pagination": {"type": "link"}})).call("list")


async def test_pages_without_end_are_given_up(httpserver: HTTPServer, made: Any) -> None:
    serve(httpserver, lambda args: as_json({"rows": [1], "next": "same"}))
    paging = {"type": "cursor", "cursor_field": "next", "items": "rows"}
    with pytest.raises(LibertyError, match="given already"):
        await shop_of(made(httpserver, {"pagination": paging})).call("list")
    with pytest.raises(LibertyError, match="more than 2 pages"):
        await shop_of(
            made(httpserver, {"pagination": {"type": "page", "items": "rows", "max_pages": 2}})
        ).call("list")
    with pytest.raises(LibertyError, match="no list at 'row'"):
        await shop_of(made(httpserver, {"pagination": {"type": "page", "items": "row"}})).call("list")


async def test_a_page_that_fails_is_the_answer(httpserver: HTTPServer, made: Any) -> None:
    serve(httpserver, lambda args: as_json(ITEMS) if args["page"] == "1" else as_json({}, 500))
    answer = await shop_of(made(httpserver, {"pagination": {"type": "page"}})).call("list")
    assert (answer.success, answer.status_code) == (False, 500)


async def test_a_pause_that_the_service_asks_for_is_made(httpserver: HTTPServer, made: Any) -> None:
    answers = iter(
        [as_json({}, 429, **{"Retry-After": "0"}), as_json({}, 503, **{"Retry-After": "0"}), as_json([1])]
    )
    asked = serve(httpserver, lambda args: next(answers))
    assert (await shop_of(made(httpserver, {})).call("list")).json == [1]
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("endpoint", "connector", "status", "after"),
    [
        ({}, {"retry_after_max_seconds": 5}, 429, "6"),
        ({}, {"retry_after_max_seconds": 0}, 429, "0"),
        ({"method": "POST"}, {}, 503, "0"),
        ({}, {}, 429, "soon"),
    ],
)
async def test_a_pause_is_not_made(
    httpserver: HTTPServer, made: Any, endpoint: Any, connector: Any, status: int, after: str
) -> None:
    asked = serve(httpserver, lambda args: as_json({}, status, **{"Retry-After": after}))
    assert (await shop_of(made(httpserver, endpoint, **connector)).call("list")).status_code == status
    assert len(asked) == 1


async def test_a_service_is_not_asked_faster_than_its_rate(httpserver: HTTPServer, made: Any) -> None:
    serve(httpserver, lambda args: as_json([]))
    shop = shop_of(made(httpserver, {}, requests_per_second=20))
    began = time.monotonic()
    for _ in range(5):
        await shop.call("list")
    assert time.monotonic() - began >= 4 / 20


async def test_requests_go_through_the_proxy_that_is_set_and_no_other(
    httpserver: HTTPServer, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(httpserver, lambda args: as_json(["by proxy"]))
    registry = made(httpserver, {}, base_url="http://shop.invalid", proxy=httpserver.url_for("").rstrip("/"))
    assert (await shop_of(registry).call("list")).json == ["by proxy"]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await shop_of(made(httpserver, {})).call("list")).success


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://x.example/b>; rel="next"', "https://x.example/b"),
        ('</c?a=1,2>; rel="prev"; title="a, b", <d>; title=x; rel=next', "https://x.example/d"),
        ('<b>; rel="first next"', "https://x.example/b"),
        ('<b>; rel="nextish"', None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_the_next_link(header: str, found: str | None) -> None:
    assert next_link(header, "https://x.example/a") == found
