//! A folder on this machine.
//!
//! Objects are written beside their place and renamed into it, so a reader sees all of an object or nothing, and a
//! killed process leaves what was there before.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Reason};
use crate::key::Key;
use crate::object::{Child, Entry, Head, Proof, Reader, Stored};
use crate::upload::{Digests, hex};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// What names of files that are being written begin with; a listing leaves them out.
const UNFINISHED: &str = ".accession-";

/// Names of a folder that are looked at for abandoned files before another one is written. A guess: a millisecond; folders
/// into which files are written here, rather than moved, have some dozens.
const LOOKED_AT: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Whether the root itself is made when something is stored.
    is_made: bool,
    /// The disk that the root was on when it was looked at first.
    disk: Arc<OnceLock<u64>>,
}

impl Folder {
    pub(crate) fn new(root: PathBuf, is_made: bool) -> Self {
        Self {
            root,
            is_made,
            disk: Arc::default(),
        }
    }

    /// Whether the folder is there, where it has to be. A disk that is not mounted is not an empty one: nothing is said
    /// of its objects, and nothing is written in its place.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_made {
            return Ok(());
        }
        let detail = match fs::metadata(&self.root) {
            Ok(found) if found.is_dir() && !self.is_left(&found) => return Ok(()),
            Ok(found) if found.is_dir() => {
                "the folder is empty and on another disk than before; is its own disk mounted?"
            }
            _ => "the folder is not there; is its disk mounted?",
        };
        Err(Error::new(Reason::Unavailable, self.root.display(), detail))
    }

    /// Whether only the folder is left that the disk was mounted on. A disk that comes back may have another number.
    fn is_left(&self, found: &fs::Metadata) -> bool {
        let disk = disk_of(found);
        *self.disk.get_or_init(|| disk) != disk
            && fs::read_dir(&self.root).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// What became of work below the root: whatever failed with the root gone failed for that reason.
    fn told<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| self.check().err().unwrap_or(error))
    }

    /// Makes the folder of `path`.
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        if self.is_made {
            return fs::create_dir_all(folder);
        }
        self.check().map_err(io::Error::other)?;
        let mut at = self.root.clone();
        for part in folder.strip_prefix(&self.root).into_iter().flatten() {
            at.push(part);
            match fs::create_dir(&at) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn path(&self, key: &Key) -> PathBuf {
        key.as_str()
            .split('/')
            .fold(self.root.clone(), |path, part| path.join(part))
    }

    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<Stored, Error> {
        let (path, folder) = (self.path(key), self.clone());
        let put = blocking(move || {
            let size = bytes.len() as u64;
            folder.make_folder(&path)?;
            let mut beside = beside(&path)?;
            beside.write_all(&bytes)?;
            settle(beside, &path)?;
            Ok(stored(size, Proof::ReadBack))
        });
        self.told(put.await.map_err(Error::io(key)))
    }

    /// Moves `file` to its place, or copies it there and removes it if that is on another disk.
    pub(crate) async fn take(
        &self,
        key: &Key,
        file: &Path,
        digests: &Digests,
    ) -> Result<Stored, Error> {
        let (path, folder) = (self.path(key), self.clone());
        let (file, digests, name) = (file.to_owned(), digests.clone(), key.clone());
        let taken = blocking(move || {
            let size = fs::metadata(&file)?.len();
            if size != digests.size {
                return Ok(Err(different(
                    &name,
                    &format!("the file has {size} bytes, expected {}", digests.size),
                )));
            }
            folder.make_folder(&path)?;
            // Windows flushes only what may be written.
            File::options().write(true).open(&file)?.sync_all()?;
            match fs::rename(&file, &path) {
                Ok(()) => {
                    sync_folder(&path)?;
                    return Ok(Ok(stored(size, Proof::Moved)));
                }
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
                Err(error) => return Err(error),
            }
            let mut beside = beside(&path)?;
            let sha256 = copy(File::open(&file)?, &mut beside)?;
            if sha256 != digests.sha256 {
                return Ok(Err(different(
                    &name,
                    "the file changed while it was copied",
                )));
            }
            settle(beside, &path)?;
            fs::remove_file(&file)?;
            Ok(Ok(stored(size, Proof::ReadBack)))
        });
        self.told(taken.await.map_err(Error::io(key)))?
    }

    pub(crate) async fn head(&self, key: &Key) -> Result<Option<Head>, Error> {
        let path = self.path(key);
        match blocking(move || fs::symlink_metadata(path)).await {
            Ok(found) if found.is_file() => Ok(Some(Head {
                size: found.len(),
                etag: None,
                metadata: crate::Metadata::new(),
            })),
            Ok(_) => Err(different(key, "it is not a regular file")),
            Err(error) if is_missing(&error) => self.check().map(|()| None),
            Err(error) => Err(Error::io(key)(error)),
        }
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Reader, Error> {
        if self.head(key).await?.is_none() {
            return Err(Error::new(Reason::Missing, key, "there is no such file"));
        }
        let path = self.path(key);
        let (file, size) = blocking(move || {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        })
        .await
        .map_err(Error::io(key))?;
        let name = key.clone();
        let pieces = stream::try_unfold((file, name), |(mut file, name)| async move {
            let (read, file) = blocking(move || {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
                Ok((piece, file))
            })
            .await
            .map_err(Error::io(&name))?;
            Ok((!read.is_empty()).then(|| (Bytes::from(read), (file, name))))
        });
        Ok(Reader::new(key, size, pieces.boxed()))
    }

    pub(crate) async fn read_head(&self, key: &Key, bytes: u64) -> Result<Bytes, Error> {
        if self.head(key).await?.is_none() {
            return Err(Error::new(Reason::Missing, key, "there is no such file"));
        }
        let path = self.path(key);
        let read = move || {
            let mut head = Vec::new();
            File::open(path)?.take(bytes).read_to_end(&mut head)?;
            Ok(Bytes::from(head))
        };
        blocking(read).await.map_err(Error::io(key))
    }

    pub(crate) async fn children(&self, folder: Option<&Key>) -> Result<Vec<Child>, Error> {
        self.check()?;
        let walk = self.walk(folder, false);
        let name = folder.map_or_else(|| self.root.display().to_string(), ToString::to_string);
        blocking(move || Ok(walk.collect()))
            .await
            .map_err(Error::io(name))?
    }

    fn walk(&self, folder: Option<&Key>, is_deep: bool) -> Walk {
        let path = folder.map_or_else(|| self.root.clone(), |folder| self.path(folder));
        Walk {
            folders: vec![(path, folder.cloned())],
            entries: None,
            is_deep,
        }
    }

    pub(crate) fn list(&self, folder: Option<&Key>) -> BoxStream<'static, Result<Entry, Error>> {
        if let Err(error) = self.check() {
            return stream::iter([Err(error)]).boxed();
        }
        let walk = self.walk(folder, true).filter_map(|child| match child {
            Ok(Child::Object(entry)) => Some(Ok(entry)),
            Ok(Child::Folder(_)) => None,
            Err(error) => Some(Err(error)),
        });
        let pages = stream::unfold(Some(walk), |walk| async move {
            let mut walk = walk?;
            let page = blocking(move || {
                let mut page = Vec::new();
                while page.len() < 1000 {
                    match walk.next() {
                        Some(entry) => page.push(entry),
                        None => return Ok((page, None)),
                    }
                }
                Ok((page, Some(walk)))
            })
            .await;
            match page {
                Ok((page, walk)) => Some((stream::iter(page), walk)),
                Err(error) => Some((stream::iter(vec![Err(Error::io("list")(error))]), None)),
            }
        });
        pages.flatten().boxed()
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        let path = self.path(key);
        match blocking(move || fs::remove_file(path)).await {
            Err(error) if !is_missing(&error) => Err(Error::io(key)(error)),
            Err(_) => self.check(),
            Ok(()) => Ok(()),
        }
    }
}

/// Walks a folder depth first, holding one open folder; or looks into one folder and not below it.
struct Walk {
    folders: Vec<(PathBuf, Option<Key>)>,
    entries: Option<(fs::ReadDir, Option<Key>)>,
    is_deep: bool,
}

impl Iterator for Walk {
    type Item = Result<Child, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.entries.is_none() {
                let (path, key) = self.folders.pop()?;
                match fs::read_dir(path) {
                    Ok(entries) => self.entries = Some((entries, key)),
                    Err(error) if is_missing(&error) => continue,
                    Err(error) => return Some(Err(Error::io(named(key.as_ref()))(error))),
                }
            }
            let (entries, folder) = self.entries.as_mut()?;
            let Some(entry) = entries.next() else {
                self.entries = None;
                continue;
            };
            let found = entry.and_then(|entry| {
                let name = entry.file_name();
                Ok((name, entry.path(), entry.metadata()?))
            });
            let (name, path, metadata) = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(Error::io(named(folder.as_ref()))(error))),
            };
            // A name that is not text, or one that is no key, was not written by anyone who shares the layout.
            let Some(name) = name.to_str().filter(|name| !is_unfinished(name)) else {
                continue;
            };
            let name = match folder {
                Some(folder) => format!("{folder}/{name}"),
                None => name.to_owned(),
            };
            let Ok(key) = Key::new(name) else {
                continue;
            };
            if metadata.is_dir() {
                if self.is_deep {
                    self.folders.push((path, Some(key.clone())));
                }
                return Some(Ok(Child::Folder(key)));
            } else if metadata.is_file() {
                let modified = metadata.modified().ok();
                let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                return Some(Ok(Child::Object(Entry {
                    key,
                    size: metadata.len(),
                    modified: since.map_or(0, |since| since.as_secs() as i64),
                    etag: None,
                })));
            }
        }
    }
}

/// The number of the disk that something is on; the same for all where they have none.
fn disk_of(found: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::dev(found);
    #[cfg(not(unix))]
    {
        let _ = found;
        0
    }
}

/// What a folder is called in an error.
fn named(folder: Option<&Key>) -> String {
    folder.map_or_else(|| "the folder itself".to_owned(), ToString::to_string)
}

fn stored(size: u64, proof: Proof) -> Stored {
    Stored {
        size,
        etag: None,
        proof,
    }
}

fn different(key: &Key, detail: &str) -> Error {
    Error::new(Reason::Different, key, detail)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// A new file in the folder of `path`, which is there.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // As any new file: the mask of the user decides, not the secrecy of temporary files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    remove_abandoned(folder);
    let beside = builder.tempfile_in(folder)?;
    // Held until it is at its place. Where there are no locks, nobody removes it.
    let _ = beside.as_file().try_lock();
    Ok(beside)
}

/// Removes what killed processes began to write in a folder: files whose locks nobody holds. It is tried only, for what
/// stays is in nobody's way.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.take(LOOKED_AT).flatten() {
        let is_unfinished = entry.file_name().to_str().is_some_and(is_unfinished);
        if !is_unfinished || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let file = File::options().write(true).open(entry.path());
        if file.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// Puts a file that was written beside its place there, for good.
fn settle(beside: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    beside.as_file().sync_all()?;
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    beside.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

fn copy(mut from: File, to: &mut impl io::Write) -> io::Result<String> {
    let mut sha256 = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            return Ok(hex(&sha256.finalize()));
        }
        sha256.update(&piece[..read]);
        to.write_all(&piece[..read])?;
    }
}
