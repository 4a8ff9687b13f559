"""The engine's own log lines, in one place: what a reader of a run's log, or of the process log, sees."""

import logging

from liberty.jobs.engine.attempt import StepOutcome
from liberty.jobs.run import SKIPPED, Run, Status
from liberty.jobs.steps.base import StepConfig

_log = logging.getLogger("nomaflow")


def run_started(run: Run) -> None:
    _log.info(
        "run started · %s · job=%s · trigger=%s by %s", run.run_id, run.job, run.trigger, run.triggered_by
    )


def run_ended(run_id: str, job: str, status: Status, seconds: float, reason: str | None) -> None:
    level = logging.INFO if status == "succeeded" else logging.WARNING
    why = f" · {reason}" if reason else ""
    _log.log(level, "run %s · %s · job=%s · %s%s", status, run_id, job, _span(seconds), why)


def try_started(step: StepConfig, attempt: int, tries: int) -> None:
    """Each step type says itself that it starts, and with what; this tells the tries apart."""
    if tries > 1:
        _log.info("step %s · type=%s · try %d of %d", step.name, step.type, attempt, tries)


def step_ended(step: StepConfig, outcome: StepOutcome, seconds: float, rows: int | None) -> None:
    if outcome.error is not None:
        _log.error(
            "step %s · %s · %s · %s: %s",
            step.name,
            outcome.status,
            _span(seconds),
            outcome.error.type,
            outcome.error.message,
        )
    elif rows is not None:
        _log.info("step %s · %s · %s · %d rows", step.name, outcome.status, _span(seconds), rows)
    else:
        _log.info("step %s · %s · %s", step.name, outcome.status, _span(seconds))


def step_skipped(step: StepConfig, reason: str) -> None:
    _log.info("step %s · %s · %s", step.name, SKIPPED, reason.removeprefix("skipped: "))


def retry_scheduled(step: StepConfig, attempt: int, tries: int, seconds: float) -> None:
    _log.warning("step %s · retry triggered · try %d of %d in %s", step.name, attempt, tries, _span(seconds))


def stop_requested(run_id: str, what: str) -> None:
    _log.warning("run %s · %s", run_id, what)


def not_ours(run_id: str) -> None:
    _log.warning(
        "run %s is no longer ours to write about: it was ended elsewhere; what came late is dropped", run_id
    )


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
