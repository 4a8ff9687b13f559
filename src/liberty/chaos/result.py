"""What an experiment is told and what it gives back."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

type Count = int | float | str


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard to try, and on what."""

    database: str | None = None
    """An SQLAlchemy URL; None: an SQLite file of the experiment's own."""
    seconds: float = 600
    """How long one experiment goes on hurting; arranging and settling come on top."""
    rounds: int | None = None
    """Experiments that go in rounds stop after so many; None: each has its own number."""
    replicas: int = 3
    jobs: int = 20
    seed: int = 1
    patience: float = 1.0
    """Limits of time are multiplied by it: more than 1 where the machine does other things too."""
    restart_database: Callable[[], Awaitable[None]] | None = None
    """Given by whoever owns the database server: stops it hard and starts it again."""
    say: Callable[[str], None] = lambda _: None

    @property
    def on_postgresql(self) -> bool:
        return self.database is not None and self.database.startswith("postgresql")

    def result(self, experiment: str) -> "Result":
        return Result(experiment, patience=self.patience)

    def dice(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed} {purpose}")  # noqa: S311 - repeatable on purpose

    def turns(self, usual: int) -> "Turns":
        return Turns(self.rounds if self.rounds is not None else usual, time.monotonic() + self.seconds)


@dataclass(slots=True)
class Turns:
    """Counts rounds: at least one, at most `limit`, none begun after `deadline` (monotonic)."""

    limit: int
    deadline: float
    done: int = 0

    def another(self) -> bool:
        if self.done and (self.done >= self.limit or time.monotonic() > self.deadline):
            return False
        self.done += 1
        return True


@dataclass(slots=True)
class Result:
    """Raw counts, and what was violated. An experiment that could not be done says why and counts as neither."""

    experiment: str
    counts: dict[str, Count] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    not_run: str | None = None
    seconds: float = 0
    patience: float = 1.0

    def limit(self, what: str, found: float, at_most: float, unit: str = "s") -> None:
        """Note a measured figure and its bound; above it the promise is violated."""
        self.counts[what] = round(found, 3)
        if found > at_most * self.patience:
            self.violations.append(f"{what}: {found:.3g} {unit}, promised at most {at_most:g} {unit}")

    def none_of(self, what: str, found: int, sentence: str) -> None:
        """Note a count that has to be 0."""
        self.counts[what] = found
        if found:
            self.violations.append(f"{found} {sentence}")


def quantile(values: list[float], part: float) -> float:
    """The value below which `part` of `values` lie; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
