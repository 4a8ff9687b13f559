"""The tables of incidents and deliveries. `database/migrations/` creates them; a test keeps both in step."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, column, literal_column

from liberty.database.types import BigId, Instant

metadata = MetaData()

incidents = Table(
    "ly2_incidents",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("job", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="what is told once until it is over"),
    Column("event", Text, nullable=False, comment="the last event of that kind"),
    Column("severity", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("run", BigInteger),
    Column("facts", Text, nullable=False),
    Column("channels", Text, nullable=False, comment="who was told"),
    Column("told_count", BigInteger, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("closed_at", Instant),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Instant),
    Column("snoozed_until", Instant),
    Column("note", Text),
    sqlite_autoincrement=True,
)
OPEN_KEY = Index(
    "ly2_incidents_open",
    incidents.c.job,
    incidents.c.kind,
    unique=True,
    sqlite_where=column("closed_at").is_(None),
    postgresql_where=column("closed_at").is_(None),
)
Index("ly2_incidents_job", incidents.c.job, incidents.c.id)

deliveries = Table(
    "ly2_notifications",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("incident", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, comment="instead of the channel's own"),
    Column("event", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("tried_at", Instant),
    Column("ended_at", Instant),
    Column("batch", Text, comment="the message it left with; its idempotency key"),
    Column("owner", Text),
    Column("owned_until", Instant),
    Column("answer", Text),
    sqlite_autoincrement=True,
)
IS_WAITING = column("state") == literal_column("'waiting'")
Index(
    "ly2_notifications_waiting",
    deliveries.c.channel,
    deliveries.c.due_at,
    deliveries.c.id,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)
Index("ly2_notifications_incident", deliveries.c.incident, deliveries.c.id)
Index("ly2_notifications_tried", deliveries.c.channel, deliveries.c.tried_at)
