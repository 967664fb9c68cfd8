//! What could be audio and is not looked at, and why: told by reason, never passed over in silence.

use std::collections::BTreeMap;
use std::path::Path;

use walkdir::DirEntry;

use crate::event::{Group, Why};
use audio::decode::{extension_is_audio, extension_is_notes, is_audio_file};

/// One thing that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path in the library, made readable where it is not UTF-8.
    pub path: String,
    /// Why.
    pub why: Why,
}

/// Names told of each reason.
const EXAMPLES: usize = 3;

/// What was left out, by reason.
pub fn groups(left_out: &[LeftOut]) -> Vec<Group> {
    let mut groups: BTreeMap<Why, Group> = BTreeMap::new();
    for one in left_out {
        let group = groups.entry(one.why).or_insert_with(|| Group {
            why: one.why,
            count: 0,
            examples: Vec::new(),
        });
        group.count += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(one.path.clone());
        }
    }
    groups.into_values().collect()
}

/// Folders that hold what was thrown away, copies, or nothing for people.
const SYSTEM_FOLDERS: [&str; 19] = [
    ".trash",
    ".trashes",
    ".git",
    ".svn",
    ".hg",
    ".cache",
    ".thumbnails",
    ".appledouble",
    ".appledb",
    ".appledesktop",
    ".spotlight-v100",
    ".fseventsd",
    ".temporaryitems",
    ".documentrevisions-v100",
    ".stversions",
    ".stfolder",
    "@eadir",
    "$recycle.bin",
    "system volume information",
];

pub(super) fn is_system_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && is_system_folder_by_name(&entry.file_name().to_string_lossy())
}

/// Whether an import leaves out a folder of this name with all that is in it.
pub fn is_system_folder_by_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SYSTEM_FOLDERS.contains(&name.as_str())
        || [".trash-", ".nfs", "#recycle", "#snapshot", ".snapshots"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// Whether a link may lead to audio: it is called like that, leads to a folder, or to where nothing is today, such as
/// a disk that is not mounted.
pub(super) fn link_may_lead_to_audio(path: &Path) -> bool {
    extension_is_audio(path) || std::fs::metadata(path).map_or(true, |meta| meta.is_dir())
}

/// Why a regular file is left out for its name; `None` where it is not. Of [`Why::Notes`] the content may know better.
pub(crate) fn by_name(path: &Path) -> Option<Why> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    if name.starts_with("._") {
        return Some(Why::Companion);
    }
    if let Some(only) = name.strip_prefix('.').filter(|rest| !rest.contains('.')) {
        return extension_is_audio(Path::new(&format!("x.{only}"))).then_some(Why::Nameless);
    }
    if name.ends_with('.') && extension_is_audio(Path::new(name.trim_end_matches('.'))) {
        return Some(Why::TrailingDot);
    }
    let stem_is_audio = path
        .file_stem()
        .is_some_and(|stem| extension_is_audio(Path::new(stem)));
    match extension.as_str() {
        "wvc" | "ofc" => Some(Why::Correction),
        "part" | "partial" | "crdownload" | "download" | "!ut" | "!qb" | "aria2"
            if stem_is_audio =>
        {
            Some(Why::Unfinished)
        }
        _ if extension_is_notes(path) => Some(Why::Notes),
        _ => None,
    }
}

/// Extensions of what lies beside music and is none; their content is not asked.
const OTHER: [&str; 71] = [
    "jpg",
    "jpeg",
    "png",
    "gif",
    "bmp",
    "webp",
    "tif",
    "tiff",
    "heic",
    "avif",
    "svg",
    "ico",
    "psd",
    "pdf",
    "txt",
    "nfo",
    "log",
    "cue",
    "m3u",
    "m3u8",
    "pls",
    "xspf",
    "wpl",
    "asx",
    "sfv",
    "md5",
    "sha1",
    "sha256",
    "ffp",
    "st5",
    "accurip",
    "html",
    "htm",
    "url",
    "webloc",
    "xml",
    "json",
    "yaml",
    "yml",
    "toml",
    "ini",
    "csv",
    "md",
    "doc",
    "docx",
    "rtf",
    "odt",
    "epub",
    "zip",
    "rar",
    "7z",
    "gz",
    "xz",
    "bz2",
    "tar",
    "iso",
    "db",
    "db-wal",
    "db-shm",
    "db-journal",
    "sqlite",
    "lrc",
    "srt",
    "ass",
    "sub",
    "idx",
    "exe",
    "dll",
    "lnk",
    "torrent",
    "reapeaks",
];

/// Whether a file with an extension that tells nothing is audio by its first bytes.
pub(super) fn is_audio_by_content(path: &Path) -> bool {
    content_tells(path) && is_audio_file(path)
}

/// Whether only the first bytes of a file of this name can tell whether it is audio.
pub(crate) fn content_tells(path: &Path) -> bool {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    !extension_is_audio(path) && !OTHER.contains(&extension.as_str())
}
