"""When each schedule of a generation is due next: a heap, and the same by job for whoever asks. Control loop only."""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial

from liberty.jobs.job import Fire, Job
from liberty.jobs.store.schedules import Place
from liberty.loops import contained


class Timetable:
    """The fires in force, with the next instant of each. A schedule that has none is listed in `never`."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self.fires: dict[Place, tuple[Job, Fire]] = {
            (job.name, fire.key): (job, fire) for job in jobs for fire in job.fires
        }
        self._heap: list[tuple[datetime, Place]] = []
        self._next: dict[str, dict[str, datetime | None]] = {}
        self.never: set[Place] = set()

    @property
    def specs(self) -> dict[Place, str]:
        """Every schedule as it is written, with its zone: a change of either makes it another schedule."""
        return {
            place: f"{fire.schedule.spec} @ {fire.schedule.timezone}"
            for place, (_, fire) in self.fires.items()
        }

    def first_after(
        self, marks: Mapping[Place, datetime], otherwise: datetime
    ) -> dict[Place, datetime | None]:
        """The next instant of every schedule, after its mark or after `otherwise`. May be called in a thread."""
        return {place: self.next_after(place, marks.get(place, otherwise)) for place in self.fires}

    def next_after(self, place: Place, instant: datetime) -> datetime | None:
        """The schedule's next instant; None when there is none, or when the schedule raises."""
        after = self.fires[place][1].schedule.next_after
        return contained(f"schedule {place[1]} of job {place[0]}", partial(after, instant))

    def fill(self, instants: Mapping[Place, datetime | None]) -> None:
        """Set all next instants at once."""
        self._heap = [(at, place) for place, at in instants.items() if at is not None]
        heapq.heapify(self._heap)
        self._next = {}
        for (job, key), at in instants.items():
            self._next.setdefault(job, {})[key] = at
        self.never = {place for place, at in instants.items() if at is None}

    def put(self, place: Place, at: datetime | None) -> None:
        """Set the next instant of one schedule; None keeps it out until it is put again."""
        if place not in self.fires:
            return
        self._next.setdefault(place[0], {})[place[1]] = at
        if at is not None:
            heapq.heappush(self._heap, (at, place))

    def take(self, now: datetime) -> dict[Place, datetime]:
        """What is due by `now`, out of the heap; each is to be `put` again."""
        due: dict[Place, datetime] = {}
        while self._heap and self._heap[0][0] <= now:
            at, place = heapq.heappop(self._heap)
            if self._at(place) == at:
                due[place] = at
        return due

    def roll(self, now: datetime) -> None:
        """Let what is due by `now` pass: another process fires it."""
        for place in self.take(now):
            self.put(place, self.next_after(place, now))

    @property
    def first(self) -> datetime | None:
        """The next instant of all."""
        while self._heap and self._at(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def next_of(self, job: str) -> datetime | None:
        """The next instant of any schedule of `job`."""
        return min((at for at in self._next.get(job, {}).values() if at is not None), default=None)

    def next_of_all(self) -> dict[str, datetime]:
        """The same for every job that has one."""
        found = {job: self.next_of(job) for job in self._next}
        return {job: at for job, at in found.items() if at is not None}

    def _at(self, place: Place) -> datetime | None:
        return self._next.get(place[0], {}).get(place[1])
