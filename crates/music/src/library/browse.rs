//! A library page by page, each found by the key of the last row before it, however many there are.

use serde::Serialize;
use sqlite::{Db, Row, RowResult, params};

use audio::Ticks;

use crate::error::Result;
use crate::id::FileId;

/// One file in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedFile {
    /// Its id.
    pub id: FileId,
    /// Its path in the library.
    pub path: String,
    /// Its status, in WKMP's words.
    pub status: String,
    /// Its format.
    pub format: Option<String>,
    /// Its length in seconds.
    pub seconds: Option<f64>,
    /// Number of its passages.
    pub passages: u64,
    /// What is wrong with it.
    pub damage: Option<String>,
}

/// Some files, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The files, by path.
    pub files: Vec<ListedFile>,
    /// What the next page is to be behind; `None` on the last.
    pub next: Option<String>,
}

/// The next `count` files by path: those behind `after`, and of these the ones in whose path, titles, artists or albums
/// `words` stands. Letters of ASCII count as equal whether they are capitals or not.
///
/// # Errors
///
/// When the database cannot be read.
pub fn page(db: &Db, after: Option<&str>, words: Option<&str>, count: u32) -> Result<Page> {
    // One more than is shown tells whether there is a next page.
    let mut files = files(db, after, words, count.saturating_add(1))?;
    let has_more = files.len() > count as usize;
    files.truncate(count as usize);
    let last = files.last().filter(|_| has_more);
    let next = last.map(|file| file.path.clone());
    Ok(Page { files, next })
}

fn files(db: &Db, after: Option<&str>, words: Option<&str>, count: u32) -> Result<Vec<ListedFile>> {
    let words = words.map(str::trim).filter(|words| !words.is_empty());
    db.read(|snapshot| {
        Ok(match words {
            None => snapshot.query_all(
                "SELECT f.guid, f.path, f.status, f.format, f.duration_ticks, \
                 (SELECT count(*) FROM passages p WHERE p.file_id = f.guid), a.damage \
                 FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                 WHERE f.path > ?1 ORDER BY f.path LIMIT ?2",
                params![after.unwrap_or(""), count],
                listed,
            )?,
            Some(words) => snapshot.query_all(
                "SELECT f.guid, f.path, f.status, f.format, f.duration_ticks, \
                 (SELECT count(*) FROM passages p WHERE p.file_id = f.guid), a.damage \
                 FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                 WHERE f.path > ?1 AND (instr(lower(f.path), lower(?3)) > 0 OR EXISTS ( \
                 SELECT 1 FROM passages p WHERE p.file_id = f.guid AND instr(lower( \
                 coalesce(p.title, '') || char(10) || coalesce(p.artist, '') || char(10) || coalesce(p.album, '')), \
                 lower(?3)) > 0)) ORDER BY f.path LIMIT ?2",
                params![after.unwrap_or(""), count, words],
                listed,
            )?,
        })
    })
}

fn listed(row: &Row<'_>) -> RowResult<ListedFile> {
    let ticks: Option<i64> = row.get(4)?;
    Ok(ListedFile {
        id: row.get(0)?,
        path: row.get(1)?,
        status: row.get(2)?,
        format: row.get(3)?,
        seconds: ticks.map(|ticks| Ticks(ticks).seconds()),
        passages: row.get(5)?,
        damage: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::library::{DATABASE, Library};

    use super::*;

    #[test]
    fn pages_follow_each_other_without_a_gap_and_words_are_looked_for_in_names_and_titles() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(&folder.path().join(DATABASE), folder.path()).unwrap();
        library
            .db()
            .try_write("seed", |tx| -> Result<()> {
                for path in ["a.mp3", "b.mp3", "c 100%.mp3"] {
                    tx.execute(
                        "INSERT INTO files (guid, path, hash, modification_time) VALUES (?1, ?1, '', '')",
                        params![path],
                    )?;
                }
                tx.execute(
                    "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title) \
                     VALUES ('p', 'b.mp3', 0, 9, 'Slow Water')",
                    params![],
                )?;
                Ok(())
            })
            .unwrap();
        let paths = |after: Option<&str>, words: Option<&str>, count| -> Vec<String> {
            let files = files(library.db(), after, words, count).unwrap();
            files.into_iter().map(|file| file.path).collect()
        };
        assert_eq!(paths(None, None, 2), ["a.mp3", "b.mp3"]);
        assert_eq!(paths(Some("b.mp3"), None, 2), ["c 100%.mp3"]);
        assert_eq!(paths(None, Some("slow WATER"), 9), ["b.mp3"]);
        assert_eq!(paths(None, Some("0%"), 9), ["c 100%.mp3"]);
        assert_eq!(paths(None, Some("%"), 9), ["c 100%.mp3"]);
    }
}
