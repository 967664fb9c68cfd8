//! Before and after the books: a copy of the database, and what others find in storage about the run.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use blob::{Key, Metadata, Parts, Upload};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::Error;
use crate::event::Event;
use crate::export::{self, Form};
use crate::run::SUMMARY;
use crate::sync::storage::Storage;
use crate::sync::{SyncOptions, owner};
use crate::work::Work;

/// Copies of the database that are kept.
const COPIES: usize = 10;

/// Copies the database before anything changes it. Copies of what is on a server are the server's affair.
pub(super) fn back_up(work: &Work<'_>) -> Result<(), Error> {
    if work.catalogue.path().is_none() {
        return Ok(());
    }
    let folder = work.run.directory().join("backups");
    fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
    let name = jiff::Timestamp::now()
        .strftime("books_backup_%Y%m%d_%H%M%S.db")
        .to_string();
    let path = folder.join(&name);
    let beside = folder.join(format!(".accession-{name}"));
    let _ = fs::remove_file(&beside);
    work.catalogue.back_up(&beside)?;
    fs::rename(&beside, &path).map_err(Error::file("write", &path))?;
    let mut copies: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(Error::file("read", &folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("books_backup_") && name.ends_with(".db")
        })
        .collect();
    // Their names are their times.
    copies.sort();
    for old in copies.iter().rev().skip(COPIES) {
        fs::remove_file(old).map_err(Error::file("remove", old))?;
    }
    Ok(())
}

/// Stores what others read: the list of books, the database, the settings. What could not be stored.
pub(super) async fn finish(
    work: &Work<'_>,
    options: &SyncOptions,
    storage: &Storage,
) -> Vec<String> {
    let time = jiff::Zoned::now().strftime("%Y%m%d_%H%M%S").to_string();
    let mut problems = Vec::new();
    let mut note = |what: &str, result: Result<(), Error>| {
        if let Err(error) = result {
            problems.push(format!("{what}: {error}"));
        }
    };
    if options.csv {
        note(
            "the list of books",
            csv(work, options, storage, &time).await,
        );
    }
    if work.catalogue.path().is_some() {
        note("the database", database(work, storage, &time).await);
    }
    note(
        "the settings of the run",
        owner::store_settings(work.run, storage).await,
    );
    for problem in &problems {
        (work.tell)(&Event::Warning {
            message: format!("not stored, {problem}"),
        });
    }
    problems
}

/// Stores the run's summary.
pub(super) async fn summary(work: &Work<'_>, storage: &Storage) -> Result<(), Error> {
    let path = work.run.directory().join(SUMMARY);
    small(storage, &format!("{SUMMARY}.gz"), &path).await
}

async fn csv(
    work: &Work<'_>,
    options: &SyncOptions,
    storage: &Storage,
    time: &str,
) -> Result<(), Error> {
    let path = work.run.directory().join("books_export.csv");
    export::to_file(work.catalogue, work.run.directory(), Form::Csv, &path)?;
    let end = if options.pack_meta { ".gz" } else { "" };
    let names = [
        format!("books_latest.csv{end}"),
        format!("timestamped/{time}_books.csv{end}"),
    ];
    both(work, storage, &names, &path, options.pack_meta).await
}

async fn database(work: &Work<'_>, storage: &Storage, time: &str) -> Result<(), Error> {
    let path = work.run.directory().join(".accession-books.db");
    let _ = fs::remove_file(&path);
    work.catalogue.back_up(&path)?;
    let names = [
        "books_latest.db.gz".to_owned(),
        format!("timestamped/{time}_books_latest.db.gz"),
    ];
    let stored = both(work, storage, &names, &path, true).await;
    let _ = fs::remove_file(&path);
    stored
}

/// Stores a file of any size under two names.
async fn both(
    work: &Work<'_>,
    storage: &Storage,
    names: &[String; 2],
    path: &Path,
    pack: bool,
) -> Result<(), Error> {
    for (index, name) in names.iter().enumerate() {
        let copy = work
            .run
            .directory()
            .join(format!(".accession-stored-{}-{index}", std::process::id()));
        let done = write_copy(path, &copy, pack).map_err(Error::file("write", &copy));
        let stored = match done {
            Ok(()) => store(storage, &storage.about_run(name)?, &copy).await,
            Err(error) => Err(error),
        };
        let _ = fs::remove_file(&copy);
        stored?;
    }
    Ok(())
}

fn write_copy(path: &Path, copy: &Path, pack: bool) -> io::Result<()> {
    let mut source = run::regular_file(path)?;
    let target = File::create(copy)?;
    if !pack {
        return io::copy(&mut source, &mut &target).map(|_| ());
    }
    let mut packed = GzEncoder::new(target, Compression::fast());
    io::copy(&mut source, &mut packed)?;
    packed.finish().map(|_| ())
}

async fn store(storage: &Storage, key: &Key, file: &Path) -> Result<(), Error> {
    let digests = crate::archive::digests(file).map_err(Error::file("read", file))?;
    let memory = file.with_extension("upload.json");
    let upload = Upload::new(memory, Parts::new(2));
    let stored = storage
        .meta
        .store_file(key, file, &Metadata::new(), &digests, &upload)
        .await;
    if stored.is_err() {
        storage.meta.abandon(&upload).await?;
    }
    stored?;
    Ok(())
}

async fn small(storage: &Storage, name: &str, path: &Path) -> Result<(), Error> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let bytes = io::Write::write_all(&mut packed, &bytes)
        .and_then(|()| packed.finish())
        .map_err(Error::file("pack", path))?;
    storage.put_about_run(name, bytes).await
}
