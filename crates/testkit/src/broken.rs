//! Every kind of broken or odd file that an importer must survive, made from the good samples.
//!
//! [`all`] makes the whole zoo in one folder; the other functions make one kind each.

mod cut;
mod headers;
mod odd;
mod tags;

use std::io;
use std::path::{Path, PathBuf};

use crate::corpus::audio;

/// One file, directory or special file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// What an importer may make of it.
    pub expect: Expect,
}

/// What an importer may make of a file, by what is really in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is sound in it, all of it or a part: it should be imported.
    Sound,
    /// There is valid audio in it, all of it silent.
    Silence,
    /// There is no sound to be had: an error on record, and on to the next file.
    Nothing,
    /// Either is right; it must only end soon and take little memory.
    Either,
    /// To be left out while scanning: no regular file, or one that only the system has a use for.
    NoFile,
}

/// One good sample for each extension.
pub(crate) const GOOD: [(&str, &str); 9] = [
    ("mp3", "Harbour Lights/Tides/03 Mono Radio.mp3"),
    ("flac", "Harbour Lights/Tides/02 Northern Pier.flac"),
    ("ogg", "Ночной Трамвай/Кольцо/01 Последняя остановка.ogg"),
    ("opus", "Ночной Трамвай/Кольцо/02 Снег на рельсах.opus"),
    ("m4a", "雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a"),
    ("mp4", "雨の駅/Ästhetik & Übermut/2-02 Señal Perdida.m4a"),
    ("aac", "Various Artists/Café Sessions/07 Tiny Room.aac"),
    ("wav", "Various Artists/Café Sessions/08 Espresso.wav"),
    ("aiff", "Various Artists/Café Sessions/09 Last Orders.aiff"),
];

/// Makes every broken file that this module knows, in a folder that is created if missing.
///
/// Costs some 9 MB of disk where files may have holes (60 MB elsewhere) and well under a second. Special files and
/// names that are not UTF-8 are made on Unix only; a file system that refuses such a name goes without.
pub fn all(folder: &Path) -> io::Result<Vec<Broken>> {
    let mut made = cuts(folder)?;
    for kind in [garbage, misnamed, tags, headers, odd] {
        made.extend(kind(folder)?);
    }
    Ok(made)
}

/// Empty files and files that end too soon, for each format: in the middle of the audio and inside the header.
pub fn cuts(folder: &Path) -> io::Result<Vec<Broken>> {
    cut::cuts(&Maker::new(folder)?)
}

/// Random bytes and zeros under each extension, and good files with bytes flipped in the middle.
pub fn garbage(folder: &Path) -> io::Result<Vec<Broken>> {
    cut::garbage(&Maker::new(folder)?)
}

/// Files whose extension says something else than their content, and one with copy protection.
pub fn misnamed(folder: &Path) -> io::Result<Vec<Broken>> {
    tags::misnamed(&Maker::new(folder)?)
}

/// Tags that are huge, or say that they are.
pub fn tags(folder: &Path) -> io::Result<Vec<Broken>> {
    tags::tags(&Maker::new(folder)?)
}

/// Headers that say absurd things.
pub fn headers(folder: &Path) -> io::Result<Vec<Broken>> {
    headers::headers(&Maker::new(folder)?)
}

/// Directories, links, pipes, sockets, odd names, missing permission, and silence.
pub fn odd(folder: &Path) -> io::Result<Vec<Broken>> {
    odd::odd(&Maker::new(folder)?)
}

/// Writes files into one folder and says what they are.
struct Maker {
    folder: PathBuf,
}

impl Maker {
    fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn file(&self, name: &str, bytes: &[u8], expect: Expect, why: &str) -> io::Result<Broken> {
        let path = self.path(name);
        std::fs::write(&path, bytes)?;
        Ok(broken(path, expect, why))
    }
}

fn broken(path: PathBuf, expect: Expect, why: impl Into<String>) -> Broken {
    Broken {
        path,
        why: why.into(),
        expect,
    }
}

/// Reads the good sample of an extension.
fn good(extension: &str) -> io::Result<Vec<u8>> {
    let found = GOOD.iter().find(|(name, _)| *name == extension);
    let (_, path) =
        found.ok_or_else(|| io::Error::other(format!("no sample with extension `{extension}`")))?;
    std::fs::read(audio().join("music").join(path))
}

/// Returns where `needle` is for the first time.
fn find(bytes: &[u8], needle: &[u8]) -> io::Result<usize> {
    let found = bytes
        .windows(needle.len())
        .position(|window| window == needle);
    found.ok_or_else(|| {
        io::Error::other(format!(
            "the sample has no `{}`",
            String::from_utf8_lossy(needle)
        ))
    })
}
