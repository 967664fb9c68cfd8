//! Looks whether a library is whole: the file, its references, and the disk.

use serde::Serialize;
use sqlite::params;

use crate::error::Result;
use crate::library::Library;

/// What is wrong with a library; all empty when nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// What SQLite's integrity check found.
    pub integrity: Vec<String>,
    /// Rows that refer to rows that are not there.
    pub foreign_keys: Vec<String>,
    /// Rows that nothing refers to, or that lack what they need.
    pub orphans: Vec<String>,
    /// Paths that the library knows and the disk does not have.
    pub missing_files: Vec<String>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Each asks for rows that should not be: what they are, and a label for each.
const ORPHANS: [(&str, &str); 7] = [
    (
        "complete file without passages",
        "SELECT path FROM files f WHERE status = 'INGEST COMPLETE' \
         AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.file_id = f.guid) ORDER BY 1",
    ),
    (
        "passage outside its file",
        "SELECT f.path || ' ' || p.guid FROM passages p JOIN files f ON f.guid = p.file_id \
         WHERE p.end_time_ticks > f.duration_ticks ORDER BY 1",
    ),
    (
        "duplicate without an original",
        "SELECT path FROM files d WHERE status = 'DUPLICATE HASH' AND NOT EXISTS \
         (SELECT 1 FROM files o WHERE o.hash = d.hash AND o.status <> 'DUPLICATE HASH') ORDER BY 1",
    ),
    (
        "file linked with a file that is not there",
        "SELECT f.path FROM files f, json_each(f.matching_hashes) j \
         WHERE NOT EXISTS (SELECT 1 FROM files o WHERE o.guid = j.value) ORDER BY 1",
    ),
    (
        "passage of a song that is not there",
        "SELECT p.guid FROM passages p WHERE song_id IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM songs s WHERE s.guid = p.song_id) ORDER BY 1",
    ),
    (
        "song without a passage",
        "SELECT s.guid FROM songs s WHERE NOT EXISTS (SELECT 1 FROM passage_songs l WHERE l.song_id = s.guid) \
         AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.song_id = s.guid) ORDER BY 1",
    ),
    (
        "path left from an interrupted move",
        "SELECT path FROM files WHERE path LIKE '/moving/%' ORDER BY 1",
    ),
];

/// Checks a library.
///
/// # Errors
///
/// When the database cannot be read at all.
pub fn check(library: &Library) -> Result<Findings> {
    let report = library.db().check()?;
    let mut findings = Findings {
        integrity: report.damage,
        foreign_keys: report
            .orphans
            .iter()
            .map(|orphan| {
                format!(
                    "`{}` row {:?} refers to a missing row of `{}`",
                    orphan.table, orphan.rowid, orphan.parent
                )
            })
            .collect(),
        ..Findings::default()
    };
    let text = |sql: &str| {
        library
            .db()
            .read(|snapshot| snapshot.query_all(sql, params![], |row| row.get::<_, String>(0)))
    };
    for (what, sql) in ORPHANS {
        let rows = text(sql)?;
        findings
            .orphans
            .extend(rows.into_iter().map(|row| format!("{what}: {row}")));
    }
    findings.missing_files = text("SELECT path FROM files ORDER BY path")?
        .into_iter()
        .filter(|path| !library.root().join(path).is_file())
        .collect();
    Ok(findings)
}
