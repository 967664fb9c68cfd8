//! What AcousticBrainz says of recordings, from the service or a dump, and how far a dump was read.

use serde::Serialize;
use sqlite::{Db, Tx, params};

use crate::error::{Error, Result};

/// Calls back for each recording of the library, in order of their ids.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn each_recording(db: &Db, mut tell: impl FnMut(&str)) -> Result<()> {
    db.read(|snapshot| {
        snapshot.query_each(
            "SELECT DISTINCT recording_mbid FROM passages WHERE recording_mbid IS NOT NULL ORDER BY 1",
            params![],
            |row| {
                let mbid: String = row.get(0).map_err(std::io::Error::other)?;
                tell(&mbid);
                Ok::<_, Error>(())
            },
        )
    })
}

/// Identified recordings of which the service has not been asked for a flavor lately.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn without_flavor(db: &Db) -> Result<Vec<String>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT DISTINCT p.recording_mbid FROM passages p \
             LEFT JOIN accession_flavors f ON f.recording_mbid = p.recording_mbid AND f.source = 'AcousticBrainz' \
             LEFT JOIN accession_answers a ON a.service = 'acousticbrainz' AND a.question = p.recording_mbid \
                  AND a.answer IS NULL AND a.expires_at > unixepoch() \
             WHERE p.song_id IS NOT NULL AND p.recording_mbid IS NOT NULL \
               AND f.recording_mbid IS NULL AND a.question IS NULL ORDER BY 1",
            params![],
            |row| row.get(0),
        )?)
    })
}

/// Keeps a recording's flavor, unless that of an earlier submission is known.
pub(crate) fn write_flavor(
    tx: &Tx<'_>,
    mbid: &str,
    number: u32,
    flavor: &impl Serialize,
) -> Result<()> {
    tx.execute(
        "INSERT INTO accession_flavors (recording_mbid, source, flavor, submission) \
         VALUES (?1, 'AcousticBrainz', ?2, ?3) \
         ON CONFLICT (recording_mbid, source) DO UPDATE SET flavor = excluded.flavor, \
            submission = excluded.submission, created_at = CURRENT_TIMESTAMP \
            WHERE excluded.submission <= accession_flavors.submission",
        params![
            mbid,
            serde_json::to_string(flavor).expect("numbers are finite"),
            number
        ],
    )?;
    Ok(())
}

/// Keeps a recording's low-level description, unless that of an earlier submission is known.
pub(crate) fn write_low_level(
    tx: &Tx<'_>,
    mbid: &str,
    number: u32,
    described: &impl Serialize,
) -> Result<()> {
    tx.execute(
        "INSERT INTO accession_low_levels (recording_mbid, description, submission) VALUES (?1, ?2, ?3) \
         ON CONFLICT (recording_mbid) DO UPDATE SET description = excluded.description, \
            submission = excluded.submission, created_at = CURRENT_TIMESTAMP \
            WHERE excluded.submission <= accession_low_levels.submission",
        params![
            mbid,
            serde_json::to_string(described).expect("numbers are finite"),
            number
        ],
    )?;
    Ok(())
}

/// A dump as it lies on the disk, with what was looked for in it.
#[derive(Debug, Clone)]
pub(crate) struct DumpPlace {
    /// Its absolute path.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub(crate) modified_ns: i64,
    /// A name for the set of recordings that were looked for.
    pub(crate) wanted: String,
}

impl DumpPlace {
    /// How far it was read, in bytes of the unpacked archive, and whether that was its end.
    pub(crate) fn known(&self, db: &Db) -> Result<Option<(u64, bool)>> {
        db.read(|snapshot| {
            Ok(snapshot.query_optional(
                "SELECT position, is_finished FROM accession_dumps WHERE path = ?1 AND size_bytes = ?2 \
                    AND modified_ns = ?3 AND wanted = ?4",
                params![self.path, self.size, self.modified_ns, self.wanted],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?)
        })
    }

    /// Writes how far it was read.
    pub(crate) fn write(&self, tx: &Tx<'_>, position: u64, is_finished: bool) -> Result<()> {
        tx.execute(
            "INSERT INTO accession_dumps (path, size_bytes, modified_ns, wanted, position, is_finished) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, \
                modified_ns = excluded.modified_ns, wanted = excluded.wanted, position = excluded.position, \
                is_finished = excluded.is_finished, read_at = CURRENT_TIMESTAMP",
            params![self.path, self.size, self.modified_ns, self.wanted, position, is_finished],
        )?;
        Ok(())
    }
}
