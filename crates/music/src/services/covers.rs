//! Fetches front covers of albums from the Cover Art Archive.
//!
//! They are kept in a folder beside the database, never beside or in audio files, and named in WKMP's
//! `images`. A cover whose file is gone is fetched again.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlite::params;

use crate::error::Result;
use crate::identify::ask::Asker;
use crate::identify::runtime;
use crate::library::Library;
use crate::library::identification;
use crate::services::cover_art::Image;

/// The folder for covers, in that of the database.
pub const FOLDER: &str = "covers";

/// Covers written down in one transaction.
const BATCH: usize = 25;

/// How the fetching went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Albums that had no cover.
    pub albums: u64,
    /// Those that have one now.
    pub found: u64,
    /// Those that the archive has none of.
    pub unknown: u64,
    /// Why the others were left for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A cover on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cover {
    /// Where it is.
    pub path: String,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
}

/// Fetches the front covers of all albums that passages are on and that have none.
///
/// # Errors
///
/// When the database cannot be used or a file not be written. A service that fails is told in the report.
pub fn fetch(library: &Library, asker: &Asker<'_>) -> Result<Fetched> {
    let wanted = wanted(library)?;
    let mut report = Fetched {
        albums: wanted.len() as u64,
        ..Fetched::default()
    };
    let folder = library.path().with_file_name(FOLDER);
    let runtime = runtime()?;
    for batch in wanted.chunks(BATCH) {
        let mut found = Vec::new();
        for (album, mbid) in batch {
            match runtime.block_on(asker.cover(mbid)) {
                Ok(Some(image)) => {
                    let path = keep(&folder, mbid, &image)?;
                    let path = path.display().to_string();
                    found.push((album.clone(), path, image.width, image.height));
                }
                Ok(None) => report.unknown += 1,
                Err(trouble) => {
                    report.trouble = Some(trouble.to_string());
                    break;
                }
            }
        }
        report.found += found.len() as u64;
        let answers = asker.answers.take_unwritten();
        if !found.is_empty() || !answers.is_empty() {
            library.db().write("record covers", move |tx| {
                for (album, path, width, height) in &found {
                    tx.execute(
                        "DELETE FROM images WHERE entity_id = ?1 AND image_type = 'album_front' AND file_path = ?2",
                        params![album, path],
                    )?;
                    tx.execute(
                        "INSERT INTO images (guid, file_path, image_type, entity_id, width, height) \
                         VALUES (?1, ?2, 'album_front', ?3, ?4, ?5)",
                        params![identification::random(), path, album, width, height],
                    )?;
                }
                identification::write_answers(tx, &answers)
            })?;
        }
        if report.trouble.is_some() {
            break;
        }
    }
    Ok(report)
}

/// Albums without a cover, by id and MusicBrainz id.
fn wanted(library: &Library) -> Result<Vec<(String, String)>> {
    let albums: Vec<(String, String, Option<String>)> = library
        .db()
        .read(|snapshot| {
            snapshot.query_all(
                "SELECT a.guid, a.album_mbid, i.file_path FROM albums a \
                 LEFT JOIN images i ON i.entity_id = a.guid AND i.image_type = 'album_front' \
                 WHERE a.guid IN (SELECT album_id FROM passage_albums) ORDER BY 2",
                params![],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
        })
        .map_err(|error: sqlite::Error| error)?;
    let lacking = |path: &Option<String>| {
        path.as_deref()
            .is_none_or(|path| !library.root().join(path).exists())
    };
    let mut wanted: Vec<_> = albums
        .into_iter()
        // A path is made of it.
        .filter(|(_, mbid, path)| lacking(path) && uuid::Uuid::parse_str(mbid).is_ok())
        .map(|(album, mbid, _)| (album, mbid))
        .collect();
    wanted.dedup();
    Ok(wanted)
}

/// Writes a cover's file, whole or not at all.
fn keep(folder: &Path, mbid: &str, image: &Image) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{mbid}.{}", image.extension));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&image.bytes)?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

/// The front cover of the album that a passage is on.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn of_passage(db: &sqlite::Db, passage: &str) -> Result<Option<Cover>> {
    Ok(db
        .read(|snapshot| {
            snapshot.query_optional(
                "SELECT i.file_path, i.width, i.height FROM images i \
                 JOIN passage_albums a ON a.album_id = i.entity_id \
                 WHERE a.passage_id = ?1 AND i.image_type = 'album_front' ORDER BY i.priority, i.guid LIMIT 1",
                params![passage],
                |row| {
                    Ok(Cover {
                        path: row.get(0)?,
                        width: row.get(1)?,
                        height: row.get(2)?,
                    })
                },
            )
        })
        .map_err(|error: sqlite::Error| error)?)
}
