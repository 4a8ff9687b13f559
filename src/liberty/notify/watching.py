"""What nobody reports because it does not happen: runs that are late, take long, jobs that cannot be loaded."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from liberty.clock import rfc3339
from liberty.database import Tx
from liberty.jobs.store.alert_events import AlertEvent
from liberty.notify.planning import Basis
from liberty.notify.store import looking
from liberty.notify.store.incidents import Incident

MAX_DETAIL = 500


async def late_and_long(tx: Tx, basis: Basis, now: datetime) -> list[AlertEvent]:
    """Runs that are under way or wait for longer than their job allows."""
    found: list[AlertEvent] = []
    for run in await looking.under_way(tx):
        alerts = basis.notifications.alerts_of(basis.job(run.job))
        minutes = alerts.on_long_run_minutes if alerts else None
        if minutes is not None and now - run.since >= timedelta(minutes=minutes):
            detail = f"running for more than {minutes:g} minutes"
            found.append(
                AlertEvent(
                    f"run:{run.run}:long-running", "long-running", run.job, run.app, run.run, now, detail
                )
            )
    for run in await looking.not_started(tx, now):
        alerts = basis.notifications.alerts_of(basis.job(run.job))
        minutes = alerts.late_after_minutes if alerts else None
        if minutes is not None and now - run.since >= timedelta(minutes=minutes):
            detail = f"due more than {minutes:g} minutes ago and not started"
            found.append(AlertEvent(f"run:{run.run}:late", "late", run.job, run.app, run.run, now, detail))
    return found


def quarantined(basis: Basis, open_ones: Sequence[Incident], now: datetime) -> list[AlertEvent]:
    """Jobs whose definition is wrong, so that they do not run, and of which nobody was told yet."""
    told = {incident.job for incident in open_ones if incident.kind == "quarantined"}
    return [
        AlertEvent(
            f"quarantined:{name}:{rfc3339(now)}",
            "quarantined",
            name,
            job.app,
            None,
            now,
            job.reason[:MAX_DETAIL],
        )
        for name, job in basis.catalogue.quarantined.items()
        if name not in told
    ]
