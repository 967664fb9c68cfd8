//! A library by artists and by albums, page by page; capitals make no difference.

use serde::Serialize;
use sqlite::{Db, Row, RowResult, params};

use audio::Ticks;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::query::ListedProblem;

/// An artist in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedArtist {
    /// The name.
    pub name: String,
    /// Number of passages.
    pub passages: u64,
}

/// An album in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedAlbum {
    /// The title.
    pub title: String,
    /// Its artist; `None` where there are several, or none is known.
    pub artist: Option<String>,
    /// Number of passages.
    pub passages: u64,
    /// One of its passages.
    pub passage_id: PassageId,
}

/// A passage in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedPassage {
    /// Its id.
    pub id: PassageId,
    /// The path of its file.
    pub path: String,
    /// Its title.
    pub title: Option<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Its album.
    pub album: Option<String>,
    /// Where it starts in its file, in seconds.
    pub start_seconds: f64,
    /// Its length in seconds.
    pub seconds: f64,
}

/// Some rows, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What the next page is to be behind; `None` on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of `count` rows of which one more was read if there was one.
    fn of(mut rows: Vec<T>, count: u32, key: impl Fn(&T) -> String) -> Self {
        let has_more = rows.len() > count as usize;
        rows.truncate(count as usize);
        let next = rows.last().filter(|_| has_more).map(key);
        Self { rows, next }
    }
}

/// The next `count` artists by name, those behind `after`.
///
/// # Errors
///
/// When the database cannot be read.
pub fn artists(db: &Db, after: Option<&str>, count: u32) -> Result<Page<ListedArtist>> {
    let rows = db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT CAST(min(artist) AS TEXT), count(*) FROM passages \
             WHERE artist <> '' AND artist COLLATE NOCASE > ?1 \
             GROUP BY artist COLLATE NOCASE ORDER BY artist COLLATE NOCASE LIMIT ?2",
            params![after.unwrap_or(""), count.saturating_add(1)],
            |row| {
                Ok(ListedArtist {
                    name: row.get(0)?,
                    passages: row.get(1)?,
                })
            },
        )?)
    })?;
    Ok(Page::of(rows, count, |artist| artist.name.clone()))
}

/// The next `count` albums by title, those behind `after`. Albums of one title are one.
///
/// # Errors
///
/// When the database cannot be read.
pub fn albums(db: &Db, after: Option<&str>, count: u32) -> Result<Page<ListedAlbum>> {
    let rows = db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT CAST(min(album) AS TEXT), \
                 CASE WHEN min(artist) = max(artist) AND count(artist) = count(*) THEN CAST(min(artist) AS TEXT) END, \
                 count(*), min(guid) FROM passages \
             WHERE album <> '' AND album COLLATE NOCASE > ?1 \
             GROUP BY album COLLATE NOCASE ORDER BY album COLLATE NOCASE LIMIT ?2",
            params![after.unwrap_or(""), count.saturating_add(1)],
            |row| {
                Ok(ListedAlbum {
                    title: row.get(0)?,
                    artist: row.get(1)?,
                    passages: row.get(2)?,
                    passage_id: row.get(3)?,
                })
            },
        )?)
    })?;
    Ok(Page::of(rows, count, |album| album.title.clone()))
}

/// The next `count` files with which something is wrong, by kind and path: those behind `after`, which is the `next` of
/// the page before.
///
/// # Errors
///
/// When the database cannot be read.
pub fn problems(db: &Db, after: Option<&str>, count: u32) -> Result<Page<ListedProblem>> {
    let (kind, path) = after
        .and_then(|key| key.split_once(':'))
        .unwrap_or(("", ""));
    let rows = db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT path, kind, stage, reason FROM ( \
                 SELECT path, kind, stage, reason FROM accession_problems \
                 UNION ALL SELECT f.path, 'damaged', 'decode', a.damage FROM accession_files a \
                     JOIN files f ON f.guid = a.file_id WHERE a.damage IS NOT NULL \
                 UNION ALL SELECT f.path, 'misnamed', 'scan', a.misnamed FROM accession_files a \
                     JOIN files f ON f.guid = a.file_id WHERE a.misnamed IS NOT NULL) \
             WHERE (kind, path) > (?1, ?2) ORDER BY kind, path LIMIT ?3",
            params![kind, path, count.saturating_add(1)],
            |row| {
                Ok(ListedProblem {
                    path: row.get(0)?,
                    kind: row.get(1)?,
                    stage: row.get(2)?,
                    reason: row.get(3)?,
                })
            },
        )?)
    })?;
    Ok(Page::of(rows, count, |one| {
        format!("{}:{}", one.kind, one.path)
    }))
}

/// Whose passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// An artist's, album by album.
    Artist(&'a str),
    /// An album's, in the order of its files.
    Album(&'a str),
}

/// The next `count` passages of an artist or an album: those behind the passage `after`.
///
/// # Errors
///
/// When the database cannot be read.
pub fn passages(
    db: &Db,
    by: By<'_>,
    after: Option<&str>,
    count: u32,
) -> Result<Page<ListedPassage>> {
    let (condition, name) = match by {
        By::Artist(name) => ("p.artist <> '' AND p.artist COLLATE NOCASE = ?1", name),
        By::Album(name) => ("p.album <> '' AND p.album COLLATE NOCASE = ?1", name),
    };
    let key = "(coalesce(p.album, '') COLLATE NOCASE, f.path, p.start_time_ticks, p.guid)";
    let columns = "p.guid, f.path, coalesce(p.user_title, p.title), p.artist, p.album, p.start_time_ticks, p.end_time_ticks";
    let rows = db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            &format!(
                "SELECT {columns} FROM passages p JOIN files f ON f.guid = p.file_id WHERE {condition} \
                 AND (?2 IS NULL OR {key} > (SELECT coalesce(q.album, ''), g.path, q.start_time_ticks, q.guid \
                      FROM passages q JOIN files g ON g.guid = q.file_id WHERE q.guid = ?2)) \
                 ORDER BY coalesce(p.album, '') COLLATE NOCASE, f.path, p.start_time_ticks, p.guid LIMIT ?3"
            ),
            params![name, after, count.saturating_add(1)],
            listed,
        )?)
    })?;
    Ok(Page::of(rows, count, |passage| passage.id.to_string()))
}

fn listed(row: &Row<'_>) -> RowResult<ListedPassage> {
    let (start, end) = (Ticks(row.get(5)?), Ticks(row.get(6)?));
    Ok(ListedPassage {
        id: row.get(0)?,
        path: row.get(1)?,
        title: row.get(2)?,
        artist: row.get(3)?,
        album: row.get(4)?,
        start_seconds: start.seconds(),
        seconds: end.seconds() - start.seconds(),
    })
}

#[cfg(test)]
mod tests {
    use crate::library::{DATABASE, Library};

    use super::*;

    #[test]
    fn artists_and_albums_are_told_once_whatever_their_capitals_and_pages_leave_no_gap() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(&folder.path().join(DATABASE), folder.path()).unwrap();
        let db = library.db();
        db.try_write("seed", |tx| -> Result<()> {
            let rows = [
                ("a", "b.mp3", "ABBA", "Gold"),
                ("b", "a.mp3", "Abba", "gold"),
                ("c", "c.mp3", "Čechomor", "Proměny"),
                ("d", "d.mp3", "Zappa", "gold"),
                ("e", "e.mp3", "", ""),
            ];
            for (id, path, artist, album) in rows {
                tx.execute(
                    "INSERT INTO files (guid, path, hash, modification_time) VALUES (?1, ?1, '', '')",
                    params![path],
                )?;
                tx.execute(
                    "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, artist, album) \
                     VALUES (?1, ?2, 0, 28224000, ?3, ?4)",
                    params![id, path, artist, album],
                )?;
            }
            Ok(())
        })
        .unwrap();
        let first = artists(db, None, 2).unwrap();
        let names: Vec<_> = first
            .rows
            .iter()
            .map(|a| (a.name.as_str(), a.passages))
            .collect();
        assert_eq!(names, [("ABBA", 2), ("Zappa", 1)]);
        let rest = artists(db, first.next.as_deref(), 2).unwrap();
        assert_eq!((rest.rows[0].name.as_str(), rest.next), ("Čechomor", None));
        let albums = albums(db, None, 9).unwrap();
        let told: Vec<_> = albums
            .rows
            .iter()
            .map(|a| (a.title.as_str(), a.passages))
            .collect();
        assert_eq!(told, [("Gold", 3), ("Proměny", 1)]);
        assert_eq!(albums.rows[0].artist, None);
        let mut paths = Vec::new();
        let mut after = None;
        loop {
            let page = passages(db, By::Album("GOLD"), after.as_deref(), 1).unwrap();
            paths.extend(page.rows.into_iter().map(|passage| passage.path));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paths, ["a.mp3", "b.mp3", "d.mp3"]);
    }
}
