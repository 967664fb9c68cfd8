//! Finds the audio files of a folder by their names, without opening one.
//!
//! Follows no symbolic link (a loop, or a link out of the root folder, would
//! break the library's relative paths), skips hidden files and folders, and
//! refuses what a database path cannot hold. Whether a file's content is what
//! its name says is asked later, and only of files that are new or changed.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use run::{Cancel, Fault};
use walkdir::{DirEntry, WalkDir};

use crate::error::{Error, Result};

/// Extensions of formats that are taken in.
pub const AUDIO: [&str; 13] = [
    "mp3", "flac", "ogg", "oga", "opus", "m4a", "m4b", "mp4", "aac", "wav", "aif", "aiff", "aifc",
];

/// Extensions of audio that is recognised, reported, and not taken in.
const UNSUPPORTED: [(&str, &str); 12] = [
    ("wma", "Windows Media Audio"),
    ("wv", "WavPack"),
    ("ape", "Monkey's Audio"),
    ("mpc", "Musepack"),
    ("mka", "Matroska audio"),
    ("dsf", "DSD"),
    ("dff", "DSD"),
    ("tta", "True Audio"),
    ("ra", "RealAudio"),
    ("mp2", "MPEG layer 2"),
    ("m4p", "iTunes protected AAC"),
    ("ac3", "Dolby Digital"),
];

/// One audio file by name, as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFile {
    path: String,
    absolute: PathBuf,
    size: u64,
    modified_ns: i64,
}

impl ScannedFile {
    /// The path in the library: relative to the root folder, with forward slashes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where to open the file.
    pub fn absolute(&self) -> &Path {
        &self.absolute
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The modification time in nanoseconds since 1970, as far as the file system knows it.
    pub fn modified_ns(&self) -> i64 {
        self.modified_ns
    }

    /// The extension in lower case.
    pub fn extension(&self) -> String {
        extension(&self.absolute)
    }
}

/// Something that looks like audio by its name and cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The path in the library, made readable where it is not UTF-8.
    pub path: String,
    /// Why.
    pub fault: Fault,
    /// The name promises audio and the thing is something else.
    pub misleading: bool,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Audio files by name, in path order.
    pub files: Vec<ScannedFile>,
    /// What looks like audio and is none, or cannot be read.
    pub refused: Vec<Refused>,
    /// Folders that could not be listed: nothing below them counts as missing.
    pub unreadable: Vec<String>,
}

/// Lists the audio files in `folder`, a folder at or below `root`.
///
/// # Errors
///
/// When `folder` itself cannot be listed. Anything below it that cannot be
/// read is a [`Refused`].
pub fn scan(root: &Path, folder: &Path, cancel: &Cancel) -> Result<Scan> {
    std::fs::read_dir(folder).map_err(|reason| Error::Folder {
        path: folder.to_owned(),
        reason,
    })?;
    let mut scan = Scan::default();
    let walk = WalkDir::new(folder)
        .follow_links(false)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
    for entry in walk {
        if cancel.is_requested() {
            break;
        }
        match entry {
            Ok(entry) => look_at(root, &entry, &mut scan),
            Err(error) => cannot_list(root, &error, &mut scan),
        }
    }
    scan.files.sort_by(|a, b| a.path.cmp(&b.path));
    scan.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(scan)
}

fn look_at(root: &Path, entry: &DirEntry, scan: &mut Scan) {
    let kind = entry.file_type();
    let extension = extension(entry.path());
    if entry.depth() == 0 || kind.is_symlink() || extension.is_empty() {
        return;
    }
    let unsupported = UNSUPPORTED.iter().find(|(name, _)| *name == extension);
    if !AUDIO.contains(&extension.as_str()) && unsupported.is_none() {
        return;
    }
    let path = library_path(root, entry.path());
    let readable = path.clone().unwrap_or_else(|lossy| lossy);
    let refuse = |fault, misleading| Refused {
        path: readable,
        fault,
        misleading,
    };
    let refused = if kind.is_dir() {
        refuse(
            Fault::in_item("scan", "is a folder named like an audio file"),
            true,
        )
    } else if !kind.is_file() {
        refuse(
            Fault::in_item("scan", "is no regular file but a pipe, socket or device"),
            true,
        )
    } else if let Some((_, name)) = unsupported {
        refuse(
            Fault::in_item("scan", format!("{name} is not supported")),
            false,
        )
    } else {
        match (path, entry.metadata()) {
            (Err(_), _) => refuse(
                Fault::in_item(
                    "scan",
                    "the name is not valid UTF-8, which a library path must be; rename the file",
                ),
                false,
            ),
            (_, Err(error)) => refuse(Fault::retry_later("scan", error), false),
            (Ok(path), Ok(metadata)) => {
                scan.files.push(ScannedFile {
                    path,
                    absolute: entry.path().to_owned(),
                    size: metadata.len(),
                    modified_ns: modified_ns(&metadata),
                });
                return;
            }
        }
    };
    scan.refused.push(refused);
}

fn cannot_list(root: &Path, error: &walkdir::Error, scan: &mut Scan) {
    let path = error.path().unwrap_or(root);
    let path = library_path(root, path).unwrap_or_else(|lossy| lossy);
    let reason = error
        .io_error()
        .map_or_else(|| error.to_string(), ToString::to_string);
    scan.unreadable.push(path.clone());
    scan.refused.push(Refused {
        path,
        fault: Fault::retry_later("scan", reason),
        misleading: false,
    });
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn extension(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}

/// `path` relative to `root` with forward slashes; a readable stand-in as the
/// error where the name is not UTF-8.
fn library_path(root: &Path, path: &Path) -> Result<String, String> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.iter().collect();
    let readable = |part: &&std::ffi::OsStr| part.to_string_lossy().into_owned();
    if parts.iter().all(|part| part.to_str().is_some()) {
        Ok(parts.iter().map(readable).collect::<Vec<_>>().join("/"))
    } else {
        Err(parts.iter().map(readable).collect::<Vec<_>>().join("/"))
    }
}

/// Nanoseconds since 1970; negative before, and saturated in the year 2262.
pub(crate) fn modified_ns(metadata: &Metadata) -> i64 {
    let Ok(modified) = metadata.modified() else {
        return 0;
    };
    match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn scan_names(root: &Path) -> (Vec<String>, Vec<(String, bool)>) {
        let scan = scan(root, root, &Cancel::new()).unwrap();
        (
            scan.files.iter().map(|f| f.path().to_owned()).collect(),
            scan.refused
                .iter()
                .map(|r| (r.path.clone(), r.misleading))
                .collect(),
        )
    }

    #[test]
    fn audio_is_found_in_path_order_and_the_rest_left_alone() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "b.MP3",
            "a/x.flac",
            "a/cover.jpg",
            ".hidden.mp3",
            ".cache/y.ogg",
            "notes",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let (files, refused) = scan_names(root.path());
        assert_eq!(files, ["a/x.flac", "b.MP3"]);
        assert_eq!(refused, []);
    }

    #[test]
    fn what_only_looks_like_a_file_is_refused_once() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("x.mp3")).unwrap();
        fs::write(root.path().join("x.mp3/inner.ogg"), b"x").unwrap();
        fs::write(root.path().join("old.wma"), b"x").unwrap();
        let (files, refused) = scan_names(root.path());
        assert_eq!(files, ["x.mp3/inner.ogg"]);
        assert_eq!(refused, [("old.wma".into(), false), ("x.mp3".into(), true)]);
    }

    #[cfg(unix)]
    #[test]
    fn links_loops_and_odd_names_do_no_harm() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("real.wav"), b"x").unwrap();
        std::os::unix::fs::symlink("real.wav", root.path().join("link.wav")).unwrap();
        std::os::unix::fs::symlink(".", root.path().join("loop.mp3")).unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"caf\xe9.ogg")), b"x").unwrap();
        let (files, refused) = scan_names(root.path());
        assert_eq!(files, ["real.wav"]);
        assert_eq!(refused, [("caf\u{fffd}.ogg".into(), false)]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("gone");
        let error = scan(root.path(), &gone, &Cancel::new()).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
