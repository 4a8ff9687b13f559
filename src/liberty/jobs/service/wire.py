"""The one place that turns facts into the JSON that REST, sockets and the command line show. Pure functions."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from liberty.clock import rfc3339
from liberty.jobs.run import Attempt, Json, LogLine, Run, StepError, StepRun
from liberty.secrets import redactor

if TYPE_CHECKING:
    from liberty.jobs.service.backfill import Backfill
    from liberty.jobs.service.config_files import SectionView
    from liberty.jobs.service.forecast import Crowd, Meeting, Night
    from liberty.jobs.service.jobs import JobDetail, JobView
    from liberty.jobs.service.marks import StepMark
    from liberty.jobs.service.plan import Plan
    from liberty.jobs.service.runs import RunDetail
    from liberty.jobs.service.schedule import Calendar, Coming, NamedNext, Preview
    from liberty.jobs.service.verdicts import Why
    from liberty.jobs.store.backfills import BackfillRow
    from liberty.jobs.store.pauses import Pause
    from liberty.plugins.functions import PluginFunction

type Wire = dict[str, Json]


def instant(at: datetime | None) -> str | None:
    """RFC 3339, UTC, milliseconds."""
    return None if at is None else rfc3339(at)


def instant_of_millis(at: int | None) -> str | None:
    """The same from milliseconds since 1970."""
    return None if at is None else rfc3339(datetime.fromtimestamp(at / 1000, UTC))


def run(fact: Run) -> Wire:
    """A run as lists and events show it."""
    return {
        "run_id": fact.run_id,
        "job": fact.job,
        "app": fact.app,
        "status": str(fact.status),
        "reason": fact.reason,
        "trigger": fact.trigger,
        "triggered_by": fact.triggered_by,
        "scheduled_at": instant(fact.scheduled_at),
        "caught_up": fact.caught_up,
        "queued_at": rfc3339(fact.queued_at),
        "started_at": instant(fact.started_at),
        "finished_at": instant(fact.finished_at),
        "duration_ms": fact.duration_ms,
        "rows_affected": fact.rows_affected,
        "params": redactor.redact_value(fact.params) if fact.params else {},
        "replay_of": None if fact.replay_of is None else f"r-{fact.replay_of}",
        "definition_version": fact.definition_version,
        "replica": fact.owner,
        "current_step": fact.current_step,
        "backfill": fact.backfill,
    }


def run_detail(detail: "RunDetail") -> Wire:
    """A run with its steps and the end of its log; `truncated` when its log was cut while it ran."""
    fact = detail.run
    return {
        **run(fact),
        "abort_requested_by": fact.abort_requested_by,
        "parent_chain": [{"job": job, "run_id": run_id} for job, run_id in fact.parent_chain],
        "overrides": overrides(fact),
        "steps": [step(record) for record in detail.steps],
        "logs": lines(detail.lines),
        "log_lines": fact.log_lines,
        "log_dropped": fact.log_dropped,
        "truncated": fact.log_dropped > 0,
    }


def overrides(fact: Run) -> Wire:
    """What whoever asked for the run had changed."""
    sent = fact.overrides
    plain: Wire = redactor.redact_value(
        {
            "params": sent.params,
            "op_kwargs": sent.op_kwargs,
            "step_enabled": sent.step_enabled,
            "log_level": sent.log_level,
            "preset": sent.preset,
            "from_step": sent.from_step,
        }
    )
    return plain


def step(record: StepRun) -> Wire:
    """One step of a run with every try."""
    return {
        "index": record.index,
        "name": record.name,
        "type": record.type,
        "status": str(record.status),
        "reason": record.reason,
        "attempt": record.attempt,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
        "started_at": instant(record.started_at),
        "finished_at": instant(record.finished_at),
        "duration_ms": record.duration_ms,
        "rows_affected": record.rows_affected,
        "input": redactor.redact_value(record.input),
        "output": redactor.redact_value(record.output),
        "error": error(record.error),
    }


def _attempt(attempt: Attempt) -> Wire:
    return {
        "number": attempt.number,
        "status": str(attempt.status),
        "started_at": rfc3339(attempt.started_at),
        "finished_at": instant(attempt.finished_at),
        "error": error(attempt.error),
        "wait_seconds": attempt.wait_seconds,
    }


def error(fact: StepError | None) -> Wire | None:
    """Why a try failed."""
    if fact is None:
        return None
    return {
        "type": fact.type,
        "message": redactor.redact(fact.message),
        "traceback": None if fact.traceback is None else redactor.redact(fact.traceback),
    }


def line(fact: LogLine) -> Wire:
    """A log line; it was redacted before it was stored."""
    return {
        "seq": fact.seq,
        "ts": rfc3339(fact.ts),
        "level": fact.level,
        "logger": fact.logger,
        "step": fact.step,
        "message": fact.message,
    }


def lines(facts: Iterable[LogLine]) -> list[Json]:
    return [line(fact) for fact in facts]


def line_text(fact: LogLine) -> str:
    """A log line as it stands in a downloaded file: one line of text, control characters made visible."""
    step_name = f" [{visible(fact.step)}]" if fact.step else ""
    return f"{rfc3339(fact.ts)} {fact.level:<7} {visible(fact.logger)}{step_name} {visible(fact.message)}\n"


def job(view: "JobView") -> Wire:
    """A job of the catalogue's list."""
    return {
        "name": view.name,
        "app": view.app,
        "description": view.description,
        "tags": list(view.tags),
        "enabled": view.enabled,
        "schedule": view.schedule,
        "timezone": view.timezone,
        "state": view.state,
        "problems": [problem.as_dict() for problem in view.problems],
        "next_fire_at": instant(view.next_fire_at),
        "last_run": None if view.last_run is None else run(view.last_run),
        "in_flight": view.in_flight,
        "step_count": view.step_count,
        "pause": None if view.pause is None else pause(view.pause),
    }


def job_detail(detail: "JobDetail") -> Wire:
    """A job with its definition and its newest runs."""
    return {
        **job(detail.view),
        "schedules": [schedule_of_job(entry) for entry in detail.schedules],
        "overlap": detail.overlap,
        "definition": dict(detail.definition),
        "definition_version": detail.version,
        "file": detail.file,
        "line": detail.line,
        "runs": [run(fact) for fact in detail.runs],
    }


def pause(fact: "Pause") -> Wire:
    """What holds a job, or all jobs, back."""
    return {
        "since": rfc3339(fact.since),
        "until": instant(fact.until),
        "reason": fact.reason,
        "then": fact.then,
        "by": fact.author,
    }


def calendar(fact: "Calendar") -> Wire:
    """What is due when, and what it will meet."""
    return {
        "items": [_coming(item) for item in fact.items],
        "truncated": fact.truncated,
        "daylight": [night(found) for found in fact.nights],
        "overlaps": [_meeting(meeting) for meeting in fact.meetings],
        "crowded": [crowd_of(crowd) for crowd in fact.crowds],
    }


def crowd_of(fact: "Crowd") -> Wire:
    """A minute in which more runs begin than may run at once."""
    return {"at": rfc3339(fact.at), "fires": fact.fires, "jobs": [*fact.jobs]}


def _coming(fact: "Coming") -> Wire:
    return {
        "at": rfc3339(fact.due.at),
        "local": fact.local.isoformat(timespec="seconds"),
        "timezone": fact.timezone,
        "job": fact.due.job,
        "schedule": fact.due.schedule,
        "preset": fact.due.preset,
        "held": fact.held,
        "meets": fact.meets,
    }


def night(fact: "Night") -> Wire:
    """A change of a zone's clock and what it moves."""
    return {
        "date": fact.before.date().isoformat(),
        "timezone": fact.timezone,
        "at": rfc3339(fact.at),
        "before": fact.before.isoformat(timespec="seconds"),
        "after": fact.after.isoformat(timespec="seconds"),
        "moved": [
            {
                "job": moved.job,
                "schedule": moved.schedule,
                "wall": moved.wall.isoformat(timespec="seconds"),
                "at": rfc3339(moved.at),
            }
            for moved in fact.moved
        ],
        "text": fact.text,
    }


def _meeting(fact: "Meeting") -> Wire:
    return {
        "job": fact.job,
        "overlap": fact.overlap,
        "p95_seconds": round(fact.seconds, 3),
        "measured_runs": fact.measured,
        "fires": fact.fires,
        "overlapping": len(fact.effects),
        "text": fact.text,
    }


def schedule_of_job(fact: "NamedNext") -> Wire:
    """One of a job's schedules and its next instants."""
    return {
        "key": fact.key,
        "name": fact.name,
        "preset": fact.preset,
        "schedule": fact.schedule.spec,
        "timezone": fact.schedule.timezone,
        "text": fact.schedule.text(),
        "description": fact.description,
        "enabled": fact.enabled,
        "next": [rfc3339(at) for at in fact.next],
    }


def preview(fact: "Preview") -> Wire:
    """A schedule in words and its next instants."""
    return {
        "schedule": fact.schedule.spec,
        "timezone": fact.schedule.timezone,
        "text": fact.schedule.text(),
        "next": [rfc3339(at) for at in fact.next],
        "warnings": [
            {"kind": warning.kind, "at": instant(warning.at), "text": warning.text}
            for warning in fact.warnings
        ],
    }


def why(fact: "Why") -> Wire:
    """What became of an instant."""
    return {"at": rfc3339(fact.at), "verdict": fact.verdict, "run_id": fact.run_id, "text": fact.text}


def plan(fact: "Plan") -> Wire:
    """What a run would do."""
    return {
        "job": fact.job,
        "definition_version": fact.definition_version,
        "params": fact.params,
        "steps": [asdict(step) for step in fact.steps],
    }


def mark(fact: "StepMark") -> Wire:
    """How far an incremental step has come."""
    return {
        "step": fact.step,
        "column": fact.column,
        "kind": fact.kind,
        "value": fact.value,
        "set_at": instant(fact.set_at),
        "set_by": fact.set_by,
    }


def backfill(fact: "Backfill") -> Wire:
    """The runs that were made, in the order in which they run."""
    return {
        "backfill": fact.number,
        "job": fact.job,
        "instants": [rfc3339(at) for at in fact.instants],
        "run_ids": [run.run_id for run in fact.runs],
    }


def backfill_state(fact: "BackfillRow", counts: dict[str, int] | None) -> Wire:
    """A backfill and how far it is."""
    return {
        "backfill": fact.number,
        "job": fact.job,
        "from": rfc3339(fact.since),
        "to": rfc3339(fact.until),
        "only_missing": bool(fact.only_missing),
        "newest_first": bool(fact.newest_first),
        "max_concurrent": fact.max_concurrent,
        "requested_at": rfc3339(fact.requested_at),
        "requested_by": fact.requested_by,
        "cancelled_at": instant(fact.cancelled_at),
        "cancelled_by": fact.cancelled_by,
        "runs": None if counts is None else {**counts},
    }


def callable_of(found: "PluginFunction") -> Wire:
    """A function of a plugin, as its source declares it."""
    return {
        "ref": found.ref,
        "name": found.name,
        "module": found.module,
        "line": found.line,
        "summary": found.summary,
        "doc": found.doc,
        "parameters": [
            {
                **asdict(parameter),
                "choices": None if parameter.choices is None else list(parameter.choices),
                "required": parameter.required,
            }
            for parameter in found.parameters
        ],
        "takes_any": found.takes_any,
        "is_async": found.is_async,
    }


def section(view: "SectionView") -> Wire:
    """A configuration file, secrets hidden."""
    return {
        "section": view.section,
        "file": view.file.name,
        "hash": view.hash,
        "values": view.values,
    }


_CONTROLS: dict[int, str] = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROLS |= {ord("\n"): "\n    ", ord("\t"): "\t", ord("\r"): "\\r"}
_CONTROLS |= {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def visible(text: str) -> str:
    """The text without characters that steer a terminal; further lines of one record are indented."""
    return text.translate(_CONTROLS)
