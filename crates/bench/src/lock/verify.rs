//! Whether a design wrote what it was asked to write.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Result, ensure};
use rusqlite::{Connection, OpenFlags};
use sqlite::Db;

use crate::lock::plan::{File, Kind, Passage, id};

/// Writes the files' own rows, which the predecessor had written long before.
pub(crate) fn seed(db: &Db, files: &[File]) -> Result<()> {
    let rows: Vec<[String; 4]> = files
        .iter()
        .enumerate()
        .map(|(number, file)| {
            [
                file.guid.clone(),
                format!("Artist {}/Album {}/{number}.mp3", number / 36, number / 12),
                id("hash", number),
                "2025-11-21 10:00:00".to_owned(),
            ]
        })
        .collect();
    db.write("seed", move |tx| {
        let columns = ["guid", "path", "hash", "modification_time"];
        tx.insert_rows("files", &columns, "", rows)
    })?;
    Ok(())
}

/// Checks that the database is sound and holds exactly what belongs to `files`; no less when `failed` is 0.
pub(crate) fn rows(path: &Path, files: &[File], failed: u64) -> Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(integrity == "ok", "the integrity check says: {integrity}");
    let orphans: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })?;
    ensure!(
        orphans == 0,
        "{orphans} rows refer to rows that are not there"
    );
    for (table, expected) in expected(files) {
        let sql = format!("SELECT count(*) FROM {table}");
        let found: u64 = connection.query_row(&sql, [], |row| row.get(0))?;
        let right = found == expected || (failed > 0 && found < expected);
        ensure!(right, "{found} rows in `{table}`, expected {expected}");
    }
    Ok(())
}

/// The number of rows in each table that belongs to `files`.
fn expected(files: &[File]) -> [(&'static str, u64); 7] {
    let passages = || files.iter().flat_map(|file| &file.passages);
    let distinct = |kind| {
        let ids: HashSet<_> = passages()
            .map(|passage| &passage.entity(kind).mbid)
            .collect();
        ids.len() as u64
    };
    let credit = |passage: &Passage| {
        let [song, artist] =
            [Kind::Song, Kind::Artist].map(|kind| passage.entity(kind).mbid.clone());
        (song, artist)
    };
    let credits: HashSet<_> = passages().map(credit).collect();
    let count = passages().count() as u64;
    [
        ("passages", count),
        ("passage_songs", count),
        ("passage_albums", count),
        ("songs", distinct(Kind::Song)),
        ("artists", distinct(Kind::Artist)),
        ("albums", distinct(Kind::Album)),
        ("song_artists", credits.len() as u64),
    ]
}
