ALTER TABLE ly2_job_runs ADD COLUMN caught_up BOOLEAN DEFAULT false NOT NULL;

ALTER TABLE ly2_job_runs ADD COLUMN covers_since TIMESTAMP WITH TIME ZONE;

ALTER TABLE ly2_job_runs ADD COLUMN covers_count INTEGER;

CREATE INDEX ly2_job_runs_summary ON ly2_job_runs (job, scheduled_at) WHERE covers_since IS NOT NULL;

CREATE TABLE ly2_job_pause_history (
  id BIGSERIAL NOT NULL,
  job TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  until TIMESTAMP WITH TIME ZONE,
  reason TEXT,
  "then" TEXT NOT NULL,
  author TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX ly2_job_pause_history_ended ON ly2_job_pause_history (ended_at);

CREATE TABLE ly2_job_schedules (
  job TEXT NOT NULL,
  schedule TEXT NOT NULL,
  spec TEXT NOT NULL,
  watermark TIMESTAMP WITH TIME ZONE NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (job, schedule)
);

CREATE TABLE ly2_jobs_lock (
  name TEXT NOT NULL,
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  acquired_at TIMESTAMP WITH TIME ZONE NOT NULL,
  renewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE ly2_scheduler_gaps (
  id BIGSERIAL NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  cause TEXT NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX ly2_scheduler_gaps_until ON ly2_scheduler_gaps (until);
