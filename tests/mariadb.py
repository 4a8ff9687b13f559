"""A real MariaDB server for tests: one per test process, started on first use, in a temporary folder.

The server gets a signal from the kernel when the test process ends in whatever way, so none is left behind.
"""

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from tests.pg import free_port

USER = "nomaflow"
PASSWORD = "un:us@ual/"  # has to be quoted in a URL
START_SECONDS = 60
STOP_SECONDS = 10
PORT_TRIES = 5
PR_SET_PDEATHSIG = 1
SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
OPTIONS = (
    "--no-defaults",
    "--skip-name-resolve",
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=64M",
    # Nothing here outlives the machine, so waiting for its disk buys nothing.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    # Neither UTC nor the zone of any test, and not the character set of today: what leans on defaults is found out.
    "--default-time-zone=-05:00",
    "--character-set-server=latin1",
)


class MariadbMissing(RuntimeError):
    """No server, or it does not start."""


def find_server() -> str | None:
    """The server's program; None when it is not installed."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/libexec")


class MariadbServer:
    """One server with a fresh data folder under `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        # MariaDB refuses to run as root, so root hands it to the account with the fewest rights.
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def url(self, database: str) -> str:
        """For a pool, which has the password in a key of its own."""
        return f"mysql://{USER}@127.0.0.1:{self.port}/{database}"

    def administer(self, *statements: str) -> None:
        """Run statements as a user who may do everything."""

        async def execute() -> None:
            import aiomysql

            connection = await aiomysql.connect(
                host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, autocommit=True
            )
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement)
            connection.close()

        # In a thread of its own, because the calling one may have an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, execute()).result()

    def start(self) -> None:
        """Raises MariadbMissing when there is no server, or when it does not come up."""
        program = find_server()
        if program is None:
            raise MariadbMissing("no MariaDB server: requirements/mariadb.sh installs it on Debian")
        self.directory.chmod(0o711)
        home = self.directory / "home"
        home.mkdir(mode=0o700)
        if self._account:
            os.chown(home, self._account.pw_uid, self._account.pw_gid)
        data = [f"--datadir={home / 'data'}", f"--tmpdir={home}", f"--socket={home / 'socket'}"]
        said = self._spawn(["mkdir", str(home / "data")]).communicate(timeout=START_SECONDS)[0]
        made = self._spawn([program, *OPTIONS, *data, "--bootstrap"], stdin=subprocess.PIPE)
        said = made.communicate(self._first_statements(), timeout=START_SECONDS)[0]
        if made.returncode:
            raise MariadbMissing(f"the data folder was not made ({made.returncode}): {said[-2000:]}")
        for _ in range(PORT_TRIES):
            self.port = free_port()
            listen = ["--bind-address=127.0.0.1", f"--port={self.port}", f"--pid-file={home / 'pid'}"]
            if self._up([program, *OPTIONS, *data, *listen]):
                return
        raise MariadbMissing(
            f"the MariaDB server does not start: {(self.directory / 'log').read_text()[-2000:]}"
        )

    def stop(self) -> None:
        """End the server at once; what it held is thrown away by whoever owns the directory."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.kill()
        process.wait(STOP_SECONDS)

    @staticmethod
    def _first_statements() -> str:
        share = next(
            (
                path
                for path in map(Path, ("/usr/share/mysql", "/usr/share/mariadb"))
                if (path / SYSTEM_TABLES[0]).exists()
            ),
            None,
        )
        if share is None:
            raise MariadbMissing(
                "MariaDB's own tables are in neither /usr/share/mysql nor /usr/share/mariadb"
            )
        tables = [(share / name).read_text() for name in SYSTEM_TABLES]
        return "\n".join(
            [
                "CREATE DATABASE mysql;",
                "USE mysql;",
                "SET @auth_root_socket = 'root';",
                *tables,
                "FLUSH PRIVILEGES;",
                f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}';",
                f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;",
                "",
            ]
        )

    def _up(self, command: list[str]) -> bool:
        """Start the server; False when it ended instead of accepting connections (its port was taken)."""
        process = self._process = self._spawn(command)
        assert process.stdout is not None
        ready = threading.Event()
        accepting: list[bool] = []

        def drain(lines: IO[str]) -> None:
            with (self.directory / "log").open("a") as log:
                for line in lines:
                    log.write(line)
                    log.flush()
                    if "ready for connections" in line:
                        accepting.append(True)
                        ready.set()
            ready.set()

        threading.Thread(target=drain, args=(process.stdout,), daemon=True).start()
        if not ready.wait(START_SECONDS):
            self.stop()
        return bool(accepting)

    def _spawn(self, command: list[str], *, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        account: dict[str, Any] = {}
        if self._account:
            account = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            preexec_fn=_dies_with_us(),
            **account,
        )


def _dies_with_us() -> Callable[[], None] | None:
    """What a child does first: ask the kernel for a signal when its parent is gone. Linux has it."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) and None
