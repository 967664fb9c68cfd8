-- Imports that a server was asked for, so that one that was killed goes on where it was, and those that waited follow.
CREATE TABLE IF NOT EXISTS accession_jobs (
    job_id TEXT PRIMARY KEY,
    folder TEXT NOT NULL, -- below the root folder, with `/`; empty for the root folder itself
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'completed', 'cancelled', 'failed')),
    started_at TEXT NOT NULL, -- when it was asked for, UTC, RFC 3339
    ended_at TEXT, -- NULL: it is under way, or the server was killed
    report TEXT -- JSON: how it ended, until then the terms that it was asked for with
);
CREATE INDEX IF NOT EXISTS idx_accession_jobs_started ON accession_jobs(started_at);
