//! A library page by page, each found by the key of the last row before it, however many there are.

use serde::Serialize;
use sqlite::{Db, Row, RowResult, params};

use audio::Ticks;

use crate::error::Result;
use crate::id::FileId;
use crate::library::search::{self, Terms};

/// One file in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page {
    /// The files, by path.
    pub files: Vec<ListedFile>,
    /// What the next page is to be behind; `None` on the last.
    pub next: Option<String>,
    /// Number of files that words may not find yet, as these have still to be read; 0 where no word was asked for.
    pub unread: u64,
}

/// The next `count` files by path: those behind `after`, and of these the ones in whose path, titles, artists or albums
/// every one of `words` stands, with whatever capitals and accents.
///
/// The words of a few files that have changed are read first. Where there are many, such as in a library of a former
/// version, the answer is of what is known, and says how much is not; [`search::catch_up`] then reads the rest.
///
/// # Errors
///
/// When the database cannot be read, or the words not be written.
pub fn page(db: &Db, after: Option<&str>, words: Option<&str>, count: u32) -> Result<Page> {
    // One more than is shown tells whether there is a next page.
    let more = count.saturating_add(1);
    let (mut files, unread) = match words.and_then(Terms::of) {
        None => (files(db, after, more)?, 0),
        Some(terms) => {
            let unread = search::catch_up_soon(db)?;
            (found(db, after, &terms, more)?, unread)
        }
    };
    let has_more = files.len() > count as usize;
    files.truncate(count as usize);
    let last = files.last().filter(|_| has_more);
    let next = last.map(|file| file.path.clone());
    Ok(Page {
        files,
        next,
        unread,
    })
}

const FILE: &str = "SELECT f.guid, f.path, f.status, f.format, f.duration_ticks, \
    (SELECT count(*) FROM passages p WHERE p.file_id = f.guid), a.damage \
    FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid ";

fn files(db: &Db, after: Option<&str>, count: u32) -> Result<Vec<ListedFile>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            &format!("{FILE} WHERE f.path > ?1 ORDER BY f.path LIMIT ?2"),
            params![after.unwrap_or(""), count],
            listed,
        )?)
    })
}

fn found(db: &Db, after: Option<&str>, terms: &Terms, count: u32) -> Result<Vec<ListedFile>> {
    let after = after.unwrap_or("");
    db.read(|snapshot| {
        Ok(match search::few(snapshot, terms)? {
            Some(ids) => snapshot.query_all(
                &format!(
                    "{FILE} WHERE f.guid IN (SELECT value FROM json_each(?3)) AND f.path > ?1 \
                     ORDER BY f.path LIMIT ?2"
                ),
                params![after, count, ids],
                listed,
            )?,
            None => snapshot.query_all(
                // Among many files that are meant the next one by path is never far.
                &format!(
                    "{FILE} WHERE f.path > ?1 AND EXISTS (SELECT 1 FROM accession_words w WHERE w.file_id = f.guid \
                        AND NOT EXISTS (SELECT 1 FROM json_each(?3) t WHERE instr(w.words, t.value) = 0)) \
                     ORDER BY f.path LIMIT ?2"
                ),
                params![after, count, terms.all()],
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
            let page = page(library.db(), after, words, count).unwrap();
            page.files.into_iter().map(|file| file.path).collect()
        };
        assert_eq!(paths(None, None, 2), ["a.mp3", "b.mp3"]);
        assert_eq!(paths(Some("b.mp3"), None, 2), ["c 100%.mp3"]);
        assert_eq!(paths(None, Some("water SLÖW"), 9), ["b.mp3"]);
        assert_eq!(paths(None, Some("ate"), 9), ["b.mp3"]);
        assert_eq!(paths(None, Some("slow water a"), 9), ["b.mp3"]);
        assert_eq!(paths(None, Some("slow stone"), 9), [""; 0]);
        assert_eq!(paths(None, Some("0%"), 9), ["c 100%.mp3"]);
        assert_eq!(paths(None, Some("%"), 9), ["c 100%.mp3"]);
        assert_eq!(paths(Some("a.mp3"), Some(".mp3"), 1), ["b.mp3"]);

        // Whatever another program changes is found, or no longer found, from then on.
        library
            .db()
            .try_write("change", |tx| -> Result<()> {
                tx.execute("UPDATE passages SET title = 'Stone'", params![])?;
                tx.execute(
                    "UPDATE files SET path = 'moved.mp3' WHERE guid = 'a.mp3'",
                    params![],
                )?;
                tx.execute("DELETE FROM files WHERE guid = 'c 100%.mp3'", params![])?;
                Ok(())
            })
            .unwrap();
        assert_eq!(paths(None, Some("water"), 9), [""; 0]);
        assert_eq!(paths(None, Some("stone"), 9), ["b.mp3"]);
        assert_eq!(paths(None, Some("moved"), 9), ["moved.mp3"]);
        assert_eq!(paths(None, Some("100"), 9), [""; 0]);
        assert_eq!(search::catch_up(library.db(), || true).unwrap(), 0);
    }

    #[test]
    fn a_search_does_not_wait_for_the_words_of_many_files() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(&folder.path().join(DATABASE), folder.path()).unwrap();
        let make = |first: usize, last: usize| {
            let made = library.db().try_write("seed", move |tx| -> Result<()> {
                for number in first..last {
                    tx.execute(
                        "INSERT INTO files (guid, path, hash, modification_time) VALUES (?1, ?1, '', '')",
                        params![format!("water {number}.mp3")],
                    )?;
                }
                Ok(())
            });
            made.unwrap();
        };
        let ask = |words| {
            let page = page(library.db(), None, Some(words), 9).unwrap();
            (page.files.len(), page.unread)
        };
        make(0, 3);
        assert_eq!(ask("water"), (3, 0));
        make(3, 1_003);
        assert_eq!(
            ask("water"),
            (3, 1_000),
            "what is known, and how much is not"
        );
        assert_eq!(ask(""), (9, 0), "no word, nothing to wait for");
        assert_eq!(search::catch_up(library.db(), || true).unwrap(), 1_000);
        assert_eq!(ask("water 100"), (4, 0));
    }
}
