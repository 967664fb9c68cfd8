-- Finds files by any part of their paths, titles, artists and albums.

-- What is written in and about each file, folded: small letters without accents, a line for each text.
CREATE TABLE IF NOT EXISTS accession_words (
    word_id INTEGER PRIMARY KEY,
    file_id TEXT NOT NULL UNIQUE,
    words TEXT NOT NULL
);

-- Every three letters that follow each other in these words. No trigger writes to it: another program that changes
-- the library may have been built without FTS5.
CREATE VIRTUAL TABLE IF NOT EXISTS accession_search USING fts5(
    words, content = 'accession_words', content_rowid = 'word_id', tokenize = 'trigram case_sensitive 1'
);

-- Files whose words have changed, whoever changed them; `stamp` differs with every change.
CREATE TABLE IF NOT EXISTS accession_words_due (
    file_id TEXT PRIMARY KEY,
    stamp INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS accession_words_of_new_file AFTER INSERT ON files BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (new.guid, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;
CREATE TRIGGER IF NOT EXISTS accession_words_of_moved_file AFTER UPDATE OF path ON files BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (new.guid, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;
CREATE TRIGGER IF NOT EXISTS accession_words_of_removed_file AFTER DELETE ON files BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (old.guid, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;
CREATE TRIGGER IF NOT EXISTS accession_words_of_new_passage AFTER INSERT ON passages BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (new.file_id, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;
CREATE TRIGGER IF NOT EXISTS accession_words_of_named_passage
AFTER UPDATE OF file_id, title, user_title, artist, album ON passages
WHEN new.title IS NOT old.title OR new.user_title IS NOT old.user_title OR new.artist IS NOT old.artist
    OR new.album IS NOT old.album OR new.file_id IS NOT old.file_id BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (old.file_id, random()), (new.file_id, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;
CREATE TRIGGER IF NOT EXISTS accession_words_of_removed_passage AFTER DELETE ON passages BEGIN
    INSERT INTO accession_words_due (file_id, stamp) VALUES (old.file_id, random())
        ON CONFLICT (file_id) DO UPDATE SET stamp = excluded.stamp;
END;

-- Files that were there before this table was.
INSERT OR IGNORE INTO accession_words_due (file_id, stamp)
    SELECT guid, random() FROM files WHERE NOT EXISTS (SELECT 1 FROM accession_words);
