CREATE TABLE ly2_copy_marks (
  job TEXT NOT NULL,
  step TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT,
  revision BIGINT NOT NULL,
  set_at TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (job, step)
);
