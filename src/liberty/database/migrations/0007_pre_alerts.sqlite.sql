CREATE TABLE ly2_alert_events (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  event TEXT NOT NULL,
  job TEXT NOT NULL,
  app TEXT NOT NULL,
  run BIGINT,
  at TEXT NOT NULL,
  detail TEXT,
  done_at TEXT,
  UNIQUE (key)
);
CREATE INDEX ly2_alert_events_open ON ly2_alert_events (id) WHERE done_at IS NULL;

CREATE TABLE ly2_incidents (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  event TEXT NOT NULL,
  severity TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  count BIGINT NOT NULL,
  run BIGINT,
  facts TEXT NOT NULL,
  channels TEXT NOT NULL,
  told_count BIGINT NOT NULL,
  told_at TEXT NOT NULL,
  reminders INTEGER NOT NULL,
  closed_at TEXT,
  acknowledged_by TEXT,
  acknowledged_at TEXT,
  snoozed_until TEXT,
  note TEXT
);
CREATE UNIQUE INDEX ly2_incidents_open ON ly2_incidents (job, kind) WHERE closed_at IS NULL;
CREATE INDEX ly2_incidents_job ON ly2_incidents (job, id);

CREATE TABLE ly2_notifications (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  incident BIGINT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT,
  event TEXT NOT NULL,
  facts TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  tried_at TEXT,
  ended_at TEXT,
  batch TEXT,
  owner TEXT,
  owned_until TEXT,
  answer TEXT,
  UNIQUE (key)
);
CREATE INDEX ly2_notifications_waiting ON ly2_notifications (channel, due_at, id) WHERE state = 'waiting';
CREATE INDEX ly2_notifications_incident ON ly2_notifications (incident, id);
CREATE INDEX ly2_notifications_tried ON ly2_notifications (channel, tried_at);
