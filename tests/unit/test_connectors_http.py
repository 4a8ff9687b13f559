"""The HTTP client against real servers, friendly and hostile."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from liberty.connectors.http import HttpClients, HttpResponse, origin_of, parse_url
from liberty.connectors.http_policy import HttpPolicy
from liberty.errors import Forbidden, Invalid

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The base URL of a server that answers every request with `handler`."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": await request.text(),
        }
    )


@pytest.fixture
async def http() -> AsyncIterator[HttpClients]:
    clients = HttpClients(HttpPolicy())
    yield clients
    await clients.close()


async def get(http: HttpClients, url: str, **options: Any) -> HttpResponse:
    return await http.client().request("GET", url, **{"origin_trusted": True, **options})


async def test_a_request_carries_what_it_was_given(http: HttpClients) -> None:
    async with serving(echo) as base:
        answer = await http.client().request(
            "POST",
            f"{base}/a%2Fb?x=1",
            origin_trusted=True,
            query={"y": [1, 2], "z": None, "t": True},
            json_body={"n": 1},
            headers={"X-One": "1"},
            auth=("alice", "pässword-for-tests"),
        )
    seen = answer.json()
    assert (answer.status, answer.ok, seen["method"], seen["body"]) == (200, True, "POST", '{"n": 1}')
    assert seen["path"] == "/a%2Fb?x=1&y=1&y=2&t=true"
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["authorization"].startswith("Basic ")
    assert answer.elapsed_ms > 0


async def test_connections_are_kept_open(http: HttpClients) -> None:
    peers = set()

    async def note(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="ok", headers={"Set-Cookie": "session=1"})

    async with serving(note) as base:
        for _ in range(3):
            assert (await get(http, base)).text == "ok"
    assert len(peers) == 1


async def test_no_cookie_is_kept_between_requests(http: HttpClients) -> None:
    async def cookie(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "session=1"})

    async with serving(cookie) as base:
        assert [(await get(http, base)).text for _ in range(2)] == ["none", "none"]


async def test_an_untrusted_origin_may_not_be_private(http: HttpClients) -> None:
    async with serving(echo) as base:
        with pytest.raises(Forbidden, match="loopback or private"):
            await get(http, base, origin_trusted=False)
        # A connection left open by a trusted request must not carry it either.
        assert (await get(http, base)).status == 200
        with pytest.raises(Forbidden, match="loopback or private"):
            await get(http, base, origin_trusted=False)


async def test_the_resolved_address_counts_not_the_name(http: HttpClients) -> None:
    async with serving(echo) as base:
        named = base.replace("127.0.0.1", "localhost")
        assert (await get(http, named)).status == 200
        with pytest.raises(Forbidden, match=r"localhost \((127\.0\.0\.1|::1)\)"):
            await get(http, named, origin_trusted=False)
        listed = HttpClients(HttpPolicy.of([named.removeprefix("http://")], "deny"))
        assert (await get(listed, named, origin_trusted=False)).status == 200
        with pytest.raises(Forbidden):
            await get(listed, base)
        await listed.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
    ],
)
async def test_metadata_is_refused_before_anything_is_sent(http: HttpClients, url: str) -> None:
    with pytest.raises(Forbidden, match="never"):
        await get(http, url, timeout=5)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "must start with http"),
        ("gopher://127.0.0.1/", "must start with http"),
        ("unix:///var/run/x.sock", "must start with http"),
        ("http:/one-slash", "must start with http"),
        ("http://", "no host"),
        ("http://0x7f000001/", "plain address"),
        ("http://017700000001/", "plain address"),
        ("http://2130706433/", "plain address"),
        ("http://127.1/", "plain address"),
        ("http://good.example\\@evil.example/", "backslash"),
        ("http://good.example@evil.example/", "user or password"),
        ("http://user:word@good.example/", "user or password"),
        ("http://good.example/a b", "blank"),
        ("http://good.example/\r\nX: y", "blank"),
        ("http://good.example:0/", "no host"),
        ("http://good.example:99999/", "cannot be used"),
    ],
)
async def test_unsafe_urls_are_refused(http: HttpClients, url: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await get(http, url)


def test_origins_have_one_spelling() -> None:
    assert (
        origin_of("HTTPS://Example.com/x")
        == origin_of("https://example.com:443")
        == "https://example.com:443"
    )
    assert str(parse_url("http://example.com/a", {"q": "ä&b"})) == "http://example.com/a?q=%C3%A4%26b"


async def test_redirects_are_followed_and_counted(http: HttpClients) -> None:
    async def step(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.path.removeprefix("/"))
        if number == 0:
            return await echo(request)
        return web.Response(status=302, headers={"Location": f"/{number - 1}"})

    async with serving(step) as base:
        answer = await get(http, f"{base}/3", headers={"Authorization": "Bearer for-this-origin"})
        assert answer.status == 200
        assert answer.redirects == [f"{base}/3", f"{base}/2", f"{base}/1"]
        assert answer.json()["headers"]["authorization"] == "Bearer for-this-origin"
        with pytest.raises(ConnectionError, match="more than 3 redirects"):
            await get(http, f"{base}/4")
        assert (await get(http, f"{base}/4", follow_redirects=False)).status == 302


async def test_a_redirect_to_another_origin_is_data_and_gets_no_credentials() -> None:
    async with serving(echo) as other:

        async def away(_request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": f"{other}/target"})

        async with serving(away) as base:
            closed = HttpClients(HttpPolicy())
            with pytest.raises(Forbidden, match="redirect"):
                await get(closed, base)
            await closed.close()
            listed = HttpClients(HttpPolicy.of([other.removeprefix("http://")], "allow"))
            secrets = {
                "Authorization": "Bearer for-the-first",
                "X-Api-Key": "k",
                "Cookie": "c=1",
                "Accept": "text/html",
            }
            answer = await get(listed, base, headers=secrets, auth=("alice", "for-the-first"))
            seen = answer.json()["headers"]
            assert seen["accept"] == "text/html"
            assert not {"authorization", "x-api-key", "cookie"} & set(seen)
            posted = await listed.client().request("POST", base, origin_trusted=True, body="secret")
            assert (posted.status, posted.redirects) == (307, [])
            await listed.close()


async def test_a_redirect_to_a_metadata_address_or_another_scheme_is_refused(http: HttpClients) -> None:
    target = ""

    async def away(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    async with serving(away) as base:
        target = "http://169.254.169.254/"
        with pytest.raises(Forbidden, match="never"):
            await get(http, base)
        target = "file:///etc/passwd"
        with pytest.raises(Invalid, match="must start with http"):
            await get(http, base)


async def test_long_bodies_are_cut_after_decompression(http: HttpClients) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)

    async def big(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(big) as base:
        answer = await get(http, base, max_bytes=1_000_000)
        assert (len(answer.body), answer.truncated) == (1_000_000, True)


@asynccontextmanager
async def raw_server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_dripping_server_is_ended_by_the_deadline(http: HttpClients) -> None:
    gone = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()
        finally:
            writer.close()

    async with raw_server(drip) as base:
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match=r"within 0\.3 s"):
            await get(http, base, timeout=0.3)
        assert time.monotonic() - begun < 2
        async with asyncio.timeout(5):
            await gone.wait()


async def test_cancelling_closes_the_connection(http: HttpClients) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()  # ends when the client hangs up
        gone.set()
        writer.close()

    async with raw_server(silent) as base:
        task = asyncio.create_task(get(http, base))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await gone.wait()


async def test_broken_servers_are_connection_errors(http: HttpClients) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        writer.close()

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"not http at all\r\n\r\n")
        writer.close()

    for behaviour in (cut, garbage):
        async with raw_server(behaviour) as base:
            with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1"):
                await get(http, base)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionError):
            await get(http, f"http://127.0.0.1:{unused.getsockname()[1]}")


async def test_a_header_cannot_smuggle_another(http: HttpClients) -> None:
    with pytest.raises(Invalid, match="line break"):
        await get(http, "http://example.com", headers={"X": "a\r\nY: b"})


async def test_each_loop_has_its_own_session(http: HttpClients) -> None:
    async with serving(echo) as base:
        assert (await get(http, base)).ok

        def elsewhere() -> int:
            async def ask() -> int:
                answer = await get(http, base)
                await http.close_loop(asyncio.get_running_loop())
                return answer.status

            return asyncio.run(ask())

        assert await asyncio.to_thread(elsewhere) == 200
        assert (await get(http, base)).ok


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS context whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_certificates_are_verified_unless_a_connector_says_no(
    http: HttpClients, self_signed: ssl.SSLContext
) -> None:
    async with serving(echo, tls=self_signed) as base:
        url = base.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await get(http, url)
        lenient = http.client("lenient", verify_ssl=False)
        assert (await lenient.request("GET", url, origin_trusted=True)).status == 200
