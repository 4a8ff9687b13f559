"""A sample apps repo, copied to a folder of its own and served by the real program."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liberty.auth.principal import Principal
from liberty.jobs.events import LogGrew, RunMoved
from liberty.jobs.run import LogLine, Overrides, Run, StepRun
from liberty.jobs.service import Caller, ReplayRequest
from liberty.jobs.service.runs import RunDetail
from liberty.runtime import Runtime
from liberty.settings import load_settings

SAMPLES = Path(__file__).parent / "samples"
DEADLINE_SECONDS = 10
RUN_SECONDS = 60

ALICE = Caller(Principal("alice", ("job:*",)), "manual")


def lay_out(sample: str, target: Path) -> Path:
    """Copy the sample repo to `target`; its config folder."""
    shutil.copytree(SAMPLES / sample, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target / "config"


@dataclass(slots=True)
class Site:
    """A running program and what tests ask of it."""

    root: Path
    runtime: Runtime
    alice: Caller = ALICE

    async def start(self, job: str, caller: Caller = ALICE, **overrides: Any) -> Run:
        return await self.runtime.requests.start(job, Overrides(**overrides), caller)

    async def run(self, job: str, caller: Caller = ALICE, **overrides: Any) -> RunDetail:
        """Run the job and wait for its end."""
        with self.runtime.bus.subscribe(RunMoved) as moves:
            run = await self.start(job, caller, **overrides)
            return await self._ended(run, moves)

    async def start_until(self, line: str, job: str, caller: Caller = ALICE) -> Run:
        """Start the job and return once `line` is in its log, which is read as a live viewer reads it."""
        with self.runtime.bus.subscribe(LogGrew) as logs:
            run = await self.start(job, caller)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not any(line in each.message for each in await self.log(run)):
                    await logs.next()
            return run

    async def abort(self, run: Run, caller: Caller = ALICE) -> RunDetail:
        """Abort the run and wait for its end."""
        with self.runtime.bus.subscribe(RunMoved) as moves:
            await self.runtime.requests.abort(run.run_id, caller)
            return await self._ended(run, moves)

    async def replay(self, run: Run, caller: Caller = ALICE) -> RunDetail:
        with self.runtime.bus.subscribe(RunMoved) as moves:
            return await self._ended(
                await self.runtime.requests.replay(run.run_id, ReplayRequest(), caller), moves
            )

    async def log(self, run: Run) -> list[LogLine]:
        return await self.runtime.reader.log_lines(run.number, 0)

    async def _ended(self, run: Run, moves: Any) -> RunDetail:
        async with asyncio.timeout(RUN_SECONDS):
            while not (await self.runtime.reader.get(run.run_id, ALICE)).status.final:
                await moves.next()
        return await self.runtime.reader.detail(run.run_id, ALICE)


@asynccontextmanager
async def serving(sample: str, target: Path, **environ: str) -> AsyncIterator[Site]:
    """The sample repo, copied to `target`, with everything up as a server has it."""
    async with opened(lay_out(sample, target), **environ) as site:
        yield site


@asynccontextmanager
async def opened(config: Path, **environ: str) -> AsyncIterator[Site]:
    """The program on an apps repo that is there already."""
    variables = {"LIBERTY_APPS_DIR": str(config), **environ}
    patience = {"jobs": {"drain_seconds": 1}}
    runtime = await Runtime.open(lambda: load_settings(variables, cwd=config.parent, overrides=patience))
    try:
        yield Site(config.parent, runtime)
    finally:
        await runtime.close()
        runtime.plugins.uninstall()


def only_step(detail: RunDetail) -> StepRun:
    (step,) = detail.steps
    return step


def messages(detail: RunDetail) -> list[str]:
    return [line.message for line in detail.lines]
