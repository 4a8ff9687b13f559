"""Editing jobs from the command line, with a server and without one."""

import json
import stat
from pathlib import Path

import pytest

from liberty.cli import exits
from tests.cli.conftest import Cli, Running

JOB = """
# tells the time
[[jobs]]
name = "tell"
schedule = "0 3 * * *"
[[jobs.steps]]
type = "call_job"
target_job = "greet"
"""


def edited(cli: Cli, apps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command once."""
    file = apps / "config" / "jobs.toml"
    shown = cli("job", "definition", "tell")
    assert shown.out == JOB.lstrip()
    new = apps / "new.toml"
    new.write_text(shown.out.replace("0 3", "0 4"))
    done = cli("job", "edit", "tell", "--file", str(new))
    assert (done.code, done.out) == (exits.OK, "tell is saved in config/jobs.toml as version 2.\n")
    assert '# tells the time\n[[jobs]]\nname = "tell"\nschedule = "0 4 * * *"' in file.read_text()
    assert cli("job", "edit", "tell", "--file", str(new)).out == "Nothing was changed.\n"

    editor = apps / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/schedule/schedul/ "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    refused = cli("job", "edit", "tell")
    assert refused.code == exits.INVALID
    assert (
        "draft.toml:4: job 'tell' key 'schedul': unknown key 'schedul'; did you mean 'schedule'?"
        in refused.err
    )
    kept = Path(refused.out.partition("kept in ")[2].partition(";")[0])
    assert "schedul = " in kept.read_text()
    kept.unlink()

    versions = cli("job", "versions", "tell").out.splitlines()
    assert versions[1].split()[0:2] == ["2", "*"]
    assert "schedule changed" in versions[1]
    assert "in the file" in versions[2]
    assert '+schedule = "0 4 * * *"' in cli("job", "diff", "tell").out.splitlines()
    assert json.loads(cli("job", "diff", "tell", "1", "2", "--json").out)["changes"][0]["key"] == "schedule"
    assert "is as it was in version 1" in cli("job", "restore", "tell", "1").out
    assert cli("job", "restore", "tell", "9").code == exits.NOT_FOUND

    assert cli("job", "rename", "greet", "hello").out == "greet is called hello now.\n"
    assert 'target_job = "hello"' in cli("job", "definition", "tell").out
    assert cli("job", "rename", "hello", "greet").code == exits.OK
    copied = cli("job", "copy", "tell", "tell2")
    assert copied.out.splitlines()[-1] == "tell2 is in config/jobs.toml, its schedules switched off."
    assert cli("job", "delete", "tell2").out.splitlines()[-1] == (
        "tell2 is deleted from config/jobs.toml; its runs are kept."
    )
    assert cli("job", "delete", "tell2").code == exits.NOT_FOUND


def test_without_a_server(cli: Cli, apps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = apps / "config" / "jobs.toml"
    file.write_text(file.read_text() + JOB)
    edited(cli, apps, monkeypatch)


def test_through_a_server(server: Running, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(server.repo)
    monkeypatch.setenv("NO_COLOR", "1")
    file = server.repo / "config" / "jobs.toml"
    before = file.read_text()
    file.write_text(before + JOB)
    try:
        assert cli("reload").code == exits.OK
        edited(cli, server.repo, monkeypatch)
    finally:
        file.write_text(before)
        assert cli("reload").code == exits.OK
