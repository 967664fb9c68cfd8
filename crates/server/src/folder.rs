//! The folder that somebody asks for, as the disk has it: at or below the root folder, or none.

use std::path::{Path, PathBuf};

use crate::error::Refusal;

/// A folder at or below the root folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Where it is.
    pub(crate) absolute: PathBuf,
    /// Below the root folder, with `/`; empty for the root folder itself.
    pub(crate) below: String,
}

impl Folder {
    /// A folder that was found before, whether it is there now or not; `below` is its place below `root`.
    pub(crate) fn known(root: &Path, below: &str) -> Self {
        Self {
            absolute: if below.is_empty() {
                root.to_owned()
            } else {
                root.join(below)
            },
            below: below.to_owned(),
        }
    }

    /// What `folder`, absolute or below `root`, is without links. One that is not there, or lies elsewhere, is refused.
    pub(crate) fn find(root: &Path, folder: &Path) -> Result<Self, Refusal> {
        let no =
            |what: &str| Refusal::bad_request(format!("the folder `{}` {what}", folder.display()));
        let real = root
            .join(folder)
            .canonicalize()
            .map_err(|error| no(&format!("cannot be read: {error}")))?;
        let real_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let Ok(below) = real.strip_prefix(&real_root) else {
            return Err(no("does not lie below the root folder"));
        };
        if !real.is_dir() {
            return Err(no("is no folder"));
        }
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        Ok(Self {
            absolute: if parts.is_empty() {
                root.to_owned()
            } else {
                root.join(below)
            },
            below: parts.join("/"),
        })
    }
}
