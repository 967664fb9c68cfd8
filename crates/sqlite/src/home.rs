//! Whether the path still names the file that was opened.
//!
//! A file that was deleted or replaced can be written to as before, and nobody will ever find what was written.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The file behind a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    path: PathBuf,
    identity: Identity,
}

#[cfg(unix)]
type Identity = (u64, u64);

/// An open database can neither be deleted nor replaced on Windows.
#[cfg(not(unix))]
type Identity = ();

impl Home {
    /// The file that `path` names now.
    pub(crate) fn of(path: &Path) -> Result<Home, Error> {
        Ok(Home {
            path: path.to_path_buf(),
            identity: identity(path).map_err(|error| Error::io(path, &error))?,
        })
    }

    /// Fails if the path names another file now, or none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let found = match identity(&self.path) {
            Ok(identity) if identity == self.identity => return Ok(()),
            Ok(_) => "another file has its place",
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "it is gone",
            Err(error) => return Err(Error::io(&self.path, &error)),
        };
        Err(Error::Moved {
            path: self.path.clone(),
            found,
        })
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(drop)
}
