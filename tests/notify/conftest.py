"""Real places to send to: an SMTP server, with TLS or without, and an HTTP server, both in this process."""

import email
import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.factories import AppsRepo


class Mailbox:
    """A mail server that keeps what it is given. `refuse` is its answer instead, while set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: str | None = None
        self.users: dict[str, str] = {}
        self._controller: Controller | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse is not None:
            return self.refuse
        mail = email.message_from_bytes(bytes(envelope.content or b""), policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known)

    def start(self, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port."""
        more: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if tls is not None else {}
        if self.users:
            more |= {"authenticator": self.authenticate, "auth_required": True}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=port, **more)
        self._controller.start()
        return port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.stop()


class Hook:
    """An address that takes JSON. `answers` are given first, one for each request; then always 200."""

    def __init__(self, server: HTTPServer) -> None:
        self.requests: list[Request] = []
        self.bodies: list[Any] = []
        self.answers: list[Response] = []
        server.expect_request("/hook").respond_with_handler(self._take)
        self.url = server.url_for("/hook")

    def _take(self, request: Request) -> Response:
        self.requests.append(request)
        self.bodies.append(json.loads(request.get_data()))
        return self.answers.pop(0) if self.answers else Response("ok")

    def events(self, job: str | None = None) -> list[str]:
        """The events that were told, in their order."""
        return [
            item["event"]
            for body in self.bodies
            for item in body["items"]
            if job is None or item["job"] == job
        ]


@pytest.fixture
def hook(httpserver: HTTPServer) -> Hook:
    return Hook(httpserver)


@pytest.fixture
def repo(tmp_path: Path, sqlite_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", sqlite_url)


@pytest.fixture
def repo_on_both(tmp_path: Path, database_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", database_url)


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[[], tuple[Path, Path]]:
    """Makes a certificate for 127.0.0.1 that signs itself; (certificate, key)."""

    def make() -> tuple[Path, Path]:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        words = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
        ]
        words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(words, check=True, capture_output=True)
        return certificate, key

    return make
