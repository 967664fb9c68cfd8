//! Asks the other files of a folder how their texts are encoded, where a file's own prove too little.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::encoding;
use super::raw::Raw;
use super::wide;
use crate::decode::extension_is_audio;

/// Files of a folder that are asked; an album has fewer.
pub const ASKED: usize = 32;

/// Files that are read to find so many that have something to say.
const MOST_READ: usize = 4 * ASKED;

/// What the files of one folder say together.
#[derive(Default)]
struct Folder {
    letters: encoding::Folder,
    wide: wide::Evidence,
}

/// Brings the first of a folder's audio files, in order of their names, to where they can be read.
type Bring = Box<dyn Fn(&Path) + Send + Sync>;

/// What the folders of a run have answered so far.
#[derive(Default)]
pub struct Neighbours {
    folders: Mutex<HashMap<PathBuf, Arc<Folder>>>,
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
    pub(super) fn judge(&self, path: &Path, raw: &Raw) -> Reading {
        let letters = encoding::Evidence::of(&raw.doubtful());
        let own = raw.wide();
        let has_doubt = letters
            .as_ref()
            .is_some_and(|letters| !letters.is_certain())
            || (!own.is_empty() && !own.is_certain());
        let folder = match path.parent().filter(|_| has_doubt) {
            Some(folder) => self.folder(folder),
            None => Arc::default(),
        };
        Reading {
            encoding: letters.map(|letters| letters.decide(&raw.doubtful(), &folder.letters)),
            is_big_endian: own.among(&folder.wide).is_big_endian(),
        }
    }

    /// What the files of a folder say. The same for all of them, whoever asks first.
    fn folder(&self, folder: &Path) -> Arc<Folder> {
        let lock = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(said) = lock().get(folder) {
            return Arc::clone(said);
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
        let mut said = Folder::default();
        let mut asked = 0;
        for file in files.iter().take(MOST_READ) {
            let Ok((raw, _)) = super::read_raw(file) else {
                continue;
            };
            said.letters.add(&raw.doubtful());
            said.wide = said.wide.with(&raw.wide());
            // Those whose texts tell their encoding say nothing about the others.
            let is_telling = raw.doubtful().next().is_some() || !raw.wide().is_empty();
            asked += usize::from(is_telling);
            if asked == ASKED {
                break;
            }
        }
        said.letters = said.letters.settle();
        let said = Arc::new(said);
        lock().insert(folder.to_owned(), Arc::clone(&said));
        said
    }
}

/// How the texts of a file are to be read that do not tell it themselves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// `None` where all of them tell.
    pub(super) encoding: Option<&'static encoding_rs::Encoding>,
    /// Of UTF-16.
    pub(super) is_big_endian: bool,
}
