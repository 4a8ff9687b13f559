"""`liberty-next` as a process: how it starts, what it says, how it ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import lay_out

DEADLINE = 30.0


class Process:
    """A server process, its address and what it said so far."""

    def __init__(self, folder: Path, arguments: list[str], environ: Mapping[str, str]) -> None:
        self.data = folder / "data"
        command = [str(Path(sys.executable).with_name("liberty-next")), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LIBERTY_")}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**clean, "PORT": "0", "LIBERTY_DATA_DIR": str(self.data), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_up(self) -> dict[str, Any]:
        """What the command line of this machine is told."""
        deadline = time.monotonic() + DEADLINE
        file = self.data / "server.json"
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()
            if file.exists():
                found: dict[str, Any] = json.loads(file.read_text())
                return found
            with_pause(0.02)
        raise AssertionError("the server did not come up")

    def stop(self, *signals: signal.Signals) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        for number in signals:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


def with_pause(seconds: float) -> None:
    """Between two looks at another process, which cannot wake this one."""
    time.sleep(seconds)


@contextmanager
def process(folder: Path, *arguments: str, **environ: str) -> Iterator[Process]:
    made = Process(folder, list(arguments), environ)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    lay_out(tmp_path, app="[jobs]\ndrain_seconds = 20\nabort_grace_seconds = 1\n")
    return tmp_path


def bearer(server: dict[str, Any]) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server['token']}", "X-Liberty-Os-User": "alice"}
    return httpx.Client(base_url=server["url"], headers=headers, trust_env=False, timeout=20)


def test_a_first_start_says_where_it_is_and_how_to_sign_in_once(repo: Path) -> None:
    with process(repo, "--apps-dir", str(repo / "config")) as first:
        server = first.until_up()
        assert stat.S_IMODE((first.data / "server.json").stat().st_mode) == 0o600
        assert server["pid"] == first.process.pid
        with bearer(server) as client:
            assert client.get("/auth/me").json()["kind"] == "cli"
            assert client.get("/ready").status_code == 200
        code, out, err = first.stop(signal.SIGTERM)
    assert code == 0, err
    assert not (repo / "data" / "server.json").exists()
    assert f"is at {server['url']}" in out
    assert "First administrator: admin, password " in out
    assert f"{server['url']}/auth/link?token=" in out
    assert f"INFO  liberty.plugins importable from {repo / 'plugins'}" in err
    assert "Traceback" not in err

    with process(repo, "--apps-dir", str(repo / "config")) as second:
        second.until_up()
        _, out, _ = second.stop(signal.SIGINT)
    assert "administrator" not in out


def test_a_password_from_the_environment_is_not_repeated(tmp_path: Path) -> None:
    with process(tmp_path, LIBERTY_ADMIN_PASSWORD="a-password-of-mine") as server:
        found = server.until_up()
        login = {"username": "admin", "password": "a-password-of-mine"}
        assert httpx.post(f"{found['url']}/auth/login", json=login, trust_env=False).status_code == 200
        code, out, err = server.stop(signal.SIGTERM)
    assert code == 0
    assert "a-password-of-mine" not in out + err


def test_a_run_in_flight_is_waited_for_then_aborted_at_the_second_signal(repo: Path) -> None:
    with process(repo, "--apps-dir", str(repo / "config")) as server:
        found = server.until_up()
        with bearer(found) as client:
            run_id = client.post("/admin/jobs/wait/run").json()["run_id"]
            while client.get(f"/admin/jobs/runs/{run_id}").json()["status"] == "queued":
                with_pause(0.01)
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + DEADLINE
            while client.get("/healthz").status_code != 503:
                assert time.monotonic() < deadline
                with_pause(0.01)
            assert client.post("/admin/jobs/greet/run").status_code == 503
            assert client.get(f"/admin/jobs/runs/{run_id}").json()["status"] == "running"
        began = time.monotonic()
        code, _, err = server.stop(signal.SIGTERM)
        assert time.monotonic() - began < 5
    assert code == 0, err

    with process(repo, "--apps-dir", str(repo / "config")) as again, bearer(again.until_up()) as client:
        run = client.get(f"/admin/jobs/runs/{run_id}").json()
    assert run["status"] in ("aborted", "failed")
    assert run["reason"]


def test_a_port_in_use_is_one_sentence(repo: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        process(repo, PORT=str(taken.getsockname()[1])) as server,
    ):
        code, _, err = server.stop()
    assert code == 1
    assert err.startswith("liberty-next: cannot listen on 127.0.0.1:")
    assert len(err.splitlines()) == 1


def test_a_second_server_on_the_same_data_is_refused(repo: Path) -> None:
    with process(repo) as first:
        first.until_up()
        with process(repo) as second:
            code, _, err = second.stop()
    assert code == 1
    assert "another server" in err
    assert "Traceback" not in err


def test_a_wrong_setting_names_file_line_and_nearest_key(repo: Path) -> None:
    (repo / "config" / "app.toml").write_text("[app]\n\nprot = 1\n")
    with process(repo, "--apps-dir", str(repo / "config")) as server:
        code, _, err = server.stop()
    assert code == 1
    assert "app.toml:3" in err
    assert "did you mean 'port'" in err
    assert "Traceback" not in err


def test_a_jobs_file_that_does_not_parse_stops_the_start_with_its_place(repo: Path) -> None:
    (repo / "config" / "jobs.toml").write_text("[[jobs]\n")
    with process(repo, "--apps-dir", str(repo / "config")) as server:
        code, _, err = server.stop()
    assert code == 1
    assert "jobs.toml:1" in err
    assert "Traceback" not in err


def test_the_version_is_told() -> None:
    command = [str(Path(sys.executable).with_name("liberty-next")), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nomaflow ")
