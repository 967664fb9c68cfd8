-- The tables of a run's books.db. The first four are an interface: other tools read and write them, so their names,
-- columns and meanings stay. Every column is text unless said; '' and NULL both mean "not known".

CREATE TABLE IF NOT EXISTS books (
    barcode TEXT PRIMARY KEY,
    title TEXT,
    scanned_date TEXT,
    converted_date TEXT,
    downloaded_date TEXT,
    processed_date TEXT,
    analyzed_date TEXT,
    ocr_date TEXT,
    google_books_link TEXT,
    processing_request_timestamp TEXT,
    grin_state TEXT,
    grin_viewability TEXT,
    grin_opted_out TEXT,
    grin_conditions TEXT,
    grin_scannable TEXT,
    grin_tagging TEXT,
    grin_audit TEXT,
    grin_material_error_percent TEXT,
    grin_overall_error_percent TEXT,
    grin_claimed TEXT,
    grin_ocr_analysis_score TEXT,
    grin_ocr_gtd_score TEXT,
    grin_digitization_method TEXT,
    grin_check_in_date TEXT,
    grin_source_library_bibkey TEXT,
    grin_rubbish TEXT,
    grin_allow_download_updated_date TEXT,
    grin_viewability_updated_date TEXT,
    enrichment_timestamp TEXT,
    marc_control_number TEXT,
    marc_date_type TEXT,
    marc_date_1 TEXT,
    marc_date_2 TEXT,
    marc_language TEXT,
    marc_lccn TEXT,
    marc_lc_call_number TEXT,
    marc_isbn TEXT,
    marc_oclc_numbers TEXT,
    marc_title TEXT,
    marc_title_remainder TEXT,
    marc_author_personal TEXT,
    marc_author_corporate TEXT,
    marc_author_meeting TEXT,
    marc_subjects TEXT,
    marc_genres TEXT,
    marc_general_note TEXT,
    marc_extraction_timestamp TEXT,
    storage_path TEXT,
    last_etag_check TEXT,
    encrypted_etag TEXT,
    is_decrypted BOOLEAN DEFAULT FALSE,
    sync_timestamp TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- Every book that a list page named, and in which session it did so last.
CREATE TABLE IF NOT EXISTS processed (
    barcode TEXT PRIMARY KEY,
    timestamp TEXT NOT NULL,
    session_id INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS failed (
    barcode TEXT PRIMARY KEY,
    timestamp TEXT NOT NULL,
    session_id INTEGER NOT NULL,
    error_message TEXT
);

-- Without a foreign key: barcodes from elsewhere may have a history before they have a row.
CREATE TABLE IF NOT EXISTS book_status_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    barcode TEXT NOT NULL,
    status_type TEXT NOT NULL,
    status_value TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    session_id TEXT,
    metadata TEXT
);

CREATE INDEX IF NOT EXISTS idx_books_grin_state ON books (grin_state);
CREATE INDEX IF NOT EXISTS idx_processed_session ON processed (session_id);
CREATE INDEX IF NOT EXISTS idx_failed_session ON failed (session_id);
CREATE INDEX IF NOT EXISTS idx_status_history_type ON book_status_history (status_type);
CREATE INDEX IF NOT EXISTS idx_status_history_sync_completed
    ON book_status_history (status_type, status_value, barcode);

-- The tables below are ours alone. None is STRICT: a library of before 3.37, as some of the other tool's users have,
-- could not read a single table of a file that holds one.

-- One pass through the catalogue's list pages, from the first to the one GRIN calls the last.
CREATE TABLE IF NOT EXISTS accession_collection (
    id INTEGER PRIMARY KEY,
    -- Whether known books are updated, or only new ones added.
    refresh INTEGER NOT NULL CHECK (refresh IN (0, 1)),
    -- What `processed.session_id` holds for the books of this pass, also after a restart.
    session_id INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    -- Set when the last page is recorded, and by nothing else.
    completed_at TEXT,
    -- The page to go on with, relative to the library's directory; NULL before the first and after the last.
    next_page TEXT,
    pages INTEGER NOT NULL,
    -- Books that the recorded pages named.
    books INTEGER NOT NULL,
    -- Books that were known when it began.
    books_before INTEGER NOT NULL,
    -- Books of the next page that are recorded already, without its end.
    part INTEGER NOT NULL DEFAULT 0
);

-- Pages that are recorded; they tell a repeated one.
CREATE TABLE IF NOT EXISTS accession_page (
    collection_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    books INTEGER NOT NULL,
    first_barcode TEXT NOT NULL,
    last_barcode TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (collection_id, number)
) WITHOUT ROWID;

-- Books that an earlier pass listed and the last complete one did not.
CREATE TABLE IF NOT EXISTS accession_vanished (
    barcode TEXT PRIMARY KEY,
    noticed_at TEXT NOT NULL
) WITHOUT ROWID;

-- Books that GRIN was asked about and does not know.
CREATE TABLE IF NOT EXISTS accession_not_found (
    barcode TEXT PRIMARY KEY,
    asked_at TEXT NOT NULL
) WITHOUT ROWID;

-- What failed when a command ran last; empty if nothing did.
CREATE TABLE IF NOT EXISTS accession_problem (
    command TEXT NOT NULL,
    item TEXT NOT NULL,
    reason TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    PRIMARY KEY (command, item)
) WITHOUT ROWID;

-- What is stored of a book, as the store has confirmed it.
CREATE TABLE IF NOT EXISTS accession_archive (
    barcode TEXT PRIMARY KEY,
    storage_path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    -- Hexadecimal digits, of the archive as it is stored.
    sha256 TEXT NOT NULL,
    md5 TEXT NOT NULL,
    crc64 TEXT NOT NULL,
    -- Which version of GRIN's archive it was made from.
    encrypted_etag TEXT NOT NULL,
    -- Lines of its text; NULL if none was extracted.
    pages INTEGER,
    stored_at TEXT NOT NULL
) WITHOUT ROWID;

-- Books that failed when they were worked on last.
CREATE TABLE IF NOT EXISTS accession_sync_failure (
    barcode TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- Times it failed since it was stored last.
    tries INTEGER NOT NULL,
    -- Whether another try may help although GRIN's archive stays the same.
    later INTEGER NOT NULL CHECK (later IN (0, 1)),
    -- Which version of GRIN's archive it was; NULL if it did not come that far.
    encrypted_etag TEXT,
    happened_at TEXT NOT NULL
) WITHOUT ROWID;
