//! A bundle for Vaino: a payload of JSON and the files that it is about.
//!
//! The receiver takes a bundle whole or not at all, and hashes every file. So everything that it would refuse is looked
//! for before anything is written: a file whose sound is no longer what the library knows is left out and told, and a
//! payload that contradicts itself is an error.

mod building;
mod flavor;
mod payload;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use run::LibraryPath;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::bundle::{self, BundleFile};
use building::Building;
use payload::{Encoding, Payload, Recording};

/// How files get into a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// As copies.
    Copy,
    /// As second names of the same files, which takes no room and needs the same file system.
    Link,
}

/// A bundle that the receiver will take, not written yet.
#[derive(Debug)]
pub struct Bundle {
    payload: Payload,
    files: Vec<(PathBuf, String)>,
    told: Told,
}

/// What a bundle holds and what it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Files in it.
    pub files: u64,
    /// Passages of these files, each counted once.
    pub passages: u64,
    /// Recordings of these passages.
    pub recordings: u64,
    /// Files that the receiver has.
    pub had: u64,
    /// Files with the same audio as one that is in it.
    pub copies: u64,
    /// Files that the receiver would refuse, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A file that is not in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path in the library.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl Bundle {
    /// Looks at everything in the library but the sounds in `had`. Every file is read, and none decoded.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or the payload would be refused.
    pub fn plan(library: &Library, had: &BTreeSet<String>) -> Result<Self> {
        let (files, known) = bundle::everything(library.db())?;
        let mut told = Told::default();
        let mut sent = Vec::new();
        let mut recordings: BTreeMap<String, Recording> = BTreeMap::new();
        let mut taken: BTreeMap<&str, &BundleFile> = BTreeMap::new();
        for file in said_about_first(&files) {
            let sound = file.audio_md5.as_deref().unwrap_or_default();
            if had.contains(sound) {
                told.had += 1;
                continue;
            }
            if let Some(other) = taken.get(sound).filter(|_| !sound.is_empty()) {
                if file.is_said_about {
                    told.left_out.push(LeftOut {
                        path: file.path.clone(),
                        reason: format!(
                            "it has the audio of `{}`, about which something else was said",
                            other.path
                        ),
                    });
                } else {
                    told.copies += 1;
                }
                continue;
            }
            match encoding(library, file) {
                Ok((source, encoding)) => {
                    taken.insert(sound, file);
                    told.passages += file.passages.len() as u64;
                    for passage in &file.passages {
                        let id = payload::recording_id(file, passage);
                        let about = passage.recording.as_ref().and_then(|mbid| known.get(mbid));
                        recordings
                            .entry(id.clone())
                            .or_insert_with(|| Recording::of(id, file, passage, about));
                    }
                    sent.push((source, encoding));
                }
                Err(reason) => told.left_out.push(LeftOut {
                    path: file.path.clone(),
                    reason,
                }),
            }
        }
        sent.sort_by(|(_, a), (_, b)| a.bundle_path.cmp(&b.bundle_path));
        let (sources, encodings): (Vec<_>, Vec<_>) = sent
            .into_iter()
            .map(|(source, encoding)| ((source, encoding.bundle_path.clone()), encoding))
            .unzip();
        told.files = encodings.len() as u64;
        told.recordings = recordings.len() as u64;
        let payload = Payload::new(encodings, recordings.into_values().collect());
        if told.files > 0 {
            let reasons = refusal::reasons(&payload);
            if !reasons.is_empty() {
                return Err(Error::Refused { reasons });
            }
        }
        Ok(Self {
            payload,
            files: sources,
            told,
        })
    }

    /// What it holds and what it does not.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// Writes the bundle to the folder `to`, which is new or empty and appears at once and whole.
    ///
    /// # Errors
    ///
    /// When there is something in `to`, or it cannot be written; nothing is left of it then.
    pub fn write(&self, to: &Path, transfer: Transfer) -> Result<()> {
        let is_there = to.symlink_metadata().is_ok();
        if is_there && !fs::read_dir(to).is_ok_and(|mut found| found.next().is_none()) {
            return Err(Error::Taken {
                path: to.to_owned(),
            });
        }
        let to = std::path::absolute(to)?;
        let parent = to.parent().unwrap_or(&to);
        fs::create_dir_all(parent)?;
        let building = Building::within(parent)?;
        for (source, path) in &self.files {
            let target = building.path().join("audio").join(path);
            fs::create_dir_all(target.parent().unwrap_or(parent))?;
            match transfer {
                Transfer::Copy => fs::copy(source, &target).map(drop),
                Transfer::Link => fs::hard_link(source, &target),
            }
            .map_err(|reason| Error::Bundle {
                path: source.clone(),
                reason,
            })?;
        }
        let mut out = BufWriter::new(fs::File::create(building.path().join("payload.json"))?);
        serde_json::to_writer_pretty(&mut out, &self.payload).map_err(std::io::Error::from)?;
        writeln!(out)?;
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        open_to_all(building.path())?;
        fs::rename(building.path(), &to)?;
        // It has another name now, so that nothing is left to be removed.
        building.keep();
        Ok(())
    }
}

/// A temporary folder is its owner's alone; a bundle has the mode that any new folder would have.
fn open_to_all(folder: &Path) -> Result<()> {
    let probe = folder.join("audio");
    fs::create_dir_all(&probe)?;
    let usual = fs::metadata(&probe)?.permissions();
    Ok(fs::set_permissions(folder, usual)?)
}

/// A file as the receiver wants it; the reason why it would be refused otherwise.
fn encoding(library: &Library, file: &BundleFile) -> Result<(PathBuf, Encoding), String> {
    let path: LibraryPath = file
        .path
        .parse()
        .map_err(|error: run::InvalidLibraryPath| error.to_string())?;
    let expected = file
        .audio_md5
        .as_deref()
        .ok_or("its sound has no digest yet; the next import reads it")?;
    let source = path.below(library.root());
    let found = library
        .settings()
        .decoders()
        .audio_digest(&source)
        .map_err(|error| error.to_string())?
        .md5;
    if found.to_string() != expected {
        return Err(format!(
            "its sound is `{found}`, expected `{expected}` as at the last import"
        ));
    }
    let silence = library.settings().silence.silence_dbfs;
    Ok((source, Encoding::of(file, expected, silence)?))
}

/// Of the files of one sound those about which a person said something come first, as one of them is sent.
fn said_about_first(files: &[BundleFile]) -> impl Iterator<Item = &BundleFile> {
    let said = files.iter().filter(|file| file.is_said_about);
    said.chain(files.iter().filter(|file| !file.is_said_about))
}

/// Reads a receiver's inventory: an `audio_md5` a line.
///
/// # Errors
///
/// When a line is something else.
pub fn inventory(text: &str) -> Result<BTreeSet<String>> {
    let mut had = BTreeSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.len() != 32 || !line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::BadInventory {
                line: at + 1,
                found: line.chars().take(80).collect(),
            });
        }
        had.insert(line.to_ascii_lowercase());
    }
    Ok(had)
}
