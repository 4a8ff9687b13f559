"""The tables of run history. `database/migrations/` creates them; a test keeps both in step."""

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Computed,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    column,
    false,
    literal_column,
)

from liberty.database.types import BigId, Instant
from liberty.jobs.run import IN_FLIGHT

metadata = MetaData()

runs = Table(
    "ly2_job_runs",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("run_id", Text, Computed("'r-' || CAST(id AS VARCHAR)", persisted=True)),
    Column("job", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("trigger", Text, nullable=False),
    Column("triggered_by", Text, nullable=False),
    Column("schedule", Text),
    Column("scheduled_at", Instant),
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("rows_affected", BigInteger),
    Column("params", Text, nullable=False),
    Column("overrides", Text),
    Column("replay_of", BigInteger),
    Column("definition_version", Integer),
    Column("owner", Text),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("current_step", Text),
    Column("parent_chain", Text),
    Column("abort_requested_by", Text),
    Column("exclusive", Boolean, nullable=False),
    Column("idempotency_key", Text),
    Column("log_lines", BigInteger, nullable=False, server_default="0"),
    Column("log_dropped", BigInteger, nullable=False, server_default="0"),
    Column("caught_up", Boolean, nullable=False, server_default=false()),
    Column("covers_since", Instant),
    Column("covers_count", Integer),
    Column("gates", Text),
    Column("backfill", BigInteger),
    Column("code", Text),
    CheckConstraint(
        "(finished_at IS NULL) = (status IN ('queued', 'running', 'aborting'))",
        name="ly2_job_runs_final_has_end",
    ),
    sqlite_autoincrement=True,
)


def status_in(statuses: Iterable[str]) -> ColumnElement[bool]:
    """A condition with the statuses written out, so that partial indexes match it and nothing is left to bind."""
    return column("status", Text).in_([literal_column(f"'{status}'") for status in statuses])


_in_flight = status_in(IN_FLIGHT)

FIRE_KEY = Index(
    "ly2_job_runs_fire",
    runs.c.job,
    runs.c.schedule,
    runs.c.scheduled_at,
    unique=True,
    sqlite_where=column("trigger") == literal_column("'cron'"),
    postgresql_where=column("trigger") == literal_column("'cron'"),
)
SINGLE_INSTANCE_KEY = Index(
    "ly2_job_runs_single",
    runs.c.job,
    unique=True,
    sqlite_where=column("exclusive", Boolean) & _in_flight,
    postgresql_where=column("exclusive", Boolean) & _in_flight,
)
Index(
    "ly2_job_runs_idempotency",
    runs.c.job,
    runs.c.idempotency_key,
    unique=True,
    sqlite_where=column("idempotency_key").is_not(None),
    postgresql_where=column("idempotency_key").is_not(None),
)
Index(
    "ly2_job_runs_summary",
    runs.c.job,
    runs.c.scheduled_at,
    sqlite_where=column("covers_since").is_not(None),
    postgresql_where=column("covers_since").is_not(None),
)
Index(
    "ly2_job_runs_backfill",
    runs.c.backfill,
    runs.c.id,
    sqlite_where=column("backfill").is_not(None),
    postgresql_where=column("backfill").is_not(None),
)
Index("ly2_job_runs_job_status", runs.c.job, runs.c.status, runs.c.id)
Index("ly2_job_runs_status", runs.c.status, runs.c.id)
Index("ly2_job_runs_job", runs.c.job, runs.c.id)
Index("ly2_job_runs_queued", runs.c.queued_at)

step_runs = Table(
    "ly2_step_runs",
    metadata,
    Column("job_run_id", BigInteger, ForeignKey("ly2_job_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("step_index", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("attempts", Text, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("rows_affected", BigInteger),
    Column("input", Text),
    Column("output", Text),
    Column("error", Text),
    sqlite_with_rowid=False,
)

logs = Table(
    "ly2_job_logs",
    metadata,
    Column("job_run_id", BigInteger, ForeignKey("ly2_job_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("ts", Instant, nullable=False),
    Column("level", Text, nullable=False),
    Column("logger", Text, nullable=False),
    Column("step", Text),
    Column("message", Text, nullable=False),
    sqlite_with_rowid=False,
)

versions = Table(
    "ly2_job_versions",
    metadata,
    Column("job", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("definition", Text, nullable=False),
    Column("loaded_at", Instant, nullable=False),
)

replicas = Table(
    "ly2_job_replicas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

pauses = Table(
    "ly2_job_pauses",
    metadata,
    Column("job", Text, primary_key=True, comment="a job's name, or * for the freeze of all jobs"),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("reason", Text),
    Column("then", Text, nullable=False),
    Column("author", Text, nullable=False),
)

pause_history = Table(
    "ly2_job_pause_history",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("job", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("reason", Text),
    Column("then", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("ended_at", Instant, nullable=False),
)
Index("ly2_job_pause_history_ended", pause_history.c.ended_at)

schedules = Table(
    "ly2_job_schedules",
    metadata,
    Column("job", Text, primary_key=True),
    Column("schedule", Text, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("watermark", Instant, nullable=False),
    Column("since", Instant, nullable=False),
)

lock = Table(
    "ly2_jobs_lock",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("renewed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

gaps = Table(
    "ly2_scheduler_gaps",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("cause", Text, nullable=False),
    Column("holder", Text, nullable=False),
)
Index("ly2_scheduler_gaps_until", gaps.c.until)

backfills = Table(
    "ly2_backfills",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("job", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("newest_first", Boolean, nullable=False),
    Column("max_concurrent", Integer, nullable=False),
    Column("only_missing", Boolean, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("cancelled_at", Instant),
    Column("cancelled_by", Text),
    sqlite_autoincrement=True,
)

signals = Table(
    "ly2_signals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

copy_marks = Table(
    "ly2_copy_marks",
    metadata,
    Column("job", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value", Text),
    Column("revision", BigInteger, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
)

job_edits = Table(
    "ly2_job_edits",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("job", Text, nullable=False),
    Column("version", Integer, comment="what the definition was loaded as; NULL when the job was deleted"),
    Column("action", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("toml", Text, nullable=False, comment="the job's own text, as it was written or deleted"),
    Column("file", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
Index("ly2_job_edits_job", job_edits.c.job, job_edits.c.id)

code = Table(
    "ly2_code",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("files", Text, nullable=False),
    Column("libraries", Text, nullable=False),
    Column("python", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

alert_events = Table(
    "ly2_alert_events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column(
        "key", Text, nullable=False, unique=True, comment="one event is stored once, however often it is seen"
    ),
    Column("event", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("run", BigInteger),
    Column("at", Instant, nullable=False),
    Column("detail", Text),
    Column("done_at", Instant, comment="when it was made into an incident, or found to concern nobody"),
    sqlite_autoincrement=True,
)
Index(
    "ly2_alert_events_open",
    alert_events.c.id,
    sqlite_where=column("done_at").is_(None),
    postgresql_where=column("done_at").is_(None),
)
