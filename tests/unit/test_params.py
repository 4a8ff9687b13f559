"""Parameters: the merge, what is substituted and what never is, what is stored, and what a caller may send."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liberty.errors import Invalid, NotFound
from liberty.jobs.declared import coerce_declared
from liberty.jobs.definition import build_job
from liberty.jobs.job import Job
from liberty.jobs.lookup import Scope, step_view
from liberty.jobs.params import (
    check_overrides,
    expand_named,
    jsonable,
    render_step,
    replay_params,
    resolve,
    run_params,
    snapshot_params,
    step_params,
)
from liberty.jobs.run import Overrides
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.secrets import redactor

PRIVATE = "correct-horse-battery"  # stands for any secret
NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # already April in Paris
SCOPE = Scope(
    job="flights",
    app="reporting",
    now=NOW,
    timezone="Europe/Paris",
    run_id="r-7",
    trigger="cron",
    scheduled_at=datetime(2026, 3, 31, 22, tzinfo=UTC),
    session_user="alice",
    step="load",
    params={"n": 5, "rows": [1, 2], "deep": {"a": {"b": "x"}}, "text": "${env:HOME_KEY}"},
    steps={
        "fetch": step_view("succeeded", {"status": 200, "body": {"items": [{"id": 9}]}}, rows_affected=3),
        "m.n:f": step_view("succeeded", {"k": 1}),
        "skipped-one": step_view("skipped", None),
    },
    environ={"HOME_KEY": PRIVATE, "EMPTY": "", "REGION": "eu-west"},
)


def job(**keys: Any) -> Job:
    steps = keys.pop(
        "steps", [{"type": "python", "name": "load", "callable": "m:f", "op_kwargs": {"limit": 1}}]
    )
    return build_job({"name": "flights", "steps": steps, **keys})


def nothing_known(_reference: str) -> frozenset[str] | None:
    return None


# -- tokens


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${params.n}", 5),
        ("${kw:rows}", [1, 2]),
        ("${params.deep.a.b}", "x"),
        ("${params.rows.1}", 2),
        ("n=${params.n}, rows=${kw:rows}", "n=5, rows=[1, 2]"),
        ("${steps.fetch.body.items.0.id}", 9),
        ("${out:fetch.status}", 200),
        ("${steps.fetch.rows_affected}", 3),
        ("${steps.fetch.output.status}", 200),
        ("${steps.m.n:f.k}", 1),
        ("${steps.skipped-one.row_count}", None),
        ("${steps.skipped-one.status}", "skipped"),
        ("${previous_step.k}", 1),
        ("${run.id} ${ctx:run_id}", "r-7 r-7"),
        ("${run.scheduled_at}", "2026-03-31T22:00:00.000Z"),
        ("${scheduled_at}", "2026-03-31T22:00:00.000Z"),
        ("${run.started_at}", None),
        ("[${run.started_at}]", "[]"),
        ("${job.name}/${job.app}/${step.name}", "flights/reporting/load"),
        ("${session.user}", "alice"),
        ("${today}", "2026-04-01"),
        ("${yesterday}", "2026-03-31"),
        ("${now}", "2026-04-01T00:30:00+02:00"),
        ("${week.monday}..${week.sunday}", "2026-03-30..2026-04-05"),
        ("${month.first} ${month.last} ${month.previous}", "2026-04-01 2026-04-30 2026-03"),
        ("${REGION}", "eu-west"),
        ("${MISSING}", ""),
        ("${MISSING:-a b}", "a b"),
        ("${EMPTY:-a}", "a"),
        ("${env.REGION}", "eu-west"),
        ("${env:MISSING:-x}", "x"),
        ("$${params.n}", "${params.n}"),
        ("cost $5 {x} ${", "cost $5 {x} ${"),
    ],
)
def test_token(text: str, value: Any) -> None:
    assert resolve(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${params.m}", "no param 'm'"),
        ("${params.deep.b}", "${params.deep.b}"),
        ("${params.n.real}", "nothing below"),
        ("${params.rows.7}", "0 to 1"),
        ("${steps.fetsh.status}", "did you mean 'fetch'"),
        ("${steps.fetch.bodyy}", "did you mean 'body'"),
        ("${env:HOME_KEYS}", "did you mean 'HOME_KEY'"),
        ("${a.__init__}", "unknown token"),
        ("${params.__class__}", "no param '__class__'"),
        ("${params.deep.__class__.__mro__}", "no '__class__'"),
        ("${month.next}", "unknown token"),
        ("${session.lang}", "no session fact"),
        ("${open('x')}", "unknown token"),
    ],
)
def test_token_that_cannot_be_looked_up_is_named(text: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        resolve(text, SCOPE)
    assert words in caught.value.message


def test_what_is_looked_up_is_not_scanned_again() -> None:
    assert resolve("${params.text}", SCOPE) == "${env:HOME_KEY}"
    assert resolve("<${params.text}>", SCOPE) == "<${env:HOME_KEY}>"


def test_a_megabyte_of_openings_is_read_at_once() -> None:
    text = "${" * 500_000
    assert resolve(text, SCOPE) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_values_without_tokens_stay_as_they_are(value: Any) -> None:
    if "${" not in repr(value):
        assert resolve(value, SCOPE) == value


def test_environment_values_are_secrets_from_then_on(tmp_path: Path) -> None:
    assert resolve("Bearer ${env:HOME_KEY}", SCOPE) == f"Bearer {PRIVATE}"
    assert PRIVATE not in redactor.redact(f"sent {PRIVATE}")
    file = tmp_path / "value"
    file.write_text("from-a-file-of-its-own\n")
    scope = replace(SCOPE, environ={"API_TOKEN_FILE": str(file)})
    assert resolve("${API_TOKEN}", scope) == "from-a-file-of-its-own"
    assert "from-a-file" not in redactor.redact("from-a-file-of-its-own")


# -- merge


def test_later_wins() -> None:
    definition = job(
        params={"a": "job", "b": "job", "c": "job", "d": "job"},
        steps=[
            {
                "type": "python",
                "name": "load",
                "callable": "m:f",
                "op_kwargs": {"b": "step", "c": "step", "d": "step"},
            }
        ],
    )
    overrides = Overrides(params={"c": "fire", "d": "fire"}, op_kwargs={"load": {"d": "fire step"}})
    snapshot = snapshot_params(definition, overrides, SCOPE)
    params = run_params(definition, snapshot, overrides, SCOPE)
    merged, explicit = step_params(definition.steps[0], params, overrides, SCOPE)
    assert merged == {"a": "job", "b": "step", "c": "fire", "d": "fire step"}
    assert explicit == {"b", "c", "d"}
    assert definition.params["d"] == "job"


def test_op_kwargs_see_the_params_of_the_job() -> None:
    definition = job(
        params={"period": "${month.previous}"},
        steps=[
            {"type": "http", "name": "fetch", "url": "https://example.org"},
            {
                "type": "python",
                "name": "load",
                "callable": "m:f",
                "op_kwargs": {"period": "P-${kw:period}", "all": "${steps.fetch.body}"},
            },
        ],
    )
    params = run_params(definition, snapshot_params(definition, Overrides(), SCOPE), Overrides(), SCOPE)
    merged, _ = step_params(definition.step("load"), params, Overrides(), SCOPE)
    assert merged == {"period": "P-2026-03", "all": {"items": [{"id": 9}]}}


def test_params_may_refer_to_each_other_but_not_in_a_circle() -> None:
    definition = job(params={"file": "out-${params.period}.csv", "period": "${month.previous}"})
    assert snapshot_params(definition, Overrides(), SCOPE)["file"] == "out-2026-03.csv"
    assert snapshot_params(definition, Overrides(params={"period": "x"}), SCOPE)["file"] == "out-x.csv"
    with pytest.raises(Invalid, match="a -> b -> a"):
        snapshot_params(job(params={"a": "${params.b}", "b": "${params.a}"}), Overrides(), SCOPE)


def test_per_fire_values_are_data() -> None:
    definition = job(params={"period": "x", "copy": "${params.period}"})
    overrides = Overrides(params={"period": "${env:HOME_KEY}"}, op_kwargs={"load": {"limit": "${today}"}})
    snapshot = snapshot_params(definition, overrides, SCOPE)
    params = run_params(definition, snapshot, overrides, SCOPE)
    merged, _ = step_params(definition.steps[0], params, overrides, SCOPE)
    assert snapshot == {"period": "${env:HOME_KEY}", "copy": "${env:HOME_KEY}"}
    assert merged == {"period": "${env:HOME_KEY}", "copy": "${env:HOME_KEY}", "limit": "${today}"}


# -- what is stored


def test_secrets_are_not_stored_and_are_there_at_run_time() -> None:
    definition = job(
        params={"key": "${env:HOME_KEY}", "header": "Bearer ${params.key}", "period": "${today}"}
    )
    snapshot = snapshot_params(definition, Overrides(), SCOPE)
    assert PRIVATE not in repr(snapshot)
    assert snapshot["period"] == "2026-04-01"
    later = replace(SCOPE, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert run_params(definition, snapshot, Overrides(), later) == {
        "key": PRIVATE,
        "header": f"Bearer {PRIVATE}",
        "period": "2026-04-01",
    }


def test_run_facts_in_params_wait_for_the_run() -> None:
    definition = job(params={"mark": "run ${run.id}"})
    snapshot = snapshot_params(definition, Overrides(), replace(SCOPE, run_id=None))
    assert run_params(definition, snapshot, Overrides(), SCOPE) == {"mark": "run r-7"}


def test_replay_takes_the_values_of_then_and_the_secrets_of_now() -> None:
    then = job(params={"day": "${today}", "key": "${env:HOME_KEY}", "gone": "${env:REGION}"})
    now = job(params={"day": "${today}", "key": "${env:REGION}", "added": 1})
    before = Overrides(params={"who": "Alice"})
    snapshot = snapshot_params(then, before, SCOPE)
    later = replace(SCOPE, now=datetime(2027, 1, 1, tzinfo=UTC))
    overrides = Overrides(params={"extra": "${today}"})
    again = replay_params(then, snapshot, before, now, overrides, later)
    assert again == {
        "day": "2026-04-01",
        "key": "${env:REGION}",
        "added": 1,
        "who": "Alice",
        "extra": "${today}",
    }
    assert run_params(now, again, overrides, later)["key"] == "eu-west"


def test_a_stored_text_that_looks_like_a_token_stays_text_in_a_replay() -> None:
    definition = job(params={"note": "plain"})
    before = Overrides(params={"note": "${env:HOME_KEY}"})
    snapshot = snapshot_params(definition, before, SCOPE)
    again = replay_params(definition, snapshot, before, definition, Overrides(), SCOPE)
    assert run_params(definition, again, Overrides(), SCOPE)["note"] == "${env:HOME_KEY}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(Invalid, match=r"params\.x"):
        jsonable({"x": [value]}, "params")


# -- declared params


DECLARED = [
    {"name": "day", "type": "date", "default": "${yesterday}"},
    {"name": "size", "type": "int", "default": 5, "choices": [5, 10]},
    {"name": "dry", "type": "bool"},
    {"name": "who", "type": "string", "required": True},
]


def test_declared_params_are_converted() -> None:
    definition = job(params=DECLARED)
    overrides = Overrides(params={"size": "10", "dry": "yes", "who": "Alice"})
    snapshot = snapshot_params(definition, overrides, SCOPE)
    assert snapshot == {"day": "2026-03-31", "size": 10, "dry": True, "who": "Alice"}
    assert run_params(definition, snapshot, overrides, SCOPE)["day"] == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"who": "x", "size": "7"}, "not one of 5, 10"),
        ({"who": "x", "size": "many"}, "'many' is no whole number"),
        ({"who": "x", "size": 5.5}, "no whole number"),
        ({"who": "x", "size": True}, "no whole number"),
        ({"who": "x", "dry": "maybe"}, "no truth value"),
        ({"who": "x", "day": "31.12.2026"}, "no date"),
        ({"who": {"a": 1}}, "no text"),
        ({}, "needs a value for param 'who'"),
    ],
)
def test_declared_param_that_does_not_fit(params: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        coerce_declared(job(params=DECLARED), params)
    assert words in caught.value.message


def test_required_param_without_value_stops_the_fire() -> None:
    with pytest.raises(Invalid, match="needs a value for param 'who'"):
        snapshot_params(job(params=DECLARED), Overrides(), SCOPE)


# -- what a caller may send


def test_known_params_are_accepted() -> None:
    definition = job(params={"period": "x"}, presets=[{"name": "p", "params": {"wide": True}}])
    overrides = Overrides(
        params={"period": "y", "limit": 2, "apps_id": 7, "wide": False},
        op_kwargs={"load": {"limit": 3, "apps_id": 8, "period": "z"}},
        step_enabled={"load": False},
    )
    check_overrides(definition, overrides, lambda _reference: frozenset({"apps_id", "connectors"}))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (Overrides(params={"perido": 1}), "no param 'perido'; did you mean 'period'?"),
        (Overrides(params={"connectors": {}}), "no param 'connectors'"),
        (Overrides(op_kwargs={"load": {"ctx": 1}}), "no param 'ctx'"),
        (Overrides(op_kwargs={"laod": {}}), "no step 'laod'; did you mean 'load'?"),
        (Overrides(step_enabled={"x": True}), "no step 'x'"),
        (Overrides(from_step="x"), "no step 'x'"),
        (Overrides(params={"period": {"a": 1}}), "single value, not a table"),
        (Overrides(params={"period": ["a"]}), "single value, not a list"),
        (Overrides(params={"period": "x" * 70_000}), "at most 65536"),
        (Overrides(params={"period": float("nan")}), "must be JSON values"),
        (
            Overrides(params={"limit": 1}, op_kwargs={"load": {"callable": "os:system"}}),
            "no param 'callable'",
        ),
    ],
)
def test_anything_else_is_refused(overrides: Overrides, words: str) -> None:
    definition = job(params={"period": "x"})
    with pytest.raises(Invalid) as caught:
        check_overrides(definition, overrides, lambda _reference: frozenset({"ctx", "connectors"}))
    assert words in caught.value.message


def test_a_callable_nobody_can_read_declares_nothing() -> None:
    with pytest.raises(Invalid, match="no param 'apps_id'"):
        check_overrides(job(), Overrides(params={"apps_id": 1}), nothing_known)


def test_preset_lies_beneath_what_the_caller_sends() -> None:
    definition = job(
        params={"period": "x"},
        presets=[
            {
                "name": "month",
                "params": {"period": "${month.previous}", "copy": "${params.period}"},
                "op_kwargs": {"load": {"limit": 7, "only_here": True}},
                "step_enabled": {"load": True},
                "log_level": "DEBUG",
            }
        ],
    )
    sent = Overrides(params={"copy": "${today}"}, op_kwargs={"load": {"extra": 1}}, preset="month")
    expanded = expand_named(definition, sent, SCOPE)
    assert expanded.params == {"period": "2026-03", "copy": "${today}"}
    assert expanded.op_kwargs == {"load": {"limit": 7, "only_here": True, "extra": 1}}
    assert (expanded.step_enabled, expanded.log_level, expanded.preset) == ({"load": True}, "DEBUG", "month")
    check_overrides(definition, expand_named(definition, replace(sent, op_kwargs={}), SCOPE), nothing_known)
    with pytest.raises(NotFound, match="no preset"):
        expand_named(definition, Overrides(preset="year"), SCOPE)


# -- steps


def test_step_without_tokens_is_the_same_object() -> None:
    step = job().steps[0]
    assert render_step(step, SCOPE) is step


def test_rendered_step_has_values_of_the_right_type() -> None:
    definition = job(
        steps=[
            {
                "type": "sql_copy",
                "name": "load",
                "source": {"connector": "${kw:where_from}", "table": "t", "schema": "s"},
                "target": {"connector": "b", "table": "t_${today}"},
                "batch_size": "${kw:n}",
                "condition": "${params.n} > 1",
            }
        ],
        params={"where_from": "ops", "n": "250"},
    )
    scope = replace(SCOPE, kwargs={"where_from": "ops", "n": "250"})
    step = render_step(definition.steps[0], scope)
    assert isinstance(step, SqlCopyStep)
    assert (step.source.connector, step.source.schema_name, step.target.table) == ("ops", "s", "t_2026-04-01")
    assert step.batch_size == 250
    assert step.condition == "${params.n} > 1"


def test_value_of_the_wrong_type_names_step_and_key() -> None:
    definition = job(
        steps=[{"type": "http", "name": "call", "url": "https://x", "expected_statuses": "${kw:codes}"}],
        params={"codes": "x"},
    )
    with pytest.raises(Invalid, match="step 'call', key 'expected_statuses"):
        render_step(definition.steps[0], replace(SCOPE, kwargs={"codes": "many"}))
    with pytest.raises(Invalid, match=r"step 'call', key 'expected_statuses'.*no param 'codes'"):
        render_step(definition.steps[0], replace(SCOPE, kwargs={}))


def test_rendered_url_remembers_where_its_origin_came_from() -> None:
    definition = job(steps=[{"type": "http", "name": "c", "url": "${params.text}"}], params={"text": "x"})
    scope = replace(SCOPE, params={"text": "http://127.0.0.1/"}, kwargs=None)
    step = render_step(definition.steps[0], scope)
    assert isinstance(step, HttpStep)
    assert step.url == "http://127.0.0.1/"
    assert not step.origin_written_out


def test_step_view_prefers_the_output() -> None:
    view: Mapping[str, Any] = step_view("failed", {"status": 503}, error="boom")
    assert (view["status"], view["error"], view["output"]) == (503, "boom", {"status": 503})
    assert step_view("SUCCEEDED", None)["status"] == "succeeded"
