"""What changed since the last success, and two runs side by side."""

from collections.abc import Callable, Sequence

from liberty.database import Database, Tx
from liberty.errors import NotFound
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import Json, Run, StepRun, run_number
from liberty.jobs.service import wire
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.differences import MAX_LISTED, Change, Side, differences, without_status
from liberty.jobs.service.story import definition_of_run, neighbour
from liberty.jobs.service.wire import Wire
from liberty.jobs.store import code as code_store
from liberty.jobs.store import history, runs, step_runs, versions
from liberty.jobs.store.history import Neighbour, StepTook
from liberty.secrets import redactor

MAX_COMPARED = 200


class Comparer:
    """Reads two runs and tells what is different."""

    def __init__(self, *, database: Database, current: Callable[[], Generation]) -> None:
        self._database = database
        self._current = current

    async def changes(self, run_id: str, caller: Caller) -> Wire:
        """What is different from the last success of the job before this run. Raises NotFound."""
        run = await self._run(run_id, caller)
        after, before, usual = await self._database.read(_with_success, run.number)
        if before is None:
            return {"run_id": run.run_id, "since": None, "items": [], "more": 0, "code_known": False}
        found = without_status(differences(before, after, usual))
        then = before.run
        return {
            "run_id": run.run_id,
            "since": neighbour(Neighbour(then.number, str(then.status), then.queued_at)),
            "items": [_change(change) for change in found[:MAX_LISTED]],
            "more": max(0, len(found) - MAX_LISTED),
            "code_known": before.code is not None and after.code is not None,
        }

    async def compare(self, a: str, b: str, caller: Caller) -> Wire:
        """From run `a` to run `b`. Raises NotFound for one the caller may not read."""
        first, second = await self._run(a, caller), await self._run(b, caller)
        one, other = await self._database.read(_both, first.number, second.number)
        found = differences(one, other)
        return {
            "a": wire.run(one.run),
            "b": wire.run(other.run),
            "same_job": one.run.job == other.run.job,
            "items": [_change(change) for change in found[:MAX_COMPARED]],
            "more": max(0, len(found) - MAX_COMPARED),
            "code_known": one.code is not None and other.code is not None,
            "steps": _steps(one.steps, other.steps),
        }

    async def _run(self, run_id: str, caller: Caller) -> Run:
        number = run_number(run_id)
        run = await self._database.read(runs.get, number) if number is not None else None
        return caller.run(run, run_id, "read")


async def _side(tx: Tx, number: int) -> Side:
    run = await runs.get(tx, number)
    if run is None:
        raise NotFound(f"no run 'r-{number}'")
    version = run.definition_version
    return Side(
        run,
        await step_runs.of_run(tx, number),
        definition_of_run(await versions.definition(tx, run.job, version) if version is not None else None),
        await code_store.get(tx, run.code),
    )


async def _with_success(tx: Tx, number: int) -> tuple[Side, Side | None, list[StepTook]]:
    after = await _side(tx, number)
    success = await history.success_before(tx, after.run.job, number)
    before = await _side(tx, success.number) if success is not None else None
    return after, before, await history.steps_took(tx, after.run.job, number)


async def _both(tx: Tx, a: int, b: int) -> tuple[Side, Side]:
    return await _side(tx, a), await _side(tx, b)


def _change(change: Change) -> Wire:
    shown: dict[str, Json] = redactor.redact_value(
        {change.name.rpartition(".")[2]: {"before": change.before, "after": change.after}}
    )
    values = next(iter(shown.values()))
    hidden = not isinstance(values, dict)
    return {
        "kind": change.kind,
        "name": redactor.redact(change.name),
        "before": values["before"] if isinstance(values, dict) else values,
        "after": values["after"] if isinstance(values, dict) else values,
        "text": f"{change.name} was changed" if hidden else redactor.redact(change.text),
        "likely_cause": change.likely_cause,
    }


def _steps(a: Sequence[StepRun], b: Sequence[StepRun]) -> list[Json]:
    first, second = {step.name: step for step in a}, {step.name: step for step in b}

    def side(step: StepRun | None, letter: str) -> Wire:
        return {
            f"status_{letter}": None if step is None else str(step.status),
            f"duration_ms_{letter}": None if step is None else step.duration_ms,
            f"rows_{letter}": None if step is None else step.rows_affected,
            f"tries_{letter}": 0 if step is None else step.attempt,
        }

    names = dict.fromkeys([*first, *second])
    return [{"name": name, **side(first.get(name), "a"), **side(second.get(name), "b")} for name in names]
