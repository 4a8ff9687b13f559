"""Starts and stops what is measured: the installed `liberty-next` command, and the floor beside it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.apps import write_apps_repo

START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.002
FLOOR = Path(__file__).parent / "peers" / "floor.py"


class NotStartedError(RuntimeError):
    """The server ended or stayed silent; says what it printed."""


class Server:
    """A server process on a free port of this machine."""

    def __init__(
        self, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.port = _free_port()
        self.token: str | None = None
        self._command = [*command, "--port", str(self.port)]
        self._folder = folder
        self.plugins = folder / "plugins"
        self._log = folder / "server.log"
        self._environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, path: str = "/healthz") -> float:
        """Start, wait for the first 200 on `path`; seconds from before the process was made. Raises NotStartedError."""
        with self._log.open("ab") as log:
            begun = time.perf_counter()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(path)
        return time.perf_counter() - begun

    def wait_for(self, path: str) -> None:
        """Return at the first 200. Raises NotStartedError."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not _answers_200(self.port, path, self.token):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:]
                raise NotStartedError(f"{self._command[0]} does not answer {path}:\n{said}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it as an operator would, or for good when it does not listen."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def running(self, path: str = "/healthz") -> Iterator["Server"]:
        try:
            self.start(path)
            yield self
        finally:
            self.stop()


class LibertyServer(Server):
    """The real command in a data folder of its own, with an API token such as a machine would use."""

    def __init__(self, folder: Path, *, database_url: str | None = None, app_toml: str = "") -> None:
        folder.mkdir(parents=True)
        self.data = folder / "data"
        config = write_apps_repo(folder, app_toml)
        environ = {"LIBERTY_DATA_DIR": str(self.data), "LIBERTY_APPS_DIR": str(config)}
        if database_url is not None:
            environ["LIBERTY_DB_URL"] = database_url
        command = [str(_installed("liberty-next")), "--apps-dir", str(config)]
        super().__init__(command, folder, environ)

    def make_token(self) -> None:
        """Make tables, a user and a token before the server is started."""
        self._admin("user", "add", "bench", "--superuser")
        answered = self._admin(
            "token", "create", "--name", "bench", "--user", "bench", "--permission", "*", "--json"
        )
        self.token = json.loads(answered)["token"]

    def _admin(self, *arguments: str) -> str:
        command = [str(_installed("liberty-admin")), *arguments]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotStartedError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    @contextmanager
    def running(self, path: str = "/ready") -> Iterator["Server"]:
        """With a token made before, and ready to run jobs."""
        if self.token is None:
            self.make_token()
        with super().running(path) as server:
            yield server


class FloorServer(Server):
    """The bare peer."""

    def __init__(self, folder: Path, *, database_url: str | None = None) -> None:
        folder.mkdir(parents=True)
        store = ["--sqlite", str(folder / "floor.db")]
        if database_url is not None:
            store = ["--postgresql", database_url.replace("+asyncpg", "")]
        super().__init__([sys.executable, str(FLOOR), *store], folder)


def _installed(command: str) -> Path:
    return Path(sys.executable).parent / command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers_200(port: int, path: str, token: str | None) -> bool:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Connection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
            connection.sendall(request.encode())
            return connection.recv(16).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
