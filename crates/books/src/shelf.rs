//! What a run has in its storage: listed, brought out, and removed. Nothing of other runs is ever touched.

use std::io::Write as _;
use std::path::Path;

use ::run::OutputOptions;
use blob::{Entry, Key};
use futures_util::StreamExt as _;

use crate::catalogue::Catalogue;
use crate::catalogue::sync as archives;
use crate::date;
use crate::error::Error;
use crate::run::{Run, RunConfig};
use crate::sync::Storage;
use crate::sync::storage::Room;

/// Books read from the database at a time.
const STEP: u32 = 500;

/// Shows each object of the run in one of its places to `each`.
///
/// Archives in a local folder lie there without the name of the run, so those of the run's own books are looked up.
///
/// # Errors
///
/// The store's, and the database's.
pub fn list(
    catalogue: &Catalogue,
    config: &RunConfig,
    room: Room,
    mut each: impl FnMut(&Entry),
) -> Result<(), Error> {
    let storage = Storage::open(config)?;
    blocking(async {
        if room == Room::Raw && storage.is_local() {
            let mut above = String::new();
            loop {
                let books = archives::said_stored(catalogue, &above, STEP)?;
                let Some(last) = books.last() else {
                    return Ok(());
                };
                above.clone_from(&last.barcode);
                for book in &books {
                    let key = storage.archive(&book.barcode)?;
                    if let Some(head) = storage.raw.head(&key).await? {
                        each(&Entry {
                            key,
                            size: head.size,
                            modified: 0,
                            etag: head.etag,
                        });
                    }
                }
            }
        }
        let mut entries = storage.room(room).list(&storage.prefix()?);
        while let Some(entry) = entries.next().await {
            each(&entry?);
        }
        Ok(())
    })
}

/// Removes objects that [`list`] has shown. Books whose archive is removed are no longer called completed.
///
/// # Errors
///
/// The store's, and the database's; what was removed by then stays removed.
pub fn remove(
    catalogue: &Catalogue,
    config: &RunConfig,
    room: Room,
    keys: &[Key],
) -> Result<(), Error> {
    let storage = Storage::open(config)?;
    blocking(async {
        for some in keys.chunks(STEP as usize) {
            if room == Room::Raw {
                // First: a book that is called completed and is not there would be lost.
                let books = some.iter().filter_map(|key| {
                    let name = key.as_str().rsplit('/').next()?;
                    let barcode = name.strip_suffix(".tar.gz")?;
                    Some((
                        barcode.to_owned(),
                        "its archive was removed from storage".to_owned(),
                    ))
                });
                archives::doubt(catalogue, books.collect(), date::now()).await?;
            }
            for key in some {
                storage.room(room).delete(key).await?;
            }
        }
        Ok(())
    })
}

/// How a file is written that a person wants of a run: not over what the run works with, and not over its objects.
///
/// # Errors
///
/// As [`Storage::open`].
pub fn outputs(run: &Run) -> Result<OutputOptions, Error> {
    let own = crate::run::outputs(run.directory());
    let config = run.config();
    if config.storage_config.is_none() {
        return Ok(own);
    }
    let folders = Storage::open(config)?.folders();
    Ok(folders.into_iter().fold(own, OutputOptions::protect_folder))
}

/// Copies an object out of storage, as a stream; its bytes. `name` is what follows the name of the run.
///
/// # Errors
///
/// The store's, and the disk's; [`Error::Output`] where `target` is something that the run works with.
pub fn copy_out(run: &Run, room: Room, name: &str, target: &Path) -> Result<u64, Error> {
    let storage = Storage::open(run.config())?;
    let mut output = outputs(run)?.open(target)?;
    blocking(async {
        let run = storage.prefix()?;
        let own = format!("{run}/");
        let key = match (room, storage.is_local()) {
            (Room::Raw, true) => Key::new(name)?,
            _ if name.starts_with(&own) => Key::new(name)?,
            _ => Key::new(format!("{own}{name}"))?,
        };
        let mut reader = storage.room(room).read(&key).await?;
        while let Some(piece) = reader.piece().await? {
            output
                .write_all(&piece)
                .map_err(Error::file("write", target))?;
        }
        output.finish()?;
        Ok(reader.size())
    })
}

fn blocking<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::file("start work with", Path::new("the storage")))?
        .block_on(work)
}
