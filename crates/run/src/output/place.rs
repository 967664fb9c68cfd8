//! What is at a place before anything is written there.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::descriptor::{LINKS, folder, is_descriptor};
use crate::regular_file::kind;

/// Where something will be written.
pub(super) enum Place {
    /// A device, a FIFO or an open descriptor.
    Stream(File),
    /// A regular file that is there, all links followed.
    Existing(PathBuf, Metadata),
    /// Nothing is there yet.
    New(PathBuf),
}

/// Finds out what is at `path`, and opens it if it is to be written through.
pub(super) fn find(path: &Path) -> io::Result<Place> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        if is_descriptor(&at) {
            return descriptor(&at).map(Place::Stream);
        }
        let found = match fs::symlink_metadata(&at) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::New(at)),
            Err(error) => return Err(error),
        };
        if found.is_symlink() {
            at = folder(&at).join(fs::read_link(&at)?);
        } else if found.is_file() {
            return Ok(Place::Existing(at, found));
        } else if is_written_through(&found) {
            return File::options().write(true).open(&at).map(Place::Stream);
        } else {
            let reason = format!(
                "expected a file, a FIFO or a character device, found {}",
                kind(found.file_type())
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
    }
    let reason = "too many symbolic links";
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

impl Place {
    /// What is here that must not be written over.
    pub(super) fn refused(
        &self,
        protected: &[PathBuf],
        folders: &[PathBuf],
    ) -> Option<&'static str> {
        let (target, found) = match self {
            Self::Stream(_) => return None,
            Self::Existing(target, found) => (target, Some(found)),
            Self::New(target) => (target, None),
        };
        if folders.iter().any(|own| is_below(own, target)) {
            Some("in a folder that this program works with")
        } else if protected.iter().any(|own| is_same(own, target, found)) {
            Some("a file that this program works with")
        } else if found.is_some() && is_database(target) {
            Some("a database")
        } else {
            None
        }
    }
}

/// Whether writing goes into what is there, rather than over it.
pub(super) fn is_written_through(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = found.file_type();
        kind.is_fifo() || kind.is_char_device()
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}

/// An open descriptor of this process or, where Linux allows it, of another.
///
/// Its file may be a regular one that a shell opened and goes on to write to:
/// it is neither truncated nor exchanged.
fn descriptor(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let number = path.file_name().and_then(|name| name.to_str());
        let is_ours = fs::canonicalize(folder(path)).ok() == fs::canonicalize("/dev/fd").ok();
        let copy = match number {
            Some("1") if is_ours => Some(io::stdout().as_fd().try_clone_to_owned()?),
            Some("2") if is_ours => Some(io::stderr().as_fd().try_clone_to_owned()?),
            _ => None,
        };
        if let Some(copy) = copy {
            return Ok(copy.into());
        }
    }
    File::options().append(true).open(path)
}

/// Whether `target` lies somewhere below the folder `own`.
fn is_below(own: &Path, target: &Path) -> bool {
    let own = fs::canonicalize(own).ok();
    let place = fs::canonicalize(folder(target)).ok();
    own.zip(place)
        .is_some_and(|(own, place)| place.starts_with(own))
}

/// Whether `own` is the file at `target`, by its path or by its identity.
fn is_same(own: &Path, target: &Path, found: Option<&Metadata>) -> bool {
    let whole = |path: &Path| {
        let name = path.file_name()?;
        Some(fs::canonicalize(folder(path)).ok()?.join(name))
    };
    if whole(own).is_some_and(|own| whole(target) == Some(own)) {
        return true;
    }
    let own = fs::metadata(own).ok();
    own.zip(found)
        .is_some_and(|(own, found)| is_same_file(&own, found))
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
    false
}

/// Whether a file begins as every SQLite database does.
fn is_database(path: &Path) -> bool {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut head = [0; 16];
    // What cannot be read is not known to be one; writing it may be allowed all the same.
    crate::regular_file(path)
        .and_then(|mut file| file.read_exact(&mut head))
        .is_ok_and(|()| &head == MAGIC)
}

/// Whether a file has more names than one, which would part if it were renamed over.
pub(super) fn has_other_names(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        found.nlink() > 1
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}

/// Gives a new file the owner, if that is allowed, and the mode of the one that it replaces.
pub(super) fn keep_attributes(file: &File, found: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        use rustix::fs::{Gid, Uid, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (found.uid(), found.gid()) {
            let (owner, group) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
            // Only root may give files away; anyone else owns what they write.
            let _ = fchown(file, Some(owner), Some(group));
        }
        file.set_permissions(found.permissions())
    }
    #[cfg(not(unix))]
    {
        let _ = (file, found);
        Ok(())
    }
}

/// Makes sure that a file's name is on the disk. Windows opens no folders, and keeps names with the file.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder(path))?.sync_all()?;
    }
    Ok(())
}
