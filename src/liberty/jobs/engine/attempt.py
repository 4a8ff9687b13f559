"""One try of one step. Whatever user code does, the outcome is a value; only cancellation passes through."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from liberty.errors import LibertyError
from liberty.jobs.engine.retry import failure_kind
from liberty.jobs.engine.run_log import storable
from liberty.jobs.run import ABORTED, FAILED, SUCCEEDED, Status, StepError
from liberty.jobs.steps.base import RetryReason, RunContext, StepCancelled, StepConfig, StepFailed, StepResult
from liberty.jobs.steps.user_traceback import format_user_traceback
from liberty.secrets import redactor

MESSAGE_LIMIT = 8192  # characters of an error message that are kept
TRACEBACK_LIMIT = 32_768


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """How a try ended. `kind` says what sort of failure it was, for the retry policy."""

    status: Status
    result: StepResult | None = None
    error: StepError | None = None
    kind: RetryReason | Literal["final"] = "error"


class StepEnded(Exception):  # noqa: N818 - carries an outcome from where the step ran, not a failure of ours
    """The step ended elsewhere, in a process of its own, with this outcome."""

    def __init__(self, outcome: StepOutcome) -> None:
        super().__init__(str(outcome.status))
        self.outcome = outcome


async def attempt(step: StepConfig, ctx: RunContext) -> StepOutcome:
    """Run `step` once within its own timeout, of which `ctx`, made for this try, then tells."""
    deadline = asyncio.timeout(step.timeout_seconds)
    run_is_stopping = ctx.cancelled
    ctx.cancelled = lambda: run_is_stopping() or deadline.expired()
    try:
        async with deadline:
            result = await step.execute(ctx)
    except TimeoutError as error:
        if not deadline.expired():
            return failure(error)
        message = f"timeout after {step.timeout_seconds:g}s"
        return StepOutcome(FAILED, error=StepError("TimeoutError", message), kind="timeout")
    except asyncio.CancelledError:
        if ctx.is_cancelled() or _being_cancelled():
            raise
        return StepOutcome(ABORTED, error=StepError("CancelledError", "the step cancelled itself"))
    except StepEnded as ended:
        return ended.outcome
    except StepCancelled as error:
        return StepOutcome(ABORTED, error=_described(error))
    except Exception as error:  # noqa: BLE001 - edge: a step may raise anything
        return failure(error)
    return StepOutcome(SUCCEEDED, result=result)


async def attempt_preview(step: StepConfig, ctx: RunContext, deadline: float) -> dict[str, Any] | StepError:
    """What `step` would do, or why that cannot be told. `deadline` is on the clock of the loop."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            return await step.preview(ctx)
    except TimeoutError as error:
        return StepError("Timeout", "the preview took too long") if limit.expired() else _described(error)
    except Exception as error:  # noqa: BLE001 - edge: a step may raise anything
        return _described(error)


def attempt_here(function: Callable[[], StepResult]) -> StepOutcome:
    """The outcome of a try that neither waits nor can be timed out here: in a process of its own."""
    try:
        return StepOutcome(SUCCEEDED, result=function())
    except StepCancelled as error:
        return StepOutcome(ABORTED, error=_described(error))
    except Exception as error:  # noqa: BLE001 - edge: a step may raise anything
        return failure(error)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def failure(error: Exception) -> StepOutcome:
    """The outcome of a try that raised."""
    final = isinstance(error, LibertyError) and error.final
    return StepOutcome(FAILED, error=_described(error), kind="final" if final else failure_kind(error))


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception as defect:  # noqa: BLE001 - edge: an exception of a plugin may raise anything when it is shown
        return f"(its text cannot be had: {type(defect).__name__})"


def _described(error: Exception) -> StepError:
    expected = isinstance(error, StepFailed | StepCancelled | LibertyError) and error.__cause__ is None
    trace = "" if expected else format_user_traceback(error)
    return StepError(
        type=type(error).__name__,
        message=storable(redactor.redact(_text_of(error)))[:MESSAGE_LIMIT],
        traceback=redactor.redact(trace)[-TRACEBACK_LIMIT:] or None,
    )
