//! A file that did not exist: built beside its place, published at once and complete.
//!
//! Nobody ever sees a database without its tables, a kill leaves at most a temporary file, and the write lock of the
//! real file is not taken. Backups are published the same way.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::connect;
use crate::error::Error;
use crate::schema::{Schema, upgrade};
use crate::settings::Settings;

/// Ends of the names of what SQLite leaves beside a database.
pub(crate) const COMPANIONS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// The end of the name of every temporary file of this crate.
const SUFFIX: &str = ".building";
/// Both building and backups write all the time; what nobody touched for so long is nobody's any more.
const ABANDONED: Duration = Duration::from_mins(10);

/// Whether there is a file; a dangling link counts as none.
pub(crate) fn exists(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        // A FIFO would be waited for, and a device written to.
        Ok(found) if !found.is_file() => {
            let reason = format!("expected a regular file, found {}", kind(found.file_type()));
            Err(Error::CannotOpen {
                path: path.to_path_buf(),
                reason,
            })
        }
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// Refuses a file of one byte, which SQLite takes for a new database and would fill: on some systems it once had to write one
/// into new files itself. Every other file that is no database it tells apart.
pub(crate) fn refuse_one_byte(path: &Path) -> Result<(), Error> {
    let length = |path: &Path| fs::metadata(path).map(|found| found.len());
    let mut wal = path.as_os_str().to_owned();
    wal.push(COMPANIONS[0]);
    // With a WAL it may be what a crash left of a database, and all of it is in there.
    if length(path).is_ok_and(|length| length == 1)
        && !length(Path::new(&wal)).is_ok_and(|length| length > 0)
    {
        return Err(Error::NotADatabase {
            path: path.to_path_buf(),
        });
    }
    Ok(())
}

/// What is in the way of a database, in words.
fn kind(kind: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a FIFO";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a directory"
    } else {
        "a special file"
    }
}

/// Builds the database and publishes it. If another process was faster, theirs stays.
pub(crate) fn fresh(settings: &Settings, schemas: &[Schema]) -> Result<(), Error> {
    let path = &settings.path;
    let temporary = Temporary::beside(path)?;
    if settings.private {
        keep_private(&temporary.path).map_err(|error| Error::io(path, &error))?;
    }
    let failed = |error| Error::sqlite(path, error);
    let connection = connect::builder(&temporary.path, settings).map_err(failed)?;
    upgrade::create_all(&connection, path, schemas)?;
    connect::finish_building(connection).map_err(failed)?;
    temporary.publish(path)?;
    Ok(())
}

/// Gives a new file no more rights than `source` has, before anything is in it: a copy of secrets is as secret.
pub(crate) fn keep_as_private_as(source: &Path, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let given = fs::metadata(path)?.permissions().mode();
        let allowed = fs::metadata(source)?.permissions().mode() | 0o600;
        fs::set_permissions(path, fs::Permissions::from_mode(given & allowed))
    }
    #[cfg(not(unix))]
    {
        let _ = (source, path);
        Ok(())
    }
}

/// Takes everybody's right but the owner's, before anything is in the file.
fn keep_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(())
    }
}

/// A file under a name of its own, removed when dropped together with everything SQLite put beside it.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) path: PathBuf,
}

impl Temporary {
    /// A name that nobody else uses, in the directory of `path`.
    pub(crate) fn beside(path: &Path) -> Result<Temporary, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::CannotOpen {
                path: path.to_path_buf(),
                reason: "the path names no file".into(),
            });
        };
        let unique = format!(".{}-{:016x}{SUFFIX}", std::process::id(), fastrand::u64(..));
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(unique);
        // Made here and not by SQLite, which would only say that it is unable to.
        let temporary = path.with_file_name(hidden);
        File::create_new(&temporary).map_err(|error| Error::io(path, &error))?;
        Ok(Temporary { path: temporary })
    }

    /// Gives the finished file its name, unless that name is taken; whether it was free.
    pub(crate) fn publish(self, path: &Path) -> Result<bool, Error> {
        let failed = |error| Error::io(path, &error);
        self.flush().map_err(failed)?;
        let published =
            place(&self.path, path, |from, to| fs::hard_link(from, to)).map_err(failed)?;
        drop(self);
        sync_directory(path).map_err(failed)?;
        Ok(published)
    }

    /// Gives the finished file the name of one that is there, which nobody may have open.
    pub(crate) fn replace(self, path: &Path) -> Result<(), Error> {
        let failed = |error| Error::io(path, &error);
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        // It would be taken for a WAL of the new file.
        if fs::metadata(&wal).is_ok_and(|found| found.len() > 0) {
            return Err(Error::InUse {
                path: path.to_path_buf(),
            });
        }
        self.flush().map_err(failed)?;
        fs::rename(&self.path, path).map_err(failed)?;
        drop(self);
        sync_directory(path).map_err(failed)
    }

    /// What a name promises must be on the disk before the name is. Windows flushes only what may be written.
    fn flush(&self) -> io::Result<()> {
        File::options().write(true).open(&self.path)?.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Most of them do not exist, and a leftover is removed as abandoned later.
        let _ = fs::remove_file(&self.path);
        for end in COMPANIONS {
            let mut path = self.path.as_os_str().to_owned();
            path.push(end);
            let _ = fs::remove_file(path);
        }
    }
}

/// Puts `from` under the name `to` without ever replacing a file; whether the name was free.
fn place(
    from: &Path,
    to: &Path,
    link: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<bool> {
    match link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(_) => rename_if_free(from, to),
    }
}

/// For file systems without hard links: processes that do the same take turns by a lock file.
fn rename_if_free(from: &Path, to: &Path) -> io::Result<bool> {
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(".publishing");
    let turn = to.with_file_name(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&turn)?;
    // Where locks are not supported either, the check alone has to do.
    let _ = file.lock();
    let free = !to.try_exists()?;
    if free {
        fs::rename(from, to)?;
    }
    let _ = fs::remove_file(&turn);
    Ok(free)
}

/// The new name itself is only as durable as its directory.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// Removes temporary files that killed processes left, silently: it is a courtesy.
pub(crate) fn remove_abandoned(path: &Path) {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        // By age and not by opening it: a file killed at the wrong moment is a second name of a live database, and
        // closing a descriptor of that would drop this process's locks on it.
        let age = entry
            .metadata()
            .ok()
            .and_then(|data| data.modified().ok())
            .and_then(|time| time.elapsed().ok());
        if is_temporary(&entry.file_name(), name) && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_temporary(candidate: &OsStr, name: &OsStr) -> bool {
    let (candidate, name) = (candidate.to_string_lossy(), name.to_string_lossy());
    candidate
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(&*name))
        .is_some_and(|rest| {
            rest.ends_with(SUFFIX)
                || COMPANIONS
                    .iter()
                    .any(|end| rest.ends_with(&format!("{SUFFIX}{end}")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_links(_: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[test]
    fn a_file_system_without_links_gets_a_rename_that_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second, target) = (
            directory.path().join("1"),
            directory.path().join("2"),
            directory.path().join("target"),
        );
        fs::write(&first, "first").unwrap();
        fs::write(&second, "second").unwrap();
        assert!(place(&first, &target, no_links).unwrap());
        assert!(!place(&second, &target, no_links).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "first");
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            2,
            "the lock file is removed"
        );
    }

    #[test]
    fn only_old_temporary_files_of_this_database_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let old = std::time::SystemTime::now() - 2 * ABANDONED;
        for (name, is_old) in [
            (".a.db.1-00.building", true),
            (".a.db.1-00.building-wal", true),
            (".a.db.2-00.building", false),
            (".b.db.1-00.building", true),
            (".a.db.notes", true),
        ] {
            let file = File::create(directory.path().join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        }
        remove_abandoned(&path);
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [".a.db.2-00.building", ".a.db.notes", ".b.db.1-00.building"]
        );
    }
}
