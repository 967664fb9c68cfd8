//! The cue sheets of a folder, read once for all files in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::cue::Sheet;
use super::{own, text};
use crate::input::{Input, hex};

/// A cue sheet is some kilobytes of text; what is larger is none.
const MAX_SHEET: usize = 1 << 20;

/// Bytes of sheets read in one folder; a folder of ten thousand single tracks with a sheet each has less.
const MAX_ALL: usize = 64 << 20;

/// A file that may be a cue sheet, as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFile {
    /// Where to open it.
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// When anything about it changed, in nanoseconds since 1970; 0 where the system does not tell.
    pub changed_ns: i64,
}

/// What lies beside an audio file: its folder's sheets, and the names of its audio files.
#[derive(Debug, Default)]
pub struct Beside {
    sheets: Vec<SheetFile>,
    audio: Vec<PathBuf>,
    read: OnceLock<Read>,
    /// What lies in the folder above, whose sheets may name files here by folder and name, as those of sets do.
    above: Option<Arc<Beside>>,
}

/// The sheets of a folder, read.
#[derive(Debug, Default)]
struct Read {
    sheets: Vec<ReadSheet>,
    /// Which sheets name a file of this stem, or have this name themselves.
    by_stem: HashMap<String, Vec<usize>>,
    /// Which sheets name a file of this stem in this folder.
    by_folder: HashMap<(String, String), Vec<usize>>,
    /// Sheets that cannot be read or have no track in them.
    without_tracks: Vec<PathBuf>,
}

/// A sheet that was read.
#[derive(Debug)]
pub(super) struct ReadSheet {
    pub path: PathBuf,
    pub sheet: Sheet,
    /// SHA-256 of its bytes.
    digest: [u8; 32],
}

impl Beside {
    /// What lies in a folder.
    pub fn new(mut sheets: Vec<SheetFile>, audio: Vec<PathBuf>) -> Self {
        sheets.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            sheets,
            audio,
            ..Self::default()
        }
    }

    /// The same below a folder in which there may be sheets, too.
    #[must_use]
    pub fn below(self, above: Option<Arc<Self>>) -> Self {
        let above = above.filter(|above| !above.sheets.is_empty());
        Self { above, ..self }
    }

    /// Looks into the folder of one file.
    pub fn of(path: &Path) -> Self {
        let folder = path
            .parent()
            .and_then(|folder| std::fs::read_dir(folder).ok());
        let (mut sheets, mut audio) = (Vec::new(), Vec::new());
        for entry in folder.into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_file() && is_sheet(&path) {
                sheets.push(SheetFile {
                    path,
                    size: meta.len(),
                    modified_ns: 0,
                    changed_ns: 0,
                });
            } else if meta.is_file() && crate::decode::extension_is_audio(&path) {
                audio.push(path);
            }
        }
        Self::new(sheets, audio)
    }

    /// A short name for the state the folder's sheets are in: another one means that they were touched. Empty where there
    /// are none.
    pub fn state(&self) -> String {
        let above = self.above.iter().flat_map(|above| &above.sheets);
        let mut sheets = self.sheets.iter().chain(above).peekable();
        if sheets.peek().is_none() {
            return String::new();
        }
        let mut sha256 = Sha256::new();
        for sheet in sheets {
            sha256.update(
                sheet
                    .path
                    .file_name()
                    .unwrap_or_default()
                    .as_encoded_bytes(),
            );
            sha256.update([0]);
            sha256.update(sheet.size.to_le_bytes());
            sha256.update(sheet.modified_ns.to_le_bytes());
            sha256.update(sheet.changed_ns.to_le_bytes());
        }
        hex(&sha256.finalize()[..8])
    }

    /// A short name for what the sheets that can mean the file at `path` say. Empty where there are none.
    pub fn content(&self, path: &Path) -> String {
        let sheets = self.sheets_for(path);
        if sheets.is_empty() {
            return String::new();
        }
        let mut sha256 = Sha256::new();
        for sheet in sheets {
            sha256.update(sheet.digest);
        }
        hex(&sha256.finalize()[..8])
    }

    /// The sheets that can mean the file at `path`: of its name or naming it, or the only one beside the only file; and
    /// those in the folder above that name it with its folder.
    pub(super) fn sheets_for(&self, path: &Path) -> Vec<&ReadSheet> {
        let above = self.above.iter().flat_map(|above| above.naming_below(path));
        self.sheets_here(path).into_iter().chain(above).collect()
    }

    fn naming_below(&self, path: &Path) -> impl Iterator<Item = &ReadSheet> {
        let read = self.read.get_or_init(|| Read::of(&self.sheets));
        let found = read.by_folder.get(&(folder(path), stem(path)));
        found.into_iter().flatten().map(|at| &read.sheets[*at])
    }

    fn sheets_here(&self, path: &Path) -> Vec<&ReadSheet> {
        if self.sheets.is_empty() {
            return Vec::new();
        }
        let read = self.read.get_or_init(|| Read::of(&self.sheets));
        let mut found: Vec<usize> = Vec::new();
        for stem in [stem(path), name(path)] {
            found.extend(read.by_stem.get(&stem).into_iter().flatten());
        }
        if self.audio.len() <= 1 && read.sheets.len() == 1 {
            found.push(0);
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &read.sheets[at]).collect()
    }

    /// The sheets that have the name of the file at `path` and no track that could be read.
    pub(super) fn without_tracks(&self, path: &Path) -> impl Iterator<Item = &Path> {
        let names = [stem(path), name(path)];
        let read = self.read.get_or_init(|| Read::of(&self.sheets));
        let sheets = read.without_tracks.iter().map(PathBuf::as_path);
        sheets.filter(move |sheet| names.contains(&stem(sheet)))
    }

    /// Whether a file of this name, in any spelling, lies in the folder.
    pub(super) fn has_audio(&self, other: &str) -> bool {
        let other = name(Path::new(last_part(other)));
        self.audio.iter().any(|path| name(path) == other)
    }
}

impl Read {
    fn of(files: &[SheetFile]) -> Self {
        let mut read = Self::default();
        let mut room = MAX_ALL;
        for file in files {
            let bytes = bytes(&file.path)
                .filter(|bytes| bytes.len() <= room)
                .unwrap_or_default();
            room -= bytes.len();
            let text = text(&bytes);
            if own::is_unchanged(&text) {
                continue;
            }
            let sheet = Sheet::parse(&text);
            if sheet.tracks.is_empty() {
                read.without_tracks.push(file.path.clone());
                continue;
            }
            let at = read.sheets.len();
            let mut stems = vec![stem(&file.path), stem(Path::new(&stem(&file.path)))];
            stems.extend(sheet.tracks.iter().map(|track| stem_of_name(&track.file)));
            stems.sort();
            stems.dedup();
            for stem in stems {
                read.by_stem.entry(stem).or_default().push(at);
            }
            let mut places: Vec<_> = (sheet.tracks.iter())
                .filter_map(|track| Some((folder_of_name(&track.file)?, stem_of_name(&track.file))))
                .collect();
            places.sort();
            places.dedup();
            for place in places {
                read.by_folder.entry(place).or_default().push(at);
            }
            let digest = Sha256::digest(&bytes).into();
            read.sheets.push(ReadSheet {
                path: file.path.clone(),
                sheet,
                digest,
            });
        }
        read
    }
}

/// Whether a file of this name may be a cue sheet.
pub fn is_sheet(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("cue"))
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut input = Input::open(path).ok()?;
    input.vec_at(0, MAX_SHEET).ok()
}

/// A name in one spelling: composed letters, no case.
fn spelled(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}

pub(super) fn name(path: &Path) -> String {
    spelled(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// A file's name without its extension, in one spelling.
pub(super) fn stem(path: &Path) -> String {
    spelled(&path.file_stem().unwrap_or_default().to_string_lossy())
}

/// The same of a name in a sheet, which may be a path of another system.
pub(super) fn stem_of_name(name: &str) -> String {
    stem(Path::new(last_part(name)))
}

/// The folder that a file lies in, in one spelling.
pub(super) fn folder(path: &Path) -> String {
    path.parent().map(name).unwrap_or_default()
}

/// The same of a name in a sheet; `None` where it names a file alone.
pub(super) fn folder_of_name(name: &str) -> Option<String> {
    let (folders, _) = name.rsplit_once(['/', '\\'])?;
    Some(spelled(last_part(folders)))
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
