"""What must be true when a simulation has come to rest, read from the database and its own witness table."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from liberty.jobs.engine.scheduler import CLOCK_WENT_BACK
from liberty.jobs.job import Job
from liberty.jobs.run import FINAL, LEGAL_MOVES, QUEUED, SKIPPED, Status
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.jobs.triggers.base import between
from tests.sim.world import START, World

EPSILON = timedelta(seconds=10)


@dataclass
class Told:
    """What the operators did, so that it can be checked whether it was heeded."""

    jobs: dict[str, Job]
    edited: set[str] = field(default_factory=set)
    pauses: list[tuple[int, int | None, Pause]] = field(default_factory=list)
    calm_from: datetime = START
    ended: datetime = START

    def held(self, world: World, pause: Pause) -> None:
        self.released(world, pause.job)
        self.pauses.append((world.sequence, None, pause))

    def released(self, world: World, name: str) -> None:
        self.pauses = [
            (begun, world.sequence if ended is None and pause.job == name else ended, pause)
            for begun, ended, pause in self.pauses
        ]


def check(world: World, told: Told) -> list[str]:
    """Every broken promise, as a sentence."""
    return [
        *_accounting(world, told),
        *_moves(world),
        *_single_instance(world, told),
        *_pauses(world, told),
    ]


def _accounting(world: World, told: Told) -> list[str]:
    """Each due instant has exactly one row; no row stands for an instant that was not due."""
    wrong: list[str] = []
    own: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    covered: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    rows = world.connection.execute(
        "SELECT job, schedule, scheduled_at, covers_since, status, reason, run_id FROM ly2_job_runs"
    )
    for job, schedule, at, since, status, reason, run_id in rows.fetchall():
        instant = datetime.fromisoformat(at)
        if since is None:
            own[(job, schedule)].append(instant)
        else:
            covered[(job, schedule)].append((datetime.fromisoformat(since), instant))
        if status == SKIPPED and not reason:
            wrong.append(f"{run_id} was skipped without a reason")
    marks = world.connection.execute("SELECT job, schedule, since, watermark FROM ly2_job_schedules")
    for job, schedule, since, watermark in marks.fetchall():
        place = (job, schedule)
        twice = len(own[place]) - len(set(own[place]))
        if twice:
            wrong.append(f"{place}: {twice} instants have two rows")
        fire = next((fire for fire in told.jobs[job].fires if fire.key == schedule), None)
        if fire is None or job in told.edited:
            continue
        begin, mark = datetime.fromisoformat(since), datetime.fromisoformat(watermark)
        due = set(between(fire.schedule, begin, told.ended - EPSILON))
        have = set(own[place])
        for first, last in covered[place]:
            have |= set(between(fire.schedule, first - timedelta(seconds=1), last))
        missing = sorted(due - have)
        if missing:
            wrong.append(f"{place}: {len(missing)} due instants have no row, the first is {missing[0]}")
        extra = [at for at in own[place] if fire.schedule.next_after(at - timedelta(seconds=1)) != at]
        if extra:
            wrong.append(f"{place}: rows for {len(extra)} instants that were not due: {extra[0]}")
        if mark > max(told.ended, begin) + CLOCK_WENT_BACK:
            wrong.append(f"{place}: the watermark {mark} lies in the future")
    for place, instants in own.items():
        if len(instants) != len(set(instants)):
            wrong.append(f"{place}: an instant has two rows")
    return wrong


def _moves(world: World) -> list[str]:
    """Only legal moves; nothing is left that is not final."""
    wrong: list[str] = []
    for number, before, after in world.connection.execute("SELECT id, before, after FROM witness").fetchall():
        legal = (
            after in (QUEUED, SKIPPED)
            if before is None
            else Status(after) in LEGAL_MOVES.get(Status(before), ())
        )
        if not legal:
            wrong.append(f"r-{number} moved from {before} to {after}")
    left = world.connection.execute("SELECT run_id, status FROM ly2_job_runs").fetchall()
    wrong += [f"{run_id} is still {status}" for run_id, status in left if Status(status) not in FINAL]
    return wrong


def _single_instance(world: World, told: Told) -> list[str]:
    """No two runs of a job that allows one were in progress at a time; those in a line wait as queued rows."""
    wrong: list[str] = []
    flying: dict[str, set[int]] = defaultdict(set)
    for number, job, after in world.connection.execute(
        "SELECT id, job, after FROM witness ORDER BY rowid"
    ).fetchall():
        if Status(after) in FINAL or after == QUEUED:
            flying[job].discard(number)
            continue
        flying[job].add(number)
        if told.jobs[job].single_instance and len(flying[job]) > 1:
            wrong.append(f"{job}: {sorted(flying[job])} were in progress at a time")
    return wrong


def _pauses(world: World, told: Told) -> list[str]:
    """Nothing fires for an instant that a pause in force holds back at that moment."""
    wrong: list[str] = []
    made = world.connection.execute(
        "SELECT r.run_id, r.job, r.scheduled_at, w.sequence FROM ly2_job_runs r JOIN witness w "
        "ON w.id = r.id AND w.before IS NULL WHERE w.after = 'queued'"
    ).fetchall()
    for run_id, job, at, sequence in made:
        instant = datetime.fromisoformat(at)
        for begun, ended, pause in told.pauses:
            in_force = begun < sequence and (ended is None or sequence < ended)
            over = pause.until is not None and pause.then != "drop"
            if in_force and not over and pause.job in (FREEZE, job) and pause.holds(instant):
                wrong.append(f"{run_id} of {job} for {at} fired although {pause} held it back")
    return wrong
