-- What identification found out. WKMP's services neither read nor mind these tables.

-- What each passage was taken for, and the whole reasoning.
CREATE TABLE IF NOT EXISTS accession_identifications (
    passage_id TEXT PRIMARY KEY REFERENCES passages(guid) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN (
        'identified',  -- with confidence enough for a song
        'doubtful',    -- somebody should look at the candidates
        'none',        -- nobody knows it
        'retry_later', -- a service did not answer
        'chosen',      -- a person said what it is
        'rejected'     -- a person said what it is not
    )),
    recording_mbid TEXT,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    level TEXT NOT NULL CHECK (level IN ('high', 'medium', 'low', 'none')),
    reasoning TEXT NOT NULL, -- JSON: what was heard, every candidate, its evidence and what speaks against it
    start_time_ticks INTEGER NOT NULL, -- of the passage as it was then
    end_time_ticks INTEGER NOT NULL,
    identified_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_accession_identifications_state ON accession_identifications(state);
-- Those that need a look, the worst first. The statements of `review` have the same condition, word by word; what its
-- numbers mean is told there.
CREATE INDEX IF NOT EXISTS idx_accession_identifications_doubt
ON accession_identifications ((state <> 'identified'), confidence, passage_id)
WHERE state = 'doubtful'
    OR (state = 'identified' AND (level <> 'high'
        OR coalesce(CASE WHEN json_valid(reasoning) THEN
            json_extract(reasoning, '$.candidates[1].confidence') END, 0) >= 0.02))
    OR (state = 'none' AND confidence >= 0.1);

-- What the services answered, so that nothing is asked twice. No answer: they know no such thing.
CREATE TABLE IF NOT EXISTS accession_answers (
    service TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT, -- JSON, in our own form
    answered_at INTEGER NOT NULL DEFAULT (unixepoch()),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (service, question)
) WITHOUT ROWID;

-- How recordings sound according to others than our own analysis.
CREATE TABLE IF NOT EXISTS accession_flavors (
    recording_mbid TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('AcousticBrainz')),
    flavor TEXT NOT NULL, -- JSON: characteristic, class, probability
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    submission INTEGER NOT NULL DEFAULT 0, -- the service's number of it, by recording
    PRIMARY KEY (recording_mbid, source)
) WITHOUT ROWID;

-- What AcousticBrainz measured of recordings.
CREATE TABLE IF NOT EXISTS accession_low_levels (
    recording_mbid TEXT PRIMARY KEY,
    description TEXT NOT NULL, -- JSON: tempo, key, loudness and the like; NULL for what is not known
    submission INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;

-- How far dumps of AcousticBrainz were read.
CREATE TABLE IF NOT EXISTS accession_dumps (
    path TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    wanted TEXT NOT NULL, -- digest of the recordings that were looked for
    position INTEGER NOT NULL, -- in bytes of the unpacked archive
    is_finished INTEGER NOT NULL CHECK (is_finished IN (0, 1)),
    read_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;
