"""What the pages read, on both databases, from a program that really ran: each answer fits its model."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from liberty.api.models.data_sources import (
    ColumnsModel,
    ConnectorListModel,
    ConnectorNamesModel,
    PoolListModel,
    PoolReloadModel,
    PoolTestModel,
    QueryResultModel,
    TablesModel,
)
from liberty.api.models.lanes import LanesModel
from liberty.api.models.log_pane import LogMatchesModel, LogShapeModel, LogSummaryModel
from liberty.api.models.overview import LoadModel, OverviewModel
from liberty.api.models.run_pages import ChangesModel, CompareModel, RunStoryModel
from liberty.database import Tx
from liberty.errors import Invalid, NotFound, Unavailable
from liberty.jobs.run import Status
from liberty.jobs.service import ReplayRequest
from liberty.jobs.service.find_runs import Query
from liberty.jobs.service.jobs import JobReader
from liberty.jobs.service.pages import Pages
from liberty.jobs.service.schedule import ScheduleReader
from liberty.jobs.store import runs
from liberty.jobs.store.runs import Fence
from tests.factories import ALICE, AppsRepo, Program, caller, cron, run_of

PLUGIN = """
def load(ctx, limit=85, rows=100):
    log.info("loading %d rows", rows)
    if limit > 90:
        raise ValueError(f"rate 85 is below limit = {limit}")
    return {"rows_affected": rows, "rows_read": rows + 1}

def tell():
    log.warning("told")
"""


def jobs(limit: int = 85) -> str:
    return f"""
[[jobs]]
name = "flights"
app = "reporting"
tags = ["etl"]
schedule = "*/10 * * * *"
timezone = "Etc/UTC"
retry = {{ attempts = 2, base_seconds = 0 }}
[jobs.params]
period = "2026-05"
[[jobs.steps]]
type = "python"
name = "load"
callable = "work:load"
op_kwargs = {{ limit = {limit} }}
[[jobs.steps]]
type = "python"
name = "tell"
callable = "work:tell"

[[jobs]]
name = "query"
app = "reporting"
schedule = "0 3 * * *"
[[jobs.steps]]
type = "sql_query"
name = "ask"
connector = "orders"
query = "some"

[[jobs]]
name = "broken"
schedul = "x"
"""


CONNECTORS = """
[connectors.orders]
type = "sql"
pool = "default"
[[connectors.orders.queries]]
name = "some"
sql = "SELECT id, job AS password FROM ly2_job_runs WHERE id > :low ORDER BY id"
params = [{ name = "low", type = "int", default = 0 }, { name = "api_token", default = "shown nowhere" }]
[[connectors.orders.queries]]
name = "wipe"
sql = "DELETE FROM ly2_job_runs"
writable = true
[[connectors.orders.queries]]
name = "bad"
sql = "SELECT nothing FROM nowhere"
[pools.away]
url = "postgresql://nobody:hunter2secret@127.0.0.1:1/none"
"""


def pages_of(program: Program) -> Pages:
    runtime = program.runtime
    basis: dict[str, Any] = {
        "database": runtime.database,
        "scheduler": runtime.scheduler,
        "current": lambda: runtime.generation,
    }
    return Pages.of(
        **basis,
        clock=runtime.clock,
        jobs=JobReader(**basis),
        schedule=ScheduleReader(**basis, clock=runtime.clock),
        requests=runtime.requests,
        reader=runtime.reader,
    )


def fits(document: Any, model: type[BaseModel]) -> dict[str, Any]:
    model.model_validate(document)
    found: dict[str, Any] = document
    return found


def prepared(repo: AppsRepo) -> AppsRepo:
    repo.app(scheduler_enabled=False)
    return repo.jobs(jobs()).connectors(CONNECTORS).plugin(PLUGIN)


async def put_ledger(program: Program, job: str, minutes: tuple[int, ...], ending: str) -> None:
    """Runs of due instants that many minutes ago."""
    now = program.runtime.clock.now().replace(second=0, microsecond=0)

    async def fill(tx: Tx) -> None:
        for minute in minutes:
            at = now - timedelta(minutes=minute)
            new = run_of(job, cron(at))
            if ending == "missed":
                await runs.insert_skipped(tx, new, "missed: scheduler was down", at)
                continue
            number = (await runs.insert_queued(tx, new, at)).run.number
            run = await runs.claim(tx, number, "me", at)
            assert run is not None
            await runs.end(tx, Fence(number, "me", run.epoch), Status(ending), at + timedelta(seconds=2))

    await program.runtime.database.write(fill)


async def test_the_jobs_page_in_one_answer(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        pages = pages_of(program)
        await put_ledger(program, "flights", (50, 40), "succeeded")
        await put_ledger(program, "flights", (30,), "missed")
        await put_ledger(program, "flights", (20, 10), "failed")
        found = fits(await pages.overview.document(ALICE), OverviewModel)
        items = {item["name"]: item for item in found["items"]}
        flights = items["flights"]
        assert flights["strip"]["outcomes"] == "ssmff"
        assert flights["strip"]["durations"] == [2000, 2000, None, 2000, 2000]
        assert (flights["state"], flights["failures_in_a_row"]) == ("failing", 2)
        assert (flights["p50_ms"], flights["p95_ms"], flights["measured_runs"]) == (2000, 2000, 2)
        assert flights["last_run"]["status"] == "failed"
        assert flights["schedules"][0]["text"]
        assert items["broken"]["state"] == "quarantined"
        assert items["broken"]["problems"]
        assert items["query"]["strip"]["outcomes"] == ""
        await program.run("flights")
        again = {item["name"]: item for item in (await pages.overview.document(ALICE, strip=2))["items"]}  # type: ignore[index, union-attr]  # a document
        assert again["flights"]["state"] == "up"
        assert again["flights"]["strip"]["outcomes"] == "ff"
        assert again["flights"]["measured_runs"] == 3
        await put_ledger(program, "flights", (0,), "missed")
        last = {item["name"]: item for item in (await pages.overview.document(ALICE))["items"]}  # type: ignore[index, union-attr]  # as above
        assert last["flights"]["strip"]["outcomes"] == "ssmffm"
        bob = caller(name="bob", permissions=("job:query:read",))
        seen = fits(await pages.overview.document(bob), OverviewModel)
        assert [item["name"] for item in seen["items"]] == ["query"]


async def test_lanes_show_what_was_and_what_is_to_come(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        pages = pages_of(program)
        await put_ledger(program, "flights", (1, 2, 3), "succeeded")
        await put_ledger(program, "flights", (4,), "missed")
        found = fits(await pages.lanes.document(ALICE, since=None, until=None), LanesModel)
        assert found["counts"] == {"succeeded": 3, "missed": 1}
        lanes = {lane["job"]: lane for lane in found["lanes"]}
        flights = lanes["flights"]
        assert sum(cell["count"] for cell in flights["past"]) == 4
        assert "missed" in {cell["outcome"] for cell in flights["past"]}
        assert all(cell["several"] for cell in flights["coming"][1:-1])
        assert 6 * 24 - 1 <= len(flights["coming"]) <= 6 * 24 + 1
        one = fits(await pages.lanes.document(ALICE, since=None, until=None, limit=1), LanesModel)
        assert [lane["job"] for lane in one["lanes"]] == [one["next_cursor"]]
        rest = await pages.lanes.document(ALICE, since=None, until=None, cursor=one["next_cursor"])
        assert len(fits(rest, LanesModel)["lanes"]) == len(found["lanes"]) - 1
        charlie = caller(name="charlie", permissions=())
        nothing = fits(await pages.lanes.document(charlie, since=None, until=None), LanesModel)
        assert nothing["lanes"] == nothing["pauses"] == nothing["crowded"] == []
        now = program.runtime.clock.now()
        with pytest.raises(Invalid, match="at most 10 days"):
            await pages.lanes.document(ALICE, since=now, until=now + timedelta(days=11))


async def test_the_load_of_the_next_hours(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        pages = pages_of(program)
        found = fits(await pages.load.document(ALICE, hours=24), LoadModel)
        assert [entry["job"] for entry in found["repeating"]] == ["flights"]
        assert {event["job"]: event["pools"] for event in found["events"]}["query"] == ["default"]
        (pool,) = found["pools"]
        assert (pool["pool"], pool["peak"], pool["limit"]) == ("default", 1, 15)
        assert len(pool["needed"]) == 24 * 12


async def test_a_failed_run_tells_its_story_and_what_changed(repo_on_both: AppsRepo) -> None:
    repo = prepared(repo_on_both)
    async with repo.running() as program:
        pages = pages_of(program)
        good = (await program.run("flights")).run
        repo.jobs(jobs(limit=92))
        await program.runtime.reload()
        bad = (await program.run("flights", params={"period": "2026-06"})).run
        assert bad.status == "failed"
        story = fits(await pages.stories.document(bad.run_id, ALICE), RunStoryModel)
        load, tell = story["steps"]
        assert [tried["status"] for tried in load["tries"]] == ["failed", "failed"]
        assert load["tries"][0]["wait_ms"] is not None
        assert load["median_ms"] is not None
        assert load["median_rows"] == 100
        (frame,) = load["frames"]
        assert (frame["file"], frame["function"], frame["changed"]) == ("work.py", "load", False)
        marked = next(line["text"] for line in frame["lines"] if line["number"] == frame["line"])
        assert "raise ValueError" in marked
        assert tell["status"] == "skipped"
        assert story["last_success"]["run_id"] == story["previous"]["run_id"] == good.run_id
        assert story["queue_wait_ms"] >= 0
        earlier = fits(await pages.stories.document(good.run_id, ALICE), RunStoryModel)
        assert earlier["next"]["run_id"] == bad.run_id
        assert (earlier["steps"][0]["rows_in"], earlier["steps"][0]["rows_out"]) == (101, 100)

        changes = fits(await pages.comparer.changes(bad.run_id, ALICE), ChangesModel)
        assert changes["since"]["run_id"] == good.run_id
        assert [(item["kind"], item["name"], item["likely_cause"]) for item in changes["items"]] == [
            ("definition", "steps.load.op_kwargs.limit", True),
            ("params", "period", False),
        ]
        assert changes["code_known"]
        first = fits(await pages.comparer.changes(good.run_id, ALICE), ChangesModel)
        assert first["since"] is None
        both = fits(await pages.comparer.compare(good.run_id, bad.run_id, ALICE), CompareModel)
        assert both["same_job"]
        assert [step["status_b"] for step in both["steps"]] == ["failed", "skipped"]
        replay = await program.replay(bad)
        await program.ended(replay)
        again = fits(await pages.stories.document(bad.run_id, ALICE), RunStoryModel)
        assert [item["run_id"] for item in again["replays"]] == [replay.run_id]
        bob = caller(name="bob", permissions=("job:query",))
        for asking in (
            pages.stories.document(bad.run_id, bob),
            pages.comparer.changes(bad.run_id, bob),
            pages.comparer.compare(good.run_id, bad.run_id, bob),
            pages.log_pane.summary(bad.run_id, bob),
        ):
            with pytest.raises(NotFound):
                await asking


async def test_a_plugin_file_that_changed_is_told_and_code_is_kept_once(repo_on_both: AppsRepo) -> None:
    repo = prepared(repo_on_both)
    async with repo.running() as program:
        pages = pages_of(program)
        first = (await program.run("flights")).run
        second = (await program.run("flights")).run
        assert first.code is not None
        assert first.code == second.code
        assert (await pages.comparer.changes(second.run_id, ALICE))["items"] == []
        repo.plugin(PLUGIN.replace("limit > 90", "limit > 80"))
        program.runtime.plugins.reload("work")
        third = (await program.run("flights")).run
        assert third.status == "failed"
        changes = fits(await pages.comparer.changes(third.run_id, ALICE), ChangesModel)
        (item,) = changes["items"]
        assert (item["kind"], item["name"], item["likely_cause"]) == ("plugin", "work.py", True)


async def test_many_runs_are_replayed_and_each_is_answered_for(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        pages = pages_of(program)
        done = [(await program.run("flights")).run.run_id for _ in range(3)]
        query = Query(jobs=["FLIGHTS"], statuses=["succeeded"])
        assert await pages.finder.matching(query, ALICE, final=True, limit=2) == done[:0:-1]
        assert await pages.finder.matching(query, ALICE, final=False, limit=2) == []
        reader = caller(name="bob", permissions=("job:flights:read",))
        assert await pages.finder.matching(query, reader, final=True, limit=9) == []
        outcomes = await pages.finder.abort_all([done[0], "r-999999", "nonsense"], ALICE)
        assert [outcome.error and outcome.error.code for outcome in outcomes] == [
            "conflict",
            "not_found",
            "not_found",
        ]
        replays = await pages.finder.replay_all([*done[:2], "r-999999"], ReplayRequest(), ALICE)
        assert [replay.error and replay.error.code for replay in replays] == [None, None, "not_found"]
        ended = [(await program.ended(str(replay.new_run_id))).run for replay in replays[:2]]
        assert [str(run.status) for run in ended] in (["succeeded", "skipped"], ["succeeded", "succeeded"])
        query = replace(query, until=program.runtime.clock.now() - timedelta(days=1))
        assert await pages.finder.matching(query, ALICE, final=True, limit=2) == []
        query = Query(jobs=["flights"], text=done[0])
        text = "".join([part async for part in pages.finder.csv(query, ALICE)])
        assert [line.split(",")[0] for line in text.splitlines()] == ["run_id", done[0]]
        for wrong in (Query(triggers=["moon"]), Query(statuses=["x"]), Query(text="x" * 300)):
            with pytest.raises(Invalid):
                await pages.finder.page(wrong, ALICE, limit=5)


async def test_a_log_is_counted_and_searched(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        pages = pages_of(program)
        run = (await program.run("flights")).run
        summary = fits(await pages.log_pane.summary(run.run_id, ALICE), LogSummaryModel)
        assert summary["counts"]["WARNING"] == 1
        assert {fold["step"] for fold in summary["steps"]} == {None, "load", "tell"}
        assert await pages.log_pane.summary(run.run_id, ALICE) == summary
        found = await pages.log_pane.search(run.run_id, "LOADING", ALICE, after=0, level=None, limit=10)
        (number,) = fits(found, LogMatchesModel)["lines"]
        messages = await program.messages(run)
        assert messages[number - 1] == "loading 100 rows"
        assert found["next_cursor"] is None
        shape = fits(await pages.log_pane.shape(run.run_id, ALICE), LogShapeModel)
        assert len(shape["levels"]) == shape["last_seq"] == len(messages)
        assert shape["levels"].count("W") == 1
        assert sum(part["count"] for part in shape["parts"]) == len(messages)
        rest = fits(await pages.log_pane.shape(run.run_id, ALICE, after=number), LogShapeModel)
        assert rest["levels"] == shape["levels"][number:]


async def test_pools_and_connectors_are_shown_without_secrets(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        sources = pages_of(program).sources
        tested = fits(await sources.test_pool("default"), PoolTestModel)
        assert tested["ok"], tested
        away = fits(await sources.test_pool("away"), PoolTestModel)
        assert not away["ok"]
        assert "refused" in str(away["problem"]).lower()
        pools = {pool["name"]: pool for pool in fits(sources.pools(), PoolListModel)["items"]}
        assert (pools["default"]["status"], pools["default"]["jobs"]) == ("up", 1)
        fits(await sources.reload_pool("default", ALICE), PoolReloadModel)
        assert fits(sources.pools(), PoolListModel)["items"][1]["status"] == "not opened"
        with pytest.raises(NotFound, match="defualt"):
            await sources.reload_pool("defualt", ALICE)
        connectors = fits(sources.connectors(), ConnectorListModel)
        assert "shown nowhere" not in str(connectors)
        assert "hunter2secret" not in str([connectors, pools, away])
        names = fits(sources.names(ALICE), ConnectorNamesModel)
        assert {"default", "orders"} <= {item["name"] for item in names["items"]}
        charlie = caller(name="charlie", permissions=("job:flights:read",))
        assert sources.names(charlie)["items"] == []


async def test_only_declared_queries_that_read_are_run(repo_on_both: AppsRepo) -> None:
    async with prepared(repo_on_both).running() as program:
        sources = pages_of(program).sources
        for _ in range(3):
            await program.run("flights")
        found = await sources.run_query("orders", "some", {"low": "1"}, max_rows=1, pool=None)
        result = fits(found, QueryResultModel)
        assert result["columns"] == ["id", "password"]
        assert [row[0] for row in result["rows"]] == [2]
        assert result["rows"][0][1] != "flights"
        assert result["truncated"]
        for query, error in (
            ("wipe", Invalid),
            ("bad", Invalid),
            ("wipe:write", NotFound),
            ("none", NotFound),
        ):
            with pytest.raises(error):
                await sources.run_query("orders", query, {}, max_rows=5, pool=None)
        with pytest.raises(Invalid, match="is not a int"):
            await sources.run_query("orders", "some", {"low": "x"}, max_rows=5, pool=None)
        tables = fits(await sources.tables("orders", schema=None, like="JOB_RUNS"), TablesModel)
        assert [item["name"] for item in tables["items"]] == ["ly2_job_runs"]
        columns = fits(await sources.columns("orders", "ly2_job_runs", schema=None), ColumnsModel)
        assert columns["items"][0]["key"]
        with pytest.raises(NotFound, match="no table"):
            await sources.columns("orders", "nothing", schema=None)
        with pytest.raises((Invalid, Unavailable)) as refused:
            await sources.tables("away", schema=None, like=None)
        assert not re.search("hunter2secret", refused.value.message)
