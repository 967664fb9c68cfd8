//! Asks the other files of a folder how their texts are encoded, where a file's own prove too little.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::Encoding;

use super::encoding;
use super::raw::Raw;
use crate::decode::extension_is_audio;

/// Bytes beyond ASCII with which a file's texts tell their encoding by themselves. Measured with chardetng
/// on the names in this module's tests: below this it takes short words for Western ones.
const TELLING: usize = 16;

/// Files of a folder that are asked; an album has fewer.
pub const ASKED: usize = 32;

type Votes = Arc<HashMap<&'static str, (usize, &'static Encoding)>>;

/// Brings the first of a folder's audio files, in order of their names, to where they can be read.
type Bring = Box<dyn Fn(&Path) + Send + Sync>;

/// What the folders of a run have answered so far.
#[derive(Default)]
pub struct Neighbours {
    folders: Mutex<HashMap<PathBuf, Votes>>,
    bring: Option<Bring>,
}

impl std::fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Neighbours").finish_non_exhaustive()
    }
}

impl Neighbours {
    /// For files that lie elsewhere: `bring` is called with a folder whose first [`ASKED`] audio files are to be read,
    /// at most once while its answer is remembered.
    pub fn brought(bring: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        Self {
            bring: Some(Box::new(bring)),
            ..Self::default()
        }
    }

    /// How the undeclared texts of `raw`, read from `path`, are encoded.
    pub(super) fn judge(&self, path: &Path, raw: &Raw) -> Option<&'static Encoding> {
        let own = encoding::judge(&raw.doubtful())?;
        let foreign: usize = raw.doubtful().map(foreign_bytes).sum();
        if own == encoding_rs::UTF_8 || foreign >= TELLING {
            return Some(own);
        }
        let votes = path
            .parent()
            .map(|folder| self.votes(folder))
            .unwrap_or_default();
        let all: usize = votes.values().map(|(count, _)| count).sum();
        let winner = votes
            .values()
            .max_by_key(|(count, encoding)| (*count, encoding.name()));
        match winner {
            // More than half of those that know, and the texts are texts in it.
            Some((count, other)) if count * 2 > all && encoding::fits(raw.doubtful(), other) => {
                Some(other)
            }
            _ => Some(own),
        }
    }

    /// What the files of a folder that tell their encoding say. The same for all of them, whoever asks first.
    fn votes(&self, folder: &Path) -> Votes {
        let lock = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(votes) = lock().get(folder) {
            return Arc::clone(votes);
        }
        if let Some(bring) = &self.bring {
            bring(folder);
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                Some(entry.ok()?).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            })
            .map(|entry| entry.path())
            .filter(|path| extension_is_audio(path))
            .collect();
        files.sort();
        let mut votes: HashMap<&'static str, (usize, &'static Encoding)> = HashMap::new();
        for file in files.iter().take(ASKED) {
            let Ok((raw, _)) = super::read_raw(file) else {
                continue;
            };
            let foreign: usize = raw.doubtful().map(foreign_bytes).sum();
            if let Some(encoding) = encoding::judge(&raw.doubtful()).filter(|_| foreign >= TELLING)
            {
                votes.entry(encoding.name()).or_insert((0, encoding)).0 += 1;
            }
        }
        let votes = Arc::new(votes);
        lock().insert(folder.to_owned(), Arc::clone(&votes));
        votes
    }
}

fn foreign_bytes(text: &[u8]) -> usize {
    text.iter().filter(|byte| !byte.is_ascii()).count()
}
