"""Jobs through a real server: found on the data folder, or named with a token."""

import contextlib
import json
import signal
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from liberty.cli import exits
from liberty.cli.backend import running_server
from liberty.cli.remote import RemoteBackend
from liberty.cli.server_address import Server
from liberty.errors import Conflict, Invalid, NotFound, Unavailable
from tests.cli.conftest import Cli, Running, admin


@pytest.fixture
def here(server: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The working directory is the server's repository."""
    monkeypatch.chdir(server.repo)
    monkeypatch.setenv("NO_COLOR", "1")
    return server


@pytest.fixture
def elsewhere(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The working directory is empty, the server is named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LIBERTY_SERVER", server.url)
    return server


def token(server: Running, cli: Cli, owner: str, *permissions: str) -> str:
    """An API token of a user who may do just that, both made beside the running server."""
    with contextlib.chdir(server.repo):
        cli("user", "add", owner, *(word for text in permissions for word in ("--permission", text)))
        done = cli("token", "create", "--name", "ci", "--permission", "*", "--user", owner, "--json")
    assert done.code == exits.OK, done.err
    value: str = json.loads(done.out)["token"]
    return value


def test_the_server_on_the_data_folder_is_used(here: Running, cli: Cli) -> None:
    done = cli("job", "run", "greet", "--params", "name=Alice")
    assert done.code == exits.OK, done.err
    lines = done.out.splitlines()
    assert any(line.endswith("hello, Alice") for line in lines)
    run = json.loads(cli("job", "show", lines[-1].split()[0], "--json").out)
    assert (run["trigger"], run["triggered_by"].partition(":")[0]) == ("cli", "cli")
    assert f"-{here.process.pid}-" in run["replica"]


def test_both_ways_tell_the_same(here: Running, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a run made by the server, read by the server and read without it."""
    run_id = cli("job", "run", "broken").out.splitlines()[-2].split()[0]
    commands = [
        ("job", "show", run_id, "--json"),
        ("job", "logs", run_id),
        ("job", "history", "broken", "--json"),
    ]
    through_server = [cli(*words) for words in commands]
    monkeypatch.setattr("liberty.cli.backend.running_server", lambda _: None)
    assert [cli(*words) for words in commands] == through_server
    assert through_server[0].code == exits.OK


def test_a_failed_run_exits_with_one(here: Running, cli: Cli) -> None:
    done = cli("job", "run", "broken")
    assert done.code == exits.RUN_FAILED
    assert done.out.splitlines()[-1] == "  step boom: ValueError: no such \\x1b[31m thing"


def test_a_run_goes_on_without_the_command_and_is_aborted(here: Running, cli: Cli) -> None:
    process = admin("job", "run", "waits", cwd=here.repo)
    assert process.stdout is not None
    run_id = ""
    for line in process.stdout:
        if "run started" in line:
            run_id = line.split(" · ")[1]
        if line.endswith(" waiting\n"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == exits.INTERRUPTED
    assert f"liberty-admin job abort {run_id}" in err
    assert json.loads(cli("job", "show", run_id, "--json").out)["status"] == "running"
    assert cli("job", "abort", run_id).code == exits.OK
    followed = cli("job", "logs", run_id, "--follow")
    assert "run aborted" in followed.out.splitlines()[-1]
    assert cli("job", "abort", run_id).code == exits.INVALID


def test_not_waiting_returns_the_run(here: Running, cli: Cli) -> None:
    done = cli("job", "run", "greet", "--no-wait", "--json")
    assert done.code == exits.OK
    accepted = json.loads(done.out)
    assert (accepted["job"], accepted["status"]) == ("greet", "queued")
    assert cli("job", "logs", accepted["run_id"], "--follow").code == exits.OK
    assert json.loads(cli("job", "show", accepted["run_id"], "--json").out)["status"] == "succeeded"


def test_a_replay(here: Running, cli: Cli) -> None:
    first = cli("job", "run", "greet", "--params", "name=Bob").out.splitlines()[-1].split()[0]
    second = cli("job", "replay", first).out.splitlines()[-1].split()[0]
    run = json.loads(cli("job", "show", second, "--json").out)
    assert (run["replay_of"], run["params"]["name"]) == (first, "Bob")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("job", "run", "great"), exits.NOT_FOUND, "no job 'great'"),
        (("job", "show", "r-999999"), exits.NOT_FOUND, "no run 'r-999999'"),
        (("job", "run", "greet", "--params", "nam=x"), exits.INVALID, "did you mean 'name'"),
        (("job", "history", "--status", "happy"), exits.INVALID, "no status 'happy'"),
    ],
)
def test_the_server_s_errors_have_their_exit_codes(
    words: tuple[str, ...], code: int, said: str, here: Running, cli: Cli
) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_a_reload_is_reported(here: Running, cli: Cli) -> None:
    done = cli("reload", "--json")
    assert done.code == exits.OK, done.err
    assert json.loads(done.out)["quarantined"] == 0
    assert cli("reload-plugin", "cli_served").code == exits.OK
    assert cli("reload-plugin", "cli_serve").code == exits.NOT_FOUND


def test_without_a_token_a_named_server_refuses(elsewhere: Running, cli: Cli) -> None:
    done = cli("job", "list")
    assert done.code == exits.FORBIDDEN
    assert "LIBERTY_TOKEN" in done.err


def test_a_token_s_holder_may_do_what_the_owner_may(
    elsewhere: Running, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBERTY_TOKEN", token(elsewhere, cli, "Alice", "job:greet"))
    assert [job["name"] for job in json.loads(cli("job", "list", "--json").out)] == ["greet"]
    done = cli("job", "run", "greet")
    assert done.code == exits.OK
    run = json.loads(cli("job", "show", done.out.splitlines()[-1].split()[0], "--json").out)
    assert (run["trigger"], run["triggered_by"]) == ("api", "user:Alice")
    assert cli("job", "run", "waits").code == exits.NOT_FOUND
    monkeypatch.setenv("LIBERTY_TOKEN", token(elsewhere, cli, "Charlie"))
    assert json.loads(cli("job", "list", "--json").out) == []
    assert cli("job", "show", run["run_id"]).code == exits.NOT_FOUND


def test_no_server_at_the_address(cli: Cli) -> None:
    done = cli("job", "list", "--server", "http://127.0.0.1:1")
    assert done.code == exits.NO_SERVER
    assert "http://127.0.0.1:1" in done.err


# -- what a server may say


@pytest.fixture
def remote(httpserver: HTTPServer) -> RemoteBackend:
    return RemoteBackend(Server(httpserver.url_for("/base"), "a-token"))


def event(seq: int) -> str:
    line = {
        "seq": seq,
        "ts": "2026-03-29T00:00:00.000Z",
        "level": "INFO",
        "logger": "a",
        "step": None,
        "message": "x",
    }
    return f"id: {seq}\ndata: {json.dumps(line)}\n\n"


def test_a_broken_stream_is_taken_up_where_it_ended(httpserver: HTTPServer, remote: RemoteBackend) -> None:
    asked: list[str | None] = []

    def stream(request: Request) -> Response:
        asked.append(request.args.get("since"))
        parts = {
            "0": ["event: room\ndata: {}\n\n", event(1), ": still there\n\n", event(2)],
            "2": [event(3), 'event: end\ndata: {"status": "succeeded"}\n\n', event(4)],
        }
        return Response(iter(parts[str(asked[-1])]), content_type="text/event-stream")

    httpserver.expect_request("/base/admin/jobs/runs/r-1/logs").respond_with_handler(stream)
    assert [line["seq"] for line in remote.follow("r-1")] == [1, 2, 3]
    assert asked == ["0", "2"]


def test_a_run_that_is_deleted_while_followed(httpserver: HTTPServer, remote: RemoteBackend) -> None:
    httpserver.expect_request("/base/admin/jobs/runs/r-1/logs").respond_with_data(
        'event: gone\ndata: {"code": "not_found"}\n\n', content_type="text/event-stream"
    )
    with pytest.raises(NotFound):
        list(remote.follow("r-1"))


def test_a_problem_document_becomes_the_error_it_was(httpserver: HTTPServer, remote: RemoteBackend) -> None:
    httpserver.expect_request("/base/admin/reload", method="POST").respond_with_json(
        {
            "code": "invalid",
            "detail": "wrong",
            "problems": [{"message": "bad", "file": "jobs.toml", "line": 3}],
        },
        422,
    )
    with pytest.raises(Invalid) as raised:
        remote.reload()
    assert str(raised.value.problems[0]) == "jobs.toml:3: bad"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (409, "no JSON", Conflict),
        (404, "[]", NotFound),
        (502, "<html>", Unavailable),
        (200, "<html>", Unavailable),
        (302, "", Unavailable),
        (500, '{"code": "brand-new", "detail": "?"}', Unavailable),
    ],
)
def test_answers_of_something_else(
    httpserver: HTTPServer, remote: RemoteBackend, status: int, body: str, error: type[Exception]
) -> None:
    httpserver.expect_request("/base/admin/jobs/x").respond_with_data(
        body, status, {"Location": "/elsewhere"}
    )
    with pytest.raises(error):
        remote.job("x")


def test_what_is_sent(httpserver: HTTPServer, remote: RemoteBackend) -> None:
    seen: list[Request] = []

    def accept(request: Request) -> Response:
        seen.append(request)
        return Response(json.dumps({"run_id": "r-1", "job": "a", "status": "queued"}), 202)

    httpserver.expect_request("/base/admin/jobs/_default/a b%3Fc/run").respond_with_handler(accept)
    httpserver.expect_request("/base/admin/jobs/_default/a b?c/run").respond_with_handler(accept)
    remote.start("_default/a b?c", {"params": {"x": 1}}, "once")
    assert seen[0].headers["Authorization"] == "Bearer a-token"
    assert seen[0].headers["Idempotency-Key"] == "once"
    assert seen[0].headers["X-Liberty-Os-User"]
    assert seen[0].get_json() == {"params": {"x": 1}}


# -- the file a running server leaves


@pytest.fixture
def healthy(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/healthz").respond_with_json({"ok": True})
    return httpserver.url_for("").rstrip("/")


def test_a_living_server_that_answers_is_found(tmp_path: Path, healthy: str) -> None:
    note = {"url": healthy, "token": "t", "pid": 1}
    (tmp_path / "server.json").write_text(json.dumps(note))
    assert running_server(tmp_path) == Server(healthy, "t")


@pytest.mark.parametrize(
    "change", [{"pid": 2**22 + 1}, {"pid": -1}, {"url": "http://127.0.0.1:1"}, {"pid": "x"}, {"token": ...}]
)
def test_what_is_left_of_a_dead_one_is_not(tmp_path: Path, healthy: str, change: dict[str, object]) -> None:
    note = {"url": healthy, "token": "t", "pid": 1} | change
    (tmp_path / "server.json").write_text(json.dumps({k: v for k, v in note.items() if v is not ...}))
    assert running_server(tmp_path) is None


def test_a_link_in_its_place_is_not_followed(tmp_path: Path, healthy: str) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps({"url": healthy, "token": "t", "pid": 1}))
    (tmp_path / "server.json").symlink_to(tmp_path / "elsewhere")
    assert running_server(tmp_path) is None


def test_garbage_in_its_place_is_no_server(tmp_path: Path) -> None:
    assert running_server(tmp_path) is None
    (tmp_path / "server.json").write_bytes(b"\xff{")
    assert running_server(tmp_path) is None


def test_operating_through_the_server(here: Running, cli: Cli) -> None:
    assert cli("job", "disable", "nightly").code == exits.OK
    assert json.loads(cli("job", "show", "nightly", "--json").out)["state"] == "disabled"
    assert json.loads(cli("job", "enable", "nightly", "--json").out)["state"] == "scheduled"
    assert cli("job", "pause", "nightly", "--until", "1h", "--reason", "moving").code == exits.OK
    assert json.loads(cli("job", "show", "nightly", "--json").out)["pause"]["reason"] == "moving"
    assert json.loads(cli("job", "resume", "nightly", "--json").out)["state"] == "scheduled"
    assert cli("job", "resume", "nightly").code == exits.INVALID
    span = ("--from", "2026-03-28T00:00Z", "--to", "2026-03-28T23:00Z", "--json")
    due = json.loads(cli("job", "schedule", *span).out)
    assert ("nightly", "2026-03-28T01:00:00.000Z") in [(item["job"], item["at"]) for item in due["items"]]
    told = json.loads(cli("job", "why", "nightly", "2026-03-28T02:00", "--json").out)
    assert (told["at"], told["verdict"]) == ("2026-03-28T01:00:00.000Z", "not due")
