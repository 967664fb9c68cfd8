//! Which flavor players see: what we heard, or what `AcousticBrainz` says of the recording.
//!
//! Players read `passages.musical_flavor_vector`. Both flavors are kept in tables of ours, so that the
//! choice can be made again at any time, and no analysis or identification undoes it.

use sqlite::{Row, RowResult, Tx, params};

use crate::error::Result;
use crate::id::PassageId;
use crate::library::Library;
use audio::flavor::Flavor;

/// The setting that says which one.
pub const SETTING: &str = "flavor_source";

/// Passages rewritten in one transaction.
const BATCH: usize = 500;

/// The condition that the other flavor was chosen.
const CHOSEN: &str =
    "EXISTS (SELECT 1 FROM settings WHERE key = 'flavor_source' AND value = 'acousticbrainz')";

/// Brings what players see in line with the choice; how many passages that changed.
///
/// Where only one flavor is known, that is shown. Costs nothing where all is in line already, else a
/// transaction for every 500 passages.
///
/// # Errors
///
/// When the database cannot be used.
pub fn settle(library: &Library) -> Result<u64> {
    let mut changed = 0;
    let mut after = String::new();
    loop {
        let batch = out_of_line(library, &after)?;
        let Some(last) = batch.last() else {
            return Ok(changed);
        };
        last.passage.as_str().clone_into(&mut after);
        changed += batch.len() as u64;
        library.db().try_write("show flavors", move |tx| {
            for one in &batch {
                let (flavor, source) = one.wanted();
                tx.execute(
                    "UPDATE passages SET musical_flavor_vector = ?2, flavor_source_blend = ?3, \
                        updated_at = CURRENT_TIMESTAMP WHERE guid = ?1",
                    params![one.passage, flavor, source],
                )?;
            }
            Ok::<_, crate::error::Error>(())
        })?;
    }
}

/// A passage that shows another flavor than it should.
#[derive(Debug)]
struct OutOfLine {
    passage: PassageId,
    /// What we measured, as JSON.
    heard: Option<String>,
    /// In SPEC003's form, where that is the one to be shown.
    from_service: Option<String>,
}

impl OutOfLine {
    /// The flavor to be shown, and whose it is.
    fn wanted(&self) -> (Option<String>, Option<&'static str>) {
        if let Some(flavor) = &self.from_service {
            return (Some(flavor.clone()), Some(r#"["AcousticBrainz"]"#));
        }
        let heard = self.heard.as_deref();
        // What another version of this program measured is heard anew by the next import.
        let heard = heard.and_then(|text| serde_json::from_str::<Flavor>(text).ok());
        match heard {
            Some(flavor) => {
                let shown = serde_json::to_string(&flavor.characteristics());
                (
                    Some(shown.expect("numbers are finite")),
                    Some(r#"["Accession"]"#),
                )
            }
            None => (None, None),
        }
    }
}

/// The next batch of passages whose ids follow `after`.
fn out_of_line(library: &Library, after: &str) -> Result<Vec<OutOfLine>> {
    let sql = format!(
        "SELECT p.guid, s.flavor, CASE WHEN s.flavor IS NULL OR {CHOSEN} THEN f.flavor END FROM passages p \
         LEFT JOIN accession_sounds s ON s.passage_id = p.guid \
         LEFT JOIN accession_flavors f ON f.recording_mbid = p.recording_mbid AND f.source = 'AcousticBrainz' \
         WHERE p.guid > ?1 AND CASE WHEN f.flavor IS NOT NULL AND (s.flavor IS NULL OR {CHOSEN}) \
                    THEN p.musical_flavor_vector IS NOT f.flavor \
                    ELSE p.flavor_source_blend = '[\"AcousticBrainz\"]' END \
         ORDER BY p.guid LIMIT {BATCH}"
    );
    let row = |row: &Row<'_>| -> RowResult<OutOfLine> {
        Ok(OutOfLine {
            passage: row.get(0)?,
            heard: row.get(1)?,
            from_service: row.get(2)?,
        })
    };
    Ok(library
        .db()
        .read(|snapshot| snapshot.query_all(&sql, params![after], row))
        .map_err(|error: sqlite::Error| error)?)
}

/// Shows the service's flavor of a passage that was just written, where that was chosen.
pub(crate) fn prefer_chosen(tx: &Tx<'_>, passage: &PassageId) -> Result<()> {
    tx.execute(
        &format!(
            "UPDATE passages SET musical_flavor_vector = f.flavor, flavor_source_blend = '[\"AcousticBrainz\"]' \
             FROM accession_flavors f WHERE passages.guid = ?1 AND f.recording_mbid = passages.recording_mbid \
                AND f.source = 'AcousticBrainz' AND {CHOSEN}"
        ),
        params![passage],
    )?;
    Ok(())
}

/// Which flavors a library has, and which are shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// All passages.
    pub passages: u64,
    /// Those that show what was heard.
    pub local: u64,
    /// Those that show what `AcousticBrainz` says.
    pub acousticbrainz: u64,
    /// Recordings of the library.
    pub recordings: u64,
    /// Those that `AcousticBrainz` has a flavor of.
    pub known: u64,
    /// Those that it has a low-level description of.
    pub low_levels: u64,
}

/// Counts flavors.
///
/// # Errors
///
/// When the database cannot be read.
pub fn counts(library: &Library) -> Result<Counts> {
    library.db().read(|snapshot| {
        let number = |sql| snapshot.query_row(sql, params![], |row| row.get::<_, u64>(0));
        Ok(Counts {
            passages: number("SELECT count(*) FROM passages")?,
            local: number(
                r#"SELECT count(*) FROM passages WHERE flavor_source_blend = '["Accession"]'"#,
            )?,
            acousticbrainz: number(
                r#"SELECT count(*) FROM passages WHERE flavor_source_blend = '["AcousticBrainz"]'"#,
            )?,
            recordings: number("SELECT count(DISTINCT recording_mbid) FROM passages")?,
            known: number(
                "SELECT count(DISTINCT p.recording_mbid) FROM passages p \
                 JOIN accession_flavors f ON f.recording_mbid = p.recording_mbid",
            )?,
            low_levels: number(
                "SELECT count(DISTINCT p.recording_mbid) FROM passages p \
                 JOIN accession_low_levels l ON l.recording_mbid = p.recording_mbid",
            )?,
        })
    })
}
