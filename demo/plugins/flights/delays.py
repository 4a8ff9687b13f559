"""The hourly summary of delays."""

import logging

from sqlalchemy import text

from liberty.connectors import ConnectorRegistry
from liberty.jobs.steps.base import RunContext

# An ordinary logger: whatever a step logs, or prints, is found in the log of its run.
_log = logging.getLogger(__name__)

TABLE = """
    CREATE TABLE IF NOT EXISTS hourly_delays (
        hour TIMESTAMP NOT NULL,
        carrier TEXT NOT NULL,
        airline TEXT NOT NULL,
        flights INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        mean_delay REAL,
        run_id TEXT NOT NULL,
        summarised_at TIMESTAMP NOT NULL,
        PRIMARY KEY (hour, carrier)
    )
"""

# Run twice for one hour, it leaves one row per airline: a job that may be retried or replayed has to bear that.
SUMMARY = """
    INSERT INTO hourly_delays
    SELECT f.time_hour, f.carrier, a.name, count(*), sum(f.dep_time IS NULL), round(avg(f.dep_delay), 1),
           :run_id, datetime('now')
      FROM flights f JOIN airlines a ON a.carrier = f.carrier
     WHERE f.time_hour = :hour
     GROUP BY f.time_hour, f.carrier, a.name
        ON CONFLICT (hour, carrier) DO UPDATE
       SET flights = excluded.flights, cancelled = excluded.cancelled, mean_delay = excluded.mean_delay,
           run_id = excluded.run_id, summarised_at = excluded.summarised_at
"""

WORST = "SELECT airline, mean_delay FROM hourly_delays WHERE hour = :hour ORDER BY mean_delay DESC LIMIT 1"


async def summarise_hour(*, connectors: ConnectorRegistry, ctx: RunContext, hour: str) -> dict:
    """`connectors` and `ctx` are handed in because they are named here; `hour` comes from the step's op_kwargs."""
    engine = connectors.pools.engine("reporting")  # a SQLAlchemy AsyncEngine
    async with engine.begin() as connection:  # one transaction: all rows or none
        await connection.execute(text(TABLE))
        written = (await connection.execute(text(SUMMARY), {"hour": hour, "run_id": ctx.run_id})).rowcount
        worst = (await connection.execute(text(WORST), {"hour": hour})).first()
    _log.info("%s · %d airlines · worst: %s, %s minutes", hour, written, worst.airline, worst.mean_delay)
    # `rows_affected` counts in the run's total; the whole dict is the step's output.
    return {"rows_affected": written, "hour": hour, "worst": worst.airline, "mean_delay": worst.mean_delay}
