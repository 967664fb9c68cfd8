//! Whose a store is, among runs of one name. Everything but archives lies in a local folder under the name of its run, and
//! in a bucket archives do, too, so two runs of one name would clear each other's staging folder, write over each other's
//! objects, and remove what the other one has.
//!
//! In a folder a run is told by its directory, which can be looked at. Whoever stores in a bucket may be on another machine:
//! there it is told by a name that nobody else has.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use blob::Reason;
use serde_json::Value;

use crate::error::Error;
use crate::run::{CONFIG, Run, StorageKind, replace};
use crate::sync::storage::Storage;

/// What names the directory of the run, in the store's copy of its settings. Other tools store that copy as well, and read
/// no key that they do not know.
const DIRECTORY: &str = "accession_run_directory";

/// What names the run, in the copy in a bucket.
const ID: &str = "accession_run";

/// The file in the run's directory that has its name.
const ID_FILE: &str = "accession_run_id";

/// Bytes of the copy that are read. Settings have some thousands.
const LONGEST: u64 = 1 << 20;

/// Says in the store which run of its name stores there. One that was moved is where it is now; `take_over` says that the
/// one that a bucket names is no more.
///
/// # Errors
///
/// As [`check`], and the store's.
pub(crate) async fn claim(run: &Run, storage: &Storage, take_over: bool) -> Result<(), Error> {
    let is_taken = take_over && !storage.is_local();
    if run.is_served() || (!is_taken && check(run, storage).await?) {
        return Ok(());
    }
    match store_settings(run, storage).await {
        // What the store does not take now, the books wait for, and it is said at the end.
        Err(Error::Storage(error)) if !storage.is_local() => {
            tracing::warn!("the settings of the run are not stored: {error}");
            Ok(())
        }
        other => other,
    }
}

/// Stores a copy of the run's settings, which says in a local folder where the run is, and in a bucket which.
///
/// # Errors
///
/// The store's.
pub(crate) async fn store_settings(run: &Run, storage: &Storage) -> Result<(), Error> {
    let path = run.directory().join(CONFIG);
    let mut bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    if !run.is_served() {
        let mut config = run.config().clone();
        let (name, value) = if storage.is_local() {
            (DIRECTORY, place(run)?.to_string_lossy().into_owned())
        } else {
            (ID, id(run)?)
        };
        config.other.insert(name.to_owned(), value.into());
        bytes = config.to_bytes();
    }
    storage.put_about_run(CONFIG, bytes).await
}

/// Looks whether another run of its name stores there; whether the store says that it is this one. Processes that share
/// a run on a server are one run, whatever their directories are.
///
/// # Errors
///
/// [`Error::SameName`], [`Error::OtherRun`], and the store's, if it is a folder.
pub(crate) async fn check(run: &Run, storage: &Storage) -> Result<bool, Error> {
    if run.is_served() {
        return Ok(false);
    }
    let Some(base) = storage.base() else {
        return check_bucket(run, storage).await;
    };
    let Some(copy) = copy(storage).await? else {
        return Ok(false);
    };
    let Some(said) = copy.get(DIRECTORY).and_then(Value::as_str) else {
        return Ok(false);
    };
    let said = PathBuf::from(said);
    let is_own = fs::canonicalize(&said).is_ok_and(|said| place(run).is_ok_and(|own| own == said));
    if !is_own && is_run_storing_in(&said, base) {
        return Err(Error::SameName {
            run: run.config().run_name.clone(),
            directory: said,
            folder: base.to_owned(),
        });
    }
    Ok(is_own)
}

async fn check_bucket(run: &Run, storage: &Storage) -> Result<bool, Error> {
    let copy = match copy(storage).await {
        // A store that cannot be asked says nothing, nor does one that denies what is not there.
        Err(Error::Storage(error)) if error.reason() != Reason::Name => {
            tracing::warn!("whose the bucket is cannot be asked: {error}");
            return Ok(false);
        }
        other => other?,
    };
    let said = copy.as_ref().and_then(|copy| copy.get(ID)?.as_str());
    let Some(said) = said else { return Ok(false) };
    if id(run)? == said {
        return Ok(true);
    }
    Err(Error::OtherRun {
        run: run.config().run_name.clone(),
        place: storage.meta.address(&storage.prefix()?),
    })
}

/// The settings that the store has of a run of this name.
async fn copy(storage: &Storage) -> Result<Option<Value>, Error> {
    let key = storage.about_run(CONFIG)?;
    if storage.meta.head(&key).await?.is_none() {
        return Ok(None);
    }
    let copy = storage.meta.read_head(&key, LONGEST).await?;
    Ok(serde_json::from_slice(&copy).ok())
}

/// The name of the run that no other has. It is given when it is asked for first, and stays with the run's directory.
fn id(run: &Run) -> Result<String, Error> {
    let path = run.directory().join(ID_FILE);
    let known = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        other => other.map_err(Error::file("read", &path))?,
    };
    let known = known.trim();
    if !known.is_empty() {
        return Ok(known.to_owned());
    }
    let new = uuid::Uuid::new_v4().to_string();
    replace(&path, format!("{new}\n").as_bytes(), false)?;
    Ok(new)
}

fn place(run: &Run) -> Result<PathBuf, Error> {
    fs::canonicalize(run.directory()).map_err(Error::file("find", run.directory()))
}

/// Whether there is a run in `directory` that stores in `base`. Settings that cannot be read may name it.
fn is_run_storing_in(directory: &Path, base: &Path) -> bool {
    let output = directory.parent();
    let name = directory.file_name().and_then(|name| name.to_str());
    let (Some(output), Some(name)) = (output, name) else {
        return false;
    };
    directory.join(CONFIG).exists()
        && Run::open(output, name).map_or(true, |run| stores_in(&run, base))
}

/// Whether a run is set to store in the local folder `base`.
pub(crate) fn stores_in(run: &Run, base: &Path) -> bool {
    let same = |path: &Path| match (fs::canonicalize(path), fs::canonicalize(base)) {
        (Ok(one), Ok(other)) => one == other,
        _ => path == base,
    };
    let storage = run.config().storage_config.as_ref();
    let local = storage.filter(|storage| storage.kind == StorageKind::Local);
    let path = local.and_then(|storage| storage.config.get("base_path")?.as_str());
    path.is_some_and(|path| same(Path::new(path)))
}
