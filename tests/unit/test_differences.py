"""What is different between two runs: each change once, in words, the one the error names first."""

from dataclasses import replace
from typing import Any

from liberty.jobs.run import Overrides, Run, Status, StepError
from liberty.jobs.service.differences import Change, Side, differences
from liberty.jobs.store.code import Code
from liberty.jobs.store.history import StepTook
from tests.factories import NOW, step

RUN = Run(
    number=1,
    job="flights",
    app="reporting",
    status=Status("succeeded"),
    reason=None,
    trigger="cron",
    triggered_by="cron",
    schedule="main",
    scheduled_at=NOW,
    queued_at=NOW,
    started_at=NOW,
    finished_at=NOW,
    rows_affected=None,
    params={},
    overrides=Overrides(),
    replay_of=None,
    definition_version=1,
    owner="me",
    epoch=1,
    current_step=None,
    parent_chain=(),
    abort_requested_by=None,
    log_lines=0,
    log_dropped=0,
)
DEFINITION: dict[str, Any] = {
    "name": "flights",
    "tags": ["etl"],
    "steps": [
        {"name": "load", "type": "sql_copy"},
        {"name": "match", "type": "python", "op_kwargs": {"min_match_pct": 85}},
    ],
}
CODE = Code("one", {"reporting/enrich.py": "aa", "reporting/load.py": "bb"}, {"requests": "2.1"}, "3.13.0")


def side(*, params: dict[str, Any] | None = None, steps: Any = (), **fields: Any) -> Side:
    return Side(
        replace(RUN, params=params or {}),
        list(steps),
        fields.get("definition", DEFINITION),
        fields.get("code", CODE),
    )


def failed(message: str, traceback: str | None = None) -> Any:
    return step(1, "failed", name="match", error=StepError("StepFailed", message, traceback))


def texts(changes: list[Change]) -> list[str]:
    return [change.text for change in changes]


def test_equal_runs_have_no_difference() -> None:
    assert differences(side(), side()) == []


def test_a_definition_is_told_by_the_names_of_its_steps() -> None:
    changed = {
        **DEFINITION,
        "tags": ["etl", "night"],
        "steps": [
            {"name": "match", "type": "python", "op_kwargs": {"min_match_pct": 92}},
            {"name": "load", "type": "sql_copy"},
            {"name": "tell", "type": "http"},
        ],
    }
    assert texts(differences(side(), side(definition=changed))) == [
        'steps.(order) was ["load", "match"], is ["match", "load", "tell"]',
        "step match: op_kwargs.min_match_pct was 85, is 92",
        'step tell: name is new: "tell"',
        'step tell: type is new: "http"',
        'tags was ["etl"], is ["etl", "night"]',
    ]


def test_the_change_that_the_error_names_comes_first_and_alone_is_called_likely() -> None:
    changed = {
        **DEFINITION,
        "steps": [
            DEFINITION["steps"][0],
            {"name": "match", "type": "python", "op_kwargs": {"min_match_pct": 92, "aaa": 1}},
        ],
    }
    after = side(
        definition=changed,
        params={"period": "2013-11"},
        steps=[failed("match rate 85.4 % is below min_match_pct = 92 in period 2013-11")],
    )
    found = differences(side(params={"period": "2013-10"}), after)
    assert [(change.name, change.likely_cause) for change in found] == [
        ("steps.match.op_kwargs.min_match_pct", True),
        ("period", False),
        ("steps.match.op_kwargs.aaa", False),
    ]


def test_nothing_is_likely_when_the_error_names_nothing_that_changed() -> None:
    after = side(params={"period": "b"}, steps=[failed("connection periodically refused, rate-period 4")])
    (change,) = differences(side(params={"period": "a"}), after)
    assert not change.likely_cause


def test_a_changed_file_is_likely_when_the_traceback_goes_through_it() -> None:
    code = Code(
        "two",
        {"reporting/enrich.py": "zz", "reporting/new.py": "cc"},
        {"requests": "2.2", "x": "1"},
        "3.13.1",
    )
    trace = 'Traceback\n  File "/srv/apps/plugins/reporting/enrich.py", line 3, in match\nStepFailed: no'
    found = differences(side(), side(code=code, steps=[failed("no", trace)]))
    assert [(change.kind, change.name, change.likely_cause) for change in found] == [
        ("plugin", "reporting/enrich.py", True),
        ("plugin", "reporting/load.py", False),
        ("plugin", "reporting/new.py", False),
        ("library", "requests", False),
        ("library", "x", False),
        ("python", "python", False),
    ]
    assert texts(found)[:3] == [
        "plugin file reporting/enrich.py was changed",
        "plugin file reporting/load.py is gone",
        "plugin file reporting/new.py is new",
    ]


def test_code_that_was_not_kept_is_no_difference() -> None:
    assert differences(side(code=None), side()) == []


def test_durations_are_judged_by_what_is_usual_and_rows_by_the_run_before() -> None:
    def took(seconds: float, rows: int) -> Any:
        from datetime import timedelta

        return step(0, name="load", finished_at=NOW + timedelta(seconds=seconds), rows_affected=rows)

    usual = [StepTook("load", 18_000, 100), StepTook("load", 18_400, 100), StepTook("load", None, None)]
    found = differences(side(steps=[took(60, 28_889)]), side(steps=[took(49.3, 27_268)]), usual)
    assert texts(found) == [
        "step load took 49.3 s, usual are 18.2 s",
        "step load: 28889 → 27268 rows",
    ]
    assert differences(side(steps=[took(18, 5)]), side(steps=[took(18.9, 5)]), usual) == []
