"""A past for the schedule page: jobs with schedules, and rows of the ledger as weeks of firing would have left them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from liberty.database import Tx
from liberty.jobs.run import Status
from liberty.jobs.store import gaps, runs
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.runs import Fence
from tests.factories import cron, run_of
from tests.server import Server

type Ending = Literal[
    "succeeded", "failed", "partial-success", "aborted", "late", "caught up", "missed", "skipped", "held"
]

SCHEDULES = {
    "ad-sync": ("*/30 * * * *", timedelta(minutes=30), 14),
    "billing-nightly-rebuild": ("0 2 * * *", timedelta(days=1), 260),
    "crm-hourly-sync": ("0 * * * *", timedelta(hours=1), 40),
    "fares-upsert-15m": ("*/15 * * * *", timedelta(minutes=15), 9),
    "flights-nightly": ("30 2 * * *", timedelta(days=1), 320),
    "ledger-snapshot": ("30 1 * * *", timedelta(days=1), 22),
    "weather-hourly": ("5 * * * *", timedelta(hours=1), 12),
}
"""By job: its schedule, how far its instants are apart, and how many seconds it usually takes."""

JOBS = "".join(
    f'[[jobs]]\nname = "{name}"\napp = "shop"\ntags = ["{"nightly" if "nightly" in name else "sync"}"]\n'
    f'schedule = "{schedule}"\ntimezone = "Etc/UTC"\n'
    '[[jobs.steps]]\ntype = "python"\nname = "say"\ncallable = "hello.jobs:say"\n\n'
    for name, (schedule, _, _) in SCHEDULES.items()
)
SEVERAL = """\
[[jobs]]
name = "report"
app = "shop"
[[jobs.schedules]]
name = "morning"
schedule = "0 7 * * MON-FRI"
timezone = "Europe/Paris"
[[jobs.schedules]]
name = "evening"
schedule = "30 18 * * *"
timezone = "America/New_York"
[[jobs.presets]]
name = "last-year"
schedule = "0 4 1 1 *"
timezone = "Etc/UTC"
[[jobs.steps]]
type = "python"
name = "say"
callable = "hello.jobs:say"
"""


def monday(weeks_ago: int = 0) -> datetime:
    """The beginning of a week, UTC."""
    now = datetime.now(UTC)
    day = (now - timedelta(days=now.weekday(), weeks=weeks_ago)).date()
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def instants(job: str, since: datetime, until: datetime) -> Iterator[datetime]:
    first = {
        "billing-nightly-rebuild": 120,
        "flights-nightly": 150,
        "ledger-snapshot": 90,
        "weather-hourly": 5,
    }
    at = since + timedelta(minutes=first.get(job, 0))
    while at < until:
        yield at
        at += SCHEDULES[job][1]


def ending_of(job: str, number: int, at: datetime, outage: Gap) -> Ending:
    """Mostly well; here and there what a page has to show."""
    if outage.since <= at < outage.until:
        return "missed"
    if outage.until <= at < outage.until + timedelta(minutes=15):
        return "caught up"
    if job == "flights-nightly" and at.weekday() == 1:
        return "failed"
    if job == "ledger-snapshot" and at.weekday() == 3:
        return "partial-success"
    if job == "crm-hourly-sync" and number % 41 == 7:
        return "late"
    if job == "ad-sync" and number % 97 == 50:
        return "skipped"
    if job == "weather-hourly" and number % 53 == 20:
        return "aborted"
    return "succeeded"


def live_through(
    server: Server, since: datetime, until: datetime, jobs: tuple[str, ...] = tuple(SCHEDULES)
) -> Gap:
    """Write the rows; on the Wednesday nobody scheduled from 01:50 to 02:35."""
    wednesday = since + timedelta(days=(2 - since.weekday()) % 7)
    outage = Gap(
        wednesday + timedelta(hours=1, minutes=50),
        wednesday + timedelta(hours=2, minutes=35),
        "scheduler was down",
        "node-b",
    )

    async def fill(tx: Tx) -> None:
        await gaps.record(tx, outage)
        for job in jobs:
            for number, at in enumerate(instants(job, since, until)):
                await _entry(tx, job, at, ending_of(job, number, at, outage), number)

    server.lane.submit(server.runtime.database.write(fill)).result(120)
    return outage


async def _entry(tx: Tx, job: str, at: datetime, ending: Ending, number: int) -> None:
    new = run_of(job, cron(at), caught_up=ending == "caught up")
    if ending in ("missed", "skipped", "held"):
        reason = {"missed": "missed: scheduler was down", "held": "skipped: frozen by user:bob"}
        await runs.insert_skipped(tx, new, reason.get(ending, "single-instance, previous still running"), at)
        return
    began = at + timedelta(seconds={"late": 101, "caught up": 1900}.get(ending, 0))
    made = (await runs.insert_queued(tx, new, began)).run.number
    run = await runs.claim(tx, made, "me", began)
    assert run is not None
    status = Status("succeeded" if ending in ("late", "caught up") else ending)
    took = SCHEDULES[job][2] * (0.6 + (number * 7919 % 100) / 125)
    await runs.end(
        tx,
        Fence(made, "me", run.epoch),
        status,
        began + timedelta(seconds=took),
        reason="rate 85.4 % is below 92" if ending == "failed" else None,
    )
