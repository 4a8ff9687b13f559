CREATE TABLE ly2_job_edits (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  version INTEGER,
  action TEXT NOT NULL,
  summary TEXT NOT NULL,
  toml TEXT NOT NULL,
  file TEXT NOT NULL,
  author TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX ly2_job_edits_job ON ly2_job_edits (job, id);
