ALTER TABLE ly2_job_runs ADD COLUMN caught_up BOOLEAN DEFAULT 0 NOT NULL;

ALTER TABLE ly2_job_runs ADD COLUMN covers_since TEXT;

ALTER TABLE ly2_job_runs ADD COLUMN covers_count INTEGER;

CREATE INDEX ly2_job_runs_summary ON ly2_job_runs (job, scheduled_at) WHERE covers_since IS NOT NULL;

CREATE TABLE ly2_job_pause_history (
  id INTEGER NOT NULL,
  job TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT,
  reason TEXT,
  "then" TEXT NOT NULL,
  author TEXT NOT NULL,
  ended_at TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX ly2_job_pause_history_ended ON ly2_job_pause_history (ended_at);

CREATE TABLE ly2_job_schedules (
  job TEXT NOT NULL,
  schedule TEXT NOT NULL,
  spec TEXT NOT NULL,
  watermark TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (job, schedule)
);

CREATE TABLE ly2_jobs_lock (
  name TEXT NOT NULL,
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  acquired_at TEXT NOT NULL,
  renewed_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE ly2_scheduler_gaps (
  id INTEGER NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  cause TEXT NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX ly2_scheduler_gaps_until ON ly2_scheduler_gaps (until);
