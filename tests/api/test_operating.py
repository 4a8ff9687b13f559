"""Operating jobs and editing files over REST."""

import tomllib
from typing import Any

import pytest

from tests.server import Server


def audited(server: Server) -> list[tuple[str, str, str]]:
    """Newest first: (actor, action, object), without the first administrator, who is made in the background."""
    entries = server.lane.submit(server.runtime.accounts.audit_entries()).result(10)
    return [(entry.actor, entry.action, entry.object) for entry in entries if entry.action != "user.create"]


def test_disabling_writes_the_file_and_keeps_its_comments(own_server: Server) -> None:
    file = own_server.config / "jobs.toml"
    answer = own_server.client("editor").post("/admin/jobs/greet/disable")
    assert (answer.status_code, answer.json()["state"]) == (200, "disabled")
    assert answer.json()["next_fire_at"] is None
    text = file.read_text()
    assert text.startswith("# what the tests run\n")
    assert tomllib.loads(text)["jobs"][0]["enabled"] is False
    assert audited(own_server)[0] == ("editor", "disable", "job:greet")
    assert own_server.root.post("/admin/jobs/greet/enable").json()["state"] == "scheduled"
    # Disabled or not, an operator may run it.
    own_server.root.post("/admin/jobs/greet/disable")
    told = own_server.root.get("/admin/jobs/greet/why").json()
    assert told["verdict"] == "not due"
    assert told["text"].startswith("not due: it is disabled since ")
    assert told["text"].endswith(" Europe/Paris")
    assert own_server.ended(own_server.start("greet"))["status"] == "succeeded"


def test_a_shipped_job_cannot_be_edited(own_server: Server) -> None:
    answer = own_server.root.post("/admin/jobs/_default/cleanup-job-history/disable")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_pause_is_shown_told_and_ended(own_server: Server) -> None:
    body = {"until": "2099-01-01T00:00:00Z", "reason": "stocktaking", "then": "latest"}
    job = own_server.client("editor").post("/admin/jobs/greet/pause", json=body).json()
    assert job["state"] == "paused"
    assert (job["pause"]["reason"], job["pause"]["by"]) == ("stocktaking", "user:editor")
    assert job["pause"]["then"] == "latest"
    why = own_server.root.get("/admin/jobs/greet/why", params={"at": "2098-05-01T02:00"}).json()
    assert why["verdict"] == "paused"
    assert "paused by user:editor until 2099-01-01 01:00 Europe/Paris (stocktaking)" in why["text"]
    assert own_server.root.post("/admin/jobs/greet/resume").json()["state"] == "scheduled"
    assert own_server.root.post("/admin/jobs/greet/resume").status_code == 409
    assert [action for _, action, _ in audited(own_server)[:2]] == ["resume", "pause"]


def test_a_pause_into_the_past_is_refused(own_server: Server) -> None:
    for until in ("2020-01-01", "whenever"):
        assert own_server.root.post("/admin/jobs/greet/pause", json={"until": until}).status_code == 422


def test_a_freeze_holds_every_job(own_server: Server) -> None:
    frozen = own_server.root.post("/admin/freeze", json={"reason": "move", "then": "latest"}).json()
    assert frozen["freeze"]["then"] == "latest"
    assert own_server.root.get("/admin/jobs/greet").json()["state"] == "frozen"
    assert own_server.root.delete("/admin/freeze").json() == {"frozen": False, "freeze": None}
    assert own_server.root.get("/admin/jobs/greet").json()["state"] == "scheduled"


@pytest.mark.parametrize(
    ("at", "verdict", "said"),
    [
        (
            "2026-05-31T02:00",
            "not due",
            "due 2026-05-31 02:00 Europe/Paris as the job is today; it is scheduled so",
        ),
        ("2026-05-31T00:00:00Z", "not due", "due 2026-05-31 02:00 Europe/Paris"),
        ("2026-05-31T14:00", "not due", "next at 2026-06-01 02:00 Europe/Paris"),
        ("2098-05-31T02:00", "future", "still to come"),
        ("2098-05-31", "future", "due 2098-05-31 02:00 Europe/Paris; still to come"),
    ],
)
def test_why_answers_in_a_sentence(server: Server, at: str, verdict: str, said: str) -> None:
    answer = server.root.get("/admin/jobs/greet/why", params={"at": at}).json()
    assert answer["verdict"] == verdict
    assert said in answer["text"]


def test_why_knows_jobs_without_a_schedule_and_broken_ones(server: Server) -> None:
    assert "no schedule" in server.root.get("/admin/jobs/wait/why").json()["text"]
    assert "quarantined" in server.root.get("/admin/jobs/broken/why").json()["text"]


def test_a_plan_resolves_params_and_writes_nothing(server: Server) -> None:
    before = server.root.get("/admin/jobs/runs", params={"job": "greet"}).json()
    plan = server.root.get("/admin/jobs/greet/plan").json()
    assert plan["params"] == {"who": "world"}
    assert plan["steps"][0]["input"]["params"] == {"who": "world"}
    assert server.root.get("/admin/jobs/runs", params={"job": "greet"}).json() == before


def test_a_backfill_makes_a_run_per_instant_and_none_twice(server: Server) -> None:
    body = {"from": "2026-05-01", "to": "2026-05-03"}
    made = server.root.post("/admin/jobs/greet/backfill", json=body)
    assert made.status_code == 202
    assert made.json()["instants"] == [f"2026-05-0{day}T00:00:00.000Z" for day in (1, 2, 3)]
    runs = [server.ended(run_id) for run_id in made.json()["run_ids"]]
    assert [run["scheduled_at"] for run in runs] == made.json()["instants"]
    assert {run["trigger"] for run in runs} == {"api"}
    assert {run["backfill"] for run in runs} == {made.json()["backfill"]}
    again = server.root.post("/admin/jobs/greet/backfill", json=body).json()
    assert (again["backfill"], again["run_ids"]) == (None, [])
    listed = server.root.get("/admin/jobs/greet/backfills").json()["items"]
    assert (listed[0]["backfill"], listed[0]["runs"]) == (made.json()["backfill"], {"succeeded": 3})


@pytest.mark.parametrize(
    "body",
    [
        {"from": "2026-05-03", "to": "2026-05-01"},
        {"from": "2098-05-03", "to": "2099-05-01"},
        {"from": "2000-01-01", "to": "2026-05-01"},
        {"from": "2026-05-01T03:00", "to": "2026-05-01T04:00"},
    ],
)
def test_a_backfill_of_a_wrong_span_is_refused(server: Server, body: dict[str, str]) -> None:
    assert server.root.post("/admin/jobs/greet/backfill", json=body).status_code == 422


def test_a_preview_shows_what_will_fire(server: Server) -> None:
    params = {"schedule": "0 2 * * *", "timezone": "Europe/Paris", "from": "2026-03-28T12:00", "count": 3}
    found = server.root.get("/admin/jobs/cron-preview", params=params).json()
    # Inside the spring gap it fires right after it.
    assert found["next"] == [
        "2026-03-29T01:00:00.000Z",
        "2026-03-30T00:00:00.000Z",
        "2026-03-31T00:00:00.000Z",
    ]
    assert "02:00" in found["text"]
    for schedule in ("0 0 30 2 *", "nonsense", ""):
        assert server.root.get("/admin/jobs/cron-preview", params={"schedule": schedule}).status_code == 422


def test_the_calendar_has_a_bound(server: Server) -> None:
    span = {"from": "2026-05-01", "to": "2026-05-02"}
    items = server.root.get("/admin/jobs/schedule", params=span).json()["items"]
    due = [item["at"] for item in items if item["job"] == "greet"]
    assert due == ["2026-05-01T00:00:00.000Z", "2026-05-02T00:00:00.000Z"]
    for wrong in ({"from": "2026-05-01", "to": "2026-07-01"}, {"from": "2026-05-02", "to": "2026-05-01"}):
        assert server.root.get("/admin/jobs/schedule", params=wrong).status_code == 422


def test_validation_says_where_and_what(server: Server) -> None:
    text = '[[jobs]]\nname = "x"\nschedul = "@daily"\n[[jobs.steps]]\ntype = "python"\ncallable = "a:b"\n'
    found = server.root.post("/admin/jobs/validate", json={"toml": text}).json()
    assert found["ok"] is False
    assert (found["problems"][0]["line"], found["problems"][0]["key"]) == (3, "schedul")
    assert server.root.post(
        "/admin/jobs/validate", json={"toml": text.replace("schedul ", "schedule ")}
    ).json() == {
        "ok": True,
        "problems": [],
    }


def test_callables_are_listed_from_their_source(server: Server) -> None:
    items = server.root.get("/admin/jobs/callables").json()["items"]
    say = next(item for item in items if item["ref"] == "hello.jobs:say")
    assert say["summary"] == "Says hello."
    assert say["parameters"][0]["name"] == "who"


# -- configuration files


def change(server: Server, *changes: dict[str, Any], section: str = "jobs", digest: str | None = None) -> Any:
    if digest is None:
        digest = server.root.get(f"/admin/config/{section}").json()["hash"]
    return server.root.put(f"/admin/config/{section}", json={"hash": digest, "changes": list(changes)})


def test_a_change_keeps_comments_and_counts_at_once(own_server: Server) -> None:
    answer = change(own_server, {"path": ["jobs", 0, "schedule"], "value": "0 4 * * *"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["hash"] == own_server.root.get("/admin/config/jobs").json()["hash"]
    assert (own_server.config / "jobs.toml").read_text().startswith("# what the tests run\n")
    assert own_server.root.get("/admin/jobs/greet").json()["schedule"] == "0 4 * * *"
    assert audited(own_server)[0] == ("root", "config.change", "config:jobs")


def test_an_edit_on_disk_is_a_conflict_and_never_overwritten(own_server: Server) -> None:
    digest = own_server.root.get("/admin/config/jobs").json()["hash"]
    file = own_server.config / "jobs.toml"
    file.write_text(file.read_text() + "# edited by hand\n")
    answer = change(own_server, {"path": ["jobs", 0, "enabled"], "value": False}, digest=digest)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert file.read_text().endswith("# edited by hand\n")


def test_a_wrong_change_is_refused_and_nothing_is_written(own_server: Server) -> None:
    file = own_server.config / "jobs.toml"
    # The tests' own broken job would be reported as well.
    text = file.read_text().replace("schedul =", "schedule =")
    file.write_text(text)
    answer = change(own_server, {"path": ["jobs", 0, "schedule"], "value": "61 * * * *"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["job"] == "greet"
    assert file.read_text() == text


def test_a_secret_goes_in_and_never_comes_out(own_server: Server) -> None:
    made = change(
        own_server,
        {"path": ["connectors", "erp"], "value": {"type": "api", "base_url": "https://erp.example"}},
        {"path": ["connectors", "erp", "auth_type"], "value": "bearer"},
        {"path": ["connectors", "erp", "auth_token"], "value": "canary-value-1"},
        section="connectors",
    )
    text = (own_server.config / "connectors.toml").read_text() if made.status_code == 200 else ""
    assert made.status_code == 200, made.text
    assert "canary-value-1" not in text
    assert 'auth_token = "ENC:' in text
    for answer in (made, own_server.root.get("/admin/config/connectors")):
        assert "canary-value-1" not in answer.text
        assert "ENC:" not in answer.text
    back = change(
        own_server,
        {"path": ["connectors", "erp", "auth_token"], "value": "***"},
        section="connectors",
    )
    assert back.status_code == 422


def test_a_section_that_is_none_is_not_found(server: Server) -> None:
    for section in ("passwd", "..", "app.toml"):
        assert server.root.get(f"/admin/config/{section}").status_code == 404


def test_a_reload_of_a_file_that_does_not_parse_changes_nothing(own_server: Server) -> None:
    file = own_server.config / "jobs.toml"
    text = file.read_text()
    file.write_text(text + "\n[[jobs")
    answer = own_server.root.post("/admin/reload")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["problems"][0]["line"] is not None
    assert own_server.root.get("/admin/jobs/greet").status_code == 200
    file.write_text(text.replace('name = "greet2"', 'name = "greet3"'))
    found = own_server.root.post("/admin/reload").json()
    assert (found["quarantined"], found["problems"][0]["job"]) == (1, "broken")
    assert own_server.root.get("/admin/jobs/greet3").status_code == 200
    assert own_server.root.get("/admin/jobs/greet2").status_code == 404


def test_an_edited_file_counts_when_files_are_watched(tmp_path: Any) -> None:
    import asyncio

    from liberty.jobs.events import ConfigReloaded
    from tests.server import lay_out, serving

    with serving(lay_out(tmp_path, app="[app]\nwatch_config = true\n")) as server:

        async def reloaded() -> ConfigReloaded:
            with server.runtime.bus.subscribe(ConfigReloaded) as events:
                file = server.config / "jobs.toml"
                while True:
                    # The watcher may not be listening yet: touch the file until it notices.
                    file.write_text(file.read_text().replace("says hello", "says hi"))
                    try:
                        async with asyncio.timeout(1):
                            event: ConfigReloaded = await events.next()
                            return event
                    except TimeoutError:
                        continue

        assert server.lane.submit(reloaded()).result(20).quarantined == 1
        assert server.root.get("/admin/jobs/greet").json()["description"] == "says hi"


COPY = """
[[jobs]]
name = "copies"
[[jobs.steps]]
name = "copy"
type = "sql_copy"
source = {connector = "default", table = "ly2_users"}
target = {connector = "default", table = "copied"}
mode = "append"
incremental = {column = "id"}
"""


def test_marks_are_shown_to_readers_and_reset_by_editors(own_server: Server) -> None:
    file = own_server.config / "jobs.toml"
    file.write_text(file.read_text() + COPY)
    own_server.root.post("/admin/reload")
    path = "/admin/jobs/copies/marks"
    listed = own_server.root.get(path).json()["items"]
    assert [(mark["step"], mark["column"], mark["kind"]) for mark in listed] == [("copy", "id", None)]
    assert own_server.client("alice").delete(f"{path}/copy").status_code == 404
    assert own_server.client("charlie").get(path).status_code == 404
    mark = own_server.root.delete(f"{path}/copy", params={"value": "7"}).json()
    assert (mark["kind"], mark["value"], mark["set_by"]) == ("int", "7", "user:root")
    assert own_server.root.delete(f"{path}/copy", params={"value": "x"}).status_code == 422
    assert own_server.root.delete(f"{path}/other").status_code == 404
    assert own_server.root.delete(f"{path}/copy").json()["kind"] == "start"
    assert audited(own_server)[0] == ("root", "reset-mark", "job:copies")


def test_a_plan_is_for_those_who_may_run(server: Server) -> None:
    assert server.client("alice").get("/admin/jobs/greet/plan").status_code == 200
    assert server.client("bob").get("/admin/jobs/greet/plan").status_code == 404
