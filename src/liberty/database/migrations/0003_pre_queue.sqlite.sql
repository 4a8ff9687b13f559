ALTER TABLE ly2_job_runs ADD COLUMN gates TEXT;

ALTER TABLE ly2_job_runs ADD COLUMN backfill BIGINT;

CREATE INDEX ly2_job_runs_backfill ON ly2_job_runs (backfill, id) WHERE backfill IS NOT NULL;

CREATE TABLE ly2_backfills (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  newest_first BOOLEAN NOT NULL,
  max_concurrent INTEGER NOT NULL,
  only_missing BOOLEAN NOT NULL,
  requested_at TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  cancelled_at TEXT,
  cancelled_by TEXT
);

CREATE TABLE ly2_signals (
  name TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (name)
);
