//! Whether a run is sound, and what in it disagrees.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::catalogue::pass::{self, Pass};
use crate::error::Error;
use crate::run::{LARGEST_SUMMARY, SUMMARY};

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The database file itself.
    Damage,
    /// Called `completed`, but the upload failed and no later one succeeded.
    NotStored,
    /// Called enriched, but nothing is known and GRIN did not say so.
    EnrichedWithoutData,
    /// Dates in GRIN's own form among ISO dates.
    MixedDates,
    /// Headings of a list that were taken for books.
    NoBook,
    /// Listed or worked on, but without a row of their own.
    WithoutRow,
    /// The catalogue is not complete.
    Incomplete,
    /// The summary calls the collection complete, and it is not.
    FalseSummary,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// What it is, for people.
    pub what: String,
    /// How many books are concerned.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// A question whose answers are barcodes that should not be.
struct Question {
    kind: FindingKind,
    what: &'static str,
    /// `FROM ..` and what follows; `b` is the column of barcodes.
    from: &'static str,
}

/// Barcodes listed with a finding.
const EXAMPLES: u32 = 10;

const QUESTIONS: [Question; 5] = [
    Question {
        kind: FindingKind::NotStored,
        what: "called `completed`, but the upload failed and no later one succeeded: nothing is stored",
        from: "FROM (SELECT DISTINCT barcode AS b FROM book_status_history AS done
                WHERE status_type = 'sync' AND status_value = 'completed'
                AND EXISTS (SELECT 1 FROM book_status_history AS other WHERE other.status_type = 'sync'
                    AND other.status_value = 'upload_failed' AND other.barcode = done.barcode)
                AND NOT EXISTS (SELECT 1 FROM book_status_history AS other WHERE other.status_type = 'sync'
                    AND other.status_value = 'uploaded' AND other.barcode = done.barcode)) AS found",
    },
    Question {
        kind: FindingKind::EnrichedWithoutData,
        what: "called enriched, but nothing is known and GRIN did not say so: perhaps asked for during an outage",
        from: "FROM (SELECT barcode AS b FROM books WHERE coalesce(enrichment_timestamp, '') <> ''
                AND coalesce(grin_viewability, '') = '' AND coalesce(grin_opted_out, '') = ''
                AND coalesce(grin_conditions, '') = '' AND coalesce(grin_scannable, '') = ''
                AND coalesce(grin_check_in_date, '') = '' AND coalesce(grin_digitization_method, '') = ''
                AND coalesce(grin_source_library_bibkey, '') = '' AND coalesce(grin_claimed, '') = ''
                AND barcode NOT IN (SELECT barcode FROM accession_not_found)) AS found",
    },
    Question {
        kind: FindingKind::MixedDates,
        what: "dates in GRIN's own form among ISO dates",
        from: "FROM (SELECT barcode AS b FROM books WHERE scanned_date LIKE '____/%' OR converted_date LIKE '____/%'
                OR downloaded_date LIKE '____/%' OR processed_date LIKE '____/%' OR analyzed_date LIKE '____/%'
                OR ocr_date LIKE '____/%') AS found",
    },
    Question {
        kind: FindingKind::NoBook,
        what: "headings of a list that were taken for books",
        from: "FROM (SELECT barcode AS b FROM books WHERE barcode IN ('Barcode', 'barcode', 'Filename', '')) AS found",
    },
    Question {
        kind: FindingKind::WithoutRow,
        what: "listed or worked on, but without a row of their own",
        from: "FROM (SELECT barcode AS b FROM processed WHERE barcode NOT IN (SELECT barcode FROM books)
                UNION SELECT barcode FROM book_status_history WHERE barcode NOT IN (SELECT barcode FROM books)) AS found",
    },
];

/// Checks a run: its database for damage, and all it says for contradictions. Reads the whole database.
///
/// # Errors
///
/// [`Error::Database`] if it cannot be read at all.
pub fn check(catalogue: &Catalogue, directory: &Path) -> Result<Findings, Error> {
    let mut findings = Vec::new();
    let damage = catalogue.damage()?;
    if !damage.is_empty() {
        findings.push(Finding {
            kind: FindingKind::Damage,
            what: "the database file is damaged".to_owned(),
            count: damage.len() as u64,
            examples: damage,
        });
        return Ok(Findings { findings });
    }
    for question in QUESTIONS {
        findings.extend(ask(catalogue, &question)?);
    }
    let pass = pass::last_pass(catalogue)?;
    findings.extend(pass.as_ref().and_then(incomplete));
    findings.extend(pass.as_ref().and_then(|pass| claimed(directory, pass)));
    Ok(Findings { findings })
}

fn ask(catalogue: &Catalogue, question: &Question) -> Result<Option<Finding>, Error> {
    catalogue.read(|reader| {
        let from = question.from;
        let count: u64 = reader.one(&format!("SELECT count(*) {from}"), &[], |row| row.get(0))?;
        if count == 0 {
            return Ok(None);
        }
        let examples = reader.all(
            &format!("SELECT b {from} ORDER BY b LIMIT ?1"),
            &[EXAMPLES.into()],
            |row| row.get(0),
        )?;
        Ok(Some(Finding {
            kind: question.kind,
            what: question.what.to_owned(),
            count,
            examples,
        }))
    })
}

fn incomplete(pass: &Pass) -> Option<Finding> {
    pass.completed_at.is_none().then(|| Finding {
        kind: FindingKind::Incomplete,
        what: format!(
            "the catalogue is not complete: {} pages with {} books are recorded",
            pass.pages, pass.books
        ),
        count: pass.books,
        examples: pass.next_page.iter().cloned().collect(),
    })
}

/// Other tools call a collection complete that ended early.
fn claimed(directory: &Path, pass: &Pass) -> Option<Finding> {
    let bytes = run::read_regular_file(&directory.join(SUMMARY), LARGEST_SUMMARY).ok()?;
    let summary: Value = serde_json::from_slice(&bytes).ok()?;
    let claims = summary["stages"]["collect"]["is_completed"].as_bool()?;
    (claims && pass.completed_at.is_none()).then(|| Finding {
        kind: FindingKind::FalseSummary,
        what: "`process_summary.json` calls the collection complete, and it is not".to_owned(),
        count: 1,
        examples: Vec::new(),
    })
}
