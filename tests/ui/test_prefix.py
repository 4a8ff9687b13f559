"""The whole page below a path prefix: inside another application, and behind a proxy that takes the prefix off."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, expect

from tests.server import Server, _Quiet
from tests.ui.page import Seen, sign_in

PREFIX = "/tools/flow"


def mounted(app: Any) -> Any:
    """As Starlette's Mount does it: the path stays whole, `root_path` says what is not the application's."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(f"{PREFIX}/"), f"{scope['path']} was asked for outside of the prefix"
        await app({**scope, "root_path": PREFIX}, receive, send)

    return outer


def proxied(app: Any) -> Any:
    """As a proxy does it that passes on what follows the prefix and says so in a header."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(f"{PREFIX}/"), f"{scope['path']} was asked for outside of the prefix"
        headers = [*scope["headers"], (b"x-forwarded-prefix", PREFIX.encode())]
        path = scope["path"].removeprefix(PREFIX)
        await app({**scope, "path": path, "raw_path": path.encode(), "headers": headers}, receive, send)

    return outer


@contextmanager
def below(server: Server, outer: Any, port: int = 0) -> Iterator[str]:
    """The address of the same application, seen through `outer`."""
    front = _Quiet(
        uvicorn.Config(
            outer(server.application), port=port, lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
    )
    serve = server.lane.submit(front._serve())
    assert front.listening.wait(10)
    try:
        yield f"http://127.0.0.1:{front.servers[0].sockets[0].getsockname()[1]}"
    finally:
        front.should_exit = True
        serve.result(20)


@pytest.mark.parametrize("outer", [mounted, proxied])
def test_everything_works_below_a_prefix(
    server: Server, context: BrowserContext, seen: Seen, outer: Any
) -> None:
    with below(server, outer) as url:
        inner, server.url = server.url, url
        try:
            page = sign_in(context, server, "root", prefix=PREFIX)
            expect(page).to_have_url(f"{url}{PREFIX}/nomaflow")
            expect(page.get_by_text("Live", exact=True)).to_be_visible()
            expect(page.get_by_role("row", name=re.compile("chatty"))).to_be_visible()
            page.reload()
            page.get_by_role("button", name="Run greet2 now").click()
            expect(page.get_by_text(re.compile(r"r-\d+ started"))).to_be_visible()
            page.get_by_role("link", name="Nomaflow").click()
            expect(page).to_have_url(f"{url}{PREFIX}/nomaflow")
            assert seen.errors == []
            page.close()
        finally:
            server.url = inner
