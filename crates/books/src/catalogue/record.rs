//! What GRIN said about single books, and what failed.

use std::sync::LazyLock;

use crate::catalogue::Catalogue;
use crate::catalogue::store::{Conflict, Recorded};
use crate::catalogue::value::Value;
use crate::error::Error;

/// What GRIN knows of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnrichedBook {
    /// Its barcode.
    pub(crate) barcode: String,
    /// The values of [`ASKED`], in order; what is blank or missing is `None`.
    pub(crate) values: Vec<Option<String>>,
}

/// What an answer may tell: the header of its column, the column of the table, and whether it is a date.
pub(crate) const ASKED: [(&str, &str, bool); 24] = [
    ("Scanned Date", "scanned_date", true),
    ("Converted Date", "converted_date", true),
    ("Downloaded Date", "downloaded_date", true),
    ("Processed Date", "processed_date", true),
    ("Analyzed Date", "analyzed_date", true),
    ("OCR'd Date", "ocr_date", true),
    ("State", "grin_state", false),
    ("Viewability", "grin_viewability", false),
    ("Opted-Out (post-scan)", "grin_opted_out", false),
    ("Conditions", "grin_conditions", false),
    ("Scannable", "grin_scannable", false),
    ("Tagging", "grin_tagging", false),
    ("Audit", "grin_audit", false),
    ("Material Error%", "grin_material_error_percent", false),
    ("Overall Error%", "grin_overall_error_percent", false),
    ("Claimed", "grin_claimed", false),
    ("OCR Analysis Score", "grin_ocr_analysis_score", false),
    ("OCR GTD Score", "grin_ocr_gtd_score", false),
    ("Digitization Method", "grin_digitization_method", false),
    ("Check-In Date", "grin_check_in_date", true),
    ("Source Library Bibkey", "grin_source_library_bibkey", false),
    ("Rubbish", "grin_rubbish", false),
    (
        "Allow Download Updated Date",
        "grin_allow_download_updated_date",
        true,
    ),
    (
        "Viewability Updated Date",
        "grin_viewability_updated_date",
        true,
    ),
];

/// One statement for every book: what is not told keeps its value.
pub(crate) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<_> = ASKED
        .iter()
        .enumerate()
        .map(|(index, (_, column, _))| format!("{column} = coalesce(?{}, {column})", index + 3))
        .collect();
    format!(
        "UPDATE books SET enrichment_timestamp = ?2, updated_at = ?2, {} WHERE barcode = ?1",
        values.join(", ")
    )
});

/// Remembers what failed, for `status`.
pub(crate) fn problem(
    catalogue: &Catalogue,
    command: &'static str,
    problems: Vec<(String, String)>,
    now: String,
) -> Recorded<()> {
    catalogue.write("record problem", move |tx| {
        tx.execute(
            "DELETE FROM accession_problem WHERE command = ?1",
            &[command.into()],
        )?;
        let rows = problems
            .iter()
            .map(|(item, reason)| [command.into(), item.into(), reason.into(), (&now).into()]);
        let columns = ["command", "item", "reason", "happened_at"];
        let latest = Conflict {
            key: &["command", "item"],
            then: "DO UPDATE SET reason = excluded.reason",
        };
        tx.insert_rows("accession_problem", &columns, Some(latest), rows)?;
        Ok(())
    })
}

/// Forgets that GRIN did not know books that are to be asked for again, whichever tool reset them.
pub(crate) fn doubt_not_found(catalogue: &Catalogue) -> Result<(), Error> {
    catalogue.write_now("doubt not found", |tx| {
        tx.execute(
            "DELETE FROM accession_not_found WHERE EXISTS
                 (SELECT 1 FROM books WHERE books.barcode = accession_not_found.barcode
                      AND coalesce(enrichment_timestamp, '') = '')",
            &[],
        )?;
        Ok(())
    })
}

/// Records what GRIN knows of some books, and which of those asked for it does not know.
pub(crate) fn enriched(
    catalogue: &Catalogue,
    found: Vec<EnrichedBook>,
    not_found: Vec<String>,
    now: String,
) -> Recorded<()> {
    catalogue.write("record enriched", move |tx| {
        for book in &found {
            let mut values: Vec<Value<'_>> = vec![(&book.barcode).into(), (&now).into()];
            values.extend(
                book.values
                    .iter()
                    .map(|value| Value::from(value.as_deref())),
            );
            tx.execute(&UPDATE, &values)?;
        }
        for barcode in &not_found {
            tx.execute(
                "UPDATE books SET enrichment_timestamp = ?2, updated_at = ?2 WHERE barcode = ?1",
                &[barcode.into(), (&now).into()],
            )?;
        }
        let rows = not_found
            .iter()
            .map(|barcode| [barcode.into(), (&now).into()]);
        let latest = Conflict {
            key: &["barcode"],
            then: "DO UPDATE SET asked_at = excluded.asked_at",
        };
        let columns = ["barcode", "asked_at"];
        tx.insert_rows("accession_not_found", &columns, Some(latest), rows)?;
        Ok(())
    })
}

/// Lets every book of a range of rows be asked for again. What is known of them stays.
pub(crate) fn forget_enrichment(
    catalogue: &Catalogue,
    above: i64,
    upto: i64,
) -> Result<u64, Error> {
    catalogue.write_now("forget enrichment", move |tx| {
        tx.execute(
            "DELETE FROM accession_not_found WHERE barcode IN
                 (SELECT barcode FROM books WHERE rowid > ?1 AND rowid <= ?2)",
            &[above.into(), upto.into()],
        )?;
        tx.execute(
            "UPDATE books SET enrichment_timestamp = NULL
             WHERE rowid > ?1 AND rowid <= ?2 AND enrichment_timestamp IS NOT NULL",
            &[above.into(), upto.into()],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_names_every_column_once() {
        for (_, column, _) in ASKED {
            assert!(
                crate::catalogue::COLUMNS
                    .iter()
                    .any(|known| known.name == column)
            );
            assert_eq!(UPDATE.matches(&format!(" {column} = coalesce(")).count(), 1);
        }
        assert!(UPDATE.contains("?26"));
    }
}
