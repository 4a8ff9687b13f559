"""Drafts over REST: text and form in step, a step looked at and tried out, forms, schedules."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.test_operating import audited
from tests.server import Server, lay_out, serving

PLUGIN = '''\
"""Functions of these tests."""
from datetime import date
from enum import StrEnum
from typing import Literal, Optional


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


def load(ctx, day: date, mode: Literal["full", "delta"] = "delta", size: Size = Size.SMALL,
         rows: int = 10, target_connector: Optional[str] = None, api_token: str = "", **rest):
    """Loads a day.

    Args:
        day: which day,
            in full
        rows (int): how many
    """
    return {"day": str(day), "rows_affected": rows}


def tell(loaded=None, **_):
    return {"told": loaded}
'''
JOBS = """
[[jobs]]
name = "daily"
app = "sales"
schedule = "30 2 * * *"
timezone = "Europe/Paris"
single_instance = true
[[jobs.params]]
name = "day"
type = "date"
required = true
description = "the day"
default = "${yesterday}"
[[jobs.presets]]
name = "big"
params = { rows = 1000 }
[[jobs.steps]]
type = "python"
name = "load"
callable = "sales.work:load"
op_kwargs = { rows = 5 }
# what follows
[[jobs.steps]]
type = "python"
name = "tell"
condition = "${steps.load.day} == 'never'"
callable = "sales.work:tell"
op_kwargs = { loaded = "${steps.load.day}" }
"""


@pytest.fixture
def sales(tmp_path: Path) -> Any:
    config = lay_out(tmp_path, jobs=JOBS)
    folder = tmp_path / "plugins" / "sales"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "work.py").write_text(PLUGIN)
    with serving(config) as server:
        yield server


def draft(server: Server, **body: Any) -> Any:
    answer = server.root.post("/admin/drafts", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_text_and_form_stay_in_step(sales: Server) -> None:
    toml = sales.root.get("/admin/jobs/daily/definition").json()["toml"]
    same = draft(sales, toml=toml, name="daily")
    assert (same["toml"], same["ok"]) == (toml, True)
    moved = draft(sales, toml=toml, name="daily", changes=[{"op": "move", "path": ["steps", 1], "to": 0}])
    assert moved["toml"].index("# what follows") < moved["toml"].index('name = "load"')
    assert moved["problems"][0]["message"].endswith("step 'load' does not run before this one")
    assert moved["problems"][0]["path"][:2] == ["steps", 0]
    definition = same["definition"]
    definition["steps"][0]["op_kwargs"]["rows"] = 6
    assert draft(sales, toml=toml, definition=definition, name="daily")["toml"] == toml.replace(
        "rows = 5", "rows = 6"
    )
    written = draft(sales, definition=definition)
    assert [problem["message"] for problem in written["problems"]] == [
        "there is a job called 'daily' already; choose another name"
    ]
    assert draft(sales, toml=written["toml"], name="daily")["definition"] == definition


def test_problems_tell_line_and_column_and_warnings_stand_apart(sales: Server) -> None:
    found = draft(
        sales,
        toml='[[jobs]]\nname = "x"\n  retri = 1\n[[jobs.steps]]\ntype = "python"\ncallable = "sales.work:lod"\n',
    )
    problem = found["problems"][0]
    assert (problem["line"], problem["column"], problem["nearest"]) == (3, 3, "retry")
    assert (found["effective"], found["definition"]["name"]) == (None, "x")
    found = draft(sales, toml="[[jobs]]\nname = = 1\n")
    assert (found["problems"][0]["line"], found["problems"][0]["column"]) == (2, 8)
    assert found["definition"] is None
    found = draft(
        sales,
        toml='[[jobs]]\nname = "x"\nschedule = "* * * * * */5"\n'
        '[[jobs.steps]]\ntype = "python"\ncallable = "sales.work:lod"\n',
    )
    assert found["ok"] is True
    assert [(w["line"], w["key"], w["nearest"]) for w in found["warnings"]] == [
        (6, "steps[0].callable", "sales.work:load"),
        (3, "schedule", None),
    ]
    toml = '[[jobs]]\nname = "x"\n[[jobs.steps]]\ntype = "sql_query"\nconnector = "nowhere"\nquery = "select 1"\n'
    assert draft(sales, toml=toml)["problems"][0]["line"] == 5
    wrong = sales.root.post(
        "/admin/drafts", json={"toml": toml, "changes": [{"path": ["steps", 3, "query"], "value": ""}]}
    )
    assert wrong.status_code == 404


@pytest.mark.parametrize(
    "toml",
    [
        "x = " + "[" * 5000,
        '[[jobs]]\nname = "x"\npassword = "***"\nx = [',
        '[[jobs]]\nname = "x"\nparams = { a = nan, b = inf }\n',
        "[jobs]\nname = 1",
        "jobs = [1]",
        'jobs = [{ name = "x", steps = [] }]',
        "",
    ],
)
def test_no_text_is_too_strange(own_server: Server, toml: str) -> None:
    for path in ("", "/preview-step", "/test-step"):
        body = {"toml": toml, "name": "greet", **({"step": "s"} if path else {})}
        answer = own_server.root.post(f"/admin/drafts{path}", json=body)
        assert answer.status_code in ((200, 422) if not path else (422,)), answer.text
    for body in ({"toml": toml}, {"toml": toml, "base": toml, "definition": {"name": 1}}):
        answer = own_server.root.put("/admin/jobs/greet/definition", json=body, headers={"If-Match": "x"})
        assert answer.status_code in (409, 422), answer.text
    assert own_server.root.post("/admin/jobs", json={"toml": toml}).status_code == 422


def test_a_step_is_previewed_without_running_it(sales: Server) -> None:
    toml = sales.root.get("/admin/jobs/daily/definition").json()["toml"]
    body = {"toml": toml, "name": "daily", "step": "load", "params": {"day": "2026-05-01"}}
    found = sales.root.post("/admin/drafts/preview-step", json=body)
    assert found.status_code == 200, found.text
    assert found.json()["step"]["input"]["params"]["day"] == "2026-05-01"
    assert sales.root.get("/admin/jobs/runs").json()["items"] == []


def test_a_step_is_tried_out_as_a_run_of_its_own(sales: Server) -> None:
    root = sales.root
    toml = root.get("/admin/jobs/daily/definition").json()["toml"].replace("rows = 5", "rows = 7")
    body = {"toml": toml, "name": "daily", "step": "load", "params": {"day": "2026-05-01"}}
    queued = root.post("/admin/drafts/test-step", json=body)
    assert queued.status_code == 202, queued.text
    assert queued.json()["job"] == "_test/daily"
    run = sales.ended(queued.json()["run_id"])
    assert [(step["name"], step["status"], step["rows_affected"]) for step in run["steps"]] == [
        ("load", "succeeded", 7)
    ]
    assert root.get("/admin/jobs/daily").json()["runs"] == []
    assert audited(sales)[0] == ("root", "test", "job:_test/daily")

    # A step that needs what an earlier one gives takes it from a run.
    alone = root.post("/admin/drafts/test-step", json={**body, "step": "tell"})
    assert alone.status_code == 422
    assert "name a run of the job whose outputs stand in" in alone.json()["detail"]
    whole = sales.start("daily", {"params": {"day": "2026-05-02"}})
    assert sales.ended(whole)["steps"][1]["status"] == "skipped"
    told = root.post("/admin/drafts/test-step", json={**body, "step": "tell", "outputs_of": whole})
    run = sales.ended(told.json()["run_id"])
    assert [step["output"] for step in run["steps"]][1] == {"told": "2026-05-02"}
    assert run["status"] == "succeeded"
    # The saved definition knows nothing of it.
    assert root.get("/admin/jobs/daily/versions").json()["items"][0]["version"] == 1
    wrong = root.post("/admin/drafts/test-step", json={**body, "toml": toml + "x = 1\n"})
    assert (wrong.status_code, wrong.json()["draft_problems"][0]["path"]) == (422, ["steps", 1, "x"])


def test_trying_out_takes_the_right_to_run(own_server: Server) -> None:
    step = '[[jobs.steps]]\ntype = "python"\nname = "s"\ncallable = "hello.jobs:say"\n'
    toml = '[[jobs]]\nname = "{}"\napp = "hello"\n' + step
    editor = own_server.client("editor")
    for way in ("preview-step", "test-step"):
        for name in ("greet", "new"):
            body = {"toml": toml.format(name), "step": "s", "name": "greet" if name == "greet" else None}
            assert editor.post(f"/admin/drafts/{way}", json=body).status_code == 404
            assert own_server.root.post(f"/admin/drafts/{way}", json=body).is_success
    run_id = own_server.root.post(
        "/admin/drafts/test-step", json={"toml": toml.format("greet"), "step": "s", "name": "greet"}
    ).json()["run_id"]
    own_server.ended(run_id)
    assert own_server.client("alice").get(f"/admin/jobs/runs/{run_id}").status_code == 200
    assert own_server.client("charlie").get(f"/admin/jobs/runs/{run_id}").status_code == 404


def test_a_job_that_names_no_app_has_that_of_its_folder(own_server: Server) -> None:
    root = own_server.root
    step = '[[jobs.steps]]\ntype = "python"\nname = "s"\ncallable = "hello.jobs:say"\n'
    toml = f'[[jobs]]\nname = "local"\n{step}'
    file = "plugins/hello/jobs.toml"
    assert draft(own_server, toml=toml)["effective"]["app"] == "_default"
    assert draft(own_server, toml=toml, file=file)["effective"]["app"] == "hello"
    assert root.post("/admin/jobs", json={"toml": toml, "file": file}).status_code == 201
    assert draft(own_server, toml=toml, name="local")["effective"]["app"] == "hello"
    tried = root.post("/admin/drafts/test-step", json={"toml": toml, "name": "local", "step": "s"}).json()
    assert own_server.ended(tried["run_id"])["app"] == "hello"
    assert root.post("/admin/drafts", json={"toml": toml, "file": "/etc/passwd"}).status_code == 404


def test_the_form_of_a_run_knows_declarations_and_signatures(sales: Server) -> None:
    form = sales.root.get("/admin/jobs/daily/form").json()
    shared = {field["name"]: field for field in form["fields"]}
    assert (shared["day"]["kind"], shared["day"]["description"], shared["day"]["is_token"]) == (
        "date",
        "the day",
        True,
    )
    assert shared["day"]["steps"] == ["load"]
    assert (shared["rows"]["kind"], shared["rows"]["origin"]) == ("int", "preset")
    own = {field["name"]: field for field in form["steps"][0]["fields"]}
    assert list(own) == ["mode", "size", "rows", "target_connector", "api_token"]
    assert (own["mode"]["choices"], own["mode"]["default"]) == (["full", "delta"], "delta")
    assert own["size"]["choices"] == ["s", "l"]
    assert (own["rows"]["default"], own["rows"]["description"]) == (5, "how many")
    assert (own["target_connector"]["picker"], own["target_connector"]["optional"]) == ("connector", True)
    assert own["api_token"]["is_secret"] is True
    assert form["presets"][0]["params"] == {"rows": 1000}


def test_callables_have_docstrings_and_typed_parameters(sales: Server) -> None:
    items = {item["ref"]: item for item in sales.root.get("/admin/jobs/callables").json()["items"]}
    found = items["sales.work:load"]
    assert found["doc"].startswith("Loads a day.\n\nArgs:")
    day = found["parameters"][0]
    assert (day["kind"], day["required"], day["description"]) == ("date", True, "which day, in full")
    assert found["parameters"][3]["value"] == 10


def test_a_schedule_is_told_with_its_warnings(own_server: Server) -> None:
    def ask(schedule: str, timezone: str = "Europe/Paris") -> list[dict[str, Any]]:
        params = {"schedule": schedule, "timezone": timezone, "from": "2026-01-10"}
        found: list[dict[str, Any]] = own_server.root.get("/admin/jobs/cron-preview", params=params).json()[
            "warnings"
        ]
        return found

    nights = ask("30 2 * * *")
    assert [(warning["kind"], warning["at"]) for warning in nights] == [
        ("daylight", "2026-03-29T01:00:00.000Z"),
        ("daylight", "2026-10-25T01:00:00.000Z"),
    ]
    assert ask("30 2 * * *", "UTC") == []
    assert ask("0 4 * * *") == []
    assert ask("* * * * * */5")[0]["text"] == "it fires every 5 s, up to 17,280 runs a day"
    assert ask("0 0 29 2 *")[0]["kind"] == "rare"
