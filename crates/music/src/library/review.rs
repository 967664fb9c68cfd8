//! What a person should listen to: boundaries that may be wrong, and matches in doubt.

use serde::Serialize;
use serde_json::Value;
use sqlite::params;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::Library;
use audio::Ticks;

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

/// A passage that may be one of several recordings, or none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DoubtfulMatch {
    /// The passage's id, for `music identify --accept` and the like.
    pub passage_id: PassageId,
    /// The file's path in the library.
    pub path: String,
    /// Where the passage starts, in seconds.
    pub start_seconds: f64,
    /// How sure the best candidate is, 0 to 1.
    pub confidence: f64,
    /// The candidates, the best first, as identification weighed them.
    pub candidates: Vec<Value>,
}

/// The passages whose recording is in doubt, in the order of paths and positions.
///
/// # Errors
///
/// When the database cannot be read.
pub fn doubtful_matches(library: &Library) -> Result<Vec<DoubtfulMatch>> {
    library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT p.guid, f.path, p.start_time_ticks, i.confidence, i.reasoning \
             FROM accession_identifications i JOIN passages p ON p.guid = i.passage_id \
             JOIN files f ON f.guid = p.file_id WHERE i.state = 'doubtful' ORDER BY f.path, p.start_time_ticks",
            params![],
            |row| {
                let reasoning: String = row.get(4)?;
                let reasoning: Value = serde_json::from_str(&reasoning).unwrap_or_default();
                Ok(DoubtfulMatch {
                    passage_id: row.get(0)?,
                    path: row.get(1)?,
                    start_seconds: Ticks(row.get(2)?).seconds(),
                    confidence: row.get(3)?,
                    candidates: reasoning["candidates"].as_array().cloned().unwrap_or_default(),
                })
            },
        )?)
    })
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
