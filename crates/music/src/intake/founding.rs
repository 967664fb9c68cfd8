//! Whether a library may be made where there is none: a mistyped folder or a disk that is not mounted must not become an
//! empty library, and a folder of a library must not become a second one.

use std::path::{Path, PathBuf};

use run::Cancel;
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::intake::scan::scan;
use crate::library::DATABASE;
use audio::decode::extension_is_audio;

/// How surely the root folder was meant to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// Somebody said that it is the root folder, or where its database is.
    AsRoot,
    /// It is a folder to take in; that makes it a root folder where there is no other.
    AsFolder,
    /// The same, and somebody asked for a library before there is music.
    AsEmptyFolder,
}

/// Checks that a library may be made for `root`. Where there is one already, nothing is to be made.
///
/// # Errors
///
/// When `root` cannot be listed or, unless an empty one was asked for, holds nothing that an import would take; where it was not
/// meant as a root folder, also when it lies in another library, or another library lies in it.
pub fn may_found(root: &Path, database: &Path, meant: Meant, cancel: &Cancel) -> Result<()> {
    if std::fs::metadata(database).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    std::fs::read_dir(root).map_err(|reason| Error::Folder {
        path: root.to_owned(),
        reason,
    })?;
    if meant != Meant::AsRoot
        && let Some(above) = root.ancestors().skip(1).find(|folder| is_root(folder))
    {
        return Err(Error::LibraryAbove {
            folder: root.to_owned(),
            root: above.to_owned(),
        });
    }
    let found = look_through(root, meant, cancel);
    if let Some(below) = found.library {
        return Err(Error::LibraryBelow {
            folder: root.to_owned(),
            below,
        });
    }
    if found.audio || meant == Meant::AsEmptyFolder {
        return Ok(());
    }
    // Names alone do not tell: what has no extension is looked into by the real thing.
    let scanned = scan(root, root, cancel)?;
    if scanned.files.is_empty() && scanned.refused.is_empty() && !cancel.is_requested() {
        return Err(Error::NothingToTakeIn {
            folder: root.to_owned(),
            left_out: scanned.left_out.len(),
        });
    }
    Ok(())
}

fn is_root(folder: &Path) -> bool {
    std::fs::metadata(folder.join(DATABASE)).is_ok_and(|file| file.is_file() && file.len() > 0)
}

#[derive(Default)]
struct Found {
    audio: bool,
    library: Option<PathBuf>,
}

/// Looks at names until what is wanted is known.
fn look_through(root: &Path, meant: Meant, cancel: &Cancel) -> Found {
    let mut found = Found::default();
    for entry in WalkDir::new(root).min_depth(1).into_iter().flatten() {
        if cancel.is_requested() || (found.audio && meant == Meant::AsRoot) {
            break;
        }
        let is_file = entry.file_type().is_file();
        found.audio |= is_file && extension_is_audio(entry.path());
        if meant != Meant::AsRoot && is_file && entry.depth() > 1 && entry.file_name() == DATABASE {
            found.library = entry.path().parent().map(Path::to_owned);
            break;
        }
    }
    found
}
