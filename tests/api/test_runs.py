"""Runs over REST: start, look, list, abort, replay."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server import Server


def test_a_run_tells_its_whole_story(server: Server) -> None:
    answer = server.client("alice").post("/admin/jobs/greet/run", json={"params": {"who": "Ada"}})
    assert answer.status_code == 202
    assert answer.json() == {
        "run_id": answer.json()["run_id"],
        "job": "greet",
        "status": "queued",
        "reason": None,
    }
    run = server.ended(answer.json()["run_id"])
    assert (run["status"], run["trigger"], run["triggered_by"]) == ("succeeded", "api", "user:alice")
    assert run["params"] == {"who": "Ada"}
    assert run["rows_affected"] == 1
    assert [step["output"] for step in run["steps"]] == [{"rows_affected": 1, "said": "Ada"}]
    assert "hello Ada" in [line["message"] for line in run["logs"]]
    assert [line["seq"] for line in run["logs"]] == list(range(1, len(run["logs"]) + 1))


def test_an_empty_request_starts_a_run_with_the_usual_params(server: Server) -> None:
    answer = server.root.post("/admin/jobs/GREET/run")
    assert answer.status_code == 202
    assert server.ended(answer.json()["run_id"])["params"] == {"who": "world"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"params": {"whom": 1}}, "did you mean 'who'"),
        ({"parms": {}}, "parms"),
        ({"step_enabled": {"sai": False}}, "did you mean 'say'"),
        ({"op_kwargs": {"nope": {}}}, "nope"),
        ({"log_level": "LOUD"}, "log_level"),
        ({"preset": "none"}, "none"),
        ([], "body"),
        ({"params": {"who": "x" * 70_000}}, "65536"),
    ],
)
def test_a_wrong_request_is_refused_and_says_what_is_wrong(server: Server, body: object, said: str) -> None:
    answer = server.root.post("/admin/jobs/greet/run", json=body)
    assert answer.status_code in (404, 422) if said == "none" else answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]


def test_the_same_idempotency_key_gives_the_same_run(server: Server) -> None:
    def ask(_: int) -> str:
        answer = server.root.post("/admin/jobs/greet/run", headers={"Idempotency-Key": "one"})
        assert answer.status_code == 202
        found: str = answer.json()["run_id"]
        return found

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1


def test_a_second_instance_is_a_skipped_run(server: Server) -> None:
    first = server.start("wait")
    second = server.root.post("/admin/jobs/wait/run").json()
    assert second["status"] == "skipped"
    assert second["reason"] == "single-instance, previous still running"
    assert server.root.post(f"/admin/jobs/runs/{first}/abort").status_code == 202
    assert server.ended(first)["status"] == "aborted"


def test_abort_works_once_and_by_both_names(server: Server) -> None:
    run_id = server.start("wait")
    answer = server.root.post(f"/admin/jobs/runs/{run_id}/cancel", json={})
    assert answer.status_code == 202
    ended = server.ended(run_id)
    assert (ended["status"], ended["reason"]) == ("aborted", "aborted by user:root")
    again = server.root.post(f"/admin/jobs/runs/{run_id}/abort")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_replay_names_its_original_and_keeps_its_params(server: Server) -> None:
    first = server.ended(server.start("greet", {"params": {"who": "Bo"}}))["run_id"]
    answer = server.root.post(f"/admin/jobs/runs/{first}/replay")
    assert answer.status_code == 202
    assert answer.json()["replay_of"] == first
    run = server.ended(answer.json()["run_id"])
    assert (run["params"], run["replay_of"], run["triggered_by"]) == ({"who": "Bo"}, first, "user:root")


def test_a_run_that_has_not_ended_cannot_be_replayed(server: Server) -> None:
    run_id = server.start("wait")
    assert server.root.post(f"/admin/jobs/runs/{run_id}/replay").status_code == 409
    server.root.post(f"/admin/jobs/runs/{run_id}/abort")
    server.ended(run_id)


def test_the_list_is_filtered_and_paged_without_repeats(server: Server) -> None:
    made = [server.start("greet") for _ in range(5)]
    for run_id in made:
        server.ended(run_id)
    seen: list[str] = []
    cursor = None
    while True:
        params = {
            "job": "greet",
            "status": "SUCCEEDED,Failed",
            "limit": 2,
            **({"cursor": cursor} if cursor else {}),
        }
        page = server.root.get("/admin/jobs/runs", params=params).json()
        assert {item["job"] for item in page["items"]} <= {"greet"}
        seen += [item["run_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, key=lambda run_id: -int(run_id[2:]))
    assert set(made) <= set(seen)


def test_a_date_in_to_counts_whole(server: Server) -> None:
    run = server.ended(server.start("greet"))
    day = run["queued_at"][:10]
    for params in ({"from": day, "to": day}, {"from": run["queued_at"], "to": run["queued_at"]}):
        items = server.root.get("/admin/jobs/runs", params={**params, "limit": 1000}).json()["items"]
        assert run["run_id"] in [item["run_id"] for item in items]
    assert server.root.get("/admin/jobs/runs", params={"to": "2020-01-01"}).json()["items"] == []


@pytest.mark.parametrize(
    "params",
    [{"limit": "0"}, {"limit": "1001"}, {"status": "lost"}, {"from": "soon"}, {"cursor": "x' or 1=1"}],
)
def test_a_wrong_filter_is_refused(server: Server, params: dict[str, str]) -> None:
    answer = server.root.get("/admin/jobs/runs", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("run_id", ["r-0", "r-99999999", "x", "..%2f..", "r-1%00", "9" * 400, "*"])
def test_a_run_that_is_not_there_is_not_found(server: Server, run_id: str) -> None:
    assert server.root.get(f"/admin/jobs/runs/{run_id}").status_code == 404


def test_a_job_with_a_slash_in_its_name_works_in_every_spelling(server: Server) -> None:
    for path in ("_default/cleanup-job-history", "_default%2Fcleanup-job-history"):
        assert server.root.get(f"/admin/jobs/{path}").json()["name"] == "_default/cleanup-job-history"
        assert server.root.get(f"/admin/jobs/{path}/plan").status_code == 200
    run = server.ended(server.start("_default%2Fcleanup-job-history"))
    assert run["status"] == "succeeded"


def test_a_job_is_shown_with_its_definition_and_last_runs(server: Server) -> None:
    run_id = server.start("greet")
    server.ended(run_id)
    job = server.root.get("/admin/jobs/greet").json()
    assert job["definition"]["steps"][0]["callable"] == "hello.jobs:say"
    assert job["runs"][0]["run_id"] == job["last_run"]["run_id"]
    assert job["state"] == "scheduled"
    assert job["next_fire_at"].endswith("Z")


def test_a_broken_job_is_listed_with_its_problem_and_cannot_run(server: Server) -> None:
    job = server.root.get("/admin/jobs/broken").json()
    assert job["state"] == "quarantined"
    assert "did you mean 'schedule'" in job["problems"][0]["message"]
    assert job["problems"][0]["line"] > 1
    answer = server.root.post("/admin/jobs/broken/run")
    assert answer.status_code == 409
    assert answer.json()["problems"][0]["key"] == "schedul"


def test_many_at_once_all_end(server: Server) -> None:
    gate = threading.Barrier(8)

    def burst(_: int) -> list[str]:
        gate.wait()
        return [server.start("greet") for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        made = [run_id for some in pool.map(burst, range(8)) for run_id in some]
    assert len(set(made)) == 40
    assert {server.ended(run_id)["status"] for run_id in made} == {"succeeded"}


def test_answers_are_json_any_reader_understands(server: Server) -> None:
    text = server.root.get("/admin/jobs/runs").text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
