"""What the pages say of a running server: the commands that start and ask it, and every endpoint they list."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.site import lay_out

BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 30
PASSWORD = "password-of-the-administrator"


@contextmanager
def process(command: list[str], until: str, **environ: str) -> Iterator[re.Match[str]]:
    """The command, running, once it has printed something that matches `until`."""
    running = subprocess.Popen(
        command,
        env={**os.environ, "LIBERTY_ADMIN_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stopper = threading.Timer(PATIENCE_SECONDS, running.kill)
    stopper.start()
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if found := re.search(until, line):
            break
    else:
        pytest.fail(f"{command[0]} ended without saying {until!r}:\n{said}")
    stopper.cancel()
    reader = threading.Thread(target=running.stdout.read, daemon=True)
    reader.start()
    try:
        yield found
    finally:
        running.terminate()
        try:
            running.wait(PATIENCE_SECONDS)
        finally:
            running.kill()
            reader.join(PATIENCE_SECONDS)
            running.stdout.close()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lay_out("runs_and_monitoring", tmp_path_factory.mktemp("served") / "apps")
    with (folder / "app.toml").open("a") as file:
        file.write("drain_seconds = 1\n")
    return folder


@pytest.fixture(scope="module")
def url(config: Path) -> Iterator[str]:
    command = [str(BIN / "liberty-next"), "--port", "0"]
    with process(command, r"is at (http://\S+)", LIBERTY_APPS_DIR=str(config)) as found:
        yield found[1]


@pytest.fixture(scope="module")
def api(url: str) -> Iterator[httpx.Client]:
    """Signed in as the first administrator."""
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        answer = client.post("/auth/login", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def start(api: httpx.Client, job: str, **body: object) -> str:
    answer = api.post(f"/admin/jobs/{job}/run", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["job"] == job
    run: str = answer.json()["run_id"]
    return run


def follow(api: httpx.Client, run: str, until: str | None = None) -> list[str]:
    """Messages of the live log, until the run ends or one contains `until`."""
    seen: list[str] = []
    with api.stream("GET", f"/admin/jobs/runs/{run}/logs", params={"follow": "true"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data:"):
                data = json.loads(line.removeprefix("data:"))
                if isinstance(data, dict) and "message" in data:
                    seen.append(data["message"])
                    if until and until in seen[-1]:
                        break
    return seen


# Deploy and debug


def test_the_server_of_the_development_shell(config: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(config.parent, tmp_path / "apps", ignore=shutil.ignore_patterns("data"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(BIN / "uvicorn"), "liberty.main:app", "--port", str(port)]
    with process(command, "Uvicorn running on", LIBERTY_APPS_DIR=str(copy / "config")):
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_the_server_says_that_it_is_well(url: str) -> None:
    answer = httpx.get(f"{url}/healthz")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json().keys() >= {"ok", "status", "version"}


def test_a_job_runs_from_the_command_line(config: Path, url: str) -> None:
    command = [BIN / "liberty-admin", "job", "run", "crm-hourly-sync", "--params", "period=2026-04"]
    done = subprocess.run(
        command,
        env={**os.environ, "LIBERTY_APPS_DIR": str(config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "nomaflow.python start run=r-" in said, "same log lines"
    assert "nomaflow.python done run=r-" in said


# Runs & monitoring: the six endpoints


ENDPOINTS = [
    (
        "GET",
        "/admin/jobs/runs?job=crm-hourly-sync&status=succeeded,failed&from=2020-01-01&to=2100-01-01&limit=5",
    ),
    ("GET", "/admin/jobs/runs/r-1"),
    ("POST", "/admin/jobs/crm-hourly-sync/run"),
    ("POST", "/admin/jobs/runs/r-1/abort"),
    ("POST", "/admin/jobs/runs/r-1/replay"),
    ("GET", "/admin/jobs/runs/r-1/logs?level=WARNING&follow=true"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_every_endpoint_asks_who_is_there(url: str, method: str, path: str) -> None:
    assert httpx.request(method, url + path).status_code == 401


def test_a_run_is_started_and_followed_to_its_end(api: httpx.Client) -> None:
    run = start(api, "crm-hourly-sync", params={"period": "2026-05"})
    assert "billing.invoicing.run period=2026-05 drafts=42 dry_run=False" in follow(api, run)
    detail = api.get(f"/admin/jobs/runs/{run}").json()
    assert detail["run_id"] == run
    assert (detail["status"], detail["trigger"], detail["triggered_by"]) == ("succeeded", "api", "user:admin")
    assert detail["rows_affected"] == 42
    (step,) = detail["steps"]
    assert (step["name"], step["type"], step["status"]) == ("sync", "python", "succeeded")
    assert step["input"] == {"period": "2026-05"}
    assert step["output"] == {"rows_affected": 42, "period": "2026-05"}


def test_the_table_is_filtered_and_paginated(api: httpx.Client) -> None:
    runs = [start(api, "crm-hourly-sync"), start(api, "ad-sync")]
    for run in runs:
        follow(api, run)
    failed = api.get(
        "/admin/jobs/runs", params={"job": "ad-sync", "status": "failed,aborted", "limit": 1}
    ).json()
    assert [run["run_id"] for run in failed["items"]] == [runs[1]]
    assert "next_cursor" in failed
    future = api.get("/admin/jobs/runs", params={"from": "2100-01-01"}).json()
    assert future["items"] == []


def test_a_run_is_aborted(api: httpx.Client) -> None:
    run = start(api, "billing-nightly-rebuild")
    follow(api, run, until="waiting")
    assert api.post(f"/admin/jobs/runs/{run}/abort").status_code == 202
    follow(api, run)
    detail = api.get(f"/admin/jobs/runs/{run}").json()
    assert (detail["status"], detail["steps"][0]["status"]) == ("aborted", "aborted")
    assert detail["reason"] == "aborted by user:admin"
    assert api.post(f"/admin/jobs/runs/{run}/abort").status_code == 409


def test_a_run_is_replayed(api: httpx.Client) -> None:
    original = start(api, "crm-hourly-sync", params={"period": "2026-03"})
    follow(api, original)
    answer = api.post(f"/admin/jobs/runs/{original}/replay")
    assert answer.status_code == 202, answer.text
    replay = answer.json()["run_id"]
    follow(api, replay)
    detail = api.get(f"/admin/jobs/runs/{replay}").json()
    assert (detail["replay_of"], detail["triggered_by"]) == (original, "user:admin")
    assert detail["steps"][0]["output"]["period"] == "2026-03"


def test_the_log_is_filtered_and_downloaded(api: httpx.Client) -> None:
    run = start(api, "crm-hourly-sync")
    follow(api, run)
    lines = api.get(f"/admin/jobs/runs/{run}/logs", params={"level": "WARNING"}).json()["items"]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("WARNING", "billing.invoicing", "took longer than usual")
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0]["ts"]), "milliseconds"
    text = api.get(f"/admin/jobs/runs/{run}/logs", headers={"Accept": "text/plain"})
    assert text.headers["content-type"].startswith("text/plain")
    assert "took longer than usual" in text.text
