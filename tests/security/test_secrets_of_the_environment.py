"""Secrets of the environment are hidden from the first line on, not only once a step has used them."""

import base64
from pathlib import Path

import pytest

from liberty.secrets import redactor
from tests.server import lay_out, serving

CANARY = "canary+in/the=environment"
PLUGIN = """\
import logging
import os


def tell(**_):
    secret = os.environ["CANARY"]
    print(secret)
    logging.getLogger("tell").info("it is %s", secret)
    return {"told": secret}
"""
TELLS = """\
[[jobs]]
name = "tells"
[[jobs.steps]]
type = "python"
callable = "hello.leaks:tell"
"""
USES = """\
[[jobs]]
name = "uses"
[[jobs.steps]]
type = "http"
url = "http://127.0.0.1:1/"
headers = { X-Key = "${env:CANARY}" }
"""


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The redactor of the process has not heard of the secret in an earlier test."""
    monkeypatch.setattr(redactor, "_secrets", set())
    monkeypatch.setattr(redactor, "_is_current", False)


def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str, connectors: str = "") -> str:
    """All that the API shows of a run that tells the secret."""
    monkeypatch.setenv("CANARY", CANARY)
    config = lay_out(tmp_path, jobs=jobs)
    (config.parent / "plugins" / "hello" / "leaks.py").write_text(PLUGIN)
    if connectors:
        (config / "connectors.toml").write_text(connectors)
    with serving(config, environ={"CANARY": CANARY}) as server:
        run_id = server.start("tells")
        server.ended(run_id)
        detail = server.root.get(f"/admin/jobs/runs/{run_id}").text
        log = server.root.get(f"/admin/jobs/runs/{run_id}/logs", headers={"Accept": "text/plain"}).text
    assert "it is ***" in log
    return detail + log


def forms(secret: str) -> list[str]:
    octets = secret.encode()
    return [secret, octets.hex(), base64.b64encode(octets).decode()]


def test_a_secret_that_any_job_names_is_hidden_from_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = told(tmp_path, monkeypatch, TELLS + USES)
    assert not [form for form in forms(CANARY) if form in shown]


@pytest.mark.parametrize(
    "header", ['Authorization = "Bearer ${env:CANARY}"', 'X-Ordinary = "prefix ${env:CANARY}"']
)
def test_a_secret_inside_a_longer_header_of_a_connector_is_hidden_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    connectors = f"""\
[connectors.service]
type = "api"
base_url = "http://127.0.0.1:1"
[connectors.service.default_headers]
{header}
"""
    shown = told(tmp_path, monkeypatch, TELLS, connectors)
    assert not [form for form in forms(CANARY) if form in shown]
