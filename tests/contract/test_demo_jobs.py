"""The demo's jobs do what the demo says of them."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pytest_httpserver import HTTPServer

from liberty.demo import lay_out
from tests.contract.site import Site, only_step, opened


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("demo"))


@pytest_asyncio.fixture
async def site(config: Path) -> AsyncIterator[Site]:
    async with opened(config) as site:
        yield site


async def test_it_is_served_without_complaint(site: Site) -> None:
    assert site.runtime.problems == []


async def test_two_failures_then_success(site: Site) -> None:
    detail = await site.run("fails-twice")
    step = only_step(detail)
    assert detail.run.status == "succeeded"
    assert [attempt.status for attempt in step.attempts] == ["failed", "failed", "succeeded"]
    assert step.output == {"tries": 3}


async def test_the_server_is_asked_how_it_is(
    config: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/healthz").respond_with_json({"ok": True, "status": "ok", "version": "9.9"})
    httpserver.expect_request("/ready").respond_with_json({"ok": False}, status=503)
    monkeypatch.setenv("PORT", str(httpserver.port))
    async with opened(config, PORT=str(httpserver.port)) as site:
        detail = await site.run("self-check")
    assert detail.run.status == "succeeded", detail.steps
    assert detail.steps[2].output == {"version": "9.9", "ready": False}
    assert "the server is up but not ready" in [line.message for line in detail.lines]


@pytest.mark.parametrize("job", ["slow", "slow-blocking"])
async def test_the_slow_ones_can_be_aborted(site: Site, job: str) -> None:
    detail = await site.abort(await site.start_until("nomaflow.python start", job))
    assert (detail.run.status, only_step(detail).status) == ("aborted", "aborted")


async def test_the_pipeline_from_copy_to_report(site: Site) -> None:
    early = (await site.run("flights-delays-hourly")).run
    assert (early.status, early.reason) == ("skipped", "dependency-never-ran: flights-nightly")

    report = await site.run("flights-report", preset="newark-top-3")
    assert report.run.status == "succeeded", report.steps
    written = report.steps[2].output
    assert isinstance(written, dict)
    with (site.root / str(written["file"])).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 3

    (nightly,) = (await site.runtime.reader.page(site.alice, jobs=["flights-nightly"])).items
    copied = {
        step.name: step.output
        for step in (await site.runtime.reader.detail(nightly.run_id, site.alice)).steps
    }
    assert nightly.trigger == "call_job"
    assert copied["nothing-lost"] == {"rows": 336_776}
    assert isinstance(copied["planes"], dict)
    assert copied["planes"]["rows_dropped"] == 5, "the rotorcraft"

    hourly = await site.run("flights-delays-hourly")
    counted, summarised, _ = hourly.steps
    assert isinstance(counted.output, dict)
    flights = counted.output["first_row"]["flights"]
    assert summarised.status == ("succeeded" if flights else "skipped"), (
        "nothing leaves in some hours of the night"
    )

    quality = await site.run("data-quality")
    assert quality.run.status == "partial-success"
    assert quality.steps[3].output == {"failed": ["planes-known"]}
