//! A library by artists and by albums, page by page; capitals make no difference.
//!
//! A name is found again by its key. That is the name itself, unless it is longer than an address should be: then it is
//! a passage that has it, whose own address tells the name in full, and lists have its beginning.

use serde::Serialize;
use sqlite::{Db, Row, RowResult, Snapshot, params};

use audio::Ticks;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::query::ListedProblem;

/// The longest text of a list, and the longest name that is its own key, in bytes. A guess: as long as the longest titles
/// of works, and in an address, where a byte may take three, far from the 8 kB that servers take.
const LONGEST: usize = 512;

/// What the key of a longer name begins with; the id of a passage follows.
const OF_PASSAGE: &str = "passage:";

/// An artist in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedArtist {
    /// The name; of one longer than 512 bytes, its beginning.
    pub name: String,
    /// What finds the artist again, in any list: the name, or of a longer one `passage:` and the id of a passage.
    pub key: String,
    /// Number of passages.
    pub passages: u64,
}

/// An album in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedAlbum {
    /// The title; of one longer than 512 bytes, its beginning.
    pub title: String,
    /// What finds the album again, as [`ListedArtist::key`].
    pub key: String,
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
    /// Its title; this, its artist and its album are told in full with the passage itself where they are longer than 512
    /// bytes.
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

/// What names are looked for in.
#[derive(Debug, Clone, Copy)]
enum Names {
    Artists,
    Albums,
}

impl Names {
    const fn column(self) -> &'static str {
        match self {
            Self::Artists => "artist",
            Self::Albums => "album",
        }
    }

    /// The key of a name.
    fn key(self, snapshot: &Snapshot<'_>, name: &str) -> Result<String> {
        if name.len() <= LONGEST && !name.starts_with(OF_PASSAGE) {
            return Ok(name.to_owned());
        }
        let column = self.column();
        let id: String = snapshot.query_row(
            &format!("SELECT guid FROM passages WHERE {column} <> '' AND {column} COLLATE NOCASE = ?1 LIMIT 1"),
            params![name],
            |row| row.get(0),
        )?;
        Ok(format!("{OF_PASSAGE}{id}"))
    }

    /// The name that a key stands for.
    fn named(self, snapshot: &Snapshot<'_>, key: &str) -> Result<String> {
        let Some(id) = key.strip_prefix(OF_PASSAGE) else {
            return Ok(key.to_owned());
        };
        let column = self.column();
        let found = snapshot.query_optional(
            &format!(
                "SELECT CAST({column} AS TEXT) FROM passages WHERE guid = ?1 AND {column} <> ''"
            ),
            params![id],
            |row| row.get(0),
        )?;
        found.ok_or_else(|| Error::not_found(key))
    }
}

/// A text as lists have it.
fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// The next `count` artists by name, those behind the one with the key `after`.
///
/// # Errors
///
/// When nothing has that key any more, or the database cannot be read.
pub fn artists(db: &Db, after: Option<&str>, count: u32) -> Result<Page<ListedArtist>> {
    db.read(|snapshot| {
        let after = Names::Artists.named(snapshot, after.unwrap_or(""))?;
        let rows: Vec<(String, u64)> = snapshot.query_all(
            "SELECT CAST(min(artist) AS TEXT), count(*) FROM passages \
             WHERE artist <> '' AND artist COLLATE NOCASE > ?1 \
             GROUP BY artist COLLATE NOCASE ORDER BY artist COLLATE NOCASE LIMIT ?2",
            params![after, count.saturating_add(1)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let artists = rows.into_iter().map(|(name, passages)| {
            Ok(ListedArtist {
                key: Names::Artists.key(snapshot, &name)?,
                name: shortened(name),
                passages,
            })
        });
        let artists = artists.collect::<Result<_>>()?;
        Ok(Page::of(artists, count, |artist: &ListedArtist| {
            artist.key.clone()
        }))
    })
}

/// The next `count` albums by title, those behind the one with the key `after`. Albums of one title are one.
///
/// # Errors
///
/// When nothing has that key any more, or the database cannot be read.
pub fn albums(db: &Db, after: Option<&str>, count: u32) -> Result<Page<ListedAlbum>> {
    db.read(|snapshot| {
        let after = Names::Albums.named(snapshot, after.unwrap_or(""))?;
        // Nothing but the index is read for the groups: their rows lie all over the file.
        let rows: Vec<(String, Option<String>, u64, i64)> = snapshot.query_all(
            "SELECT CAST(min(album) AS TEXT), \
                 CASE WHEN min(artist) = max(artist) AND count(artist) = count(*) THEN CAST(min(artist) AS TEXT) END, \
                 count(*), min(rowid) FROM passages \
             WHERE album <> '' AND album COLLATE NOCASE > ?1 \
             GROUP BY album COLLATE NOCASE ORDER BY album COLLATE NOCASE LIMIT ?2",
            params![after, count.saturating_add(1)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let albums = rows.into_iter().map(|(title, artist, passages, row)| {
            Ok(ListedAlbum {
                key: Names::Albums.key(snapshot, &title)?,
                title: shortened(title),
                artist: artist.map(shortened),
                passages,
                passage_id: snapshot.query_row(
                    "SELECT guid FROM passages WHERE rowid = ?1",
                    params![row],
                    |row| row.get(0),
                )?,
            })
        });
        let albums = albums.collect::<Result<_>>()?;
        Ok(Page::of(albums, count, |album: &ListedAlbum| {
            album.key.clone()
        }))
    })
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

/// Whose passages, by the name or the key of a list.
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
/// When nothing has that key, or the passage `after` is not there any more, or the database cannot be read.
pub fn passages(
    db: &Db,
    by: By<'_>,
    after: Option<&str>,
    count: u32,
) -> Result<Page<ListedPassage>> {
    let (condition, names, key) = match by {
        By::Artist(key) => (
            "p.artist <> '' AND p.artist COLLATE NOCASE = ?1",
            Names::Artists,
            key,
        ),
        By::Album(key) => (
            "p.album <> '' AND p.album COLLATE NOCASE = ?1",
            Names::Albums,
            key,
        ),
    };
    let order = "(coalesce(p.album, '') COLLATE NOCASE, f.path, p.start_time_ticks, p.guid)";
    let columns = "p.guid, f.path, coalesce(p.user_title, p.title), p.artist, p.album, p.start_time_ticks, p.end_time_ticks";
    let rows = db.read(|snapshot| {
        let name = names.named(snapshot, key)?;
        if let Some(after) = after {
            // Behind what is gone there would be nothing, as if the list were over.
            let found = snapshot.query_optional(
                "SELECT 1 FROM passages WHERE guid = ?1",
                params![after],
                |_| Ok(()),
            )?;
            found.ok_or_else(|| Error::not_found(after))?;
        }
        Ok::<_, Error>(snapshot.query_all(
            // The album is compared twice, since of a comparison of rows the index is not used.
            &format!(
                "SELECT {columns} FROM passages p JOIN files f ON f.guid = p.file_id WHERE {condition} \
                 AND coalesce(p.album, '') COLLATE NOCASE >= \
                     coalesce((SELECT album FROM passages WHERE guid = ?2), '') \
                 AND (?2 IS NULL OR {order} > (SELECT coalesce(q.album, ''), g.path, q.start_time_ticks, q.guid \
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
        title: row.get::<_, Option<String>>(2)?.map(shortened),
        artist: row.get::<_, Option<String>>(3)?.map(shortened),
        album: row.get::<_, Option<String>>(4)?.map(shortened),
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
