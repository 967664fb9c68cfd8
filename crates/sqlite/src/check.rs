//! Whether a file is sound.

use crate::error::Error;
use crate::snapshot::Snapshot;

/// What [`Db::check`](crate::Db::check) found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CheckReport {
    /// Damage of the file, in SQLite's words; at most 100 findings.
    pub damage: Vec<String>,
    /// Rows that refer to rows that do not exist.
    pub orphans: Vec<Orphan>,
}

/// A row that refers to one that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Orphan {
    /// The table of the row.
    pub table: String,
    /// The row; none in a table without row ids.
    pub rowid: Option<i64>,
    /// The table it refers to.
    pub parent: String,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.orphans.is_empty()
    }
}

pub(crate) fn check(snapshot: &Snapshot<'_>) -> Result<CheckReport, Error> {
    let mut report = CheckReport::default();
    let integrity = snapshot.query_each("PRAGMA integrity_check(100)", [], |row| {
        let finding: String = row.get(0)?;
        if finding != "ok" {
            report.damage.push(finding);
        }
        Ok(())
    });
    // What was found before stays found when a page is so damaged that the search ends at it.
    report.damage.extend(damage(integrity)?);
    let references = snapshot.query_each("PRAGMA foreign_key_check", [], |row| {
        report.orphans.push(Orphan {
            table: row.get(0)?,
            rowid: row.get(1)?,
            parent: row.get(2)?,
        });
        Ok(())
    });
    report.damage.extend(damage(references)?);
    Ok(report)
}

/// The reason, if a search ended at a damaged page.
fn damage(searched: Result<(), Error>) -> Result<Option<String>, Error> {
    match searched {
        Ok(()) => Ok(None),
        Err(Error::Corrupt { reason, .. }) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}
