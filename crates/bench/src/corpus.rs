//! The audio that is measured with.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

/// A folder of audio: a given one, or one that was made and goes with the value.
#[derive(Debug)]
pub struct Corpus {
    folder: PathBuf,
    _made: Option<TempDir>,
}

impl Corpus {
    /// Takes `folder`, or makes a small mixed collection: the sample music many times over.
    pub fn of(folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            return Ok(Self {
                folder: folder.to_owned(),
                _made: None,
            });
        }
        let made = TempDir::new()?;
        for copy in 0..COPIES {
            let files = testkit::corpus::collection_into(&made.path().join(copy.to_string()))?;
            for file in files {
                distinguish(&file, copy)?;
            }
        }
        Ok(Self {
            folder: made.path().to_owned(),
            _made: Some(made),
        })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// How often the sample collection is copied.
const COPIES: u32 = 8;

/// Makes a copy a content of its own, or it would be recorded as a duplicate without being decoded.
///
/// Trailing bytes are damage to no decoder here, or at most a few bytes of it.
fn distinguish(file: &Path, copy: u32) -> Result<()> {
    use std::io::Write as _;
    if copy > 0 {
        let mut file = std::fs::OpenOptions::new().append(true).open(file)?;
        file.write_all(&vec![0; copy as usize])?;
    }
    Ok(())
}
