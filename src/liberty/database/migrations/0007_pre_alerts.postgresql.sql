CREATE TABLE ly2_alert_events (
  id BIGSERIAL PRIMARY KEY,
  key TEXT NOT NULL,
  event TEXT NOT NULL,
  job TEXT NOT NULL,
  app TEXT NOT NULL,
  run BIGINT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  detail TEXT,
  done_at TIMESTAMP WITH TIME ZONE,
  UNIQUE (key)
);
CREATE INDEX ly2_alert_events_open ON ly2_alert_events (id) WHERE done_at IS NULL;

CREATE TABLE ly2_incidents (
  id BIGSERIAL PRIMARY KEY,
  job TEXT NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  event TEXT NOT NULL,
  severity TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  count BIGINT NOT NULL,
  run BIGINT,
  facts TEXT NOT NULL,
  channels TEXT NOT NULL,
  told_count BIGINT NOT NULL,
  told_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reminders INTEGER NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  acknowledged_by TEXT,
  acknowledged_at TIMESTAMP WITH TIME ZONE,
  snoozed_until TIMESTAMP WITH TIME ZONE,
  note TEXT
);
CREATE UNIQUE INDEX ly2_incidents_open ON ly2_incidents (job, kind) WHERE closed_at IS NULL;
CREATE INDEX ly2_incidents_job ON ly2_incidents (job, id);

CREATE TABLE ly2_notifications (
  id BIGSERIAL PRIMARY KEY,
  key TEXT NOT NULL,
  incident BIGINT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT,
  event TEXT NOT NULL,
  facts TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  tried_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  batch TEXT,
  owner TEXT,
  owned_until TIMESTAMP WITH TIME ZONE,
  answer TEXT,
  UNIQUE (key)
);
CREATE INDEX ly2_notifications_waiting ON ly2_notifications (channel, due_at, id) WHERE state = 'waiting';
CREATE INDEX ly2_notifications_incident ON ly2_notifications (incident, id);
CREATE INDEX ly2_notifications_tried ON ly2_notifications (channel, tried_at);
