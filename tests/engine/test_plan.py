"""Plans: a preview of each step, secrets masked, within limits, for those who may run the job."""

import json
from typing import Any

import pytest

from liberty.errors import NotFound
from liberty.jobs.service import looking, wire
from liberty.jobs.service.plan import Planner
from tests.factories import ALICE, AppsRepo, Program, caller

JOB = """
[[jobs]]
name = "mixed"
[jobs.params]
least = 2
[[jobs.presets]]
name = "one"
params = {least = 3}

[[jobs.steps]]
name = "find"
type = "sql_query"
connector = "data"
query = "SELECT id, note AS password, note FROM t WHERE id >= :least"
params = {least = "${params.least}"}

[[jobs.steps]]
name = "clean"
type = "sql_query"
connector = "data"
query = "DELETE FROM t WHERE id >= :least"
params = {least = "${params.least}"}

[[jobs.steps]]
name = "call"
type = "http"
url = "http://127.0.0.1:9/orders"
headers = {X-Api-Key = "${env:SHOP_TOKEN}"}
params = {since = "${steps.find.first_row.id}"}

[[jobs.steps]]
name = "sign"
type = "http"
url = "http://127.0.0.1:9/sign"
headers = {X-Api-Key = "${env:SHOP_TOKEN}"}

[[jobs.steps]]
name = "broken"
type = "sql_query"
connector = "data"
query = "SELECT * FROM nowhere"
"""


@pytest.fixture
def repo_with_data(repo: AppsRepo) -> AppsRepo:
    repo.keys["SHOP_TOKEN"] = "canary-in-a-coal-mine"
    return repo.jobs(JOB).connectors(f'[pools.data]\nurl = "sqlite:///{repo.root}/data.db"\n')


async def planned(program: Program, **keys: Any) -> dict[str, Any]:
    runtime = program.runtime
    await runtime.generation.connectors.sql("data").execute(
        "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, note TEXT)"
    )
    await runtime.generation.connectors.sql("data").execute(
        "INSERT OR REPLACE INTO t VALUES (1, 'a'), (2, 'b'), (3, :long)", {"long": "c" * 1000}
    )
    planner = Planner(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)
    found: dict[str, Any] = wire.plan(await planner.plan("mixed", ALICE, **keys))
    json.dumps(found, allow_nan=False)
    return found


async def test_a_plan_previews_every_step_and_writes_nothing(repo_with_data: AppsRepo) -> None:
    async with repo_with_data.running() as program:
        plan = await planned(program)
        find, clean, call, sign, broken = plan["steps"]
        assert find["preview"]["rows_read"] == 2
        assert find["preview"]["rows"][0] == {"id": 2, "password": "***", "note": "b"}
        assert len(find["preview"]["rows"][1]["note"]) == looking.TEXT_LIMIT + 1
        assert clean["preview"] == {"statement": "DELETE", "rows_affected": 2}
        assert call["preview"] is None
        assert "steps.find" in call["unresolved"]
        assert sign["preview"]["request"]["headers"] == {"X-Api-Key": "***"}
        assert "no such table: nowhere" in broken["preview"]["error"]
        assert "canary" not in json.dumps(plan)
        count = await program.runtime.generation.connectors.sql("data").scalar("SELECT count(*) FROM t")
        assert count == 3
        assert (await planned(program, preset="one"))["steps"][1]["preview"]["rows_affected"] == 1


async def test_a_plan_needs_the_right_to_run(repo_with_data: AppsRepo) -> None:
    async with repo_with_data.running() as program:
        runtime = program.runtime
        planner = Planner(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)
        bob = caller(name="bob", permissions=frozenset({"job:mixed:read"}))
        with pytest.raises(NotFound):
            await planner.plan("mixed", bob)


async def test_previews_end_with_their_time_and_their_size(
    repo_with_data: AppsRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with repo_with_data.running() as program:
        monkeypatch.setattr(looking, "PREVIEW_BYTES", 500)
        first = (await planned(program))["steps"][0]["preview"]
        assert (len(first["rows"]), first["rows_cut"]) == (1, True)
        monkeypatch.setattr("liberty.jobs.service.plan.PREVIEW_SECONDS", 0.0)
        first = (await planned(program))["steps"][0]["preview"]
        assert first["error"].startswith("the preview took too long")
