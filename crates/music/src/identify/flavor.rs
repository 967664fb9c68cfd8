//! Fetches how the identified recordings sound from `AcousticBrainz`, where it has them.
//!
//! It is kept beside what our own analysis hears; the setting `flavor_source` says which one players see.

use serde::Serialize;

use crate::error::Result;
use crate::identify::ask::CachedServices;
use crate::identify::runtime;
use crate::library::Library;
use crate::library::answers::Answer;
use crate::library::descriptions;
use crate::library::shown_flavor;
use crate::services::Trouble;
use crate::services::acousticbrainz::{Flavor, LowLevel};

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
pub fn fetch(library: &Library, asker: &CachedServices<'_>) -> Result<Fetched> {
    let wanted = descriptions::without_flavor(library.db())?;
    let mut report = Fetched {
        recordings: wanted.len() as u64,
        ..Fetched::default()
    };
    let runtime = runtime()?;
    for batch in wanted.chunks(BATCH) {
        let mut found = Vec::new();
        for mbid in batch {
            match runtime.block_on(ask(asker, mbid)) {
                Ok(Some((flavor, described))) => found.push((mbid.clone(), flavor, described)),
                Ok(None) => report.unknown += 1,
                Err(trouble) => {
                    report.trouble = Some(trouble.to_string());
                    break;
                }
            }
        }
        report.found += found.len() as u64;
        let mut answers = asker.answers.take_unwritten();
        // What is found has a table of its own.
        answers.retain(|answer| answer.service != "acousticbrainz" || answer.answer.is_none());
        record(library, found, answers)?;
        if report.trouble.is_some() {
            break;
        }
    }
    shown_flavor::settle(library)?;
    Ok(report)
}

/// Both descriptions of a recording; the second is not asked for where there is not even the first.
async fn ask(
    asker: &CachedServices<'_>,
    mbid: &str,
) -> Result<Option<(Flavor, Option<LowLevel>)>, Trouble> {
    let Some(flavor) = asker.flavor(mbid).await? else {
        return Ok(None);
    };
    Ok(Some((flavor, asker.low_level(mbid).await?)))
}

fn record(
    library: &Library,
    found: Vec<(String, Flavor, Option<LowLevel>)>,
    answers: Vec<Answer>,
) -> Result<()> {
    if found.is_empty() && answers.is_empty() {
        return Ok(());
    }
    library.db().try_write("record flavors", move |tx| {
        for (mbid, flavor, described) in &found {
            descriptions::write_flavor(tx, mbid, 0, flavor)?;
            if let Some(described) = described {
                descriptions::write_low_level(tx, mbid, 0, described)?;
            }
        }
        crate::library::identification::write_answers(tx, &answers)
    })
}
