"""Definitions over REST: shown and saved with comments kept, conflicts told, jobs made, renamed, copied, deleted."""

import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_operating import audited
from tests.server import Server, lay_out, serving


def shown(server: Server, job: str = "greet") -> dict[str, Any]:
    answer = server.root.get(f"/admin/jobs/{job}/definition")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{found["revision"]}"'
    return found


def save(server: Server, revision: str, job: str = "greet", **body: Any) -> httpx.Response:
    return server.root.put(f"/admin/jobs/{job}/definition", json=body, headers={"If-Match": f'"{revision}"'})


def jobs_file(server: Server) -> Path:
    return server.config / "jobs.toml"


def test_a_definition_is_shown_as_it_stands_in_its_file(own_server: Server) -> None:
    found = shown(own_server)
    assert found["file"] == "config/jobs.toml"
    assert found["line"] == 2
    assert found["toml"].startswith('[[jobs]]\nname = "greet"\n')
    assert found["toml"].endswith('callable = "hello.jobs:say"\n')
    assert found["definition"]["steps"][0]["name"] == "say"
    assert (found["ok"], found["version"], found["editable"]) == (True, 1, True)
    assert [entry["text"] for entry in found["schedules"]] == ["At 02:00"]
    assert [warning["path"] for warning in found["warnings"]] == [["schedule"]] * len(found["warnings"])
    shipped = shown(own_server, "_default/cleanup-job-history")
    assert (shipped["editable"], shipped["file"]) == (False, "shipped with the program")
    broken = shown(own_server, "broken")
    assert broken["problems"][0]["nearest"] == "schedule"
    assert (broken["problems"][0]["line"], broken["problems"][0]["column"]) == (3, 1)


def test_saving_changes_only_what_is_meant(own_server: Server) -> None:
    before = jobs_file(own_server).read_text()
    found = shown(own_server)
    answer = save(own_server, found["revision"], changes=[{"path": ["schedule"], "value": "0 3 * * *"}])
    assert answer.status_code == 200, answer.text
    after = jobs_file(own_server).read_text()
    assert after == before.replace('schedule = "0 2 * * *"\ntimezone', 'schedule = "0 3 * * *"\ntimezone')
    assert answer.json()["version"] == 2
    assert own_server.root.get("/admin/jobs/greet").json()["schedule"] == "0 3 * * *"
    assert audited(own_server)[0] == ("root", "job.change", "job:greet")
    # The form says the same another way.
    definition = answer.json()["definition"]
    definition["schedule"] = "0 2 * * *"
    back = save(own_server, answer.json()["revision"], definition=definition)
    assert back.status_code == 200, back.text
    assert jobs_file(own_server).read_text() == before
    text = back.json()["toml"].replace("[[jobs]]", "# hello\n[[jobs]]")
    commented = save(own_server, back.json()["revision"], toml=text).json()
    assert (commented["version"], commented["toml"]) == (3, text)
    assert "# hello" in jobs_file(own_server).read_text()


def test_a_change_made_meanwhile_is_told_and_never_overwritten(own_server: Server) -> None:
    found = shown(own_server)
    file = jobs_file(own_server)
    file.write_text(file.read_text().replace("says hello", "says hello loudly"))
    text = file.read_text()
    answer = save(own_server, found["revision"], toml=found["toml"], base=found["toml"])
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "conflict")
    assert problem["changed"] == [
        {"key": "description", "how": "changed", "before": "says hello", "after": "says hello loudly"}
    ]
    assert '+description = "says hello loudly"' in problem["diff"]
    assert problem["revision"] == shown(own_server)["revision"]
    assert file.read_text() == text
    # A change of another job in the same file is none of this one's.
    other = shown(own_server, "greet2")
    file.write_text(text.replace("says hello loudly", "hm"))
    assert save(
        own_server, other["revision"], "greet2", changes=[{"path": ["description"], "value": "x"}]
    ).is_success
    file.write_text("# all gone\n")
    answer = save(own_server, "*", toml=found["toml"])
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"changes": [{"path": ["schedul"], "value": "@daily"}]},
            "unknown key 'schedul'; did you mean 'schedule'?",
        ),
        ({"changes": [{"path": ["depends_on"], "value": ["grete"]}]}, "grete"),
        ({"changes": [{"path": ["name"], "value": "other"}]}, "rename job 'greet'"),
        ({"toml": "[[jobs]\n"}, "not valid TOML"),
        ({"toml": '[meta]\nversion = 1\n[[jobs]]\nname = "greet"\n'}, "'meta' does not belong to the job"),
        ({"changes": [{"path": ["steps", 0, "callable"], "value": "no colon"}]}, "callable"),
        ({}, "send toml, definition or changes"),
    ],
)
def test_a_wrong_definition_is_refused_and_nothing_is_written(
    own_server: Server, body: dict[str, Any], said: str
) -> None:
    before = jobs_file(own_server).read_text()
    answer = save(own_server, shown(own_server)["revision"], **body)
    assert answer.status_code == 422, answer.text
    assert said in answer.text.replace("\\'", "'")
    assert jobs_file(own_server).read_text() == before


def test_a_missing_if_match_is_asked_for(own_server: Server) -> None:
    for method in ("PUT", "DELETE"):
        body = {"toml": "x = 1"} if method == "PUT" else None
        answer = own_server.root.request(method, "/admin/jobs/greet/definition", json=body)
        assert (answer.status_code, "If-Match" in answer.json()["detail"]) == (422, True)


def test_a_job_is_made_copied_renamed_and_deleted(own_server: Server) -> None:
    root = own_server.root
    definition = {
        "name": "fresh",
        "depends_on": ["greet"],
        "steps": [{"type": "call_job", "name": "go", "target_job": "Greet"}],
    }
    made = root.post("/admin/jobs", json={"definition": definition, "file": "plugins/hello/jobs.toml"})
    assert made.status_code == 201, made.text
    assert (made.json()["app"], made.json()["file"]) == ("hello", "plugins/hello/jobs.toml")
    assert root.post("/admin/jobs", json={"definition": definition}).status_code == 422
    refused = root.delete("/admin/jobs/greet/definition", headers={"If-Match": "*"})
    assert refused.status_code == 422
    assert "fresh" in refused.text

    pause = {"until": "2099-01-01", "reason": "move"}
    assert root.post("/admin/jobs/greet/pause", json=pause).is_success
    renamed = root.post("/admin/jobs/greet/rename", json={"to": "welcome"})
    assert renamed.status_code == 200, renamed.text
    assert root.get("/admin/jobs/welcome").json()["state"] == "paused"
    assert root.get("/admin/jobs/greet").status_code == 404
    assert jobs_file(own_server).read_text().startswith('# what the tests run\n[[jobs]]\nname = "welcome"\n')
    referring = tomllib.loads((own_server.config.parent / "plugins/hello/jobs.toml").read_text())["jobs"][0]
    assert (referring["depends_on"], referring["steps"][0]["target_job"]) == (["welcome"], "welcome")
    assert root.post("/admin/jobs/welcome/rename", json={"to": "wait"}).status_code == 422
    assert root.post("/admin/jobs/welcome/rename", json={"to": "no name"}).status_code == 422

    copied = root.post("/admin/jobs/welcome/duplicate", json={"to": "twin"})
    assert copied.status_code == 201, copied.text
    assert copied.json()["definition"]["enabled"] is False
    assert root.get("/admin/jobs/twin").json()["state"] == "disabled"

    before = jobs_file(own_server).read_text()
    gone = root.delete("/admin/jobs/twin/definition", headers={"If-Match": copied.headers["etag"]})
    assert gone.status_code == 200, gone.text
    assert root.get("/admin/jobs/twin").status_code == 404
    assert jobs_file(own_server).read_text() + "\n" + gone.json()["toml"] == before
    assert root.post("/admin/jobs", json={"toml": gone.json()["toml"]}).status_code == 201
    assert jobs_file(own_server).read_text() == before
    assert [action for _, action, _ in audited(own_server)[:3]] == [
        "job.create",
        "job.delete",
        "job.duplicate",
    ]
    files = root.get("/admin/job-files").json()["items"]
    assert [(file["file"], file["is_default"], file["jobs"]) for file in files] == [
        ("config/jobs.toml", True, 6),
        ("plugins/hello/jobs.toml", False, 1),
    ]


def test_the_first_job_of_all_makes_the_file(tmp_path: Path) -> None:
    config = lay_out(tmp_path, jobs="")
    (config / "jobs.toml").unlink()
    with serving(config) as server:
        toml = '[[jobs]]\nname = "first"\n[[jobs.steps]]\ntype = "python"\ncallable = "hello.jobs:say"\n'
        assert server.root.post("/admin/jobs", json={"toml": toml}).status_code == 201
        assert (config / "jobs.toml").read_text() == toml
        assert server.ended(server.start("first"))["status"] == "succeeded"


def test_a_shipped_job_cannot_be_saved(own_server: Server) -> None:
    job = "_default/cleanup-job-history"
    answer = save(
        own_server, shown(own_server, job)["revision"], job, changes=[{"path": ["enabled"], "value": False}]
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_secret_is_masked_and_survives_saving(tmp_path: Path) -> None:
    jobs = """
[[jobs]]
name = "calls"
[[jobs.steps]]
type = "http"
name = "call"
url = "https://example.org"
headers = { Authorization = "Bearer abcdef123", X = "1" } # both
"""
    with serving(lay_out(tmp_path, jobs=jobs)) as server:
        found = shown(server, "calls")
        assert "abcdef123" not in found["toml"] + str(found)
        definition = found["definition"]
        definition["steps"][0]["url"] = "https://example.com"
        definition["steps"].insert(0, {"type": "http", "name": "first", "url": "https://example.org"})
        answer = save(server, found["revision"], "calls", definition=definition)
        assert answer.status_code == 200, answer.text
        text = jobs_file(server).read_text()
        assert 'headers = { Authorization = "Bearer abcdef123", X = "1" } # both' in text
        assert "abcdef123" not in server.root.get("/admin/jobs/calls/versions/2").text
        toml = answer.json()["toml"].replace('name = "call"', 'name = "renamed"')
        refused = save(server, answer.json()["revision"], "calls", toml=toml)
        assert refused.status_code == 422
        assert "stands for a secret" in refused.json()["detail"]


def test_versions_tell_who_saved_what_and_can_be_restored(own_server: Server) -> None:
    root = own_server.root
    found = shown(own_server)
    original = found["toml"]
    text = original.replace('schedule = "0 2 * * *"', '# later\nschedule = "0 3 * * *"')
    second = save(own_server, found["revision"], toml=text, summary="later").json()
    file = jobs_file(own_server)
    file.write_text(file.read_text().replace("says hello", "says good morning"))
    root.post("/admin/reload")

    page = root.get("/admin/jobs/greet/versions").json()
    assert [
        (item["version"], item["action"], item["saved_by"], item["summary"]) for item in page["items"]
    ] == [
        (3, "file", None, "description changed"),
        (2, "change", "user:root", "later"),
        (1, "file", None, "first version"),
    ]
    assert [item["current"] for item in page["items"]] == [True, False, False]
    short = root.get("/admin/jobs/greet/versions", params={"limit": 2}).json()
    rest = root.get("/admin/jobs/greet/versions", params={"cursor": short["next_cursor"]}).json()
    assert [item["version"] for item in rest["items"]] == [1]

    one = root.get("/admin/jobs/greet/versions/2").json()
    assert (one["toml"], one["as_written"]) == (second["toml"], True)
    first = root.get("/admin/jobs/greet/versions/1").json()
    assert first["as_written"] is False
    assert tomllib.loads(first["toml"])["jobs"][0]["steps"][0]["callable"] == "hello.jobs:say"

    diff = root.get("/admin/jobs/greet/diff").json()
    assert (diff["from"], diff["to"]) == (2, 3)
    assert [change["key"] for change in diff["changes"]] == ["description"]
    assert (
        '+schedule = "0 3 * * *"'
        in root.get("/admin/jobs/greet/diff", params={"from": 1, "to": 2}).json()["unified"]
    )
    assert root.get("/admin/jobs/greet/diff", params={"from": 1, "to": 9}).status_code == 404

    restored = root.post("/admin/jobs/greet/versions/2/restore")
    assert restored.status_code == 200, restored.text
    assert restored.json()["toml"] == second["toml"]
    newest = root.get("/admin/jobs/greet/versions").json()["items"][0]
    assert (newest["version"], newest["action"], newest["summary"]) == (4, "restore", "as in version 2")
    assert root.post("/admin/jobs/greet/versions/9/restore").status_code == 404
