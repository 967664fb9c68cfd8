-- What a run on a server has besides the tables of schema.sql.

-- What the schema is, in one row.
CREATE TABLE accession_run (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL,
    run_name TEXT NOT NULL,
    library_directory TEXT NOT NULL
);

-- The last transaction of each process that writes: where a connection was lost in the middle of a commit, this tells
-- whether it took place.
CREATE TABLE accession_writer (
    writer TEXT PRIMARY KEY,
    last BIGINT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
