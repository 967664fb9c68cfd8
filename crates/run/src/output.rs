//! Writing what a person asked for to the place that they named.
//!
//! Every export, picture, sheet and summary goes through here, so that the same
//! holds for all of them: a regular file is written beside its place and renamed
//! over it when it is whole, with the mode, the owner and the links that it had;
//! a device, a FIFO and an open descriptor (`/dev/stdout`, `>(command)`) are
//! written to and stay what they are; and the program's own files are refused.

pub(crate) mod place;

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use crate::descriptor::{folder, is_descriptor};

use tempfile::TempPath;

use crate::output::place::{Place, sync_folder};

/// Bytes that wait to be written: large enough that a row is rarely a system
/// call, a guess that no measurement has called into question.
const BUFFER: usize = 1 << 18;

/// Why something cannot be written where it was wanted.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A file that was to be created is there already.
    #[error("`{}` exists already", .path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The place is a file that the program itself works with, or a database.
    #[error("`{}` is {what}; expected another place to write to", .path.display())]
    NotAPlace {
        /// The place.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot write `{}`: {reason}", .path.display())]
    Io {
        /// The place.
        path: PathBuf,
        /// The reason.
        #[source]
        reason: io::Error,
    },
}

/// How something is written.
#[derive(Debug, Clone, Default)]
pub struct OutputOptions {
    create_new: bool,
    private: bool,
    protected: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl OutputOptions {
    /// Replaces an existing file, for everyone whom the umask lets read it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves a file that exists as it is: [`open`](Self::open) then fails with
    /// [`OutputError::Exists`]. Even a symbolic link counts, wherever it leads.
    #[must_use]
    pub fn create_new(mut self) -> Self {
        self.create_new = true;
        self
    }

    /// Lets only the owner read a new file.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Refuses to write over `path`, by whatever name it is called.
    #[must_use]
    pub fn protect(mut self, path: impl Into<PathBuf>) -> Self {
        self.protected.push(path.into());
        self
    }

    /// Refuses to write to anything below `folder`, whatever links lead there.
    #[must_use]
    pub fn protect_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// Refuses to write over the SQLite database at `path` and the files beside it.
    #[must_use]
    pub fn protect_database(mut self, path: &Path) -> Self {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            self.protected.push(name.into());
        }
        self
    }

    /// Begins to write to `path`. Its folder must exist.
    ///
    /// # Errors
    ///
    /// [`OutputError`]; then nothing has changed.
    pub fn open(&self, path: &Path) -> Result<Output, OutputError> {
        let failed = |reason| OutputError::Io {
            path: path.to_owned(),
            reason,
        };
        if self.create_new && !is_descriptor(path) {
            match std::fs::symlink_metadata(path) {
                Ok(found) if place::is_written_through(&found) => {}
                Ok(_) => {
                    return Err(OutputError::Exists {
                        path: path.to_owned(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let place = place::find(path).map_err(failed)?;
        if let Some(what) = place.refused(&self.protected, &self.folders) {
            return Err(OutputError::NotAPlace {
                path: path.to_owned(),
                what,
            });
        }
        let (file, ending) = self.begin(place).map_err(failed)?;
        Ok(Output {
            path: path.to_owned(),
            writer: BufWriter::with_capacity(BUFFER, file),
            ending,
        })
    }

    fn begin(&self, place: Place) -> io::Result<(File, Ending)> {
        match place {
            Place::Stream(stream) => Ok((stream, Ending::Written)),
            Place::New(target) => {
                let (file, temporary) = self.beside(&target, None)?;
                Ok((file, self.rename(temporary, target)))
            }
            Place::Existing(target, found) => {
                // Opened without truncation: what a person may not write, a rename must not replace.
                let in_place = File::options().write(true).open(&target)?;
                if place::has_other_names(&found) {
                    let spool = tempfile::tempfile_in(folder(&target))?;
                    return Ok((spool, Ending::Copied(in_place)));
                }
                match self.beside(&target, Some(&found)) {
                    Ok((file, temporary)) => Ok((file, self.rename(temporary, target))),
                    // A file that may be written, in a folder that may not.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                        Ok((tempfile::tempfile()?, Ending::Copied(in_place)))
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// A file beside `target`, under a name that cannot be guessed.
    fn beside(&self, target: &Path, found: Option<&Metadata>) -> io::Result<(File, TempPath)> {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix(".accession-")
            .suffix(".part")
            // 62^12 names: nobody finds or occupies it beforehand.
            .rand_bytes(12);
        #[cfg(unix)]
        if !self.private {
            use std::os::unix::fs::PermissionsExt;
            // The system takes away what the umask says.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let (file, temporary) = builder.tempfile_in(folder(target))?.into_parts();
        if let Some(found) = found {
            place::keep_attributes(&file, found)?;
        }
        Ok((file, temporary))
    }

    fn rename(&self, temporary: TempPath, target: PathBuf) -> Ending {
        Ending::Renamed {
            temporary,
            target,
            create_new: self.create_new,
        }
    }
}

/// Something that is being written. Dropped before it is finished, it leaves
/// what was there before, unless that is a stream.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    writer: BufWriter<File>,
    ending: Ending,
}

/// What is left to do when everything is written.
#[derive(Debug)]
enum Ending {
    /// Nothing: it went where it belongs.
    Written,
    /// The file gets its name.
    Renamed {
        temporary: TempPath,
        target: PathBuf,
        create_new: bool,
    },
    /// The content goes into a file that has to stay the same file.
    Copied(File),
}

impl Output {
    /// Puts what was written in its place, on the disk.
    ///
    /// # Errors
    ///
    /// [`OutputError`]; then a file that is renamed has not changed.
    pub fn finish(self) -> Result<(), OutputError> {
        let path = self.path;
        let failed = |reason| OutputError::Io {
            path: path.clone(),
            reason,
        };
        let written = self.writer.into_inner();
        let mut file = written.map_err(|error| failed(error.into_error()))?;
        match self.ending {
            Ending::Written => Ok(()),
            Ending::Copied(mut target) => {
                file.rewind().map_err(failed)?;
                target
                    .set_len(0)
                    .and_then(|()| io::copy(&mut file, &mut target))
                    .and_then(|_| target.sync_all())
                    .map_err(failed)
            }
            Ending::Renamed {
                temporary,
                target,
                create_new,
            } => {
                file.sync_all().map_err(failed)?;
                // Windows renames no file that is open.
                drop(file);
                let renamed = if create_new {
                    temporary.persist_noclobber(&target)
                } else {
                    temporary.persist(&target)
                };
                renamed.map_err(|refused| match refused.error.kind() {
                    io::ErrorKind::AlreadyExists => OutputError::Exists { path: path.clone() },
                    _ => failed(refused.error),
                })?;
                sync_folder(&target).map_err(failed)
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes `bytes` to `path` as [`OutputOptions::new`] does.
///
/// # Errors
///
/// [`OutputError`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    OutputOptions::new().write(path, bytes)
}

impl OutputOptions {
    /// Writes `bytes` to `path`, all at once.
    ///
    /// # Errors
    ///
    /// [`OutputError`].
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
        let mut output = self.open(path)?;
        output.write_all(bytes).map_err(|reason| OutputError::Io {
            path: path.to_owned(),
            reason,
        })?;
        output.finish()
    }
}

#[cfg(test)]
mod tests;
