"""What the routes call: the open program and the use cases made from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from liberty.api.liveness import Liveness
from liberty.api.run_counter import RunCounter
from liberty.auth import audit
from liberty.database import Tx
from liberty.errors import Problem, Unavailable
from liberty.jobs.engine.generation import Generation
from liberty.jobs.service import Caller
from liberty.jobs.service.backfill import Backfills
from liberty.jobs.service.config_files import ConfigFiles, ConfigSection
from liberty.jobs.service.connectors_text import ConnectorsText
from liberty.jobs.service.definitions import Definitions
from liberty.jobs.service.drafts import Drafts
from liberty.jobs.service.explain import Explainer
from liberty.jobs.service.jobs import JobReader
from liberty.jobs.service.marks import Marks
from liberty.jobs.service.operate import Operations
from liberty.jobs.service.pages import Pages
from liberty.jobs.service.plan import Planner
from liberty.jobs.service.schedule import ScheduleReader
from liberty.jobs.service.step_tests import StepTests
from liberty.jobs.service.technical import Technical
from liberty.jobs.service.versions import Versions
from liberty.notify.config import SECRET_KEYS
from liberty.notify.load import path_of, problems_of_text
from liberty.notify.service import Incidents
from liberty.runtime import Reload, Runtime


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may use. `admin_ready` ends when the first administrator exists."""

    runtime: Runtime
    liveness: Liveness
    admin_ready: Callable[[], Awaitable[object]]
    counter: RunCounter
    jobs: JobReader
    operations: Operations
    schedule: ScheduleReader
    explainer: Explainer
    planner: Planner
    backfills: Backfills
    marks: Marks
    config: ConfigFiles
    connectors_text: ConnectorsText
    incidents: Incidents
    drafts: Drafts
    definitions: Definitions
    versions: Versions
    step_tests: StepTests
    technical: Technical
    pages: Pages

    @classmethod
    def of(
        cls, runtime: Runtime, liveness: Liveness, admin_ready: Callable[[], Awaitable[object]]
    ) -> "Services":
        database, clock, scheduler, engine = (
            runtime.database,
            runtime.clock,
            runtime.scheduler,
            runtime.engine,
        )

        def current() -> Generation:
            return runtime.generation

        drafts = Drafts(clock=clock, current=current)
        planner = Planner(database=database, clock=clock, current=current)
        definitions = Definitions(
            database=database,
            clock=clock,
            scheduler=scheduler,
            current=current,
            reload=runtime.reload,
            drafts=drafts,
        )
        jobs = JobReader(database=database, scheduler=scheduler, current=current)
        schedule = ScheduleReader(database=database, clock=clock, scheduler=scheduler, current=current)
        return cls(
            runtime=runtime,
            liveness=liveness,
            admin_ready=admin_ready,
            counter=RunCounter(runtime.bus),
            jobs=jobs,
            operations=Operations(
                database=database, clock=clock, scheduler=scheduler, current=current, reload=runtime.reload
            ),
            schedule=schedule,
            explainer=Explainer(database=database, clock=clock, scheduler=scheduler, current=current),
            planner=planner,
            backfills=Backfills(database=database, clock=clock, engine=engine, current=current),
            marks=Marks(database=database, clock=clock, current=current),
            config=ConfigFiles(
                database=database,
                clock=clock,
                keyring=runtime.keyring,
                current=current,
                reload=runtime.reload,
                more=[_notifications_section(runtime)],
            ),
            connectors_text=ConnectorsText(
                database=database,
                clock=clock,
                keyring=runtime.keyring,
                current=current,
                reload=runtime.reload,
            ),
            incidents=Incidents(database=database, clock=clock, notifier=runtime.notifier, current=current),
            drafts=drafts,
            definitions=definitions,
            versions=Versions(database=database, current=current, definitions=definitions),
            step_tests=StepTests(
                database=database,
                clock=clock,
                engine=engine,
                current=current,
                drafts=drafts,
                definitions=definitions,
                planner=planner,
            ),
            technical=Technical(
                database=database, clock=clock, engine=engine, scheduler=scheduler, current=current
            ),
            pages=Pages.of(
                database=database,
                clock=clock,
                scheduler=scheduler,
                current=current,
                jobs=jobs,
                schedule=schedule,
                requests=runtime.requests,
                reader=runtime.reader,
            ),
        )

    async def reload(self, caller: Caller) -> Reload:
        """Read the configuration again, for somebody who asked. Raises Invalid when a file does not parse."""
        found = await self.runtime.reload()

        async def note(tx: Tx) -> None:
            await audit.record(
                tx,
                at=found.reloaded_at,
                actor=caller.principal,
                action="reload",
                object="config:*",
                details={"jobs": found.jobs, "quarantined": found.quarantined},
                address=caller.address,
            )

        await self.runtime.database.write(note)
        return found

    def refuse_while_stopping(self) -> None:
        """Raises Unavailable once the server has been told to stop."""
        if self.liveness.phase == "stopping":
            raise Unavailable("the server is stopping and starts no more runs")

    async def close(self) -> None:
        """End what works in the background."""
        await self.counter.close()


def _notifications_section(runtime: Runtime) -> ConfigSection:
    """How `notifications.toml` is edited."""

    def problems(_: ConfigFiles, text: str, path: Path) -> list[Problem]:
        return problems_of_text(text, path, runtime.settings, runtime.keyring, runtime.generation.catalogue)

    return ConfigSection("notifications", path_of, problems, SECRET_KEYS)
