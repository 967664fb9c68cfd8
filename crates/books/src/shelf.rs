//! What a run has in its storage: listed, brought out, and removed. Nothing of other runs is ever touched.

mod others;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use ::run::OutputOptions;
use blob::{Entry, Key};
use futures_util::StreamExt as _;

use self::others::{Others, barcode_of};
use crate::catalogue::Catalogue;
use crate::catalogue::sync as archives;
use crate::date;
use crate::error::Error;
use crate::run::{Run, RunConfig};
use crate::sync::Storage;
use crate::sync::owner;
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

/// What would be removed. While this exists no run that stores in the same folder can be worked on.
pub struct Removal {
    room: Room,
    keys: Vec<Key>,
    /// Bytes of all objects that would be removed.
    pub bytes: u64,
    /// Archives that stay because another run has them as well: the run, and how many.
    pub kept: BTreeMap<String, u64>,
    _others: Option<Others>,
}

impl Removal {
    /// Objects that would be removed.
    pub fn objects(&self) -> usize {
        self.keys.len()
    }
}

/// Plans the removal of what [`list`] shows. An archive in a local folder that another run has as well stays.
///
/// # Errors
///
/// The store's, and the databases'; [`Error::Shared`] where the archives may be those of a run that cannot be asked,
/// [`Error::SameName`] where they may be those of another run of this name.
pub fn plan_removal(run: &Run, catalogue: &Catalogue, room: Room) -> Result<Removal, Error> {
    let mut found = Vec::new();
    list(catalogue, run.config(), room, |entry| {
        found.push((entry.key.clone(), entry.size));
    })?;
    let storage = Storage::open(run.config())?;
    blocking(owner::check(run, &storage))?;
    let others = match room {
        Room::Raw if !found.is_empty() => Some(Others::of(run, &storage)?),
        _ => None,
    };
    let mut owners = Vec::new();
    if let Some(others) = &others {
        for some in found.chunks(STEP as usize) {
            let barcodes: Vec<String> = some
                .iter()
                .map(|(key, _)| barcode_of(key).unwrap_or_default().to_owned())
                .collect();
            let some = others.owners(&barcodes)?;
            owners.extend(some.into_iter().map(|owner| owner.map(str::to_owned)));
        }
    }
    let (mut keys, mut bytes, mut kept) = (Vec::new(), 0, BTreeMap::new());
    owners.resize(found.len(), None);
    for ((key, size), owner) in found.into_iter().zip(owners) {
        if let Some(owner) = owner {
            *kept.entry(owner).or_default() += 1;
        } else {
            bytes += size;
            keys.push(key);
        }
    }
    Ok(Removal {
        room,
        keys,
        bytes,
        kept,
        _others: others,
    })
}

/// Removes what was planned. Books whose archive is removed are no longer called completed.
///
/// # Errors
///
/// The store's, and the database's; what was removed by then stays removed.
pub fn remove(catalogue: &Catalogue, config: &RunConfig, removal: &Removal) -> Result<(), Error> {
    let storage = Storage::open(config)?;
    let room = removal.room;
    blocking(async {
        for some in removal.keys.chunks(STEP as usize) {
            if room == Room::Raw {
                // First: a book that is called completed and is not there would be lost.
                let books = some.iter().filter_map(|key| {
                    let reason = "its archive was removed from storage".to_owned();
                    Some((barcode_of(key)?.to_owned(), reason))
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
