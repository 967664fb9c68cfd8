//! Files that must not be opened while a database has them open.
//!
//! A process loses all its POSIX locks on a file as soon as it closes any descriptor of that file, whoever opened it: with
//! them would go those that SQLite holds on a database and its shared memory, and another program could remove the
//! write-ahead log from under this one (<https://www.sqlite.org/howtocorrupt.html>, 2.2). The names of such files tell
//! nothing, since a library may be called anything and have other links, so they are known by device and inode.

use std::fs::Metadata;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Device and inode of a file.
type File = (u64, u64);

static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// As long as it is there, [`regular_file`](crate::regular_file()) and its like open none of a database's files.
#[derive(Debug)]
pub struct KeptClosed(Vec<File>);

impl KeptClosed {
    /// The files of the database at `path` that are there now: to be called once it is open. Elsewhere than on Unix, where
    /// locks are held by what was opened, there are none to keep.
    pub fn of(path: &Path) -> Self {
        let beside = ["", "-shm", "-wal", "-journal"]
            .into_iter()
            .filter_map(|end| {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                Some(file(&std::fs::metadata(name).ok()?))
            });
        let files: Vec<File> = beside.filter(|_| cfg!(unix)).collect();
        kept().extend(&files);
        Self(files)
    }
}

impl Drop for KeptClosed {
    fn drop(&mut self) {
        let mut kept = kept();
        for file in &self.0 {
            // Once: the same database may be open twice.
            if let Some(at) = kept.iter().position(|other| other == file) {
                kept.swap_remove(at);
            }
        }
    }
}

/// Whether what this is of must not be opened.
pub(crate) fn is_kept(metadata: &Metadata) -> bool {
    kept().contains(&file(metadata))
}

fn kept() -> std::sync::MutexGuard<'static, Vec<File>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn file(metadata: &Metadata) -> File {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Never asked for, see [`KeptClosed::of`].
#[cfg(not(unix))]
fn file(_: &Metadata) -> File {
    (0, 0)
}
