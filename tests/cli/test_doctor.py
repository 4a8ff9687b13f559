"""`liberty-admin doctor chaos`: what it says, writes and exits with."""

import json
from pathlib import Path

import pytest

from liberty.cli import exits
from tests.cli.conftest import Cli


def test_an_experiment_that_does_not_exist_is_a_wrong_command_line(cli: Cli) -> None:
    done = cli("doctor", "chaos", "fire")
    assert done.code == exits.USAGE
    assert "no experiment 'fire'" in done.err
    assert "fires" in done.err


def test_a_database_that_is_no_address_is_a_wrong_command_line(cli: Cli) -> None:
    done = cli("doctor", "chaos", "durable", "--database", "localhost")
    assert done.code == exits.USAGE
    assert "sqlite:///new-file.db" in done.err


def test_an_experiment_that_cannot_be_done_says_why_and_breaks_nothing(cli: Cli, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = cli("doctor", "chaos", "failover", "--report", str(report))
    assert done.code == exits.OK
    assert "failover: not done: it takes two replicas on PostgreSQL" in done.out
    (written,) = json.loads(report.read_text())["experiments"]
    assert (written["counts"], written["violations"]) == ({}, [])


@pytest.mark.timeout(120)
def test_a_broken_promise_is_named_and_exits_with_1(cli: Cli) -> None:
    # Nothing happens within no time at all, so with no patience every limit is broken.
    done = cli(
        "doctor", "chaos", "orphans", "--minutes", "0.01", "--rounds", "1", "--patience", "0", "--json"
    )
    assert done.code == exits.RUN_FAILED
    document = json.loads(done.out)
    assert (document["database"], document["replicas"]) == ("sqlite", 1)
    (result,) = document["experiments"]
    assert result["counts"]["orphaned runs"] == 3
    assert [text.startswith("the slowest, s: ") for text in result["violations"]] == [True]
