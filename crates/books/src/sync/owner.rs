//! Whose a local folder is, among runs of one name. Everything but archives lies there under the name of its run, so two
//! runs of one name in two folders of output would clear each other's staging folder, write over each other's texts, and
//! remove what the other one has.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::run::{CONFIG, Run, StorageKind};
use crate::sync::storage::Storage;

/// What names the directory of the run, in the store's copy of its settings. Other tools store that copy as well, and read
/// no key that they do not know.
const DIRECTORY: &str = "accession_run_directory";

/// Bytes of the copy that are read. Settings have some thousands.
const LONGEST: u64 = 1 << 20;

/// Says in the store which run of its name stores there. One that was moved is where it is now.
///
/// # Errors
///
/// As [`check`], and the store's.
pub(crate) async fn claim(run: &Run, storage: &Storage) -> Result<(), Error> {
    if check(run, storage).await? || run.is_served() || !storage.is_local() {
        return Ok(());
    }
    store_settings(run, storage).await
}

/// Stores a copy of the run's settings, which says in a local folder where the run is.
///
/// # Errors
///
/// The store's.
pub(crate) async fn store_settings(run: &Run, storage: &Storage) -> Result<(), Error> {
    let path = run.directory().join(CONFIG);
    let mut bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    if storage.is_local() && !run.is_served() {
        let mut config = run.config().clone();
        let directory = place(run)?.to_string_lossy().into_owned();
        config.other.insert(DIRECTORY.to_owned(), directory.into());
        bytes = config.to_bytes();
    }
    storage.put_about_run(CONFIG, bytes).await
}

/// Looks whether another run of its name stores there; whether the store says that it is this one. Processes that share
/// a run on a server are one run, whatever their directories are.
///
/// # Errors
///
/// [`Error::SameName`], and the store's.
pub(crate) async fn check(run: &Run, storage: &Storage) -> Result<bool, Error> {
    let key = storage.about_run(CONFIG)?;
    let Some(base) = storage.base().filter(|_| !run.is_served()) else {
        return Ok(false);
    };
    if storage.meta.head(&key).await?.is_none() {
        return Ok(false);
    }
    let copy = storage.meta.read_head(&key, LONGEST).await?;
    let copy = serde_json::from_slice::<Value>(&copy).unwrap_or_default();
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
