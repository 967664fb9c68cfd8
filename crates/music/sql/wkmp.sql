-- The WKMP schema: an interface. Names, types, defaults and checks are those of
-- WKMP's services, which share this file; nothing here is ours to rename.
-- Positions are in ticks (28,224,000 per second), wall-clock times are UTC text
-- `YYYY-MM-DD HH:MM:SS`, ids are lower-case UUIDs.
--
-- The GENERATED columns serve readers of an older generation (the player asks for
-- seconds and milliseconds). They are virtual, take no room, and are hidden from
-- `PRAGMA table_info`, so WKMP's own schema check does not see them.

CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS users (
    guid TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    password_salt TEXT NOT NULL,
    config_interface_access INTEGER NOT NULL DEFAULT 1 CHECK (config_interface_access IN (0, 1)),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS settings (
    key TEXT PRIMARY KEY,
    value TEXT,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS module_config (
    module_name TEXT PRIMARY KEY
        CHECK (module_name IN ('audio_player', 'user_interface', 'program_director', 'audio_ingest', 'lyric_editor')),
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port > 0 AND port <= 65535),
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS files (
    guid TEXT PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    duration_ticks INTEGER CHECK (duration_ticks IS NULL OR duration_ticks > 0),
    format TEXT,
    sample_rate INTEGER CHECK (sample_rate IS NULL OR sample_rate > 0),
    channels INTEGER CHECK (channels IS NULL OR (channels > 0 AND channels <= 32)),
    file_size_bytes INTEGER CHECK (file_size_bytes IS NULL OR file_size_bytes >= 0),
    modification_time TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    artist TEXT,
    title TEXT,
    album TEXT,
    track_number INTEGER,
    year INTEGER,
    status TEXT DEFAULT 'PENDING',
    matching_hashes TEXT,
    duration REAL GENERATED ALWAYS AS (duration_ticks / 28224000.0) VIRTUAL
);
CREATE INDEX IF NOT EXISTS idx_files_path ON files(path);
CREATE INDEX IF NOT EXISTS idx_files_hash ON files(hash);

CREATE TABLE IF NOT EXISTS passages (
    guid TEXT PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
    start_time_ticks INTEGER NOT NULL DEFAULT 0 CHECK (start_time_ticks >= 0),
    fade_in_start_ticks INTEGER,
    lead_in_start_ticks INTEGER,
    lead_out_start_ticks INTEGER,
    fade_out_start_ticks INTEGER,
    end_time_ticks INTEGER NOT NULL,
    fade_in_curve TEXT CHECK (fade_in_curve IS NULL OR fade_in_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')),
    fade_out_curve TEXT CHECK (fade_out_curve IS NULL OR fade_out_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')),
    title TEXT,
    user_title TEXT,
    artist TEXT,
    album TEXT,
    recording_mbid TEXT,
    musical_flavor_vector TEXT,
    import_metadata TEXT,
    additional_metadata TEXT,
    decode_status TEXT DEFAULT 'pending' CHECK (decode_status IN ('pending', 'successful', 'unsupported_codec', 'failed')),
    flavor_source_blend TEXT,
    flavor_confidence_map TEXT,
    flavor_completeness REAL,
    title_source TEXT,
    title_confidence REAL,
    artist_source TEXT,
    artist_confidence REAL,
    album_source TEXT,
    album_confidence REAL,
    mbid_source TEXT,
    mbid_confidence REAL,
    identity_confidence REAL,
    identity_posterior_probability REAL,
    identity_conflicts TEXT,
    overall_quality_score REAL,
    metadata_completeness REAL,
    validation_status TEXT,
    validation_report TEXT,
    validation_issues TEXT,
    import_session_id TEXT,
    import_timestamp TIMESTAMP,
    import_strategy TEXT,
    import_duration_ms INTEGER,
    import_version TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    song_id TEXT,
    status TEXT DEFAULT 'PENDING',
    start_ticks INTEGER,
    end_ticks INTEGER,
    start_time REAL GENERATED ALWAYS AS (start_time_ticks / 28224000.0) VIRTUAL,
    end_time REAL GENERATED ALWAYS AS (end_time_ticks / 28224000.0) VIRTUAL,
    lead_in_point REAL GENERATED ALWAYS AS (lead_in_start_ticks / 28224000.0) VIRTUAL,
    lead_out_point REAL GENERATED ALWAYS AS (lead_out_start_ticks / 28224000.0) VIRTUAL,
    fade_in_point REAL GENERATED ALWAYS AS (fade_in_start_ticks / 28224000.0) VIRTUAL,
    fade_out_point REAL GENERATED ALWAYS AS (fade_out_start_ticks / 28224000.0) VIRTUAL,
    CHECK (end_time_ticks > start_time_ticks),
    CHECK (fade_in_start_ticks IS NULL OR (fade_in_start_ticks >= start_time_ticks AND fade_in_start_ticks <= end_time_ticks)),
    CHECK (lead_in_start_ticks IS NULL OR (lead_in_start_ticks >= start_time_ticks AND lead_in_start_ticks <= end_time_ticks)),
    CHECK (lead_out_start_ticks IS NULL OR (lead_out_start_ticks >= start_time_ticks AND lead_out_start_ticks <= end_time_ticks)),
    CHECK (fade_out_start_ticks IS NULL OR (fade_out_start_ticks >= start_time_ticks AND fade_out_start_ticks <= end_time_ticks)),
    CHECK (fade_in_start_ticks IS NULL OR fade_out_start_ticks IS NULL OR fade_in_start_ticks <= fade_out_start_ticks),
    CHECK (lead_in_start_ticks IS NULL OR lead_out_start_ticks IS NULL OR lead_in_start_ticks <= lead_out_start_ticks)
);
CREATE INDEX IF NOT EXISTS idx_passages_file_id ON passages(file_id);
CREATE INDEX IF NOT EXISTS idx_passages_title ON passages(title);
CREATE INDEX IF NOT EXISTS idx_passages_decode_status ON passages(decode_status);

CREATE TABLE IF NOT EXISTS import_provenance (
    id TEXT PRIMARY KEY,
    passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
    source_type TEXT NOT NULL,
    data_extracted TEXT,
    confidence REAL,
    timestamp INTEGER
);
CREATE INDEX IF NOT EXISTS idx_import_provenance_passage_id ON import_provenance(passage_id);
CREATE INDEX IF NOT EXISTS idx_import_provenance_source_type ON import_provenance(source_type);
CREATE INDEX IF NOT EXISTS idx_import_provenance_timestamp ON import_provenance(timestamp);

CREATE TABLE IF NOT EXISTS works (
    guid TEXT PRIMARY KEY,
    work_mbid TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
    min_cooldown INTEGER NOT NULL DEFAULT 259200 CHECK (min_cooldown >= 0),
    ramping_cooldown INTEGER NOT NULL DEFAULT 604800 CHECK (ramping_cooldown >= 0),
    last_played_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_works_mbid ON works(work_mbid);
CREATE INDEX IF NOT EXISTS idx_works_last_played ON works(last_played_at);

CREATE TABLE IF NOT EXISTS songs (
    guid TEXT PRIMARY KEY,
    recording_mbid TEXT NOT NULL UNIQUE,
    work_id TEXT,
    related_songs TEXT,
    lyrics TEXT,
    base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
    min_cooldown INTEGER NOT NULL DEFAULT 604800 CHECK (min_cooldown >= 0),
    ramping_cooldown INTEGER NOT NULL DEFAULT 1209600 CHECK (ramping_cooldown >= 0),
    last_played_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    title TEXT,
    artist_name TEXT,
    flavor_vector TEXT,
    flavor_source_blend TEXT,
    status TEXT DEFAULT 'PENDING'
);
CREATE INDEX IF NOT EXISTS idx_songs_recording_mbid ON songs(recording_mbid);
CREATE INDEX IF NOT EXISTS idx_songs_last_played ON songs(last_played_at);

CREATE TABLE IF NOT EXISTS artists (
    guid TEXT PRIMARY KEY,
    artist_mbid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    base_probability REAL NOT NULL DEFAULT 1.0 CHECK (base_probability >= 0.0 AND base_probability <= 1000.0),
    min_cooldown INTEGER NOT NULL DEFAULT 7200 CHECK (min_cooldown >= 0),
    ramping_cooldown INTEGER NOT NULL DEFAULT 14400 CHECK (ramping_cooldown >= 0),
    last_played_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_artists_mbid ON artists(artist_mbid);
CREATE INDEX IF NOT EXISTS idx_artists_last_played ON artists(last_played_at);

CREATE TABLE IF NOT EXISTS albums (
    guid TEXT PRIMARY KEY,
    album_mbid TEXT NOT NULL UNIQUE, -- a MusicBrainz release id
    title TEXT NOT NULL,
    release_date TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_albums_mbid ON albums(album_mbid);

CREATE TABLE IF NOT EXISTS images (
    guid TEXT PRIMARY KEY,
    file_path TEXT NOT NULL,
    image_type TEXT NOT NULL
        CHECK (image_type IN ('album_front', 'album_back', 'album_liner', 'song', 'passage', 'artist', 'work', 'logo')),
    entity_id TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 100 CHECK (priority >= 0),
    width INTEGER,
    height INTEGER,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_images_entity ON images(entity_id, image_type, priority);
CREATE INDEX IF NOT EXISTS idx_images_type ON images(image_type);

-- Song positions are relative to the passage's start.
CREATE TABLE IF NOT EXISTS passage_songs (
    passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
    song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
    start_time_ticks INTEGER NOT NULL CHECK (start_time_ticks >= 0),
    end_time_ticks INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    passage_guid TEXT GENERATED ALWAYS AS (passage_id) VIRTUAL,
    song_guid TEXT GENERATED ALWAYS AS (song_id) VIRTUAL,
    start_time_ms INTEGER GENERATED ALWAYS AS (start_time_ticks / 28224) VIRTUAL,
    end_time_ms INTEGER GENERATED ALWAYS AS (end_time_ticks / 28224) VIRTUAL,
    PRIMARY KEY (passage_id, song_id),
    CHECK (end_time_ticks > start_time_ticks)
);
CREATE INDEX IF NOT EXISTS idx_passage_songs_passage ON passage_songs(passage_id);
CREATE INDEX IF NOT EXISTS idx_passage_songs_song ON passage_songs(song_id);
CREATE INDEX IF NOT EXISTS idx_passage_songs_timing ON passage_songs(passage_id, start_time_ticks);

CREATE TABLE IF NOT EXISTS song_artists (
    song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
    artist_id TEXT NOT NULL REFERENCES artists(guid) ON DELETE CASCADE,
    weight REAL NOT NULL CHECK (weight > 0.0 AND weight <= 1.0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (song_id, artist_id)
);
CREATE INDEX IF NOT EXISTS idx_song_artists_song ON song_artists(song_id);
CREATE INDEX IF NOT EXISTS idx_song_artists_artist ON song_artists(artist_id);

CREATE TABLE IF NOT EXISTS passage_albums (
    passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
    album_id TEXT NOT NULL REFERENCES albums(guid) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (passage_id, album_id)
);
CREATE INDEX IF NOT EXISTS idx_passage_albums_passage ON passage_albums(passage_id);
CREATE INDEX IF NOT EXISTS idx_passage_albums_album ON passage_albums(album_id);

CREATE TABLE IF NOT EXISTS song_works (
    song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
    work_id TEXT NOT NULL REFERENCES works(guid) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (song_id, work_id)
);
CREATE INDEX IF NOT EXISTS idx_song_works_song ON song_works(song_id);
CREATE INDEX IF NOT EXISTS idx_song_works_work ON song_works(work_id);

CREATE TABLE IF NOT EXISTS queue (
    guid TEXT PRIMARY KEY,
    file_path TEXT NOT NULL,
    passage_guid TEXT,
    play_order INTEGER NOT NULL,
    start_time_ms INTEGER,
    end_time_ms INTEGER,
    lead_in_point_ms INTEGER,
    lead_out_point_ms INTEGER,
    fade_in_point_ms INTEGER,
    fade_out_point_ms INTEGER,
    fade_in_curve TEXT CHECK (fade_in_curve IS NULL OR fade_in_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')),
    fade_out_curve TEXT CHECK (fade_out_curve IS NULL OR fade_out_curve IN ('exponential', 'cosine', 'linear', 'logarithmic', 'equal_power')),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_queue_order ON queue(play_order);

CREATE TABLE IF NOT EXISTS import_sessions (
    session_id TEXT PRIMARY KEY,
    state TEXT NOT NULL, -- a JSON string, quotes included
    root_folder TEXT NOT NULL,
    parameters TEXT NOT NULL,
    progress_current INTEGER NOT NULL,
    progress_total INTEGER NOT NULL,
    progress_percentage REAL NOT NULL,
    current_operation TEXT NOT NULL,
    errors TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    file_classification_data TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS temp_file_songs (
    file_id TEXT PRIMARY KEY REFERENCES files(guid) ON DELETE CASCADE,
    song_id TEXT NOT NULL REFERENCES songs(guid) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS temp_file_albums (
    file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
    album_id TEXT NOT NULL REFERENCES albums(guid) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (file_id, album_id)
);

CREATE TABLE IF NOT EXISTS acoustid_cache (
    fingerprint_hash TEXT PRIMARY KEY CHECK (length(fingerprint_hash) = 64),
    mbid TEXT NOT NULL,
    cached_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX IF NOT EXISTS idx_acoustid_cache_cached_at ON acoustid_cache(cached_at);

CREATE TABLE IF NOT EXISTS musicbrainz_cache (
    mbid TEXT PRIMARY KEY,
    entity_type TEXT NOT NULL CHECK (entity_type IN ('recording', 'release', 'artist', 'work')),
    metadata TEXT NOT NULL,
    cached_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE IF NOT EXISTS acousticbrainz_cache (
    recording_mbid TEXT PRIMARY KEY CHECK (length(recording_mbid) = 36),
    lowlevel_json TEXT NOT NULL CHECK (json_valid(lowlevel_json)),
    has_tonal BOOLEAN NOT NULL DEFAULT 0,
    has_rhythm BOOLEAN NOT NULL DEFAULT 0,
    fetched_at TEXT NOT NULL DEFAULT (datetime('now')),
    essentia_version TEXT
);

CREATE TABLE IF NOT EXISTS release_search_cache (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    artist_normalized TEXT NOT NULL,
    album_normalized TEXT NOT NULL,
    release_ids_json TEXT NOT NULL,
    cached_at TEXT NOT NULL DEFAULT (datetime('now')),
    expires_at TEXT NOT NULL,
    UNIQUE (artist_normalized, album_normalized)
);

CREATE TABLE IF NOT EXISTS release_details_cache (
    mbid TEXT PRIMARY KEY,
    details_json TEXT NOT NULL,
    cached_at TEXT NOT NULL DEFAULT (datetime('now')),
    expires_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS recording_cache (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    artist_normalized TEXT NOT NULL,
    title_normalized TEXT NOT NULL,
    mbid TEXT, -- NULL: known not to be found
    confidence REAL,
    cached_at TEXT NOT NULL DEFAULT (datetime('now')),
    expires_at TEXT NOT NULL,
    UNIQUE (artist_normalized, title_normalized)
);

-- The numbered migrations of WKMP's services that this schema already contains.
INSERT OR IGNORE INTO schema_version (version) VALUES (1), (2), (3), (4), (5), (6), (7), (8);

INSERT OR IGNORE INTO users (guid, username, password_hash, password_salt, config_interface_access)
VALUES ('00000000-0000-0000-0000-000000000001', 'Anonymous', '', '', 1);

INSERT OR IGNORE INTO module_config (module_name, host, port) VALUES
    ('user_interface', '127.0.0.1', 5720),
    ('audio_player', '127.0.0.1', 5721),
    ('program_director', '127.0.0.1', 5722),
    ('audio_ingest', '0.0.0.0', 5723),
    ('lyric_editor', '0.0.0.0', 5724);
