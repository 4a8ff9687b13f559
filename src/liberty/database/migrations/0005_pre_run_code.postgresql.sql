ALTER TABLE ly2_job_runs ADD COLUMN code TEXT;

CREATE TABLE ly2_code (
  digest TEXT NOT NULL,
  files TEXT NOT NULL,
  libraries TEXT NOT NULL,
  python TEXT NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (digest)
);
