"""Results far beyond what is stored: cut, said to be cut, and harmless to the process."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess
from tests.outage.hostile import hostile_server

STORED_BYTES = 100 * 1024 + 4096
GROWTH_MIB = 64

PLUGIN = """
def big_return():
    return {"rows_affected": 1, "text": "x" * (100 * 1024 * 1024)}

def big_list():
    return {"many": [{"number": n, "text": "some text"} for n in range(500_000)]}
"""


def http_job(name: str, url: str, *more: str) -> str:
    lines = "\n".join(more)
    return (
        f'[[jobs]]\nname = "{name}"\n[[jobs.steps]]\ntype = "http"\nname = "only"\nurl = "{url}"\n{lines}\n'
    )


def sql_job(name: str, rows: int) -> str:
    query = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
        "SELECT i, 'some text in every row' AS t FROM n"
    )
    return (
        f'[[jobs]]\nname = "{name}"\n[[jobs.steps]]\ntype = "sql_query"\nname = "only"\n'
        f'connector = "default"\nquery = "{query}"\nfetch = "all"\n'
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("huge")
    repo = AppsRepo(folder / "repo", f"sqlite+aiosqlite:///{folder / 'history.db'}").plugin(PLUGIN)
    with hostile_server() as url:
        repo.jobs(
            http_job("http-small", f"{url}/small")
            + http_job("http-huge", f"{url}/huge")
            + http_job("http-bomb", f"{url}/bomb")
            + http_job("http-drip", f"{url}/drip", "timeout_seconds = 2")
            + sql_job("sql-small", 10)
            + sql_job("sql-huge", 5_000_000)
            + python_job("big-return", "big_return")
            + python_job("big-list", "big_list")
            + python_job("quick", "noop")
        )
        with ServerProcess(repo) as started:
            for job in ("http-small", "sql-small", "quick"):  # what is loaded at first use is no growth
                assert ended(started, job)["status"] == "succeeded"
            yield started


def ended(server: ServerProcess, job: str) -> dict[str, Any]:
    return server.ended(server.start(job), within=60)


def stored(run: dict[str, Any]) -> Any:
    """The output of the only step, checked to be small and to say that it is not all."""
    output = run["steps"][0]["output"]
    assert len(json.dumps(output)) <= STORED_BYTES
    assert output["truncated"] is True
    return output


@pytest.mark.timeout(120)
@pytest.mark.parametrize("job", ["http-huge", "http-bomb", "sql-huge"])
def test_what_comes_from_elsewhere_is_read_within_bounds(server: ServerProcess, job: str) -> None:
    before = server.rss_mib()
    server.forget_peak()
    run = ended(server, job)
    growth = server.peak_mib() - before
    print(f"\n{job}: {growth:.0f} MiB at most")
    assert run["status"] == "succeeded", run
    stored(run)
    assert growth <= GROWTH_MIB


@pytest.mark.timeout(60)
def test_an_answer_that_never_ends_is_left_after_the_timeout(server: ServerProcess) -> None:
    began = time.monotonic()
    run = ended(server, "http-drip")
    assert run["status"] == "failed"
    assert "2" in run["steps"][0]["error"]["message"]
    assert time.monotonic() - began < 20


@pytest.mark.timeout(120)
@pytest.mark.parametrize("job", ["big-return", "big-list"])
def test_what_a_function_returns_is_cut(server: ServerProcess, job: str) -> None:
    run = ended(server, job)
    assert run["status"] == "succeeded", run
    stored(run)
    assert ended(server, "quick")["status"] == "succeeded"


# -- what JSON or a database cannot hold

ODD = """
def nan():
    return {"ratio": float("nan")}

def nul():
    return {"text": "a\\0b"}

def surrogate():
    return {"text": "\\ud800"}

def cycle():
    found = {}
    found["again"] = found
    return found

def raises_odd():
    raise ValueError("odd \\0 \\ud800 text")

def logs_odd():
    log.warning("odd \\0 \\ud800 text")
    print("odd \\0 \\ud800 text")
    raise RuntimeError("after odd \\ud800 lines")
"""


@pytest.mark.parametrize(
    ("job", "status", "said"),
    [
        ("nan", "failed", "JSON has no such number"),
        ("nul", "succeeded", None),
        ("surrogate", "failed", "no Unicode"),
        ("cycle", "failed", "holds itself"),
        ("raises_odd", "failed", "odd"),
        ("logs_odd", "failed", "after odd"),
    ],
)
async def test_odd_results_fail_the_step_with_a_sentence_and_never_the_recorder(
    job: str, status: str, said: str | None, tmp_path: Path, database_url: str
) -> None:
    repo = AppsRepo(tmp_path / "repo", database_url).plugin(ODD)
    repo.jobs(python_job("odd", job))
    async with repo.running() as program:
        detail = await program.run("odd")
        assert (str(detail.run.status), detail.run.reason) == (status, None)
        error = detail.steps[0].error
        assert (error is None) == (said is None)
        if error is not None and said is not None:
            assert said in error.message
