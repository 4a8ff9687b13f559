"""Real processes on one apps repo, killed and stopped as an operator or a machine would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import AppsRepo


class Processes:
    """Starts processes on an apps repo and leaves none behind."""

    def __init__(self, repo: AppsRepo) -> None:
        self.repo = repo
        self._started: list[subprocess.Popen[str]] = []

    def server(self) -> "subprocess.Popen[str]":
        """`liberty-next` on a free port."""
        return self._start("-c", "from liberty.cli.server import main; main(['--port', '0'])")

    def worker(self) -> "subprocess.Popen[str]":
        """`liberty-admin worker`."""
        return self._start("-c", "import sys; from liberty.cli import main; sys.exit(main(['worker']))")

    def script(self, code: str) -> "subprocess.Popen[str]":
        """Python with the repo's environment; `code` may import from `tests`."""
        return self._start("-c", code)

    def _start(self, *arguments: str) -> "subprocess.Popen[str]":
        repo = self.repo
        repo.marks.mkdir(exist_ok=True)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LIBERTY_")}
        environ |= {
            "LIBERTY_APPS_DIR": str(repo.root / "config"),
            "LIBERTY_DATA_DIR": str(repo.root / "data"),
            "MARKS": str(repo.marks),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=repo.root,
            env=environ,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> None:
    """As the kernel does it when memory is short: without a word."""
    process.kill()
    assert process.wait() == -signal.SIGKILL


@pytest.fixture
def repo(tmp_path: Path, database_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", database_url)


@pytest.fixture
def processes(repo: AppsRepo) -> Iterator[Processes]:
    started = Processes(repo)
    yield started
    started.end()
