//! What a cue sheet or chapters said about a file, kept whether or not the file was cut there.
//!
//! Identification takes it as evidence, and it is what a passage is called again when its song is taken away.

use std::collections::HashSet;

use sqlite::{Db, Row, RowResult, Snapshot, Tx, params};

use crate::error::Result;
use crate::id::FileId;
use audio::Ticks;
use audio::marks::{Mark, Marks, Origin};

/// One marked track, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMark {
    pub(crate) start: Ticks,
    /// `None` where the next one starts.
    pub(crate) end: Option<Ticks>,
    pub(crate) origin: String,
    pub(crate) number: Option<u32>,
    pub(crate) title: Option<String>,
    pub(crate) performer: Option<String>,
    pub(crate) isrc: Option<String>,
    /// The title of the whole sheet.
    pub(crate) album: Option<String>,
}

const fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::EmbeddedCueSheet => "embedded_cue_sheet",
        Origin::CueSheet => "cue_sheet",
        Origin::Chapters => "chapters",
    }
}

impl StoredMark {
    /// The marks of a file in order of time; of two that start at the same tick the first counts.
    pub(crate) fn all_of(marks: Option<&Marks>) -> Vec<Self> {
        let Some(marks) = marks else {
            return Vec::new();
        };
        let stored = |mark: &Mark| Self {
            start: Ticks(Ticks::from_seconds(mark.start).0.max(0)),
            end: mark.end.map(Ticks::from_seconds),
            origin: word(marks.origin).to_owned(),
            number: mark.number,
            title: mark.title.clone(),
            performer: mark.performer.clone(),
            isrc: mark.isrc.clone(),
            album: marks.album.clone(),
        };
        let mut all: Vec<_> = marks.tracks.iter().map(stored).collect();
        all.dedup_by_key(|mark| mark.start);
        all
    }

    /// The mark of a passage: the one that it lies in by more than half of its length.
    pub(crate) fn of_passage(all: &[Self], start: Ticks, end: Ticks) -> Option<&Self> {
        let shared = |at: usize| {
            let mark = &all[at];
            let next = all.get(at + 1).map_or(Ticks(i64::MAX), |next| next.start);
            let mark_end = mark.end.unwrap_or(next);
            mark_end.min(end).0 - mark.start.max(start).0
        };
        let best = (0..all.len()).max_by_key(|at| shared(*at))?;
        (shared(best) * 2 > end.0 - start.0).then(|| &all[best])
    }
}

/// What is stored about a file, in order of time.
pub(crate) fn load(snapshot: &Snapshot<'_>, file: &FileId) -> Result<Vec<StoredMark>> {
    Ok(snapshot.query_all(
        "SELECT start_ticks, end_ticks, origin, number, title, performer, isrc, album FROM accession_marks \
         WHERE file_id = ?1 ORDER BY start_ticks",
        params![file],
        read,
    )?)
}

fn read(row: &Row<'_>) -> RowResult<StoredMark> {
    Ok(StoredMark {
        start: Ticks(row.get(0)?),
        end: row.get::<_, Option<i64>>(1)?.map(Ticks),
        origin: row.get(2)?,
        number: row.get(3)?,
        title: row.get(4)?,
        performer: row.get(5)?,
        isrc: row.get(6)?,
        album: row.get(7)?,
    })
}

/// The paths of files that are cut as a cue sheet beside them says.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn cut_by_sheets(db: &Db) -> Result<HashSet<String>> {
    let found = db.read(|snapshot| {
        snapshot.query_all(
            "SELECT DISTINCT f.path FROM files f JOIN accession_files a ON a.file_id = f.guid \
             JOIN accession_marks m ON m.file_id = f.guid WHERE a.cut_by = 'marks' AND m.origin = 'cue_sheet'",
            params![],
            |row| row.get::<_, String>(0),
        )
    });
    let found: Result<Vec<_>, sqlite::Error> = found;
    Ok(found?.into_iter().collect())
}

/// Replaces what is stored about a file.
pub(crate) fn write(tx: &Tx<'_>, file: &FileId, marks: &[StoredMark]) -> Result<()> {
    tx.execute(
        "DELETE FROM accession_marks WHERE file_id = ?1",
        params![file],
    )?;
    tx.insert_rows(
        "accession_marks",
        &[
            "file_id",
            "start_ticks",
            "end_ticks",
            "origin",
            "number",
            "title",
            "performer",
            "isrc",
            "album",
        ],
        "",
        marks.iter().map(|mark| {
            (
                file,
                mark.start.0,
                mark.end.map(|end| end.0),
                &mark.origin,
                mark.number,
                &mark.title,
                &mark.performer,
                &mark.isrc,
                &mark.album,
            )
        }),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(start: i64, end: Option<i64>, title: &str) -> StoredMark {
        StoredMark {
            start: Ticks(start),
            end: end.map(Ticks),
            origin: "cue_sheet".to_owned(),
            number: None,
            title: Some(title.to_owned()),
            performer: None,
            isrc: None,
            album: None,
        }
    }

    #[test]
    fn a_passage_has_the_mark_that_most_of_it_lies_in() {
        let all = [
            mark(0, None, "one"),
            mark(100, Some(150), "two"),
            mark(200, None, "three"),
        ];
        let title = |start, end| {
            StoredMark::of_passage(&all, Ticks(start), Ticks(end))
                .and_then(|mark| mark.title.as_deref())
        };
        assert_eq!(title(5, 95), Some("one"));
        assert_eq!(title(90, 160), Some("two"));
        assert_eq!(title(150, 200), None);
        assert_eq!(title(50, 150), None, "as much of one as of the other");
        assert_eq!(title(190, 900), Some("three"));
    }
}
