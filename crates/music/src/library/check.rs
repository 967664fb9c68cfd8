//! Looks whether a library is whole: the file, its references, and the disk.

use run::LibraryPath;
use serde::Serialize;
use sqlite::params;
use sqlite::types::ValueRef;

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

    /// Whether files are linked with files that are not there.
    pub fn has_torn_links(&self) -> bool {
        self.orphans.iter().any(|orphan| orphan.starts_with(TORN))
    }
}

/// What files are called whose links lead nowhere.
const TORN: &str = "file linked with a file that is not there";

/// Each asks for rows that should not be: what they are, and a label for each.
const ORPHANS: [(&str, &str); 8] = [
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
        TORN,
        "SELECT f.path FROM files f, json_each(CASE WHEN json_valid(f.matching_hashes) THEN f.matching_hashes ELSE '[]' END) j \
         WHERE NOT EXISTS (SELECT 1 FROM files o WHERE o.guid = j.value) ORDER BY 1",
    ),
    (
        "passage of a song that is not there",
        "SELECT p.guid FROM passages p WHERE song_id IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM songs s WHERE s.guid = p.song_id) ORDER BY 1",
    ),
    (
        "no list of copies",
        "SELECT path FROM files WHERE matching_hashes IS NOT NULL AND NOT json_valid(matching_hashes) ORDER BY 1",
    ),
    (
        "value of a wrong type in passage",
        "SELECT guid FROM passages WHERE typeof(guid) <> 'text' OR typeof(start_time_ticks) <> 'integer' \
         OR typeof(end_time_ticks) <> 'integer' OR typeof(title) NOT IN ('text', 'null') \
         OR typeof(artist) NOT IN ('text', 'null') OR typeof(album) NOT IN ('text', 'null') ORDER BY 1",
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
    for (what, sql) in ORPHANS {
        let is_whole = each_text(library, sql, |row| {
            findings.orphans.push(format!("{what}: {row}"));
        })?;
        if !is_whole {
            let unread = format!("a damaged page ended the search for: {what}");
            findings.integrity.push(unread);
        }
    }
    let is_whole = each_text(library, "SELECT path FROM files ORDER BY path", |path| {
        let is_there = path
            .parse::<LibraryPath>()
            .is_ok_and(|inside| run::is_listed_file(&inside.below(library.root())));
        if !is_there {
            findings.missing_files.push(path);
        }
    })?;
    if !is_whole {
        let unread = "a damaged page ended the list of files".to_owned();
        findings.integrity.push(unread);
    }
    Ok(findings)
}

/// Calls `each` with the first column of every row; whether all could be read.
fn each_text(library: &Library, sql: &str, mut each: impl FnMut(String)) -> Result<bool> {
    let read = library.db().read(|snapshot| {
        snapshot.query_each(sql, params![], |row| {
            // A value of another type is shown as it is.
            let value = row.get_ref(0)?;
            each(match value {
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    String::from_utf8_lossy(text).into_owned()
                }
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Null => "NULL".to_owned(),
            });
            Ok(())
        })
    });
    match read {
        Ok(()) => Ok(true),
        Err(sqlite::Error::Corrupt { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
