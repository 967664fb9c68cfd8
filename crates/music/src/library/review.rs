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

/// From this share of the odds on, another candidate is a close second: a High answer leaves no more than
/// three hundredths to all others together.
const CLOSE: f64 = 0.02;

/// A candidate less likely than this is not worth a look: on the made worlds none of those was right.
const LEAST_LIKELY: f64 = 0.1;

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
    /// Whether the best candidate is linked all the same.
    pub is_linked: bool,
    /// What would decide it.
    pub decided_by: String,
    /// The candidates, the best first, as identification weighed them.
    pub candidates: Vec<Value>,
}

/// The passages whose recording is in doubt: those that are linked and not at High, those with a close
/// second, and those with a candidate that was not sure enough. What is linked and least sure comes first.
///
/// # Errors
///
/// When the database cannot be read.
pub fn doubtful_matches(library: &Library) -> Result<Vec<DoubtfulMatch>> {
    library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT p.guid, f.path, p.start_time_ticks, i.confidence, i.reasoning, i.state = 'identified' \
             FROM accession_identifications i JOIN passages p ON p.guid = i.passage_id \
             JOIN files f ON f.guid = p.file_id \
             WHERE i.state = 'doubtful' \
                OR (i.state = 'identified' AND (i.level <> 'high' \
                    OR coalesce(CASE WHEN json_valid(i.reasoning) THEN json_extract(i.reasoning, '$.candidates[1].confidence') END, 0) >= ?1)) \
                OR (i.state = 'none' AND i.confidence >= ?2) \
             ORDER BY i.state = 'identified' DESC, i.confidence, f.path, p.start_time_ticks",
            params![CLOSE, LEAST_LIKELY],
            |row| {
                let reasoning: String = row.get(4)?;
                let reasoning: Value = serde_json::from_str(&reasoning).unwrap_or_default();
                Ok(DoubtfulMatch {
                    passage_id: row.get(0)?,
                    path: row.get(1)?,
                    start_seconds: Ticks(row.get(2)?).seconds(),
                    confidence: row.get(3)?,
                    is_linked: row.get(5)?,
                    decided_by: decided_by(&reasoning),
                    candidates: reasoning["candidates"].as_array().cloned().unwrap_or_default(),
                })
            },
        )?)
    })
}

/// What would decide a match, in words: what tells the first two apart, or what speaks most against the
/// first.
fn decided_by(reasoning: &Value) -> String {
    let candidates = &reasoning["candidates"];
    let noticed = |at: usize| -> Vec<(&str, f64)> {
        let reasons = candidates[at]["reasons"].as_array().into_iter().flatten();
        let read = |reason: &'_ Value| -> Option<f64> { reason["weight"].as_f64() };
        reasons
            .filter_map(|reason| Some((reason["noticed"].as_str()?, read(reason)?)))
            .collect()
    };
    let (first, second) = (noticed(0), noticed(1));
    if candidates[1]["confidence"].as_f64().unwrap_or(0.0) >= CLOSE {
        let only_first: Vec<_> = first
            .iter()
            .filter(|one| !second.contains(one))
            .map(|(name, _)| *name)
            .collect();
        if only_first.is_empty() {
            return "nothing that is known tells the first two apart: an album or an id in the tags would".to_owned();
        }
        return format!(
            "which of the first two it is; the first by {}",
            only_first.join(", ")
        );
    }
    if reasoning["another_version"]["confidence"]
        .as_f64()
        .unwrap_or(0.0)
        >= CLOSE
    {
        return "whether it is this version or another one".to_owned();
    }
    let against = first
        .iter()
        .filter(|(_, weight)| *weight < 0.0)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    against.map_or_else(
        || "more tags, or a sound that AcoustID knows".to_owned(),
        |(name, _)| format!("whether this is right all the same: {name}"),
    )
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
