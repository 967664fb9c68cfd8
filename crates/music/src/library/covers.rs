//! Covers as the library knows them: rows of WKMP's `images`.

use serde::Serialize;
use sqlite::{Db, Tx, params};

use crate::error::Result;
use crate::library::identification;

/// A cover on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cover {
    /// Where it is.
    pub path: String,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
}

/// A front cover that was fetched.
#[derive(Debug, Clone)]
pub(crate) struct AlbumCover {
    /// The id of its album in the library.
    pub(crate) album: String,
    /// Where it lies.
    pub(crate) path: String,
    /// Its width in pixels.
    pub(crate) width: Option<u32>,
    /// Its height in pixels.
    pub(crate) height: Option<u32>,
}

/// Writes a front cover in the place of the one with the same file.
pub(crate) fn write(tx: &Tx<'_>, cover: &AlbumCover) -> Result<()> {
    tx.execute(
        "DELETE FROM images WHERE entity_id = ?1 AND image_type = 'album_front' AND file_path = ?2",
        params![cover.album, cover.path],
    )?;
    tx.execute(
        "INSERT INTO images (guid, file_path, image_type, entity_id, width, height) \
         VALUES (?1, ?2, 'album_front', ?3, ?4, ?5)",
        params![
            identification::random(),
            cover.path,
            cover.album,
            cover.width,
            cover.height
        ],
    )?;
    Ok(())
}

/// An album's id, its `MusicBrainz` id, and its cover's path.
pub(crate) type AlbumRow = (String, String, Option<String>);

/// All albums that passages are on.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn albums(db: &Db) -> Result<Vec<AlbumRow>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT a.guid, a.album_mbid, i.file_path FROM albums a \
             LEFT JOIN images i ON i.entity_id = a.guid AND i.image_type = 'album_front' \
             WHERE a.guid IN (SELECT album_id FROM passage_albums) ORDER BY 2",
            params![],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?)
    })
}

/// The front cover of the album that a passage is on.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn of_passage(db: &Db, passage: &str) -> Result<Option<Cover>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
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
        )?)
    })
}
