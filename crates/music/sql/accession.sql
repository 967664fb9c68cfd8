-- Accession's own tables in a WKMP library. WKMP's services neither read nor mind them.

-- What one analysis of a file's content found out, and what it was made from, to
-- tell an unchanged file without reading it.
CREATE TABLE IF NOT EXISTS accession_files (
    file_id TEXT PRIMARY KEY REFERENCES files(guid) ON DELETE CASCADE,
    modified_ns INTEGER NOT NULL, -- since 1970; files.modification_time has whole seconds only
    analysis_version INTEGER NOT NULL,
    description_version INTEGER, -- NULL is 1
    container TEXT,
    codec TEXT,
    frames INTEGER CHECK (frames IS NULL OR frames >= 0),
    damaged_frames INTEGER NOT NULL DEFAULT 0 CHECK (damaged_frames >= 0),
    damage TEXT, -- what is wrong with a file that was recorded all the same
    segmentation TEXT, -- JSON: how the boundaries were decided
    tags TEXT, -- JSON: every tag read, under one set of names for all formats
    decoder TEXT, -- the program that decoded it, where it was not this one
    misnamed TEXT, -- what the content is, where the name says something else
    changed_ns INTEGER, -- its ctime, which programs that put the modification time back cannot put back
    tags_digest TEXT, -- short name for everything it has written in itself
    sheets TEXT, -- short name for the state of the cue sheets in its folder; empty without any
    sheets_content TEXT, -- short name for what the sheets that can mean it say
    audio_md5 TEXT, -- of the encoded audio without tags and container, as 32 hexadecimal digits; NULL: not read yet, empty: it has none that can be read
    audio_xxh3 TEXT, -- of the same bytes, by which a known sound is quickly known again
    cut_by TEXT CHECK (cut_by IS NULL OR cut_by IN ('person', 'marks', 'release', 'silence', 'whole'))
);
CREATE INDEX IF NOT EXISTS idx_accession_files_audio_md5 ON accession_files(audio_md5);
CREATE INDEX IF NOT EXISTS idx_accession_files_damage ON accession_files(file_id, damage) WHERE damage IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_accession_files_misnamed ON accession_files(file_id, misnamed) WHERE misnamed IS NOT NULL;

-- For counts over a whole library, which would else read every row of WKMP's wide tables.
CREATE INDEX IF NOT EXISTS idx_accession_files_status ON files(status, format, duration_ticks);
CREATE INDEX IF NOT EXISTS idx_accession_passages_song ON passages(song_id) WHERE song_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_accession_passages_artist_album ON passages(artist COLLATE NOCASE, coalesce(album, '') COLLATE NOCASE)
    WHERE artist <> '';
CREATE INDEX IF NOT EXISTS idx_accession_passages_album ON passages(album COLLATE NOCASE, artist) WHERE album <> '';
CREATE INDEX IF NOT EXISTS idx_accession_sessions_started ON import_sessions(started_at);

-- What a cue sheet or chapters say of a file, whether or not it is cut there.
CREATE TABLE IF NOT EXISTS accession_marks (
    file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
    start_ticks INTEGER NOT NULL CHECK (start_ticks >= 0),
    end_ticks INTEGER, -- NULL: where the next one starts
    origin TEXT NOT NULL CHECK (origin IN ('embedded_cue_sheet', 'cue_sheet', 'chapters')),
    number INTEGER,
    title TEXT,
    performer TEXT,
    isrc TEXT,
    album TEXT,
    PRIMARY KEY (file_id, start_ticks)
) WITHOUT ROWID;

-- What a person said. Bound to the sound and a position in it, not to a row: it survives new tags, new paths, a new
-- analysis and a new database. Where several files have the sound, it counts for the one it was said about, as long as
-- that is there. Of several rows about one thing the last that was made and is not undone counts.
CREATE TABLE IF NOT EXISTS accession_edits (
    edit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sound TEXT NOT NULL, -- the file's audio_md5; its SHA-256 while that is all that is known
    field TEXT NOT NULL CHECK (field IN (
        'cut', 'lead_in', 'lead_out', 'fade_in', 'fade_out', 'title', 'artist', 'album', 'match')),
    start_ticks INTEGER NOT NULL CHECK (start_ticks >= 0), -- of the passage when it was edited; of a cut, the file's
    end_ticks INTEGER NOT NULL CHECK (end_ticks > start_ticks),
    value TEXT NOT NULL, -- cut: JSON, [[start, end], ..] in ticks; leads and fades: ticks from the file's beginning;
                         -- match: the recording's MBID, or nothing for "no song that is known"
    source TEXT NOT NULL, -- 'person', or where it was taken over from
    made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    undone_at TIMESTAMP,
    file_id TEXT, -- the file it was said about; NULL: not known here, or every file of the sound
    file_path TEXT -- where that lay then
);
CREATE INDEX IF NOT EXISTS idx_accession_edits_sound ON accession_edits(sound, field);

-- Where edits lay before a cut moved them along with their passage, so that they go back when it is undone.
CREATE TABLE IF NOT EXISTS accession_edit_moves (
    cut_id INTEGER NOT NULL, -- the cut, an edit
    edit_id INTEGER NOT NULL REFERENCES accession_edits(edit_id) ON DELETE CASCADE,
    start_ticks INTEGER NOT NULL,
    end_ticks INTEGER NOT NULL,
    PRIMARY KEY (cut_id, edit_id)
) WITHOUT ROWID;

-- What a person decided about something that was in doubt, so that it is not asked again. Bound like edits. What
-- changes the passages is an edit as well.
CREATE TABLE IF NOT EXISTS accession_verdicts (
    verdict_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sound TEXT NOT NULL, -- the file's audio_md5; its SHA-256 while that is all that is known
    subject TEXT NOT NULL CHECK (subject IN ('boundary', 'match')),
    start_ticks INTEGER NOT NULL CHECK (start_ticks >= 0), -- of the passage; of a boundary, where it lies
    end_ticks INTEGER NOT NULL CHECK (end_ticks >= start_ticks),
    verb TEXT NOT NULL, -- what the person said
    is_settled INTEGER NOT NULL CHECK (is_settled IN (0, 1)), -- 0: put off
    edits TEXT NOT NULL, -- JSON: the numbers of the edits that it led to
    made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    undone_at TIMESTAMP,
    file_id TEXT -- the file it is about; NULL: every file of the sound
);
CREATE INDEX IF NOT EXISTS idx_accession_verdicts_sound ON accession_verdicts(sound) WHERE undone_at IS NULL;

-- Chromaprint fingerprints, as fpcalc prints them.
CREATE TABLE IF NOT EXISTS accession_fingerprints (
    passage_id TEXT PRIMARY KEY REFERENCES passages(guid) ON DELETE CASCADE,
    algorithm INTEGER NOT NULL,
    duration_ticks INTEGER NOT NULL CHECK (duration_ticks > 0), -- of the passage, as AcoustID wants it
    fingerprint TEXT NOT NULL
);

-- The waveform of a file: four bytes a point (least and greatest sample, 127 being full scale; RMS and A-weighted
-- RMS in half decibels below full scale), to be drawn, and measured again without decoding.
CREATE TABLE IF NOT EXISTS accession_overviews (
    file_id TEXT PRIMARY KEY REFERENCES files(guid) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    points_per_second INTEGER NOT NULL CHECK (points_per_second > 0),
    points BLOB NOT NULL
);

-- Where files were cut into passages, and where they nearly were, for a person to review.
CREATE TABLE IF NOT EXISTS accession_boundaries (
    file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
    at_ticks INTEGER NOT NULL CHECK (at_ticks >= 0),
    kind TEXT NOT NULL, -- silence, cue_sheet, embedded_cue_sheet, chapters, undivided
    is_cut INTEGER NOT NULL CHECK (is_cut IN (0, 1)),
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    reason TEXT NOT NULL,
    PRIMARY KEY (file_id, at_ticks)
) WITHOUT ROWID;
-- Those that need a look: a boundary surer than 0.85 needs none. The statements of `review` name the same bound.
CREATE INDEX IF NOT EXISTS idx_accession_boundaries_doubt ON accession_boundaries(confidence) WHERE confidence < 0.85;

-- How a passage sounds: loudness by EBU R128, and the vector that similar passages are found by.
CREATE TABLE IF NOT EXISTS accession_sounds (
    passage_id TEXT PRIMARY KEY REFERENCES passages(guid) ON DELETE CASCADE,
    extractor TEXT NOT NULL,
    integrated_lufs REAL,
    range_lu REAL NOT NULL,
    true_peak_dbtp REAL,
    flavor TEXT NOT NULL -- JSON
);

-- Files that could not be taken in, so that they are not read again until they change.
CREATE TABLE IF NOT EXISTS accession_problems (
    path TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('failed', 'misleading')),
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    retry INTEGER NOT NULL CHECK (retry IN (0, 1)), -- 1: the surroundings were at fault
    file_size_bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    analysis_version INTEGER NOT NULL,
    seen_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Settings that a person chose, as against defaults that a service once wrote down.
CREATE TABLE IF NOT EXISTS accession_choices (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
