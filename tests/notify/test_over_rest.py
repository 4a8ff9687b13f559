"""Incidents, deliveries and channels over REST and from the command line, and what each caller may do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liberty.cli import main
from tests.live.test_sockets import connected
from tests.notify.conftest import Hook
from tests.notify.test_events import hooked
from tests.server import Server, lay_out, serving

JOBS = """
[[jobs]]
name = "greet"
app = "hello"
[jobs.alerts]
[[jobs.steps]]
type = "sql_query"
name = "ask"
connector = "default"
query = "SELECT * FROM no_such_table"

[[jobs]]
name = "other"
app = "hello"
[jobs.alerts]
[[jobs.steps]]
type = "sql_query"
connector = "default"
query = "SELECT * FROM no_such_table"
"""


@pytest.fixture
def served(tmp_path: Path, hook: Hook) -> Iterator[Server]:
    config = lay_out(tmp_path, jobs=JOBS)
    shown = '[channels.centre]\ntype = "in_app"\n[channels.dba]\ntype = "in_app"\nroles = ["dba"]\n'
    text = hooked(hook, shown).replace('["ops"]', '["ops", "centre", "dba"]')
    (config / "notifications.toml").write_text(text)
    with serving(config) as found:
        yield found


def incidents_of(server: Server, who: str, **query: Any) -> list[dict[str, Any]]:
    answer = server.client(who).get("/admin/incidents", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def fail(server: Server, job: str) -> None:
    """Let a job fail, and return when its messages have gone."""
    server.ended(server.start(job))
    while True:
        for one in server.root.get("/admin/deliveries").json()["items"]:
            if one["job"] == job and one["state"] == "sent" and one["channel"] == "dba":
                return


def test_people_see_the_incidents_of_their_jobs_and_take_them_over(served: Server) -> None:
    fail(served, "greet")
    fail(served, "other")
    assert [one["job"] for one in incidents_of(served, "root")] == ["other", "greet"]
    assert incidents_of(served, "charlie") == []
    (mine,) = incidents_of(served, "alice", state="open")
    path = f"/admin/incidents/{mine['id']}"
    assert mine["text"] == "greet failed at step ask"
    alice, bob = served.client("alice"), served.client("bob")
    assert bob.post(f"{path}/acknowledge").status_code == 404
    assert served.client("charlie").get(path).status_code == 404
    taken = alice.post(f"{path}/acknowledge", json={"note": "the table is being moved"}).json()
    assert (taken["acknowledged_by"], taken["note"]) == ("alice", "the table is being moved")
    assert {(one["channel"], one["state"]) for one in taken["deliveries"]} == {
        ("ops", "sent"),
        ("centre", "sent"),
        ("dba", "sent"),
    }
    assert alice.post(f"{path}/snooze", json={"until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert alice.post(f"{path}/snooze", json={"until": "2999-01-01T00:00:00Z"}).json()["snoozed_until"]
    assert alice.post(f"{path}/note", json={"text": ""}).json()["note"] is None
    assert [one["job"] for one in alice.get("/admin/notices").json()["items"]] == ["greet"]
    assert {one["channel"] for one in served.root.get("/admin/notices").json()["items"]} == {"centre", "dba"}


def test_deliveries_and_channels_are_for_those_who_may_edit_them(served: Server, hook: Hook) -> None:
    fail(served, "greet")
    editor, alice = served.client("editor"), served.client("alice")
    for path in ("/admin/deliveries", "/admin/channels", "/admin/config/notifications"):
        assert alice.get(path).status_code == 404
        assert editor.get(path).status_code == 200
    assert alice.post("/admin/channels/ops/test").status_code == 404
    assert editor.post("/admin/channels/ops/test").json() == {
        "channel": "ops",
        "ok": True,
        "answer": "200 ok",
    }
    assert hook.bodies[-1]["event"] == "test"
    assert (
        editor.post("/admin/channels/opps/test").json()["detail"] == "no channel 'opps'; did you mean 'ops'?"
    )
    one = editor.get("/admin/deliveries", params={"channel": "ops"}).json()["items"][0]
    assert (one["event"], one["state"], one["answer"], one["attempts"]) == ("failed", "sent", "200 ok", 1)
    assert editor.get("/admin/schema/notifications.json").json()["properties"]["quiet_hours"]


def test_the_file_is_edited_with_its_secrets_hidden_and_encrypted(served: Server, hook: Hook) -> None:
    editor = served.client("editor")
    seen = editor.get("/admin/config/notifications").json()
    assert seen["values"]["channels"]["ops"] == {"type": "webhook", "url": "***"}
    wrong = {"path": ["channels", "chat"], "value": {"type": "slak", "url": hook.url}}
    refused = editor.put("/admin/config/notifications", json={"hash": seen["hash"], "changes": [wrong]})
    assert refused.status_code == 422
    assert "did you mean 'slack'" in refused.text
    right = {"path": ["channels", "chat"], "value": {"type": "slack", "url": hook.url}}
    saved = editor.put("/admin/config/notifications", json={"hash": seen["hash"], "changes": [right]})
    assert saved.status_code == 200, saved.text
    text = (served.config / "notifications.toml").read_text()
    assert 'url = "ENC:' in text
    assert editor.post("/admin/channels/chat/test").json()["ok"]
    assert hook.bodies[-1]["icon_emoji"] == ":gear:"


def test_the_command_line_lists_and_tests(
    served: Server, hook: Hook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(served, "greet")
    monkeypatch.setenv("LIBERTY_SERVER", served.url)
    monkeypatch.setenv("LIBERTY_TOKEN", served.tokens["root"])
    assert main(["notify", "test", "ops"]) == 0
    assert capsys.readouterr().out == "ops has taken the message: 200 ok\n"
    assert main(["notify", "test", "nowhere"]) == 3
    for words, shown in (
        (["notify", "list"], "webhook"),
        (["notify", "incidents"], "greet failed at step ask"),
        (["notify", "deliveries", "--state", "sent"], "200 ok"),
    ):
        assert main(words) == 0
        assert shown in capsys.readouterr().out


async def test_an_open_page_hears_of_its_jobs_at_once(served: Server) -> None:
    async with connected(served, "alice") as alice, connected(served, "charlie") as charlie:
        await asyncio.to_thread(fail, served, "greet")
        told, _ = await alice.until("notification")
        assert (told["text"], told["event"]) == ("greet failed at step ask", "failed")
        assert all(event != "notification" for event, _ in list(charlie.heard._queue))  # type: ignore[attr-defined]
