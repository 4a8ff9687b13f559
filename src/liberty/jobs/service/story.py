"""One run on a time axis: its wait, its steps with every try, what is usual, and the source where it broke."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from liberty.clock import Clock, rfc3339
from liberty.database import Database, Tx
from liberty.errors import Invalid, NotFound
from liberty.jobs.definition import job_from_definition
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import Attempt, Json, Run, StepRun, run_number
from liberty.jobs.service import wire
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.source_lines import SourceFrame, frames_of
from liberty.jobs.service.wire import Wire
from liberty.jobs.store import code as code_store
from liberty.jobs.store import history, runs, step_runs, versions
from liberty.jobs.store.code import Code
from liberty.jobs.store.history import Neighbour, StepTook
from liberty.plugins import PluginSet


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What is stored about a run and its like."""

    run: Run
    steps: list[StepRun]
    definition: str | None
    code: Code | None
    took: list[int]
    steps_took: list[StepTook]
    around: tuple[Neighbour | None, Neighbour | None]
    last_success: Run | None
    replays: list[Neighbour]


class Stories:
    """Tells the story of a run."""

    def __init__(self, *, database: Database, clock: Clock, current: Callable[[], Generation]) -> None:
        self._database = database
        self._clock = clock
        self._current = current

    async def document(self, run_id: str, caller: Caller) -> Wire:
        """Everything the waterfall draws. Raises NotFound."""
        number = run_number(run_id)
        run = await self._database.read(runs.get, number) if number is not None else None
        run = caller.run(run, run_id, "read")
        facts = await self._database.read(story_facts, run.number)
        if facts is None:
            raise NotFound(f"no run {run_id!r}")
        return told(facts, self._current().plugins.snapshot(), self._clock.now())


async def story_facts(tx: Tx, number: int) -> StoryFacts | None:
    """Read in one go; the run first, so that a run that shows as ended has its last steps."""
    run = await runs.get(tx, number)
    if run is None:
        return None
    version = run.definition_version
    return StoryFacts(
        run=run,
        steps=await step_runs.of_run(tx, number),
        definition=await versions.definition(tx, run.job, version) if version is not None else None,
        code=await code_store.get(tx, run.code),
        took=await history.runs_took(tx, run.job, number),
        steps_took=await history.steps_took(tx, run.job, number),
        around=await history.around(tx, run.job, number),
        last_success=await history.success_before(tx, run.job, number),
        replays=await history.replays(tx, run.job, number),
    )


def told(facts: StoryFacts, plugins: PluginSet, now: datetime) -> Wire:
    """The facts as the page reads them."""
    run = facts.run
    until = run.started_at or run.finished_at or now
    last = facts.last_success
    return {
        "run": wire.run(run),
        "now": rfc3339(now),
        "queue_wait_ms": _milliseconds(run.queued_at, until),
        "waits_for": [_gate(gate.key) for gate in run.gates],
        "median_ms": round(median(facts.took)) if facts.took else None,
        "measured_runs": len(facts.took),
        "steps": _steps(facts, plugins),
        "previous": neighbour(facts.around[0]),
        "next": neighbour(facts.around[1]),
        "last_success": None
        if last is None
        else neighbour(Neighbour(last.number, str(last.status), last.queued_at)),
        "replays": [neighbour(replay) for replay in facts.replays],
    }


def neighbour(fact: Neighbour | None) -> Wire | None:
    """Another run of the job, in short."""
    if fact is None:
        return None
    return {"run_id": f"r-{fact.number}", "status": fact.status, "queued_at": rfc3339(fact.queued_at)}


def _gate(key: str) -> str:
    kind, _, name = key.partition(":")
    return f"pool {name}" if kind == "pool" else f"its turn among runs of {name}" if kind == "job" else key


def _steps(facts: StoryFacts, plugins: PluginSet) -> list[Json]:
    usual: dict[str, list[int]] = {}
    rows: dict[str, list[int]] = {}
    for took in facts.steps_took:
        if took.milliseconds is not None:
            usual.setdefault(took.name, []).append(took.milliseconds)
        if took.rows is not None:
            rows.setdefault(took.name, []).append(took.rows)
    then = facts.code.files if facts.code is not None else None
    told_steps: list[Json] = []
    recorded = {record.index for record in facts.steps}
    for record in facts.steps:
        frames = frames_of(record.error.traceback if record.error else None, plugins, then)
        told_steps.append(_step(record, usual, rows, frames))
    waiting = not facts.run.status.final
    for index, (name, kind) in enumerate(_declared(facts.definition)):
        if index not in recorded and waiting:
            told_steps.append(_waiting(index, name, kind, usual, rows))
    return told_steps


def _declared(definition: str | None) -> list[tuple[str, str]]:
    if definition is None:
        return []
    try:
        return [(step.name, step.type) for step in job_from_definition(definition).steps]
    except Invalid:  # of an older release
        return []


def _middle(values: Sequence[int] | None) -> int | None:
    return round(median(values)) if values else None


def _step(
    record: StepRun,
    usual: Mapping[str, list[int]],
    rows: Mapping[str, list[int]],
    frames: Sequence[SourceFrame],
) -> Wire:
    rows_in, rows_out = rows_of(record)
    return {
        "index": record.index,
        "name": record.name,
        "type": record.type,
        "status": str(record.status),
        "reason": record.reason,
        "started_at": wire.instant(record.started_at),
        "finished_at": wire.instant(record.finished_at),
        "duration_ms": record.duration_ms,
        "median_ms": _middle(usual.get(record.name)),
        "median_rows": _middle(rows.get(record.name)),
        "rows_in": rows_in,
        "rows_out": rows_out,
        "tries": [_try(attempt) for attempt in record.attempts],
        "error": wire.error(record.error),
        "frames": [
            {
                "file": frame.file,
                "line": frame.line,
                "function": frame.function,
                "changed": frame.changed,
                "lines": [{"number": number, "text": text} for number, text in frame.lines],
            }
            for frame in frames
        ],
    }


def _waiting(
    index: int, name: str, kind: str, usual: Mapping[str, list[int]], rows: Mapping[str, list[int]]
) -> Wire:
    return {
        "index": index,
        "name": name,
        "type": kind,
        "status": "waiting",
        "reason": None,
        "started_at": None,
        "finished_at": None,
        "duration_ms": None,
        "median_ms": _middle(usual.get(name)),
        "median_rows": _middle(rows.get(name)),
        "rows_in": None,
        "rows_out": None,
        "tries": [],
        "error": None,
        "frames": [],
    }


def _try(attempt: Attempt) -> Wire:
    end = attempt.finished_at
    return {
        "number": attempt.number,
        "status": str(attempt.status),
        "started_at": rfc3339(attempt.started_at),
        "finished_at": wire.instant(end),
        "duration_ms": None if end is None else _milliseconds(attempt.started_at, end),
        "wait_ms": None if attempt.wait_seconds is None else round(attempt.wait_seconds * 1000),
        "error": wire.error(attempt.error),
    }


_ROWS_IN = ("rows_read", "source_rows", "row_count", "rows_in")


def rows_of(record: StepRun) -> tuple[int | None, int | None]:
    """Rows the step took in and gave out, as far as its output tells."""
    output = record.output if isinstance(record.output, dict) else {}
    taken = next((output[key] for key in _ROWS_IN if isinstance(output.get(key), int)), None)
    return (taken if isinstance(taken, int) else None), record.rows_affected


def definition_of_run(text: str | None) -> dict[str, Json]:
    """A stored definition as a table; empty when there is none."""
    found: dict[str, Json] = json.loads(text) if text is not None else {}
    return found


def _milliseconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
