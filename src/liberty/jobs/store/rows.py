"""Between rows and facts: column order, JSON, statuses."""

import json
from datetime import datetime
from typing import Any

from liberty.database import Row
from liberty.jobs.run import Attempt, Gate, Json, LogLine, Overrides, Run, Status, StepError, StepRun
from liberty.jobs.store import tables as t

RUN_COLUMNS = (
    t.runs.c.id,
    t.runs.c.job,
    t.runs.c.app,
    t.runs.c.status,
    t.runs.c.reason,
    t.runs.c.trigger,
    t.runs.c.triggered_by,
    t.runs.c.schedule,
    t.runs.c.scheduled_at,
    t.runs.c.queued_at,
    t.runs.c.started_at,
    t.runs.c.finished_at,
    t.runs.c.rows_affected,
    t.runs.c.params,
    t.runs.c.overrides,
    t.runs.c.replay_of,
    t.runs.c.definition_version,
    t.runs.c.owner,
    t.runs.c.epoch,
    t.runs.c.current_step,
    t.runs.c.parent_chain,
    t.runs.c.abort_requested_by,
    t.runs.c.log_lines,
    t.runs.c.log_dropped,
    t.runs.c.caught_up,
    t.runs.c.covers_since,
    t.runs.c.covers_count,
    t.runs.c.gates,
    t.runs.c.backfill,
    t.runs.c.code,
)


def run_from(row: Row) -> Run:
    """A `Run` from a row of `RUN_COLUMNS`."""
    (
        number,
        job,
        app,
        status,
        reason,
        trigger,
        by,
        schedule,
        scheduled_at,
        queued_at,
        started_at,
        finished_at,
    ) = row[:12]
    (rows, params, overrides, replay_of, version, owner, epoch, step, chain, abort_by, lines, dropped) = row[
        12:24
    ]
    caught_up, covers_since, covers_count, gates, backfill, code = row[24:]
    return Run(
        number=number,
        job=job,
        app=app,
        status=Status(status),
        reason=reason,
        trigger=trigger,
        triggered_by=by,
        schedule=schedule,
        scheduled_at=scheduled_at,
        queued_at=queued_at,
        started_at=started_at,
        finished_at=finished_at,
        rows_affected=rows,
        params=json.loads(params) if params != "{}" else {},
        overrides=Overrides(**json.loads(overrides)) if overrides else Overrides(),
        replay_of=replay_of,
        definition_version=version,
        owner=owner,
        epoch=epoch,
        current_step=step,
        parent_chain=tuple((link[0], link[1]) for link in json.loads(chain)) if chain else (),
        abort_requested_by=abort_by,
        log_lines=lines,
        log_dropped=dropped,
        caught_up=bool(caught_up),
        covers_since=covers_since,
        covers_count=covers_count,
        gates=gates_from(gates),
        backfill=backfill,
        code=code,
    )


def gates_from(text: str | None) -> tuple[Gate, ...]:
    """The gates in a row's `gates`."""
    return tuple(Gate(key, limit) for key, limit in json.loads(text)) if text else ()


STEP_COLUMNS = (
    t.step_runs.c.step_index,
    t.step_runs.c.name,
    t.step_runs.c.type,
    t.step_runs.c.status,
    t.step_runs.c.reason,
    t.step_runs.c.attempts,
    t.step_runs.c.started_at,
    t.step_runs.c.finished_at,
    t.step_runs.c.rows_affected,
    t.step_runs.c.input,
    t.step_runs.c.output,
    t.step_runs.c.error,
)


def step_from(row: Row) -> StepRun:
    """A `StepRun` from a row of `STEP_COLUMNS`."""
    index, name, kind, status, reason, attempts, started_at, finished_at, rows, given, output, error = row
    return StepRun(
        index=index,
        name=name,
        type=kind,
        status=Status(status),
        reason=reason,
        attempts=tuple(_attempt_from(item) for item in json.loads(attempts)),
        started_at=started_at,
        finished_at=finished_at,
        rows_affected=rows,
        input=json.loads(given) if given is not None else None,
        output=json.loads(output) if output is not None else None,
        error=StepError(**json.loads(error)) if error is not None else None,
    )


def step_values(step: StepRun) -> dict[str, Any]:
    """The binds that store a `StepRun`."""
    return {
        "step_index": step.index,
        "name": step.name,
        "type": step.type,
        "status": str(step.status),
        "reason": step.reason,
        "attempts": dump([_attempt_values(attempt) for attempt in step.attempts]),
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "rows_affected": step.rows_affected,
        "input": None if step.input is None else dump(step.input),
        "output": None if step.output is None else dump(step.output),
        "error": None if step.error is None else dump(_error_values(step.error)),
    }


def log_from(row: Row) -> LogLine:
    return LogLine(*row)


def dump(value: Json) -> str:
    """Compact JSON; raises ValueError for NaN and infinity, which JSON cannot hold."""
    return "{}" if value == {} else _encode(value)


_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def _error_values(error: StepError) -> dict[str, Json]:
    return {"type": error.type, "message": error.message, "traceback": error.traceback}


def _attempt_values(attempt: Attempt) -> dict[str, Json]:
    return {
        "number": attempt.number,
        "status": str(attempt.status),
        "started_at": attempt.started_at.isoformat(),
        "finished_at": attempt.finished_at.isoformat() if attempt.finished_at else None,
        "error": _error_values(attempt.error) if attempt.error else None,
        "wait_seconds": attempt.wait_seconds,
    }


def _attempt_from(item: dict[str, Any]) -> Attempt:
    return Attempt(
        number=item["number"],
        status=Status(item["status"]),
        started_at=datetime.fromisoformat(item["started_at"]),
        finished_at=datetime.fromisoformat(item["finished_at"]) if item["finished_at"] else None,
        error=StepError(**item["error"]) if item["error"] else None,
        wait_seconds=item["wait_seconds"],
    )
