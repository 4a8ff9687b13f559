"""From one due schedule to the rows it needs: its pending instants, their verdicts, and the runs to be made of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from liberty.errors import LibertyError
from liberty.jobs.engine.firing import MAX_FIRES, Firing, NewFire
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.planning import Budget, Verdict, pending, plan_fires
from liberty.jobs.engine.requests import new_run
from liberty.jobs.job import Fire, Job
from liberty.jobs.run import NewRun, Trigger
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.pauses import Pause
from liberty.jobs.store.queue import job_gate
from liberty.jobs.store.schedules import Mark, Place


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written for a schedule, and when to look at it `next`.

    `waits`: a pause holds back what follows; `next` is its end then, None while nobody knows.
    """

    mark: Mark
    job: Job
    fire: Fire
    verdicts: tuple[Verdict, ...]
    waits: bool
    next: datetime | None

    @property
    def watermark(self) -> datetime:
        return self.verdicts[-1].at if self.verdicts else self.mark.watermark


def draft(
    mark: Mark,
    job: Job,
    fire: Fire,
    now: datetime,
    pauses: Sequence[Pause],
    gaps: Sequence[Gap],
    budget: Budget,
) -> Draft:
    """What becomes of the instants of one schedule after its mark, up to `now`."""
    found = pending(fire.schedule, job.name, mark.watermark, now, pauses, budget)
    window = timedelta(seconds=job.catchup_window_seconds)
    verdicts = plan_fires(found.stretches, now, job.catchup, window, gaps)
    watermark = verdicts[-1].at if verdicts else mark.watermark
    following = found.until if found.waits else fire.schedule.next_after(watermark)
    return Draft(mark, job, fire, tuple(verdicts), found.waits, following)


def firing_of(draft: Draft, generation: Generation, now: datetime) -> Firing:
    """The rows of a draft. One whose params cannot be worked out is skipped and says so, like any due instant."""
    caught_up = sum(verdict.does == "catch up" for verdict in draft.verdicts)
    rows = tuple(
        _row(verdict, draft, generation, now, in_line=caught_up > 1 and draft.job.overlap == "skip")
        for verdict in draft.verdicts
    )
    return Firing(draft.mark.place, draft.job, draft.mark.watermark, draft.watermark, rows)


def _row(verdict: Verdict, draft: Draft, generation: Generation, now: datetime, *, in_line: bool) -> NewFire:
    """`in_line`: several are caught up of a job that allows one run at a time; they follow each other."""
    job = draft.job
    trigger = Trigger("cron", "cron", scheduled_at=verdict.at, schedule=draft.fire.key)
    if verdict.does == "skip":
        covers = verdict.covers
        new = _bare(job, trigger, generation)
        if covers is not None:
            new = replace(new, covers_since=covers.first, covers_count=covers.count)
        return NewFire(new, verdict.reason)
    try:
        new = new_run(job, generation, trigger, draft.fire.overrides, now)
    except LibertyError as error:
        return NewFire(_bare(job, trigger, generation), f"skipped: cannot be started: {error.message}")
    if verdict.does == "catch up":
        new = replace(new, caught_up=True)
        if in_line:
            new = replace(new, exclusive=False, gates=(job_gate(job.name), *new.gates))
    return NewFire(new, None)


def _bare(job: Job, trigger: Trigger, generation: Generation) -> NewRun:
    return NewRun(
        job.name,
        job.app,
        trigger,
        definition_version=generation.versions.get(job.name),
        exclusive=job.single_instance,
    )


def batches(drafts: Iterable[Draft | Place]) -> Iterator[list[Draft | Place]]:
    """Groups of at most `MAX_FIRES` rows; the rows of one schedule stay together."""
    batch: list[Draft | Place] = []
    rows = 0
    for item in drafts:
        more = len(item.verdicts) if isinstance(item, Draft) else 0
        if batch and rows + more > MAX_FIRES:
            yield batch
            batch, rows = [], 0
        batch.append(item)
        rows += more
    if batch:
        yield batch
