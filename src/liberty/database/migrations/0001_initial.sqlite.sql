CREATE TABLE ly2_audit (
  id INTEGER NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  details TEXT NOT NULL,
  address TEXT,
  PRIMARY KEY (id)
);

CREATE INDEX ly2_audit_actor ON ly2_audit (actor, id);

CREATE INDEX ly2_audit_at ON ly2_audit (at);

CREATE INDEX ly2_audit_object ON ly2_audit (object, id);

CREATE TABLE ly2_roles (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ly2_roles_name ON ly2_roles (lower(name));

CREATE TABLE ly2_users (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT,
  active BOOLEAN NOT NULL,
  superuser BOOLEAN NOT NULL,
  provider TEXT NOT NULL,
  permissions TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  last_sign_in_at TEXT,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ly2_users_name ON ly2_users (lower(name));

CREATE TABLE ly2_api_tokens (
  id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL,
  permissions TEXT,
  user_version INTEGER NOT NULL,
  family TEXT,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  last_used_at TEXT,
  used_at TEXT,
  revoked_at TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(user_id) REFERENCES ly2_users (id) ON DELETE CASCADE
);

CREATE INDEX ly2_api_tokens_expires ON ly2_api_tokens (expires_at);

CREATE INDEX ly2_api_tokens_family ON ly2_api_tokens (family);

CREATE UNIQUE INDEX ly2_api_tokens_hash ON ly2_api_tokens (hash);

CREATE INDEX ly2_api_tokens_user ON ly2_api_tokens (user_id, kind);

CREATE TABLE ly2_user_roles (
  user_id INTEGER NOT NULL,
  role_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, role_id),
  FOREIGN KEY(user_id) REFERENCES ly2_users (id) ON DELETE CASCADE,
  FOREIGN KEY(role_id) REFERENCES ly2_roles (id) ON DELETE CASCADE
);

CREATE INDEX ly2_user_roles_role ON ly2_user_roles (role_id);

CREATE TABLE ly2_job_pauses (
  job TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT,
  reason TEXT,
  "then" TEXT NOT NULL,
  author TEXT NOT NULL,
  PRIMARY KEY (job)
);

CREATE TABLE ly2_job_replicas (
  id TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_started TEXT NOT NULL,
  role TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TEXT NOT NULL,
  beat_at TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE ly2_job_runs (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  run_id TEXT GENERATED ALWAYS AS ('r-' || CAST(id AS VARCHAR)) STORED,
  job TEXT NOT NULL,
  app TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  "trigger" TEXT NOT NULL,
  triggered_by TEXT NOT NULL,
  schedule TEXT,
  scheduled_at TEXT,
  queued_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  rows_affected BIGINT,
  params TEXT NOT NULL,
  overrides TEXT,
  replay_of BIGINT,
  definition_version INTEGER,
  owner TEXT,
  epoch INTEGER DEFAULT '0' NOT NULL,
  current_step TEXT,
  parent_chain TEXT,
  abort_requested_by TEXT,
  "exclusive" BOOLEAN NOT NULL,
  idempotency_key TEXT,
  log_lines BIGINT DEFAULT '0' NOT NULL,
  log_dropped BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT ly2_job_runs_final_has_end CHECK ((finished_at IS NULL) = (status IN ('queued', 'running', 'aborting')))
);

CREATE UNIQUE INDEX ly2_job_runs_fire ON ly2_job_runs (job, schedule, scheduled_at) WHERE "trigger" = 'cron';

CREATE UNIQUE INDEX ly2_job_runs_idempotency ON ly2_job_runs (job, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE INDEX ly2_job_runs_job ON ly2_job_runs (job, id);

CREATE INDEX ly2_job_runs_job_status ON ly2_job_runs (job, status, id);

CREATE INDEX ly2_job_runs_queued ON ly2_job_runs (queued_at);

CREATE UNIQUE INDEX ly2_job_runs_single ON ly2_job_runs (job) WHERE "exclusive" = 1 AND status IN ('queued', 'running', 'aborting');

CREATE INDEX ly2_job_runs_status ON ly2_job_runs (status, id);

CREATE TABLE ly2_job_versions (
  job TEXT NOT NULL,
  version INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  definition TEXT NOT NULL,
  loaded_at TEXT NOT NULL,
  PRIMARY KEY (job, version)
);

CREATE TABLE ly2_job_logs (
  job_run_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  ts TEXT NOT NULL,
  level TEXT NOT NULL,
  logger TEXT NOT NULL,
  step TEXT,
  message TEXT NOT NULL,
  PRIMARY KEY (job_run_id, seq),
  FOREIGN KEY(job_run_id) REFERENCES ly2_job_runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE ly2_step_runs (
  job_run_id BIGINT NOT NULL,
  step_index INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  attempts TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  rows_affected BIGINT,
  input TEXT,
  output TEXT,
  error TEXT,
  PRIMARY KEY (job_run_id, step_index),
  FOREIGN KEY(job_run_id) REFERENCES ly2_job_runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

-- Deleting run rows by hand takes their steps and lines along, even in a shell that has foreign keys switched off.
CREATE TRIGGER ly2_job_runs_cascade AFTER DELETE ON ly2_job_runs
BEGIN
  DELETE FROM ly2_step_runs WHERE job_run_id = OLD.id;
  DELETE FROM ly2_job_logs WHERE job_run_id = OLD.id;
END;
