"""The calendar over HTTP: several schedules, clock changes, what is held back, what will overlap, who may see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liberty.api import models
from liberty.cli.job.render import show_job
from liberty.cli.job.render_calendar import show_calendar
from liberty.cli.terminal import Terminal
from tests.server import PEOPLE, Server, lay_out, serving

JOBS = """
[[jobs]]
name = "greet"
schedule = "30 2 * * *"
timezone = "Europe/Paris"
[[jobs.schedules]]
name = "seconds"
schedule = "0 12 * * * */2"
timezone = "UTC"
description = "at noon"
[[jobs.schedules]]
name = "off"
schedule = "@hourly"
enabled = false
[[jobs.presets]]
name = "big"
schedule = "0 4 1 * *"
[[jobs.steps]]
type = "python"
callable = "hello.jobs:say"
"""
HERD = "".join(
    f"""
[[jobs]]
name = "herd-{number}"
schedule = "45 5 * * *"
timezone = "UTC"
[[jobs.steps]]
type = "python"
callable = "hello.jobs:say"
"""
    for number in range(9)
)
NIGHT = {"from": "2026-03-28T13:00Z", "to": "2026-03-29T11:00Z"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("calendar")
    with serving(lay_out(folder, jobs=JOBS + HERD)) as server:
        yield server


def calendar(server: Server, person: str = "root", **span: str) -> dict[str, Any]:
    client = server.root if person == "root" else server.client(person)
    answer = client.get("/admin/jobs/schedule", params=span)
    assert answer.status_code == 200, answer.text
    models.CalendarModel.model_validate(answer.json())
    found: dict[str, Any] = answer.json()
    return found


def test_a_night_with_a_clock_change_is_named(server: Server) -> None:
    found = calendar(server, **NIGHT)
    (night,) = found["daylight"]
    assert night["text"] == "2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00"
    (greet,) = [item for item in found["items"] if item["job"] == "greet"]
    assert greet == {
        "at": "2026-03-29T01:00:00.000Z",
        "local": "2026-03-29T03:00:00+02:00",
        "timezone": "Europe/Paris",
        "job": "greet",
        "schedule": "main",
        "preset": None,
        "held": None,
        "meets": None,
    }


def test_more_runs_than_may_run_at_once_are_a_crowd(server: Server) -> None:
    (crowd,) = calendar(server, **NIGHT)["crowded"]
    assert (crowd["at"], crowd["fires"]) == ("2026-03-29T05:45:00.000Z", 9)


def test_what_cannot_be_seen_is_not_counted(server: Server) -> None:
    assert "job:greet" in PEOPLE["alice"]
    found = calendar(server, "alice", **NIGHT)
    assert ({item["job"] for item in found["items"]}, found["crowded"]) == ({"greet"}, [])
    assert calendar(server, "charlie", **NIGHT) == {
        "items": [],
        "truncated": False,
        "daylight": [],
        "overlaps": [],
        "crowded": [],
    }


def test_fires_that_will_find_the_earlier_run_going(server: Server) -> None:
    run = server.start("greet")
    server.ended(run)
    span = {"from": "2099-06-01T12:00:00Z", "to": "2099-06-01T12:00:59Z"}
    found = calendar(server, **span)
    assert [item["schedule"] for item in found["items"]] == ["schedule:seconds"] * 30
    # A greeting takes milliseconds, and the next is two seconds away.
    assert {item["meets"] for item in found["items"]} == {None}
    assert found["overlaps"] == []


def test_what_is_paused_or_frozen_is_marked(server: Server) -> None:
    assert server.root.post("/admin/jobs/herd-0/pause", json={"until": "2099-12-31"}).status_code == 200
    span = {"from": "2099-03-28T13:00Z", "to": "2099-03-29T11:00Z"}
    try:
        held = {item["job"]: item["held"] for item in calendar(server, **span)["items"]}
        assert held["herd-0"] == "paused"
        assert held["herd-1"] is None
        # Eight are left, and eight may run.
        assert calendar(server, **span)["crowded"] == []
        assert server.root.post("/admin/freeze", json={"until": "2099-12-31"}).status_code == 200
        held = {item["job"]: item["held"] for item in calendar(server, **span)["items"]}
        assert set(held.values()) == {"frozen"}
    finally:
        server.root.delete("/admin/freeze")
        server.root.post("/admin/jobs/herd-0/resume")


def test_a_job_shows_its_schedules(server: Server) -> None:
    job = server.root.get("/admin/jobs/greet").json()
    models.JobDetailModel.model_validate(job)
    assert [(entry["key"], entry["enabled"], len(entry["next"])) for entry in job["schedules"]] == [
        ("main", True, 3),
        ("schedule:seconds", True, 3),
        ("schedule:off", False, 0),
        ("preset:big", True, 3),
    ]
    assert job["schedules"][0]["text"] == "At 02:30"
    assert job["schedules"][1]["description"] == "at noon"
    assert job["overlap"] == "skip"
    assert job["definition"]["schedules"][0]["name"] == "seconds"
    assert job["next_fire_at"] in {at for entry in job["schedules"] for at in entry["next"]}


def test_the_calendar_and_the_schedules_can_be_read_in_a_terminal(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    show_calendar(Terminal(), calendar(server, **NIGHT))
    shown = capsys.readouterr().out
    assert shown.startswith("2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00\n")
    assert "9 runs begin at" in shown
    show_job(Terminal(), server.root.get("/admin/jobs/greet").json())
    shown = capsys.readouterr().out
    assert "schedule:seconds  0 12 * * * */2" in shown
    assert "off" in shown
