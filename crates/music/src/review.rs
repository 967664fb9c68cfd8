//! What a person should listen to: boundaries that may be wrong.

use serde::Serialize;
use sqlite::params;

use crate::error::{Error, Result};
use crate::library::Library;
use crate::ticks::Ticks;

/// A boundary surer than this needs no look.
const SURE: f64 = 0.85;

/// A doubtful boundary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// The file's path in the library.
    pub path: String,
    /// Where, in seconds.
    pub at_seconds: f64,
    /// What made it, in a word.
    pub kind: String,
    /// Whether the file is cut there.
    pub is_cut: bool,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
}

/// The doubtful boundaries of a library, file by file.
///
/// # Errors
///
/// When the database cannot be read.
pub fn review(library: &Library) -> Result<Vec<Doubt>> {
    library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT f.path, b.at_ticks, b.kind, b.is_cut, b.confidence, b.reason \
             FROM accession_boundaries b JOIN files f ON f.guid = b.file_id \
             WHERE b.confidence < ?1 ORDER BY f.path, b.at_ticks",
            params![SURE],
            |row| {
                Ok(Doubt {
                    path: row.get(0)?,
                    at_seconds: Ticks(row.get(1)?).seconds(),
                    kind: row.get(2)?,
                    is_cut: row.get(3)?,
                    confidence: row.get(4)?,
                    reason: row.get(5)?,
                })
            },
        )?)
    })
}
