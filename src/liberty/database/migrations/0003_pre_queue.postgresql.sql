ALTER TABLE ly2_job_runs ADD COLUMN gates TEXT;

ALTER TABLE ly2_job_runs ADD COLUMN backfill BIGINT;

CREATE INDEX ly2_job_runs_backfill ON ly2_job_runs (backfill, id) WHERE backfill IS NOT NULL;

CREATE TABLE ly2_backfills (
  id BIGSERIAL NOT NULL,
  job TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  newest_first BOOLEAN NOT NULL,
  max_concurrent INTEGER NOT NULL,
  only_missing BOOLEAN NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  requested_by TEXT NOT NULL,
  cancelled_at TIMESTAMP WITH TIME ZONE,
  cancelled_by TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE ly2_signals (
  name TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (name)
);
