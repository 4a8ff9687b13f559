"""`notifications.toml`: what is wrong is said with its line and key; who is told, and when."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liberty.jobs.catalogue import Catalogue, validate_text
from liberty.jobs.definition import job_from_definition
from liberty.jobs.job import Job
from liberty.notify.config import QuietHours
from liberty.notify.load import from_document
from liberty.notify.recipients import Notifications
from liberty.secrets import Keyring
from liberty.settings import load_settings
from liberty.toml_files import parse_toml

CHANNELS = """
[defaults]
recipients = ["ops"]
[channels.ops]
type = "slack"
url = "https://hooks.example/a"
[channels.mail]
type = "email"
host = "mail.example"
from = "n@corp.example"
"""


def load(tmp_path: Path, text: str, *jobs: Job, environ: dict[str, str] | None = None) -> Notifications:
    values = {"LIBERTY_DATA_DIR": str(tmp_path / "data"), **(environ or {})}
    settings = load_settings(values, cwd=tmp_path)
    document = parse_toml(text, file="notifications.toml", environ=settings.environ)
    return from_document(document, settings, Keyring(), Catalogue({job.name: job for job in jobs}, {}))


def make(name: str = "nightly", **keys: object) -> Job:
    step = {"type": "python", "callable": "work:run"}
    return job_from_definition(json.dumps({"name": name, "steps": [step], **keys}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[channels.ops]\ntype = "slak"\n',
            "notifications.toml:2: key 'channels.ops.type': no type 'slak'; did you mean 'slack'?",
        ),
        (
            '[channels.ops]\ntype = "slack"\nurl = "http://x"\nchanel = "#a"\n',
            "notifications.toml:4: key 'channels.ops.chanel': unknown key 'chanel'; did you mean 'channel'?",
        ),
        (
            '[channels.ops]\ntype = "slack"\n',
            "notifications.toml:1: key 'channels.ops.url': 'url' is missing",
        ),
        (
            '[channels.ops]\ntype = "slack"\nurl = "ftp://x"\n',
            "notifications.toml:3: key 'channels.ops.url': must start with http:// or https://",
        ),
        (
            CHANNELS + '[[routes]]\nchannels = ["opps"]\n',
            "notifications.toml:12: key 'routes[0].channels[0]': no channel for 'opps'; did you mean 'ops'?",
        ),
        (
            '[[quiet_hours]]\nfrom = "22:00"\nuntil = "06:00"\ntimezone = "Europe/Pari"\n',
            "notifications.toml:4: key 'quiet_hours[0].timezone': no time zone 'Europe/Pari'",
        ),
        (
            "[default]\n",
            "notifications.toml:1: key 'default': unknown key 'default'; did you mean 'defaults'?",
        ),
        (
            '[channels.ops]\ntype = "slack"\nurl = "${env:NOT_THERE}"\n',
            "the environment variable NOT_THERE is not set",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_is(tmp_path: Path, text: str, problem: str) -> None:
    found = [str(one) for one in load(tmp_path, text).problems]
    assert any(problem in one for one in found), found


def test_a_job_that_names_no_channel_is_told_so_and_others_work(tmp_path: Path) -> None:
    found = load(tmp_path, CHANNELS, make(alerts={"recipients": ["opps"]}))
    (problem,) = found.problems
    assert (problem.job, problem.key) == ("nightly", "alerts")
    assert "no channel for 'opps'; did you mean 'ops'?" in problem.message
    assert sorted(found.channels) == ["mail", "ops"]


@pytest.mark.parametrize(
    ("alerts", "event", "told"),
    [
        ({}, "failed", ["ops"]),
        ({"on_failure": False}, "failed", []),
        ({"on_failure": ["mail:a@b.example"]}, "failed", ["mail:a@b.example"]),
        ({"recipients": ["#data", "c@d.example"]}, "failed", ["ops:#data", "mail:c@d.example"]),
        ({"on_success": ["slack:#data"]}, "succeeded", ["ops:#data"]),
        ({}, "succeeded", []),
        ({}, "late", ["ops"]),
    ],
)
def test_a_job_says_who_is_told(
    tmp_path: Path, alerts: dict[str, object], event: str, told: list[str]
) -> None:
    job = make(alerts=alerts)
    found = load(tmp_path, CHANNELS, job)
    assert [str(one) for one in found.destinations(event, job, job.name)] == told


def test_routes_send_by_tag_and_severity(tmp_path: Path) -> None:
    route = '[[routes]]\ntags = ["finance"]\nseverities = ["error"]\nchannels = ["mail:cfo@corp.example"]\n'
    job, other = make(alerts={}, tags=["finance"]), make("other", alerts={})
    found = load(tmp_path, CHANNELS + route, job, other)
    assert [str(one) for one in found.destinations("failed", job, job.name)] == ["mail:cfo@corp.example"]
    assert [str(one) for one in found.destinations("long-running", job, job.name)] == ["ops"]
    assert [str(one) for one in found.destinations("failed", other, other.name)] == ["ops"]


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-03-02T21:30:00", "2026-03-03T05:00:00"),
        ("2026-03-03T04:59:59", "2026-03-03T05:00:00"),
        ("2026-03-03T05:00:00", None),
        ("2026-03-03T12:00:00", None),
    ],
)
def test_quiet_hours_end_in_their_zone(now: str, end: str | None) -> None:
    hours = QuietHours.model_validate({"from": "22:00", "until": "06:00", "timezone": "Europe/Paris"})
    found = hours.end_at(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (None if end is None else datetime.fromisoformat(end).replace(tzinfo=UTC))


def test_the_guide_is_right(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/alerts.md").read_text()
    blocks = [block.partition("```")[0] for block in guide.split("```toml\n")[1:]]
    jobs = next(block for block in blocks if block.startswith("[[jobs]]"))
    text = "\n".join(block for block in blocks if block is not jobs)
    variables = ("MAIL_PASSWORD", "SLACK_HOOK", "TEAMS_WORKFLOW", "TICKETS_SECRET", "PAGER_URL")
    environ = dict.fromkeys(variables, "https://hooks.example/a-secret")
    assert validate_text(jobs, {}, file="jobs.toml") == []
    found = load(tmp_path, text, environ=environ)
    assert found.problems == ()
    assert len(found.channels) == 6
    assert len(found.routes) == len(found.quiet_hours) == 1
