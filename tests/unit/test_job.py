"""Definitions: what a job's table may say, what it means, and how a wrong one is explained."""

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from liberty.errors import Invalid, NotFound
from liberty.jobs.definition import build_job, definition_json, fingerprint, job_from_definition
from liberty.jobs.job import Job, Origin
from liberty.jobs.steps.call_job import CallJobStep
from liberty.jobs.steps.http import HttpStep, origin_is_written_out
from liberty.jobs.steps.sql_copy import SqlCopyStep

FULL = """
name = "flights-nightly"
app = "reporting"
description = "Copies the day's flights."
tags = ["etl", "nightly"]
schedule = "0 2 * * *"
timezone = "Europe/Paris"
timeout_seconds = 1800
depends_on = ["crm-hourly-sync"]
log_level = "debug"
catchup = "latest"

[retry]
attempts = 3
backoff = "exponential"
base_seconds = 30
retry_on = ["timeout", "connection"]

[alerts]
on_failure = ["#data-oncall"]
after_failures = 3
recipients = ["#data-oncall", "ops@corp.example"]

[params]
period = "${month.previous}"
day = 2026-03-01

[[presets]]
name = "last-year"
params = { period = "2025" }
op_kwargs = { load = { limit = 5 } }
schedule = "@monthly"

[[steps]]
type = "sql_copy"
name = "load"
source = { connector = "ops", schema = "air", table = "flights" }
target = { connector = "rep", table = "flights" }
batch_size = "${params.size:-500}"

[[steps]]
type = "python"
callable = "reports.summary:generate"
op_kwargs = { period = "${params.period}" }
condition = "${steps.load.source_rows} > 0"
retry = { attempts = 1 }
"""
MINIMAL: dict[str, Any] = {"name": "a", "steps": [{"type": "python", "callable": "m:f"}]}


def with_step(**keys: Any) -> dict[str, Any]:
    return {"name": "a", "steps": [keys]}


def messages(raw: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        build_job(raw)
    return {problem.key or "": problem.message for problem in caught.value.problems}


def full() -> Job:
    raw = tomllib.loads(FULL.replace("${params.size:-500}", "${params.period}"))
    return build_job(raw, origin=Origin("jobs.toml", 3))


# -- what is read


def test_full_definition() -> None:
    job = full()
    assert job.log_level == "DEBUG"
    assert job.single_instance
    assert job.alerts is not None
    assert job.alerts.on_failure == ("#data-oncall",)
    assert job.alerts.on_success is False
    assert job.params["day"] == "2026-03-01"
    load, python = job.steps
    assert isinstance(load, SqlCopyStep)
    assert load.source.schema_name == "air"
    assert python.name == "reports.summary:generate"
    assert job.retry_of(load).attempts == 3
    assert job.retry_of(python).attempts == 1
    assert [fire.key for fire in job.fires] == ["main", "preset:last-year"]
    assert job.fires[1].preset == "last-year"
    assert job.fires[1].schedule.timezone == "Europe/Paris"


def test_defaults() -> None:
    job = build_job(MINIMAL, app_default="crm")
    assert (job.app, job.enabled, job.schedule, job.fires) == ("crm", True, None, ())
    assert (job.retry.attempts, job.retry.base_seconds, job.retry.max_delay_seconds) == (1, 60, 600)
    assert (job.catchup, job.catchup_window_seconds, job.timeout_seconds) == ("latest", 3600, None)
    assert (job.steps[0].timeout_seconds, job.steps[0].run_on) == (3600, "success")


def test_disabled_job_keeps_the_schedule_of_its_presets() -> None:
    raw = {
        **MINIMAL,
        "schedule": "@daily",
        "enabled": False,
        "presets": [{"name": "p", "schedule": "@hourly"}],
    }
    assert [fire.key for fire in build_job(raw).fires] == ["preset:p"]


def test_other_spellings_are_read() -> None:
    job = build_job(
        {
            "id": "old",
            "dependencies": "other",
            "retry": {"max_attempts": 4, "initial_delay_seconds": 5, "backoff": "constant"},
            "steps": [
                {"type": "python", "callable": "m:f", "kwargs": {"x": 1}, "retry": {"backoff": "none"}},
                {"type": "call_job", "target_job_id": "b", "id": "call"},
            ],
        }
    )
    assert (job.name, job.depends_on) == ("old", ("other",))
    assert (job.retry.attempts, job.retry.base_seconds, job.retry.backoff) == (4, 5, "fixed")
    assert job.retry_of(job.steps[0]).base_seconds == 0
    assert job.steps[1].name == "call"
    assert isinstance(job.steps[1], CallJobStep)
    assert job.steps[1].target_job == "b"


def test_both_spellings_may_agree_but_not_differ() -> None:
    assert build_job({**MINIMAL, "id": "a"}).name == "a"
    assert "mean the same and differ" in messages({**MINIMAL, "id": "b"})["id"]
    found = messages({**MINIMAL, "retry": {"backoff": "none", "base_seconds": 9}})
    assert "means no delay" in found["retry.backoff"]


def test_default_step_names_are_unique() -> None:
    step = {"type": "python", "callable": "m:f"}
    query = {"type": "sql_query", "connector": "c", "query": "q"}
    job = build_job({"name": "a", "steps": [step, query, step, {**step, "name": "m:f-3"}, step]})
    assert job.step_names == ("m:f", "sql_query-2", "m:f-2", "m:f-3", "m:f-4")
    assert "both called 'x'" in messages({"name": "a", "steps": [{**step, "name": "x"}] * 2})["steps[1].name"]


def test_step_defaults_fill_in_and_merge_tables() -> None:
    job = build_job(
        {
            "name": "a",
            "step_defaults": {"type": "sql_copy", "source": {"connector": "ops"}, "timeout_seconds": 9},
            "steps": [
                {"source": {"table": "t"}, "target": {"connector": "rep", "table": "t"}},
                {"type": "sql_query", "connector": "c", "query": "q", "timeout_seconds": 5},
            ],
        }
    )
    first, second = job.steps
    assert isinstance(first, SqlCopyStep)
    assert (first.source.connector, first.source.table, first.timeout_seconds) == ("ops", "t", 9)
    assert second.timeout_seconds == 5
    assert (
        "timeout_seconds"
        in messages({**MINIMAL, "step_defaults": {"timeout_second": 3}})["step_defaults.timeout_second"]
    )


def test_declared_params_give_defaults_and_specs() -> None:
    job = build_job(
        {
            **MINIMAL,
            "params": [
                {"name": "day", "type": "date", "default": "${today}"},
                {"name": "size", "type": "int", "default": 5, "choices": [5, 10]},
                {"name": "who", "required": True},
            ],
        }
    )
    assert job.params == {"day": "${today}", "size": 5}
    assert [spec.name for spec in job.param_specs] == ["day", "size", "who"]


# -- what is refused, in plain words


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        ({**MINIMAL, "shedule": "@daily"}, "shedule", "unknown key 'shedule'; did you mean 'schedule'?"),
        ({**MINIMAL, "schedule": "0 0 30 2 *"}, "schedule", "never due"),
        ({**MINIMAL, "timezone": "Europe/Pari"}, "timezone", "did you mean 'Europe/Paris'?"),
        ({**MINIMAL, "enabled": "maybe"}, "enabled", "must be true or false"),
        ({**MINIMAL, "timeout_seconds": 0}, "timeout_seconds", "must be greater than 0"),
        ({**MINIMAL, "catchup": "lates"}, "catchup", "did you mean 'latest'?"),
        ({**MINIMAL, "name": "run s"}, "name", "invalid characters"),
        ({**MINIMAL, "name": "x:abort"}, "name", "invalid characters"),
        ({**MINIMAL, "name": "*"}, "name", "invalid characters"),
        ({**MINIMAL, "name": "_default/x"}, "name", "invalid characters"),
        ({**MINIMAL, "name": "é"}, "name", "invalid characters"),
        ({**MINIMAL, "name": "Health"}, "name", "fixed address"),
        ({**MINIMAL, "name": "a" * 65}, "name", "invalid characters"),
        ({**MINIMAL, "app": "a:*"}, "app", "invalid characters"),
        ({**MINIMAL, "retry": {"attempts": 0}}, "retry.attempts", "must be at least 1, not 0"),
        ({**MINIMAL, "retry": {"retry_on": ["errors"]}}, "retry.retry_on[0]", "did you mean 'error'?"),
        ({**MINIMAL, "alerts": {"on_failure": 3}}, "alerts.on_failure", "true, false or a list of channels"),
        ({**MINIMAL, "alerts": {"on_sucess": True}}, "alerts.on_sucess", "did you mean 'on_success'?"),
        ({**MINIMAL, "params": {"x": float("nan")}}, "params", "JSON has no such number"),
        ({**MINIMAL, "params": {"x": "${steps.a.y}"}}, "params.x", "before any step runs"),
        ({**MINIMAL, "params": {"x": "${todya}"}}, "params.x", "did you mean 'today'?"),
        ({**MINIMAL, "params": {"x": "${month.lastt}"}}, "params.x", "did you mean 'month.last'?"),
        ({**MINIMAL, "params": {"x": "${a.__init__}"}}, "params.x", "unknown token ${a.__init__}"),
        ({**MINIMAL, "params": {"x": "${run.idd}"}}, "params.x", "did you mean 'id'?"),
        ({**MINIMAL, "origin": {"file": "x"}}, "origin", "unknown key"),
        ({"name": "a"}, "steps", "at least one step"),
        ({"name": "a", "steps": []}, "steps", "at least one step"),
        ({"name": "a", "steps": [3]}, "steps[0]", "a step is a table"),
        ({"steps": MINIMAL["steps"]}, "name", "'name' is required"),
        (with_step(type="sql_qery"), "steps[0].type", "did you mean 'sql_query'?"),
        (with_step(callable="m:f"), "steps[0].type", "'type' is required"),
        (with_step(type="ldap_sync"), "steps[0].search_base", "'search_base' is required"),
        (with_step(type="sql_query", connector="c"), "steps[0].query", "'query' is required"),
        (
            with_step(type="sql_query", conector="c", query="q"),
            "steps[0].conector",
            "did you mean 'connector'?",
        ),
        (with_step(type="python", callable="m.f"), "steps[0].callable", "module.path:function"),
        (with_step(type="python", callable="m:__import__"), "steps[0].callable", "double-underscore"),
        (with_step(type="python", callable="m:f", condition="1 = 1"), "steps[0].condition", "write =="),
        (
            with_step(type="python", callable="m:f", condition="${steps.b.x} > 1"),
            "steps[0].condition",
            "the job has no step 'b'",
        ),
        (with_step(type="python", callable="m:f", name="a${b}"), "steps[0].name", "letters, digits"),
        (with_step(type="http", url="u", connector="c"), "steps[0]", "either 'url' or 'connector'"),
        (with_step(type="http", connector="c"), "steps[0]", "'connector' needs 'endpoint'"),
        (with_step(type="http", url="u", method="GTE"), "steps[0].method", "did you mean 'GET'?"),
        (
            with_step(type="http", url="u", expected_statuses=[2000]),
            "steps[0].expected_statuses[0]",
            "at most 599",
        ),
        (with_step(type="http", url="https://x/${params.q}"), "steps[0].url", "the job has no param 'q'"),
        (
            with_step(
                type="sql_copy",
                source={"connector": "c", "tabel": "t"},
                target={"connector": "c", "table": "t"},
            ),
            "steps[0].source.tabel",
            "did you mean 'table'?",
        ),
        (
            with_step(type="sql_copy", source={"connector": "c"}, target={"connector": "c", "table": "t"}),
            "steps[0].source",
            "either 'table' or 'query'",
        ),
        (
            {**MINIMAL, "presets": [{"name": "p", "op_kwargs": {"x": {}}}]},
            "presets[0].op_kwargs.x",
            "no step 'x'",
        ),
        ({**MINIMAL, "presets": [{"name": "p"}, {"name": "P"}]}, "presets[1].name", "two presets"),
        ({**MINIMAL, "presets": [{"name": "p", "schedule": "x"}]}, "presets[0].schedule", "has 1 fields"),
        (
            {**MINIMAL, "presets": [{"name": "p", "params": {"k": "${env:K}"}}]},
            "presets[0].params",
            "stored with the run",
        ),
        (
            {**MINIMAL, "params": [{"name": "n", "type": "int", "default": "x"}]},
            "params[0].default",
            "no whole number",
        ),
        ({**MINIMAL, "params": [{"name": "n"}, {"name": "n"}]}, "params[1].name", "declared twice"),
        (
            {**MINIMAL, "schedule": "@daily", "params": [{"name": "n", "required": True}]},
            "params[0]",
            "can never run",
        ),
    ],
)
def test_wrong_definition_is_explained(raw: dict[str, Any], key: str, words: str) -> None:
    found = messages(raw)
    assert key in found, found
    assert words in found[key]


def test_every_mistake_is_told_at_once() -> None:
    found = messages(
        {**MINIMAL, "enabld": True, "retry": {"attempts": 0}, "steps": [{"type": "x"}, {"type": "http"}]}
    )
    assert {"enabld", "retry.attempts", "steps[0].type", "steps[1]"} <= set(found)


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        build_job({**MINIMAL, "timeout_seconds": "not-a-number-but-private"})
    assert "private" not in caught.value.message


def test_earlier_and_later_steps_are_told_apart() -> None:
    first = {
        "type": "sql_query",
        "name": "count-rows",
        "connector": "c",
        "query": "q",
        "params": {"x": "${steps.b.n}"},
    }
    second = {
        "type": "sql_query",
        "name": "b",
        "connector": "c",
        "query": "q",
        "params": {"x": "${out:count-rows.n}"},
    }
    assert "does not run before" in messages({"name": "a", "steps": [first, second]})["steps[0].params"]
    assert build_job({"name": "a", "steps": [{**first, "params": {}}, second]})


def test_unknown_step_and_preset_name_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean 'load'"):
        full().step("laod")
    with pytest.raises(NotFound, match="did you mean 'last-year'"):
        full().preset("last-yaer")


# -- versions


def test_definition_survives_its_stored_form() -> None:
    job = full()
    text = definition_json(job)
    again = job_from_definition(text)
    assert definition_json(again) == text
    assert again.model_copy(update={"origin": job.origin}) == job
    assert fingerprint(again) == fingerprint(job)


def test_declared_params_survive_their_stored_form() -> None:
    job = build_job(
        {**MINIMAL, "params": [{"name": "n", "type": "int", "default": 5}, {"name": "s", "required": True}]}
    )
    assert job_from_definition(definition_json(job)).param_specs == job.param_specs


def test_fingerprint_follows_meaning_not_place() -> None:
    raw = {**MINIMAL, "schedule": "@daily"}
    here = build_job(raw, origin=Origin("a.toml", 1))
    there = build_job(dict(reversed(raw.items())), origin=Origin("b.toml", 9))
    assert fingerprint(here) == fingerprint(there)
    assert fingerprint(build_job({**raw, "schedule": "@hourly"})) != fingerprint(here)


# -- origins of URLs


@pytest.mark.parametrize(
    ("url", "written_out"),
    [
        ("https://example.org/${params.path}", True),
        ("https://example.org?q=${params.q}", True),
        ("${env:BASE}/x/${steps.a.id}", True),
        ("${BASE_URL:-http://localhost:8000}/x", True),
        ("https://${params.host}/x", False),
        ("https://example.org:${params.port}/", False),
        ("https://example.org${params.rest}", False),
        ("${steps.find.url}", False),
        ("${params.scheme}://example.org/", False),
        ("https://a@${params.host}", False),
    ],
)
def test_origin_of_a_url_is_written_out_or_not(url: str, written_out: bool) -> None:
    assert origin_is_written_out(url) is written_out
    rendered = HttpStep(url="https://example.org")
    rendered.rendered_from(HttpStep(url=url))
    assert rendered.origin_written_out is written_out


def test_main_schedule_reads_the_zone_of_the_job() -> None:
    fire = full().fires[0]
    assert fire.schedule.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 1, 1, tzinfo=UTC)
