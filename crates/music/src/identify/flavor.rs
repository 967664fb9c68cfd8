//! Fetches how the identified recordings sound from `AcousticBrainz`, where it has them.
//!
//! It is kept beside what our own analysis hears, and shown to players only where that is missing.

use serde::Serialize;
use sqlite::params;

use crate::error::Result;
use crate::identify::answers::Answer;
use crate::identify::ask::Asker;
use crate::identify::runtime;
use crate::library::Library;

/// Recordings written in one transaction.
const BATCH: usize = 25;

/// How the fetching went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Recordings that had no flavor from there.
    pub recordings: u64,
    /// Those that have one now.
    pub found: u64,
    /// Those that the service does not have.
    pub unknown: u64,
    /// Why the others were left for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Fetches the flavors of all identified recordings that have none from there yet.
///
/// # Errors
///
/// When the database cannot be used. A service that fails is told in the report.
pub fn fetch(library: &Library, asker: &Asker<'_>) -> Result<Fetched> {
    let wanted = library
        .db()
        .read(|snapshot| {
            snapshot.query_all(
                "SELECT DISTINCT p.recording_mbid FROM passages p \
                 LEFT JOIN accession_flavors f ON f.recording_mbid = p.recording_mbid AND f.source = 'AcousticBrainz' \
                 LEFT JOIN accession_answers a ON a.service = 'acousticbrainz' AND a.question = p.recording_mbid \
                      AND a.answer IS NULL AND a.expires_at > unixepoch() \
                 WHERE p.song_id IS NOT NULL AND p.recording_mbid IS NOT NULL \
                   AND f.recording_mbid IS NULL AND a.question IS NULL ORDER BY 1",
                params![],
                |row| row.get::<_, String>(0),
            )
        })
        .map_err(|error: sqlite::Error| error)?;
    let mut report = Fetched {
        recordings: wanted.len() as u64,
        ..Fetched::default()
    };
    let runtime = runtime()?;
    for batch in wanted.chunks(BATCH) {
        let mut flavors = Vec::new();
        for mbid in batch {
            match runtime.block_on(asker.flavor(mbid)) {
                Ok(Some(flavor)) => {
                    let json = serde_json::to_string(&flavor).expect("numbers are finite");
                    flavors.push((mbid.clone(), json));
                }
                Ok(None) => report.unknown += 1,
                Err(trouble) => {
                    report.trouble = Some(trouble.to_string());
                    break;
                }
            }
        }
        report.found += flavors.len() as u64;
        let mut answers = asker.answers.take_unwritten();
        // What is found has a table of its own.
        answers.retain(|answer| answer.service != "acousticbrainz" || answer.answer.is_none());
        record(library, flavors, answers)?;
        if report.trouble.is_some() {
            break;
        }
    }
    Ok(report)
}

fn record(library: &Library, flavors: Vec<(String, String)>, answers: Vec<Answer>) -> Result<()> {
    if flavors.is_empty() && answers.is_empty() {
        return Ok(());
    }
    library.db().write("record flavors", move |tx| {
        for (mbid, flavor) in &flavors {
            tx.execute(
                "INSERT INTO accession_flavors (recording_mbid, source, flavor) VALUES (?1, 'AcousticBrainz', ?2) \
                 ON CONFLICT (recording_mbid, source) DO UPDATE SET flavor = excluded.flavor, \
                    created_at = CURRENT_TIMESTAMP",
                params![mbid, flavor],
            )?;
            tx.execute(
                "UPDATE passages SET musical_flavor_vector = ?2, flavor_source_blend = '[\"AcousticBrainz\"]', \
                    updated_at = CURRENT_TIMESTAMP \
                 WHERE recording_mbid = ?1 AND musical_flavor_vector IS NULL",
                params![mbid, flavor],
            )?;
        }
        crate::identify::store::write_answers(tx, &answers)
    })
}
