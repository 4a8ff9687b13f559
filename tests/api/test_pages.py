"""The web page over HTTP: which addresses give it, what headers it carries, how its files are kept and compressed."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from liberty.api.access import ROUTES
from liberty.api.pages import Pages
from tests.server import Server

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = b"console.log('a script that is long enough to be worth compressing')\n" * 20


def lay_out(folder: Path) -> Path:
    """What a build leaves."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<meta name="base" content="__BASE__"><script type="module" nonce="__NONCE__" '
        'src="./assets/index-abcd1234.js"></script>'
    )
    (folder / "assets" / "index-abcd1234.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-abcd1234.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "before-paint.js").write_text("1")
    (folder / "secret.txt").write_text("not to be served")
    return folder


def client_of(folder: Path) -> httpx.AsyncClient:
    application = Starlette(routes=Pages(folder).routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test")


@pytest.fixture
async def built(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(lay_out(tmp_path / "dist")) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nomaflow", "/nomaflow/runs/r-12", "/settings/technical"])
async def test_a_browser_gets_the_page_at_every_address_of_the_application(
    built: httpx.AsyncClient, path: str
) -> None:
    answer = await built.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert 'src="/assets/index-abcd1234.js"' in answer.text
    assert (await built.get(path, headers={"Accept": "application/json"})).status_code == 404


async def test_the_policy_allows_no_inline_script_and_styles_by_a_nonce_of_this_answer(
    built: httpx.AsyncClient,
) -> None:
    first, second = [await built.get("/", headers=BROWSER) for _ in range(2)]
    policy = first.headers["content-security-policy"]
    nonce = re.search(r"nonce-([\w-]+)", policy)
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in first.text
    assert nonce[1] not in second.text
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("/flow", "/flow"),
        ("/a/b.c/", "/a/b.c"),
        ("//evil.example", ""),
        ('/"><script>', ""),
        ("https://evil.example", ""),
        ("/..", ""),
    ],
)
async def test_only_a_plain_path_is_taken_for_a_prefix(
    built: httpx.AsyncClient, told: str, used: str
) -> None:
    page = (await built.get("/", headers={**BROWSER, "X-Forwarded-Prefix": told})).text
    assert f'src="{used}/assets/index-abcd1234.js"' in page
    assert f'content="{used}"' in page


async def test_files_are_kept_for_ever_by_their_hash_and_sent_compressed(built: httpx.AsyncClient) -> None:
    answer = await built.get("/assets/index-abcd1234.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == SCRIPT
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = await built.get("/assets/index-abcd1234.js", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers
    assert (await built.get("/assets/before-paint.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["..%2Fsecret.txt", "secret.txt", "index-abcd1234.js.gz", "..", "none.js"])
async def test_nothing_but_the_files_of_the_page_is_served(built: httpx.AsyncClient, name: str) -> None:
    answer = await built.get(f"/assets/{name}")
    assert answer.status_code == 404
    assert "not to be served" not in answer.text


async def test_a_newer_build_is_taken_up_and_without_one_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with client_of(tmp_path / "dist") as client:
        missing = await client.get("/", headers=BROWSER)
        assert missing.status_code == 503
        assert "./start" in missing.text
        lay_out(tmp_path / "dist")
        assert (await client.get("/", headers=BROWSER)).status_code == 200


@pytest.mark.parametrize("path", [path for (_, path), access in ROUTES.items() if access.kind == "page"])
def test_a_page_is_the_same_for_everybody(server: Server, path: str) -> None:
    target = path.replace("{rest:path}", "some/where").replace("{name}", "none.js")
    told = {
        server.client(person).get(target, headers=BROWSER).status_code for person in (None, "charlie", "root")
    }
    assert len(told) == 1
    assert told <= {200, 404 if "assets" in path else 503}


def test_a_program_without_a_right_still_gets_a_problem_document(server: Server) -> None:
    answer = server.client(None).get("/nomaflow")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert server.client(None).get("/admin/jobs", headers=BROWSER).status_code == 401


def test_the_edges_leave_the_page_its_own_policy(server: Server) -> None:
    answer = server.client(None).get("/sign-in", headers=BROWSER)
    assert answer.headers.get_list("content-security-policy") == [answer.headers["content-security-policy"]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_refused_link_leads_a_browser_to_the_sign_in(server: Server) -> None:
    answer = server.client(None).get("/auth/link", params={"token": "nfl_used"}, headers=BROWSER)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?link=refused"
    assert server.client(None).get("/auth/link", params={"token": "nfl_used"}).status_code == 401
