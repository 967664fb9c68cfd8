//! Fetches front covers of albums from the Cover Art Archive.
//!
//! They are kept in a folder beside the database, never beside or in audio files, and named in WKMP's
//! `images`. A cover whose file is gone is fetched again.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::identify::ask::CachedServices;
use crate::identify::runtime;
use crate::library::Library;
use crate::library::covers::{self, AlbumCover};
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

/// Fetches the front covers of all albums that passages are on and that have none.
///
/// # Errors
///
/// When the database cannot be used or a file not be written. A service that fails is told in the report.
pub fn fetch(library: &Library, asker: &CachedServices<'_>) -> Result<Fetched> {
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
                    found.push(AlbumCover {
                        album: album.clone(),
                        path,
                        width: image.width,
                        height: image.height,
                    });
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
            library.db().try_write("record covers", move |tx| {
                for cover in &found {
                    covers::write(tx, cover)?;
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
    let albums = covers::albums(library.db())?;
    let lacking = |path: &Option<String>| {
        path.as_deref()
            // A picture's path is absolute, as WKMP keeps it; only whether it is there is asked.
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
