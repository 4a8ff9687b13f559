"""What tests of the store and the engine are built from: rows, an apps repo on disk, a running program."""

import asyncio
import inspect
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, overload

from liberty.auth.principal import Principal
from liberty.database import Database, open_database
from liberty.database.migrate import migrate
from liberty.jobs.run import LogLine, NewRun, Overrides, Run, Status, StepRun, Trigger, TriggerKind
from liberty.jobs.service import Caller, ReplayRequest
from liberty.jobs.service.runs import RunDetail
from liberty.jobs.store import runs
from liberty.jobs.store.runs import Fence
from liberty.runtime import Runtime
from liberty.settings import Settings, load_settings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = 15.0  # seconds after which a condition that did not come true fails its test


@overload
async def eventually[T](look: Callable[[], Awaitable[T]], *, within: float = ..., what: str = ...) -> T: ...
@overload
async def eventually[T](look: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...
async def eventually(
    look: Callable[[], Any], *, within: float = PATIENCE, what: str = "the condition"
) -> Any:
    """Look until the answer is true, and give it back."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        answer = await found if inspect.isawaitable(found) else found
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within:g} s; last answer: {answer!r}")
        await asyncio.sleep(0.01)


# -- rows


def cron(at: datetime = NOW, schedule: str = "main") -> Trigger:
    return Trigger("cron", "cron", scheduled_at=at, schedule=schedule)


def asked_for(kind: TriggerKind = "manual", by: str = "user:alice") -> Trigger:
    return Trigger(kind, by)


def run_of(job: str = "nightly", trigger: Trigger | None = None, **fields: Any) -> NewRun:
    """A run as it is before the store has it; overlapping is allowed unless `exclusive=True` is given."""
    return NewRun(
        **{"job": job, "app": "reporting", "trigger": trigger or asked_for(), "exclusive": False, **fields}
    )


def step(index: int = 0, status: str = "succeeded", **fields: Any) -> StepRun:
    facts: dict[str, Any] = {
        "index": index,
        "name": f"step-{index}",
        "type": "python",
        "status": Status(status),
        "reason": None,
        "attempts": (),
        "started_at": NOW,
        "finished_at": None if status == "running" else NOW,
        "rows_affected": None,
        "input": None,
        "output": None,
        "error": None,
    }
    return StepRun(**{**facts, **fields})


def line(seq: int, message: str = "hello", level: str = "INFO", step: str | None = "step-0") -> LogLine:
    return LogLine(seq, NOW, level, "app.log", step, message)


async def claimed(database: Database, new: NewRun | None = None, owner: str = "me") -> tuple[Run, Fence]:
    """A run that `owner` runs, and its proof."""
    queued = await database.write(runs.insert_queued, new or run_of(), NOW)
    run = await database.write(runs.claim, queued.run.number, owner, NOW)
    assert run is not None
    return run, Fence(run.number, owner, run.epoch)


@asynccontextmanager
async def migrated(url: str) -> AsyncIterator[Database]:
    """The database at `url` with the present schema."""
    database = open_database(url)
    try:
        await migrate(database, NOW)
        yield database
    finally:
        await database.close()


# -- a program


def caller(via: TriggerKind = "manual", name: str = "alice", **rights: Any) -> Caller:
    return Caller(Principal(name, **(rights or {"superuser": True})), via)


ALICE = caller()


@dataclass
class AppsRepo:
    """An apps repo on disk: configuration, one plugin module `work`, and the run history's database."""

    root: Path
    database_url: str
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.root / "config").mkdir(parents=True)
        (self.root / "plugins").mkdir()
        self.app()
        self.connectors("")

    def app(self, text: str = "", **jobs: object) -> "AppsRepo":
        """Write `app.toml`; keyword arguments go into `[jobs]`."""
        values: dict[str, object] = {"abort_grace_seconds": 0.4, "drain_seconds": 0, **jobs}
        lines = "\n".join(f"{key} = {str(value).lower()}" for key, value in values.items())
        plugins = "" if "[plugins]" in text else '[plugins]\nreload = "restart"\n'
        self._write("config/app.toml", f"[jobs]\n{lines}\n{plugins}{textwrap.dedent(text)}")
        return self

    def jobs(self, text: str) -> "AppsRepo":
        self._write("config/jobs.toml", textwrap.dedent(text))
        return self

    def connectors(self, text: str) -> "AppsRepo":
        self._write(
            "config/connectors.toml",
            f'[pools.default]\nurl = "{self.database_url}"\n{textwrap.dedent(text)}',
        )
        return self

    def notifications(self, text: str) -> "AppsRepo":
        self._write("config/notifications.toml", textwrap.dedent(text))
        return self

    def plugin(self, code: str, module: str = "work") -> "AppsRepo":
        self._write(f"plugins/{module}.py", PLUGIN_PREAMBLE + textwrap.dedent(code))
        return self

    def _write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, "utf-8")

    @property
    def marks(self) -> Path:
        """Where plugin functions leave signs: `mark("name")` there, `repo.marked("name")` here."""
        return self.root / "marks"

    def marked(self, name: str) -> bool:
        return (self.marks / name).exists()

    def settings(self) -> Settings:
        self.marks.mkdir(exist_ok=True)
        return load_settings(
            {
                "LIBERTY_APPS_DIR": str(self.root / "config"),
                "LIBERTY_DATA_DIR": str(self.root / "data"),
                "MARKS": str(self.marks),
                **self.keys,
            },
            cwd=self.root,
        )

    @asynccontextmanager
    async def running(self, role: str = "cli") -> AsyncIterator["Program"]:
        """The program, up; closed at the end of the block."""
        runtime = await Runtime.open(self.settings, role=role)
        try:
            yield Program(runtime, self)
        finally:
            await runtime.close()
            runtime.plugins.uninstall()


PLUGIN_PREAMBLE = """\
import asyncio
import logging
import sys
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

def mark(ctx, name):
    (Path(ctx.settings.environ["MARKS"]) / name).write_text(ctx.run_id)

def marked(ctx, name):
    return (Path(ctx.settings.environ["MARKS"]) / name).exists()

def noop():
    return None

async def wait_for_ever(ctx):
    mark(ctx, f"started-{ctx.step_name}")
    await asyncio.sleep(3600)

async def wait_for_go(ctx):
    mark(ctx, f"started-{ctx.step_name}")
    while not marked(ctx, "go"):
        await asyncio.sleep(0.01)

"""


@dataclass
class Program:
    """A running program and short ways to use it."""

    runtime: Runtime
    repo: AppsRepo

    async def start(self, job: str, caller: Caller = ALICE, **overrides: Any) -> Run:
        return await self.runtime.requests.start(job, Overrides(**overrides), caller)

    async def run(self, job: str, **overrides: Any) -> RunDetail:
        """Start `job` and wait for its end."""
        return await self.ended(await self.start(job, **overrides))

    async def ended(self, run: Run | str, *, within: float = PATIENCE) -> RunDetail:
        number = run if isinstance(run, str) else run.run_id

        async def final() -> bool:
            return (await self.runtime.reader.get(number, ALICE)).status.final

        await eventually(final, within=within, what=f"the end of {number}")
        return await self.detail(number)

    async def detail(self, run: Run | str) -> RunDetail:
        return await self.runtime.reader.detail(run if isinstance(run, str) else run.run_id, ALICE)

    async def status(self, run: Run) -> Status:
        return (await self.runtime.reader.get(run.run_id, ALICE)).status

    async def abort(self, run: Run, caller: Caller = ALICE) -> Run:
        return await self.runtime.requests.abort(run.run_id, caller)

    async def replay(self, run: Run, **fields: Any) -> Run:
        return await self.runtime.requests.replay(run.run_id, ReplayRequest(**fields), ALICE)

    async def marked(self, name: str) -> None:
        await eventually(lambda: self.repo.marked(name), what=f"the mark {name!r}")

    def mark(self, name: str) -> None:
        (self.repo.marks / name).touch()

    async def latest(self, job: str) -> RunDetail:
        """The newest run of `job`."""
        page = await self.runtime.reader.page(ALICE, jobs=[job], limit=1)
        return await self.detail(page.items[0])

    async def messages(self, run: Run | str) -> list[str]:
        """Every stored line of a run, checked to be numbered 1..n without gap."""
        number = int((run if isinstance(run, str) else run.run_id).removeprefix("r-"))
        found: list[LogLine] = []
        while lines := await self.runtime.reader.log_lines(number, len(found)):
            found += lines
        assert [line.seq for line in found] == list(range(1, len(found) + 1))
        return [line.message for line in found]


def python_job(name: str, function: str, *more: str, **step_keys: object) -> str:
    """The TOML of a job of one python step; `more` are lines of the job itself."""
    keys = "".join(f"{key} = {str(value).lower()}\n" for key, value in step_keys.items())
    head = "\n".join(more)
    return (
        f'[[jobs]]\nname = "{name}"\n{head}\n'
        f'[[jobs.steps]]\ntype = "python"\nname = "only"\ncallable = "work:{function}"\n{keys}\n'
    )
