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
    let mut damage = snapshot.query_all("PRAGMA integrity_check(100)", [], |row| row.get(0))?;
    damage.retain(|finding: &String| finding != "ok");
    let orphans = snapshot.query_all("PRAGMA foreign_key_check", [], |row| {
        Ok(Orphan {
            table: row.get(0)?,
            rowid: row.get(1)?,
            parent: row.get(2)?,
        })
    })?;
    Ok(CheckReport { damage, orphans })
}
