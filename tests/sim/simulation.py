"""One seed: a few minutes of bad days for one to three replicas, then calm, then everything is counted."""

import asyncio
import logging
import random
import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from liberty.connectors import ConnectorRegistry
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.definition import build_job
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import Job
from liberty.jobs.store import pauses
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.plugins import Plugins
from liberty.secrets import Keyring
from liberty.settings import Settings, load_settings
from tests.sim.check import Told, check
from tests.sim.replica import Replica, SkewedClock
from tests.sim.world import World

TROUBLED_SECONDS = 100.0
CALM_SECONDS = 65.0
LONGEST_LINE_SECONDS = 3000.0
EDITED = "edited"

_STEP = {"type": "python", "callable": "work:noop"}
_JOBS: dict[str, dict[str, Any]] = {
    "often": {"schedule": "every 5s", "single_instance": False},
    "single": {"schedule": "every 10s"},
    "minutely": {"schedule": "* * * * *", "catchup_window_seconds": 90},
    "all": {"schedule": "every 15s", "catchup": "all", "single_instance": False},
    "all-in-line": {"schedule": "every 10s", "catchup": "all", "catchup_window_seconds": 60},
    "line": {"schedule": "every 15s", "overlap": "queue"},
    "none": {"schedule": "every 7s", "catchup": "none"},
    "after": {"schedule": "every 20s", "depends_on": ["minutely"]},
    "two": {"schedule": "every 30s", "presets": [{"name": "p", "schedule": "every 45s"}]},
    "every-other-second": {"schedule": "every 2s", "single_instance": False},
    EDITED: {"schedule": "every 10s"},
}
_AGAIN: dict[str, Any] = {"schedule": "every 8s"}


@dataclass
class Outcome:
    """What a seed came to; `violations` is empty when every promise was kept."""

    seed: int
    dialect: str
    rows: int
    violations: list[str]
    caught: dict[str, int] = field(default_factory=dict)


def simulate(seed: int) -> Outcome:
    """Run one seed from beginning to end."""
    random.seed(seed)  # the pauses between tries come from the common generator
    world = World(seed, "sqlite" if seed % 4 == 3 else "postgresql")
    errors = _Errors()
    root = logging.getLogger()
    before = root.level
    root.addHandler(errors)
    root.setLevel(logging.ERROR)
    logging.getLogger("nomaflow").setLevel(logging.CRITICAL)
    try:
        story = Story(world)
        world.loop.run_until_complete(story.tell())
        violations = [*errors.found, *check(world, story.told)]
        rows = world.connection.execute("SELECT count(*) FROM ly2_job_runs").fetchone()[0]
        kinds = dict(
            world.connection.execute(
                "SELECT CASE WHEN covers_since IS NOT NULL THEN 'summary' WHEN caught_up THEN 'caught up' "
                "WHEN reason LIKE 'missed%' THEN 'missed' WHEN reason LIKE 'skipped: % by %' THEN 'held back' "
                "WHEN reason LIKE 'orphaned%' THEN 'orphaned' ELSE status END, count(*) FROM ly2_job_runs GROUP BY 1"
            ).fetchall()
        )
        return Outcome(seed, world.dialect, rows, violations, kinds)
    finally:
        root.removeHandler(errors)
        root.setLevel(before)
        logging.getLogger("nomaflow").setLevel(logging.NOTSET)
        world.close()


class Story:
    """What befalls the replicas of one seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        dice = world.dice
        names = dice.sample([name for name in _JOBS if name != EDITED], dice.randint(2, 4))
        if dice.random() < 0.4:
            names.append(EDITED)
        self.jobs = {name: _job(name) for name in sorted(names)}
        self.generation = _generation(self.jobs)
        self.alone = world.dialect == "sqlite"
        # On SQLite every process of the machine reads the same clock.
        self.clock = SkewedClock(world, timedelta())
        self.told = Told(self.jobs)
        self.up: list[Replica] = []
        self.made = 0
        self.frozen: set[str] = set()

    async def tell(self) -> None:
        world, dice = self.world, self.world.dice
        for _ in range(1 if self.alone else dice.randint(1, 3)):
            self.begin()
        await asyncio.sleep(dice.uniform(2, 8))
        world.trouble = dice.choice([0.0, 0.01, 0.05, 0.2])
        while world.loop.time() < TROUBLED_SECONDS:
            await asyncio.sleep(dice.expovariate(1 / 7))
            await dice.choice(self.events)()
        await self.calm()

    @property
    def events(self) -> list[Any]:
        usual = [self.kill, self.kill, self.stop, self.pause_process, self.pause_process, self.outage]
        usual += [self.hold, self.hold, self.release, self.reload, self.start_another, self.start_another]
        return [*usual, self.jump, self.jump]

    def begin(self) -> None:
        skew = timedelta(seconds=self.world.dice.uniform(-30, 30))
        clock = self.clock if self.alone else SkewedClock(self.world, skew)
        self.made += 1
        one = Replica(self.world, f"sim-{self.made}", clock, self.generation)
        self.up.append(one)
        one.start()

    async def start_another(self) -> None:
        if len(self.up) < (1 if self.alone else 3):
            self.begin()

    async def kill(self) -> None:
        if self.up:
            self.up.pop(self.world.dice.randrange(len(self.up))).kill()

    async def stop(self) -> None:
        if self.up:
            await self.up.pop(self.world.dice.randrange(len(self.up))).stop()

    async def pause_process(self) -> None:
        """SIGSTOP, and SIGCONT up to a minute later."""
        if self.up:
            length = self.world.dice.uniform(0, 60)
            self.world.dice.choice(self.up).sleeper.stopped_until = self.world.loop.time() + length

    async def outage(self) -> None:
        self.world.away_until = self.world.loop.time() + self.world.dice.choice([1, 5, 20, 45])

    async def jump(self) -> None:
        """A replica's clock is set; on SQLite it is everybody's."""
        if self.alone:
            self.clock.skew += timedelta(
                seconds=self.world.dice.choice([-3600, -120, -30, 40, 600, 7200, -86400])
            )
        elif self.up:
            self.world.dice.choice(self.up).clock.skew = timedelta(
                seconds=self.world.dice.choice([-3600, 0, 7200, -86400])
            )

    async def hold(self) -> None:
        dice = self.world.dice
        name = dice.choice([FREEZE, *self.jobs])
        now = self.schedulers_now
        until = now + timedelta(seconds=dice.choice([5, 30, 70])) if dice.random() < 0.5 else None
        pause = Pause(name, now, until, "sim", dice.choice(["drop", "latest", "all"]), "user:bob")
        self.world.drive(pauses.put, pause)
        self.told.held(self.world, pause)
        self.frozen.add(name)

    async def release(self) -> None:
        if self.frozen:
            name = self.world.dice.choice(sorted(self.frozen))
            self.frozen.discard(name)
            self.world.drive(pauses.clear, name, self.schedulers_now)
            self.told.released(self.world, name)

    async def reload(self) -> None:
        """The same files again, or with the edited job written differently; every replica gets them."""
        if EDITED in self.jobs and self.world.dice.random() < 0.7:
            again = self.jobs[EDITED].schedule == _JOBS[EDITED]["schedule"]
            self.jobs = {**self.jobs, EDITED: _job(EDITED, **(_AGAIN if again else {}))}
            self.told.edited.add(EDITED)
        self.generation = _generation(self.jobs)
        for one in self.up:
            one.begin_reload(self.generation)

    @property
    def schedulers_now(self) -> Any:
        return self.clock.now() if self.alone else self.world.now

    async def calm(self) -> None:
        """No more trouble: somebody is up, nothing is held, and there is time to settle."""
        self.world.trouble = self.world.away_until = 0.0
        for name in sorted(self.frozen):
            self.world.drive(pauses.clear, name, self.schedulers_now)
            self.told.released(self.world, name)
        for one in self.up:
            one.sleeper.stopped_until = 0.0
        if not self.up:
            self.begin()
        # The clock is right again: what waits for a clock that was ahead has come.
        self.told.calm_from = self.schedulers_now
        await asyncio.sleep(CALM_SECONDS)
        self.told.ended = self.schedulers_now
        # Nothing new falls due, and what runs ends.
        for one in self.up:
            await one.reload(_generation({}, enabled=False))
        deadline = self.world.loop.time() + LONGEST_LINE_SECONDS
        while self.world.in_flight and self.world.loop.time() < deadline:
            await asyncio.sleep(5)
        for one in self.up:
            one.kill()
        await asyncio.sleep(1)


class _Errors(logging.Handler):
    """An exception that a loop outlived is a defect all the same."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(f"logged: {record.getMessage()}: {record.exc_info and record.exc_info[1]!r}")


@cache
def _parts() -> tuple[Settings, ConnectorRegistry, Plugins]:
    root = Path(tempfile.mkdtemp(prefix="nomaflow-sim-"))
    (root / "config").mkdir()
    (root / "config" / "app.toml").write_text("[jobs]\n", "utf-8")
    settings = load_settings(
        {"LIBERTY_APPS_DIR": str(root / "config"), "LIBERTY_DATA_DIR": str(root / "data")}, cwd=root
    )
    connectors = ConnectorRegistry.from_document(None, settings, Keyring([]))
    return settings, connectors, Plugins(settings.paths.plugins_dir, "restart")


def _generation(jobs: dict[str, Job], *, enabled: bool = True) -> Generation:
    settings, connectors, plugins = _parts()
    if not enabled:
        settings = replace(settings, jobs=settings.jobs.model_copy(update={"scheduler_enabled": False}))
    return Generation(settings, Catalogue(jobs=dict(jobs)), connectors, plugins)


def _job(name: str, **changes: Any) -> Job:
    return build_job({"name": name, "timezone": "UTC", "steps": [_STEP], **_JOBS[name], **changes})
