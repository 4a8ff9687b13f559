"""A real server process whose disk, database and machine are taken away and given back."""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.factories import AppsRepo

START_SECONDS = 30.0


class ServerProcess:
    """`liberty-next` on an apps repo; killed at the end whatever happened. Used as a context manager."""

    def __init__(self, repo: AppsRepo, **environ: str) -> None:
        self.repo = repo
        repo.marks.mkdir(exist_ok=True)
        self.data = repo.root / "data"
        (self.data / "server.json").unlink(missing_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LIBERTY_")}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("liberty-next"))],
            cwd=repo.root,
            env={
                **clean,
                "PORT": "0",
                "LIBERTY_APPS_DIR": str(repo.root / "config"),
                "LIBERTY_DATA_DIR": str(self.data),
                "LIBERTY_ADMIN_PASSWORD": "for-tests-only",
                "MARKS": str(repo.marks),
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._client: httpx.Client | None = None

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def __enter__(self) -> Self:
        self.until_ready()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            print(f"server (exit code {self.process.poll()}) said:", *self.said[-100:], sep="\n")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        if self._client is not None:
            self._client.close()

    def until_ready(self) -> float:
        """Wait for `/ready`; seconds since the start of the process."""
        server = until(lambda: self._announced(), within=START_SECONDS, what="server.json")
        self._client = httpx.Client(
            base_url=server["url"],
            headers={"Authorization": f"Bearer {server['token']}", "X-Liberty-Os-User": "alice"},
            trust_env=False,
            timeout=60,
        )
        until(lambda: self.client.get("/ready").status_code == 200, within=START_SECONDS, what="/ready")
        return time.monotonic() - self.began

    def _announced(self) -> dict[str, Any] | None:
        assert self.process.poll() is None, "".join(self.said)
        try:
            found: dict[str, Any] = json.loads((self.data / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return found

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def client(self) -> httpx.Client:
        assert self._client is not None
        return self._client

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """As the kernel does it: without a word."""
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    # -- asking

    def ask(self, job: str, **headers: str) -> httpx.Response:
        return self.client.post(f"/admin/jobs/{job}/run", json={}, headers=headers)

    def start(self, job: str) -> str:
        answer = self.ask(job)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["run_id"])

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get("/healthz", timeout=5).json()
        return found

    def until_health(self, status: str, within: float) -> dict[str, Any]:
        """Wait for `/healthz` to say `status`; what it says then."""

        def look() -> dict[str, Any] | None:
            found = self.health()
            return found if found["status"] == status else None

        return until(look, within=within, what=f"/healthz to say {status}")

    def run(self, run_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/admin/jobs/runs/{run_id}")
        if answer.status_code == 503:
            return {"status": "?", "status_code": 503}
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, run_id: str, within: float) -> dict[str, Any]:
        """The run once it is final."""
        final = {"succeeded", "failed", "partial-success", "aborted", "skipped"}

        def look() -> dict[str, Any] | None:
            found = self.run(run_id)
            return found if found["status"].lower() in final else None

        return until(look, within=within, what=f"the end of {run_id}")

    def lines(self, run_id: str) -> list[str]:
        """The messages of a run's log, checked to be numbered without gap."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["seq"] if found else 0
            page = self.client.get(
                f"/admin/jobs/runs/{run_id}/logs", params={"since": after, "limit": 1000}
            ).json()
            items = page["items"] if isinstance(page, dict) else page
            if not items:
                break
            found += items
        assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
        return [one["message"] for one in found]

    # -- what it uses

    def rss_mib(self) -> float:
        return self._status("VmRSS") / 1024

    def peak_mib(self) -> float:
        """The highest since `forget_peak`."""
        return self._status("VmHWM") / 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def descriptors(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def threads(self) -> int:
        return self._status("Threads")

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1])
        raise AssertionError(key)


def until[T](look: Callable[[], T | None], *, within: float, what: str) -> T:
    """Look until there is an answer. Another process cannot wake this one, hence the pauses."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s; last answer: {found!r}"
        time.sleep(0.05)


def intact(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with the file."""
    connection = sqlite3.connect(path)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
    finally:
        connection.close()


class SmallDisk:
    """A folder that can be full: a small file system where that may be mounted, else a limit on the size of files.

    Under the limit nothing at all can be written while it holds, not even by giving the ballast away.
    """

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted
        self._filler = folder / "filler"

    def fill(self, server: ServerProcess) -> None:
        if not self.mounted:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            return
        with self._filler.open("ab", buffering=0) as file:
            for size in (65536, 4096, 512):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def free(self, server: ServerProcess) -> None:
        if not self.mounted:
            unlimited = resource.RLIM_INFINITY
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
            return
        self._filler.unlink()


@pytest.fixture(params=["file system", "limit"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False
    if request.param == "file system" and shutil.which("mount"):
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield SmallDisk(folder, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
