"""How jobs and runs look as text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from liberty.cli.terminal import Cell, Terminal, counted, local_time, short_time, span, status_cell

type Document = Mapping[str, Any]

_WIDEST_VALUE = 2000
"""Characters of a step's input or output that are shown; `--json` has all."""


def show_outcome(terminal: Terminal, run: Document) -> None:
    """One line that says how a run ended, and for one that failed, which step did."""
    parts: list[str | Cell] = [f"{run['run_id']} ", status_cell(run["status"])]
    if run["duration_ms"] is not None:
        parts.append(f" in {span(run['duration_ms'])}")
    if run["rows_affected"] is not None:
        parts.append(f" · {counted(run['rows_affected'], 'row')}")
    if run["reason"]:
        parts.append(f" · {run['reason']}")
    terminal.say(*parts)
    for step in run["steps"]:
        if step["status"] == "failed" and step["error"]:
            terminal.say(f"  step {step['name']}: ", Cell(_headline(step["error"]), "red"))


def show_jobs(terminal: Terminal, jobs: Sequence[Document]) -> None:
    """The job list, with what is wrong with quarantined jobs below it."""
    if not jobs:
        terminal.say("There is no job yet; `liberty-admin init` lays out a first one.")
        return
    rows = [
        [
            Cell(job["name"], "bold"),
            job["app"],
            status_cell(job["state"]),
            job["schedule"] or "-",
            short_time(job["next_fire_at"]),
            status_cell(job["last_run"]["status"] if job["last_run"] else None),
            short_time(job["last_run"]["queued_at"]) if job["last_run"] else "-",
        ]
        for job in jobs
    ]
    terminal.table(["JOB", "APP", "STATE", "SCHEDULE", "NEXT", "LAST RUN", "AT"], rows)
    wrong = [job for job in jobs if job["problems"]]
    if wrong:
        terminal.say("")
    for job in wrong:
        for problem in job["problems"]:
            terminal.say(Cell(problem_text(problem), "red"))


def show_job(terminal: Terminal, job: Document) -> None:
    """One job: what it is, its steps, its latest runs."""
    terminal.say(Cell(job["name"], "bold"), "  ", status_cell(job["state"]))
    if job["description"]:
        terminal.say(job["description"])
    terminal.say("")
    _pairs(
        terminal,
        {
            "app": job["app"],
            "tags": ", ".join(job["tags"]) or "-",
            "schedule": None if job["schedules"] else job["schedule"] or "manual only",
            "overlap": job["overlap"],
            "next": local_time(job["next_fire_at"]),
        },
    )
    for problem in job["problems"]:
        terminal.say(Cell(problem_text(problem), "red"))
    _show_schedules(terminal, job["schedules"])
    steps = job["definition"].get("steps")
    if isinstance(steps, list) and steps and all(isinstance(step, dict) for step in steps):
        terminal.say("")
        rows = [[str(step.get("name") or ""), str(step.get("type") or "?"), _gist(step)] for step in steps]
        terminal.table(["STEP", "TYPE", ""], rows)
    if job["runs"]:
        terminal.say("")
        show_runs(terminal, job["runs"][:10])


def _show_schedules(terminal: Terminal, schedules: Sequence[Document]) -> None:
    if not schedules:
        return
    terminal.say("")
    rows = [
        [
            Cell(entry["key"], "" if entry["enabled"] else "dim"),
            entry["schedule"],
            entry["timezone"],
            entry["text"],
            ", ".join(map(short_time, entry["next"])) or ("-" if entry["enabled"] else "off"),
        ]
        for entry in schedules
    ]
    terminal.table(["SCHEDULE", "RULE", "ZONE", "", "NEXT"], rows)


def show_runs(terminal: Terminal, runs: Sequence[Document], *, with_job: bool = False) -> None:
    """Runs, newest first."""
    if not runs:
        terminal.say("No run.")
        return
    rows = [
        [
            run["run_id"],
            *([run["job"]] if with_job else []),
            status_cell(run["status"]),
            short_time(run["started_at"] or run["queued_at"]),
            span(run["duration_ms"]),
            "-" if run["rows_affected"] is None else str(run["rows_affected"]),
            run["triggered_by"],
            run["reason"] or "",
        ]
        for run in runs
    ]
    headings = ["RUN", *(["JOB"] if with_job else []), "STATUS", "STARTED", "TOOK", "ROWS", "BY", "REASON"]
    terminal.table(headings, rows)


def show_run(terminal: Terminal, run: Document) -> None:
    """One run with its steps."""
    terminal.say(Cell(run["run_id"], "bold"), f" of {run['job']}  ", status_cell(run["status"]))
    terminal.say("")
    _pairs(
        terminal,
        {
            "reason": run["reason"],
            "by": f"{run['triggered_by']} ({run['trigger']})",
            "due": run["scheduled_at"] and _due(run),
            "queued": local_time(run["queued_at"]),
            "started": local_time(run["started_at"]),
            "finished": local_time(run["finished_at"]),
            "took": span(run["duration_ms"]),
            "rows": run["rows_affected"],
            "params": json.dumps(run["params"], ensure_ascii=False) if run["params"] else None,
            "replay of": run["replay_of"],
        },
    )
    for step in run["steps"]:
        terminal.say("")
        _show_step(terminal, step)


def _show_step(terminal: Terminal, step: Document) -> None:
    took = "" if step["duration_ms"] is None else f" in {span(step['duration_ms'])}"
    tries = f" · {step['attempt']} tries" if step["attempt"] > 1 else ""
    reason = f" · {step['reason']}" if step["reason"] else ""
    terminal.say(
        f"{step['index'] + 1}. ",
        Cell(step["name"], "bold"),
        f" ({step['type']})  ",
        status_cell(step["status"]),
        f"{took}{tries}{reason}",
    )
    for label in ("input", "output"):
        if step[label] not in (None, {}, []):
            terminal.say(Cell(f"   {label:<7}", "dim"), _cut(json.dumps(step[label], ensure_ascii=False)))
    if step["error"]:
        terminal.say(Cell("   error  ", "dim"), Cell(_headline(step["error"]), "red"))
        for line in (step["error"].get("traceback") or "").splitlines():
            terminal.say(Cell(f"     {line}", "dim"))


def problem_text(problem: Document) -> str:
    """`file:line: job: key: message`, as far as each is known."""
    place = ":".join(str(problem[key]) for key in ("file", "line") if problem.get(key))
    return ": ".join(filter(None, [place, problem.get("job"), problem.get("key"), problem["message"]]))


def _headline(error: Document) -> str:
    return _cut(f"{error['type']}: {error['message']}")


def _gist(step: Document) -> str:
    """What a step works on, in a few words."""
    for key in ("callable", "query", "url", "endpoint", "target_job"):
        if isinstance(step.get(key), str):
            return " ".join(step[key].split())[:80]
    return ""


def _due(run: Document) -> str:
    return local_time(run["scheduled_at"]) + (" (caught up)" if run.get("caught_up") else "")


def _pairs(terminal: Terminal, values: Mapping[str, object]) -> None:
    for label, value in values.items():
        if value is not None:
            terminal.say(Cell(f"{label:<10}", "dim"), str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_VALUE else f"{text[:_WIDEST_VALUE]}… ({len(text)} characters)"
