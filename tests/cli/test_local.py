"""Jobs without a server: the engine in this process, an empty data folder to begin with."""

import json
import signal
import stat
from pathlib import Path

import pytest

from liberty.cli import exits
from tests.cli.conftest import Cli, admin


def test_a_run_is_told_line_by_line_and_ends_with_its_outcome(cli: Cli, apps: Path) -> None:
    done = cli("job", "run", "greet", "--params", "name=Alice", "--param", "times=2")
    assert done.code == exits.OK
    lines = done.out.splitlines()
    assert sum(line.endswith("hello, Alice") for line in lines) == 2
    assert "trigger=cli by cli:" in lines[0]
    assert lines[-1].startswith("r-1 succeeded in ")
    assert done.err == ""
    assert stat.S_IMODE((apps / "data").stat().st_mode) == 0o700


def test_the_same_is_in_the_history(cli: Cli, apps: Path) -> None:
    cli("job", "run", "greet", "--params", "name=@/etc/hostname")
    run = json.loads(cli("job", "show", "r-1", "--json").out)
    assert (run["status"], run["trigger"]) == ("succeeded", "cli")
    assert run["triggered_by"].startswith("cli:")
    assert run["params"] == {"name": "@/etc/hostname", "times": 1}
    assert run["steps"][0]["output"]["greeting"] == "hello, @/etc/hostname"
    logged = [json.loads(line) for line in cli("job", "logs", "r-1", "--json").out.splitlines()]
    assert [line["seq"] for line in logged] == list(range(1, len(logged) + 1))
    assert logged == run["logs"]
    assert [
        json.loads(line) for line in cli("job", "logs", "r-1", "--follow", "--json").out.splitlines()
    ] == logged


def test_a_failed_run_exits_with_one_and_names_the_step(cli: Cli, apps: Path) -> None:
    done = cli("job", "run", "broken")
    assert done.code == exits.RUN_FAILED
    assert done.out.splitlines()[-1] == "  step boom: ValueError: no such \\x1b[31m thing"
    assert "\x1b" not in done.out
    assert "\n    two \\x1b[31m three\n" in done.out
    shown = cli("job", "show", "r-1").out
    assert "Traceback" in shown
    assert "\x1b" not in shown


def test_waiting_for_json_prints_one_document(cli: Cli, apps: Path) -> None:
    done = cli("job", "run", "broken", "--json")
    assert done.code == exits.RUN_FAILED
    run = json.loads(done.out)
    assert (run["job"], run["status"], run["steps"][0]["status"]) == ("broken", "failed", "failed")


def test_only_grave_lines(cli: Cli, apps: Path) -> None:
    cli("job", "run", "broken")
    logged = [
        json.loads(line) for line in cli("job", "logs", "r-1", "--level", "warn", "--json").out.splitlines()
    ]
    assert {line["level"] for line in logged} == {"WARNING", "ERROR"}
    assert cli("job", "logs", "r-1", "--since", str(logged[-1]["seq"])).out == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("job", "run", "great"), exits.NOT_FOUND, "no job 'great'"),
        (("job", "show", "r-99"), exits.NOT_FOUND, "no run 'r-99'"),
        (("job", "logs", "r-x"), exits.NOT_FOUND, "r-x"),
        (("job", "history", "great"), exits.NOT_FOUND, "no job 'great'"),
        (("job", "history", "--status", "happy"), exits.INVALID, "no status 'happy'"),
        (("job", "run", "greet", "--params", "nam=x"), exits.INVALID, "did you mean 'name'"),
        (("job", "run", "greet", "--preset", "nope"), exits.NOT_FOUND, "nope"),
        (("job", "run", "greet", "--no-wait"), exits.NO_SERVER, "leave out --no-wait"),
        (("job", "abort", "r-99"), exits.NOT_FOUND, "no run 'r-99'"),
        (("reload",), exits.NO_SERVER, "no server runs here"),
        (("reload-plugin", "x"), exits.NO_SERVER, "no server runs here"),
    ],
)
def test_what_cannot_be_done_says_why(
    words: tuple[str, ...], code: int, said: str, cli: Cli, apps: Path
) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_the_list_has_every_job_and_what_is_wrong(cli: Cli, apps: Path) -> None:
    with (apps / "config" / "jobs.toml").open("a") as file:
        file.write('\n[[jobs]]\nname = "wrong"\nschedule = "0 25 * * *"\nsteps = [{ type = "pyton" }]\n')
    done = cli("job", "list")
    assert done.code == exits.OK
    states = {line.split()[0]: line.split()[2] for line in done.out.splitlines() if "_default" in line}
    assert (states["greet"], states["nightly"], states["wrong"]) == ("manual", "scheduled", "quarantined")
    assert "did you mean 'python'" in done.out
    listed = {job["name"]: job for job in json.loads(cli("job", "list", "--json").out)}
    assert listed["wrong"]["problems"][0]["file"].endswith("jobs.toml")
    assert listed["nightly"]["next_fire_at"].endswith(":00:00.000Z")
    assert cli("job", "run", "wrong").code == exits.INVALID


def test_one_job_with_its_steps_and_runs(cli: Cli, apps: Path) -> None:
    cli("job", "run", "greet")
    shown = cli("job", "show", "GREET").out
    assert shown.startswith("greet")
    assert "Greets somebody" in shown
    assert "r-1  succeeded" in shown


def test_the_history_is_newest_first_and_filtered(cli: Cli, apps: Path) -> None:
    for job in ("greet", "broken", "greet"):
        cli("job", "run", job)
    assert [run["run_id"] for run in json.loads(cli("job", "history", "--json").out)] == ["r-3", "r-2", "r-1"]
    assert [
        run["run_id"] for run in json.loads(cli("job", "history", "Greet", "--limit", "1", "--json").out)
    ] == ["r-3"]
    failed = cli("job", "history", "--status", "FAILED,aborted")
    assert [line.split()[0] for line in failed.out.splitlines()] == ["RUN", "r-2"]


def test_a_replay_repeats_the_params_and_changes_some(cli: Cli, apps: Path) -> None:
    cli("job", "run", "greet", "--params", "name=Alice")
    done = cli("job", "replay", "r-1", "--params", "times=2")
    assert done.code == exits.OK
    run = json.loads(cli("job", "show", "r-2", "--json").out)
    assert run["params"] == {"name": "Alice", "times": 2}
    assert run["replay_of"] == "r-1"


def test_the_same_key_runs_once(cli: Cli, apps: Path) -> None:
    for _ in range(2):
        assert cli("job", "run", "greet", "--idempotency-key", "today").code == exits.OK
    assert len(json.loads(cli("job", "history", "--json").out)) == 1


def test_the_process_log_is_shown_only_when_asked_for(cli: Cli, apps: Path) -> None:
    assert cli("job", "run", "greet").err == ""
    assert "liberty.plugins" in cli("job", "run", "greet", "-v").err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_aborted_and_told_to_the_end(
    apps: Path, sent: signal.Signals, cli: Cli
) -> None:
    process = admin("job", "run", "waits", cwd=apps)
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith(" waiting\n"):
            break
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == exits.INTERRUPTED
    assert "aborting r-1" in err
    assert out.splitlines()[-1].startswith("r-1 aborted in ")
    run = json.loads(cli("job", "show", "r-1", "--json").out)
    assert run["reason"].startswith("aborted by cli:")


def test_nothing_is_opened_when_the_files_do_not_parse(cli: Cli, apps: Path) -> None:
    (apps / "config" / "jobs.toml").write_text("[[jobs\n")
    done = cli("job", "list")
    assert done.code == exits.INVALID
    assert "jobs.toml:1" in done.err


def test_what_is_due_and_why(cli: Cli, apps: Path) -> None:
    due = json.loads(
        cli("job", "schedule", "--from", "2026-03-28T00:00Z", "--to", "2026-03-29T23:00Z", "--json").out
    )
    nightly = [item["at"] for item in due["items"] if item["job"] == "nightly"]
    # The clock jumps from 02:00 to 03:00 on the 29th: the fire comes right after the gap.
    assert nightly == ["2026-03-28T01:00:00.000Z", "2026-03-29T01:00:00.000Z"]
    told = json.loads(cli("job", "why", "nightly", "2026-03-28T02:00", "--json").out)
    assert (told["at"], told["verdict"], told["run_id"]) == ("2026-03-28T01:00:00.000Z", "missed", None)
    assert cli("job", "why", "greet").out.startswith("not due: ")
    assert (
        cli("why", "nightly", "2026-03-28", "--json").out
        == cli("job", "why", "nightly", "2026-03-28", "--json").out
    )


def test_a_job_is_switched_off_in_its_file_and_on_again(cli: Cli, apps: Path) -> None:
    file = apps / "config" / "jobs.toml"
    file.write_text(f"# mine\n{file.read_text()}")
    assert cli("job", "disable", "nightly").out == "nightly is disabled\n"
    assert file.read_text().startswith("# mine\n")
    assert json.loads(cli("job", "show", "nightly", "--json").out)["state"] == "disabled"
    assert cli("job", "enable", "nightly").code == exits.OK
    assert json.loads(cli("job", "show", "nightly", "--json").out)["state"] == "scheduled"
    assert cli("job", "disable", "_default/cleanup-job-history").code == exits.INVALID
    assert cli("job", "disable", "great").code == exits.NOT_FOUND


def test_a_job_is_paused_and_resumed(cli: Cli, apps: Path) -> None:
    done = cli("job", "pause", "nightly", "--until", "2h", "--reason", "moving house")
    assert done.code == exits.OK
    assert done.out.startswith("nightly is paused until 2")
    shown = json.loads(cli("job", "show", "nightly", "--json").out)
    assert (shown["state"], shown["pause"]["reason"]) == ("paused", "moving house")
    assert cli("job", "resume", "nightly").code == exits.OK
    assert cli("job", "resume", "nightly").code == exits.INVALID
    assert cli("job", "pause", "nightly", "--until", "2020-01-01").code == exits.INVALID


COPY_JOB = """
[[jobs]]
name = "copies"
[[jobs.steps]]
name = "make"
type = "sql_query"
connector = "default"
query = "CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY, name TEXT)"
[[jobs.steps]]
name = "fill"
type = "sql_query"
connector = "default"
query = "INSERT INTO things (name) VALUES ('a thing')"
[[jobs.steps]]
name = "copy"
type = "sql_copy"
source = {connector = "default", table = "things"}
target = {connector = "default", table = "things2"}
mode = "append"
incremental = {column = "id"}
"""


def test_a_copy_is_planned_and_its_mark_shown_and_reset(cli: Cli, apps: Path) -> None:
    file = next(apps.rglob("jobs.toml"))
    file.write_text(file.read_text() + COPY_JOB)
    assert cli("job", "run", "copies").code == exits.OK
    shown = cli("job", "marks", "copies").out.splitlines()
    assert shown[0].split() == ["STEP", "COLUMN", "GOES", "ON", "FROM", "SET", "BY"]
    assert shown[1].split()[:3] == ["copy", "id", "1"]
    plan = cli("job", "plan", "copies").out
    assert "rows affected: 1" in plan
    assert "source rows: 1" in plan
    assert json.loads(cli("job", "plan", "copies", "--json").out)["steps"][2]["preview"]["target_rows"] == 1
    assert (
        cli("job", "reset-mark", "copies", "copy", "0").out == "The next copy of step copy goes on from 0.\n"
    )
    assert (
        cli("job", "reset-mark", "copies", "copy").out
        == "The next copy of step copy goes on from the first row.\n"
    )
    assert json.loads(cli("job", "marks", "copies", "--json").out)[0]["kind"] == "start"
    assert cli("job", "reset-mark", "copies", "cpy").code != exits.OK
