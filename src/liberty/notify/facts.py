"""What a message says of a run, gathered when its event is looked at: the step, the error, how often lately."""

from typing import Any

from liberty.clock import rfc3339
from liberty.database import Tx
from liberty.jobs.run import ABORTED, FAILED, StepRun
from liberty.jobs.store import runs, step_runs
from liberty.notify.store import looking
from liberty.notify.store.incidents import Facts
from liberty.secrets import redactor

LATELY = 20
MAX_ERROR = 500
MAX_TRACEBACK_LINES = 30
FAILURES = (str(FAILED), str(ABORTED))


async def of_run(tx: Tx, number: int | None) -> Facts:
    """The facts of a run as JSON, secrets taken out; empty when its row is gone."""
    run = None if number is None else await runs.get(tx, number)
    if run is None:
        return {}
    lately = await looking.latest(tx, run.job, run.number, LATELY)
    facts: dict[str, Any] = {
        "run_id": run.run_id,
        "state": str(run.status),
        "reason": run.reason,
        "triggered_by": run.triggered_by,
        "scheduled_at": rfc3339(run.scheduled_at) if run.scheduled_at else None,
        "started_at": rfc3339(run.started_at) if run.started_at else None,
        "finished_at": rfc3339(run.finished_at) if run.finished_at else None,
        "duration_ms": run.duration_ms,
        "failed_lately": sum(status in FAILURES for status in lately),
        "lately": len(lately),
    }
    broken = _broken(await step_runs.of_run(tx, run.number)) if str(run.status) in FAILURES else None
    if broken is not None:
        facts["step"] = broken.name
        facts["attempts"] = broken.attempt
        if broken.error is not None:
            facts["error"] = _short(f"{broken.error.type}: {_last_line(broken.error.message)}")
            if broken.error.traceback:
                facts["traceback"] = "\n".join(broken.error.traceback.splitlines()[-MAX_TRACEBACK_LINES:])
    if "error" not in facts and str(run.status) in FAILURES and run.reason:
        facts["error"] = _short(_last_line(run.reason))
    found: Facts = redactor.redact_value(facts)
    return found


def _broken(steps: list[StepRun]) -> StepRun | None:
    """The step to blame: the first that failed, else the first that was stopped."""
    for verdict in (FAILED, ABORTED):
        for step in steps:
            if step.status == verdict:
                return step
    return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _short(text: str) -> str:
    return text if len(text) <= MAX_ERROR else f"{text[: MAX_ERROR - 1]}…"
