"""A run's log as a page, as a stream, as a text."""

import threading

import httpx
import pytest

from tests.server import Server


@pytest.fixture(scope="module")
def talk(server: Server) -> str:
    """An ended run with a log of some lines."""
    run_id = server.start("chatty", {"op_kwargs": {"talk": {"lines": 40}}})
    server.ended(run_id)
    return run_id


def numbers(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [line["seq"] for line in answer.json()["items"]]


def test_pages_join_to_the_whole_log(server: Server, talk: str) -> None:
    path = f"/admin/jobs/runs/{talk}/logs"
    whole = numbers(server.root.get(path))
    assert whole == list(range(1, len(whole) + 1))
    assert len(whole) > 40
    first = server.root.get(path, params={"limit": 7}).json()
    rest = numbers(server.root.get(path, params={"cursor": first["next_cursor"]}))
    assert [line["seq"] for line in first["items"]] + rest == whole
    assert numbers(server.root.get(path, params={"since": 10}))[0] == 11


def test_a_level_keeps_it_and_what_is_graver(server: Server, talk: str) -> None:
    items = server.root.get(f"/admin/jobs/runs/{talk}/logs", params={"level": "warning"}).json()["items"]
    assert {line["level"] for line in items} == {"WARNING"}
    assert len(items) == 40
    assert server.root.get(f"/admin/jobs/runs/{talk}/logs", params={"level": "LOUD"}).status_code == 422


def test_a_stream_names_the_room_then_sends_every_line_then_ends(server: Server, talk: str) -> None:
    events = list(server.events(talk))
    assert events[0] == ("room", {"room": f"run:{talk}", "event": "job.run.log", "run_id": talk})
    assert events[-1][0] == "end"
    assert events[-1][1]["status"] == "succeeded"
    page = server.root.get(f"/admin/jobs/runs/{talk}/logs").json()["items"]
    assert [data for event, data in events if event == "message"] == page


def test_a_reader_that_comes_back_loses_and_repeats_nothing(server: Server, talk: str) -> None:
    client = httpx.Client(
        base_url=server.url,
        headers={"Authorization": f"Bearer {server.tokens['root']}", "Last-Event-ID": "12"},
        trust_env=False,
    )
    with client:
        seen = [data["seq"] for event, data in server.events(talk, client=client) if event == "message"]
    assert seen[0] == 13


def test_a_stream_follows_a_run_that_is_still_writing(server: Server) -> None:
    run_id = server.start("wait")
    waiting = threading.Event()
    seen: list[str] = []

    def follow() -> None:
        for event, data in server.events(run_id):
            seen.append(event)
            if event == "message" and data["message"] == "waiting":
                waiting.set()

    reader = threading.Thread(target=follow)
    reader.start()
    assert waiting.wait(10)
    server.root.post(f"/admin/jobs/runs/{run_id}/abort")
    reader.join(10)
    assert not reader.is_alive()
    assert seen[-1] == "end"


def test_a_download_is_plain_text_with_control_characters_made_visible(server: Server, talk: str) -> None:
    answer = server.root.get(f"/admin/jobs/runs/{talk}/logs", headers={"Accept": "text/plain"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'filename="{talk}.log"' in answer.headers["content-disposition"]
    assert "line 39 \\x1b[31m" in answer.text
    assert "\x1b" not in answer.text
    path = f"/admin/jobs/runs/{talk}/logs"
    assert (
        server.root.get(path, params={"form": "file"}).headers["content-disposition"].startswith("attachment")
    )
    shown = server.root.get(path, params={"form": "text"})
    assert shown.headers["content-disposition"].startswith("inline")
    assert shown.text == answer.text
    whole = len(numbers(server.root.get(f"/admin/jobs/runs/{talk}/logs")))
    assert len([line for line in answer.text.splitlines() if line.startswith("20")]) == whole


def test_a_cut_log_says_how_much_was_dropped(server: Server) -> None:
    run_id = server.start("chatty", {"op_kwargs": {"talk": {"lines": 20_000}}})
    run = server.ended(run_id)
    assert run["truncated"] is True
    page = server.root.get(f"/admin/jobs/runs/{run_id}/logs").json()
    assert page["truncated"] is True
    text = server.root.get(f"/admin/jobs/runs/{run_id}/logs", headers={"Accept": "text/plain"}).text
    assert f"{run['log_dropped']} lines dropped" in text
    assert "line 19999" in text


def test_a_stream_is_refused_like_any_other_route(server: Server, talk: str) -> None:
    path = f"/admin/jobs/runs/{talk}/logs"
    assert server.client(None).get(path, params={"follow": "true"}).status_code == 401
    assert server.client("charlie").get(path, params={"follow": "true"}).status_code == 404
