"""Several schedules of one job, what overlapping runs do, and which pools a job uses."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid, NotFound
from liberty.jobs.catalogue import validate_text
from liberty.jobs.definition import build_job, definition_json, fingerprint, job_from_definition
from liberty.jobs.job import Job, pools_of
from liberty.jobs.lookup import Scope
from liberty.jobs.params import check_overrides, expand_named
from liberty.jobs.run import Overrides
from liberty.jobs.schema import jobs_schema

SCOPE = Scope(
    job="report",
    now=datetime(2026, 3, 31, 12, tzinfo=UTC),
    timezone="UTC",
    trigger="cron",
    scheduled_at=datetime(2026, 3, 31, 12, tzinfo=UTC),
)
QUERY = {"type": "sql_query", "name": "load", "connector": "default", "query": "SELECT 1"}
MORNING: dict[str, Any] = {"name": "morning", "schedule": "0 9 * * MON-FRI"}


def job(*schedules: dict[str, Any], **keys: Any) -> Job:
    return build_job({"name": "report", "steps": [QUERY], "schedules": list(schedules), **keys})


def messages(*schedules: dict[str, Any], **keys: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        job(*schedules, **keys)
    return {problem.key or "": problem.message for problem in caught.value.problems}


# -- several schedules


def test_each_schedule_fires_under_its_own_key_and_zone() -> None:
    made = job(
        MORNING,
        {"name": "tokyo", "schedule": "0 9 * * *", "timezone": "Asia/Tokyo"},
        {"name": "off", "schedule": "@hourly", "enabled": False},
        schedule="0 2 * * *",
        timezone="Europe/Paris",
        presets=[{"name": "big", "schedule": "@weekly"}],
    )
    assert [(fire.key, fire.schedule.timezone, fire.overrides.preset) for fire in made.fires] == [
        ("main", "Europe/Paris", None),
        ("schedule:morning", "Europe/Paris", None),
        ("schedule:tokyo", "Asia/Tokyo", None),
        ("preset:big", "Europe/Paris", "big"),
    ]


def test_a_disabled_job_keeps_only_the_schedules_of_its_presets() -> None:
    made = job(MORNING, schedule="@daily", enabled=False, presets=[{"name": "big", "schedule": "@weekly"}])
    assert [fire.key for fire in made.fires] == ["preset:big"]


def test_a_stored_definition_is_the_same_job() -> None:
    made = job({**MORNING, "params": {"day": "${today}"}}, params={"day": "x"}, overlap="queue", max_queued=2)
    again = job_from_definition(definition_json(made))
    assert (fingerprint(again), again.overlap) == (fingerprint(made), "queue")
    assert (again.schedules, again.fires) == (made.schedules, made.fires)


def test_values_of_a_schedule_are_substituted_and_what_a_person_sends_is_not() -> None:
    made = job(
        {
            **MORNING,
            "params": {"day": "${today}", "region": "US"},
            "op_kwargs": {"load": {"day": "${params.region}"}},
        },
        params={"day": "never", "region": "EU"},
    )
    sent = Overrides(params={"region": "${today}"})
    expanded = expand_named(made, sent, SCOPE, "schedule:morning")
    assert expanded.params == {"day": "2026-03-31", "region": "${today}"}
    assert expanded.op_kwargs == {"load": {"day": "${today}"}}
    check_overrides(made, expanded, lambda _: None)
    assert expand_named(made, sent, SCOPE, "main") == sent
    assert expand_named(made, sent, SCOPE) == sent
    with pytest.raises(NotFound, match="did you mean 'morning'"):
        expand_named(made, sent, SCOPE, "schedule:mornin")


def test_mistakes_name_file_line_job_key_and_the_nearest_known_one() -> None:
    text = """\
[[jobs]]
name = "report"
params = { region = "EU" }
[[jobs.schedules]]
name = "morning"
schedule = "0 9 * * *"
[jobs.schedules.params]
regoin = "US"
[[jobs.schedules]]
name = "evening"
schedul = "0 18 * * *"
[[jobs.steps]]
type = "sql_query"
connector = "default"
query = "SELECT 1"
"""
    found = [str(problem) for problem in validate_text(text, {}, file="jobs.toml")]
    assert (
        "jobs.toml:11: job 'report' key 'schedules[1].schedul': unknown key 'schedul'; did you mean 'schedule'?"
        in found
    )
    mended = text.replace("schedul =", "schedule =")
    assert [str(problem) for problem in validate_text(mended, {}, file="jobs.toml")] == [
        (
            "jobs.toml:8: job 'report' key 'schedules[0].params.regoin': "
            "the job has no param 'regoin'; did you mean 'region'?"
        )
    ]


@pytest.mark.parametrize(
    ("second", "key", "says"),
    [
        ({"name": "Morning", "schedule": "@hourly"}, "schedules[1].name", "two schedules are called"),
        ({"name": "b", "schedule": "0 9  * * mon-fri"}, "schedules[1].schedule", "is schedule 'morning' already"),
        ({"name": "b", "schedule": "@daily"}, "schedules[1].schedule", "is the job's own schedule already"),
        ({"name": "b", "schedule": "0 0 1 * *"}, "schedules[1].schedule", "is preset 'big' already"),
        ({"name": "b", "schedule": "0 25 * * *"}, "schedules[1].schedule", "'25' is no hour"),
        ({"name": "b", "schedule": "0 0 30 2 *"}, "schedules[1].schedule", "never due"),
        ({"name": "b", "schedule": " "}, "schedules[1].schedule", "empty"),
        ({"name": "b"}, "schedules[1].schedule", "required"),
        ({"name": "b b", "schedule": "@hourly"}, "schedules[1].name", "does not have the form"),
        ({"name": "b", "schedule": "@hourly", "timezone": "Europe/Pari"}, "schedules[1].timezone", "'Europe/Paris'"),
        ({"name": "b", "schedule": "@hourly", "params": {"n": "many"}}, "schedules[1].params.n", "no whole number"),
        ({"name": "b", "schedule": "@hourly", "kwargs": {"laod": {}}}, "schedules[1].kwargs.laod", "'load'"),
        (
            {"name": "b", "schedule": "@hourly", "op_kwargs": {"load": {"m": 1}}},
            "schedules[1].op_kwargs.load.m",
            "step 'load' has no param 'm'",
        ),
        ({"name": "b", "schedule": "@hourly", "params": {"n": "${steps.load.rows}"}}, "schedules[1].params", "before"),
        ({"name": "b", "schedule": "@hourly", "params": {"n": "${env:KEY}"}}, "schedules[1].params", "stored with"),
    ],
)  # fmt: skip
def test_a_wrong_schedule_says_what_is_wrong(second: dict[str, Any], key: str, says: str) -> None:
    found = messages(
        MORNING,
        second,
        schedule="0 0 * * *",
        presets=[{"name": "big", "schedule": "@monthly"}],
        params=[{"name": "n", "type": "int", "default": 1}],
    )
    assert list(found) == [key]
    assert says in found[key]


def test_one_schedule_may_stand_in_two_zones() -> None:
    assert len(job(MORNING, {**MORNING, "name": "tokyo", "timezone": "Asia/Tokyo"}).fires) == 2


def test_a_required_param_without_a_value_is_found_before_the_first_fire() -> None:
    required = [{"name": "region", "required": True}]
    assert "schedule 'morning' can never run" in messages(MORNING, params=required)["params[0]"]
    assert job({**MORNING, "params": {"region": "EU"}}, params=required).fires


# -- overlap


@pytest.mark.parametrize(
    ("keys", "overlap"),
    [
        ({}, "skip"),
        ({"single_instance": True}, "skip"),
        ({"single_instance": False}, "allow"),
        ({"overlap": "skip"}, "skip"),
        ({"overlap": "queue", "max_queued": 3}, "queue"),
        ({"overlap": "replace", "single_instance": True}, "replace"),
        ({"single_instance": False, "max_queued": 3}, "allow"),
    ],
)
def test_what_becomes_of_an_overlapping_run(keys: dict[str, Any], overlap: str) -> None:
    assert job(**keys).overlap == overlap


@pytest.mark.parametrize(
    ("keys", "key", "says"),
    [
        ({"single_instance": False, "overlap": "queue"}, "overlap", "says nothing; drop one"),
        ({"max_queued": 3}, "max_queued", "goes with overlap = 'queue' or single_instance = false"),
        ({"overlap": "replace", "max_queued": 3}, "max_queued", "overlap is 'replace'"),
        ({"overlap": "queue", "max_queued": 0}, "max_queued", "at least 1"),
        ({"overlap": "queu"}, "overlap", "did you mean 'queue'"),
        ({"overlap": "allow"}, "overlap", "'skip', 'queue' or 'replace'"),
        ({"overlap_rule": "skip"}, "overlap_rule", "unknown key"),
        ({"overlapp": "skip"}, "overlapp", "did you mean 'overlap'"),
    ],
)
def test_overlap_keys_that_contradict_each_other(keys: dict[str, Any], key: str, says: str) -> None:
    found = messages(**keys)
    assert list(found) == [key]
    assert says in found[key]


def test_the_schema_knows_the_keys() -> None:
    definitions = jobs_schema()["$defs"]
    keys = definitions["Job"]["properties"]
    assert {"schedules", "overlap", "max_queued"} <= keys.keys()
    assert "overlap_rule" not in keys
    entry = definitions["NamedSchedule"]
    assert entry["required"] == ["name", "schedule"]
    assert all(described.get("description") for described in entry["properties"].values())


# -- pools

CONNECTORS = ConnectorRegistry(
    {
        "pools": {name: {"url": "sqlite://"} for name in ("default", "ops", "archive")},
        "connectors": {
            "operational": {"type": "sql", "pool": "ops", "pools": ["archive"]},
            "service": {"type": "api", "base_url": "https://example.org"},
        },
    }
)


@pytest.mark.parametrize(
    ("steps", "pools"),
    [
        ([QUERY], {"default"}),
        ([{**QUERY, "connector": "operational"}], {"ops"}),
        ([{**QUERY, "connector": "operational", "pool": "archive"}], {"archive"}),
        ([{**QUERY, "connector": "${params.where}"}], set()),
        ([{**QUERY, "connector": "operational", "pool": "${params.pool}"}], set()),
        ([{**QUERY, "connector": "nowhere"}], set()),
        (
            [
                {
                    "type": "sql_copy",
                    "source": {"connector": "operational", "table": "t"},
                    "target": {"connector": "default", "table": "t"},
                }
            ],
            {"ops", "default"},
        ),
        ([{"type": "http", "connector": "service", "endpoint": "x"}, {"type": "python", "callable": "m:f"}], set()),
    ],
)  # fmt: skip
def test_which_pools_the_runs_of_a_job_use(steps: list[dict[str, Any]], pools: set[str]) -> None:
    made = build_job({"name": "report", "params": {"where": "ops", "pool": "ops"}, "steps": steps})
    assert pools_of(made, CONNECTORS) == pools


def test_a_pool_may_limit_the_runs_that_use_it() -> None:
    limited = ConnectorRegistry({"pools": {"ops": {"url": "sqlite://", "max_runs": 2}}})
    assert limited.pools.config("ops").max_runs == 2
    assert CONNECTORS.pools.config("ops").max_runs is None
    assert ConnectorRegistry({"pools": {"ops": {"url": "sqlite://", "max_runs": 0}}}).problems
