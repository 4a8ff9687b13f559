"""What the web pages read, gathered: one object per page or part of one."""

from collections.abc import Callable
from dataclasses import dataclass

from liberty.clock import Clock
from liberty.database import Database
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.service.compare import Comparer
from liberty.jobs.service.data_sources import DataSources
from liberty.jobs.service.find_runs import RunFinder
from liberty.jobs.service.jobs import JobReader
from liberty.jobs.service.lanes import Lanes
from liberty.jobs.service.load import Load
from liberty.jobs.service.log_pane import LogPane
from liberty.jobs.service.overview import Overview
from liberty.jobs.service.remote_sources import RemoteSources
from liberty.jobs.service.requests import RunRequests
from liberty.jobs.service.runs import RunReader
from liberty.jobs.service.schedule import ScheduleReader
from liberty.jobs.service.story import Stories


@dataclass(frozen=True, slots=True)
class Pages:
    """The readers of the pages; all answer with JSON that is ready to be sent, but for the finder."""

    overview: Overview
    load: Load
    lanes: Lanes
    finder: RunFinder
    stories: Stories
    comparer: Comparer
    log_pane: LogPane
    sources: DataSources
    remote: RemoteSources

    @classmethod
    def of(
        cls,
        *,
        database: Database,
        clock: Clock,
        scheduler: Scheduler,
        current: Callable[[], Generation],
        jobs: JobReader,
        schedule: ScheduleReader,
        requests: RunRequests,
        reader: RunReader,
    ) -> "Pages":
        return cls(
            overview=Overview(database=database, jobs=jobs, scheduler=scheduler, current=current),
            load=Load(
                database=database, clock=clock, schedule=schedule, scheduler=scheduler, current=current
            ),
            lanes=Lanes(database=database, clock=clock, scheduler=scheduler, current=current),
            finder=RunFinder(database=database, requests=requests, current=current),
            stories=Stories(database=database, clock=clock, current=current),
            comparer=Comparer(database=database, current=current),
            log_pane=LogPane(database=database, reader=reader),
            sources=DataSources(database=database, clock=clock, current=current),
            remote=RemoteSources(current=current),
        )
