//! Finds the audio files of a folder by their names; of those whose names tell nothing, by their first bytes.
//!
//! Nothing that could be audio is passed over in silence: it is taken, refused, or left out for a reason that is told
//! ([`left_out`]). Follows no symbolic link (a loop, or a link out of the root folder, would break the
//! library's relative paths) and refuses what a database path cannot hold. Whether a file's content is what its name says
//! is asked later, and only of files that are new or changed. On the way the sheets of each folder are noted, since
//! they say where the tracks of its files lie.

pub mod left_out;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use run::{Cancel, Fault, literal_path, plain_path};
use walkdir::{DirEntry, WalkDir};

use crate::error::{Error, Result};
use crate::event::Why;
use crate::library::values::ScannedFile;
use audio::decode::extension_is_audio;
use audio::marks::{Beside, SheetFile, is_sheet};
use left_out::LeftOut;

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

impl Refused {
    /// What is known of it as a file: its path, and neither size nor time.
    pub(crate) fn as_file(&self) -> ScannedFile {
        ScannedFile {
            path: self.path.clone(),
            absolute: PathBuf::new(),
            size: 0,
            modified_ns: 0,
            changed_ns: 0,
            beside: Arc::default(),
            sheets: None,
        }
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Audio files, in path order.
    pub files: Vec<ScannedFile>,
    /// What looks like audio and is none, or cannot be read.
    pub refused: Vec<Refused>,
    /// What could be audio and is not looked at, in path order.
    pub left_out: Vec<LeftOut>,
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
    can_be_listed(folder)?;
    let mut walk = Walk::below(root);
    walk.listed.insert(literal_path(folder));
    let mut entries = WalkDir::new(literal_path(folder))
        .follow_links(false)
        .into_iter();
    while let Some(entry) = entries.next() {
        if cancel.is_requested() {
            break;
        }
        match entry {
            Ok(entry) if entry.depth() > 0 && left_out::is_system_folder(&entry) => {
                walk.leave_out(entry.path(), Why::SystemFolder);
                entries.skip_current_dir();
            }
            Ok(entry) if entry.depth() > 0 => walk.look_at(&entry),
            Ok(_) => {}
            Err(error) => walk.cannot_list(&error),
        }
    }
    Ok(walk.finish())
}

/// The file at a path of the library, as it and what lies beside it are now.
///
/// # Errors
///
/// When it is not there, or nothing that an import would take.
pub(crate) fn file_at(root: &Path, path: &str) -> std::io::Result<ScannedFile> {
    let mut walk = Walk::below(root);
    let absolute = walk.root.join(path);
    let folder = absolute.parent().unwrap_or(&absolute);
    std::fs::metadata(&absolute)?;
    let entries = WalkDir::new(folder).min_depth(1).max_depth(1);
    for entry in entries.into_iter().flatten() {
        walk.look_at(&entry);
    }
    walk.finish()
        .files
        .into_iter()
        .find(|file| file.path == path)
        .ok_or_else(|| std::io::Error::other("it is not a regular file"))
}

/// What lies right in one folder, and the folders in it that an import would go into, in order.
///
/// # Errors
///
/// When it cannot be listed.
pub(crate) fn scan_folder(
    root: &Path,
    folder: &Path,
    above: &Above,
) -> Result<(Scan, Vec<PathBuf>)> {
    can_be_listed(folder)?;
    let mut walk = Walk {
        above: above.clone(),
        ..Walk::below(root)
    };
    walk.listed.insert(literal_path(folder));
    let mut inner = Vec::new();
    for entry in WalkDir::new(literal_path(folder)).min_depth(1).max_depth(1) {
        match entry {
            Ok(entry) if left_out::is_system_folder(&entry) => {
                walk.leave_out(entry.path(), Why::SystemFolder);
            }
            Ok(entry) => {
                walk.look_at(&entry);
                if entry.file_type().is_dir() {
                    inner.push(entry.into_path());
                }
            }
            Err(error) => walk.cannot_list(&error),
        }
    }
    inner.sort();
    Ok((walk.finish(), inner))
}

/// What lies in one folder, until it is known to be all.
#[derive(Default)]
struct Folder {
    sheets: Vec<SheetFile>,
    audio: Vec<PathBuf>,
}

/// The sheets of folders that are not walked through, but in which some that are walked through lie. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Above(Arc<Mutex<HashMap<PathBuf, Arc<Beside>>>>);

/// Folders whose sheets are kept at once: a hundred artists deep in a collection of a million files.
const MAX_ABOVE: usize = 1000;

impl Above {
    /// The sheets that lie in a folder.
    fn sheets_in(&self, folder: &Path) -> Arc<Beside> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beside) = kept.get(folder) {
            return Arc::clone(beside);
        }
        let entries = WalkDir::new(folder).min_depth(1).max_depth(1).into_iter();
        let entries = entries.flatten();
        let sheets = entries
            .filter(|entry| entry.file_type().is_file() && is_sheet(entry.path()))
            .filter_map(|entry| sheet_file(&entry))
            .collect();
        let beside = Arc::new(Beside::new(sheets, Vec::new()));
        if kept.len() >= MAX_ABOVE {
            kept.clear();
        }
        kept.insert(folder.to_owned(), Arc::clone(&beside));
        beside
    }
}

/// A sheet that cannot be asked for is as good as not there.
fn sheet_file(entry: &DirEntry) -> Option<SheetFile> {
    let metadata = entry.metadata().ok()?;
    Some(SheetFile {
        path: entry.path().to_owned(),
        size: metadata.len(),
        modified_ns: modified_ns(&metadata),
        changed_ns: changed_ns(&metadata),
    })
}

/// A walk through folders, whose paths are literal as long as it lasts: Windows finds every file by them.
struct Walk {
    root: PathBuf,
    scan: Scan,
    folders: BTreeMap<PathBuf, Folder>,
    /// Folders that were walked through.
    listed: HashSet<PathBuf>,
    above: Above,
}

fn can_be_listed(folder: &Path) -> Result<()> {
    let listed = std::fs::read_dir(folder).map(drop);
    listed.map_err(|reason| Error::Folder {
        path: folder.to_owned(),
        reason,
    })
}

impl Walk {
    fn below(root: &Path) -> Self {
        Self {
            root: literal_path(root),
            scan: Scan::default(),
            folders: BTreeMap::new(),
            listed: HashSet::new(),
            above: Above::default(),
        }
    }

    fn look_at(&mut self, entry: &DirEntry) {
        let kind = entry.file_type();
        let path = entry.path();
        let by_name = extension_is_audio(path);
        if kind.is_symlink() {
            if left_out::link_may_lead_to_audio(path) {
                self.leave_out(path, Why::Link);
            }
        } else if kind.is_dir() {
            self.listed.insert(path.to_owned());
            if by_name {
                self.refuse(
                    path,
                    Fault::in_item("scan", "is a folder named like an audio file"),
                    true,
                );
            }
        } else if !kind.is_file() {
            if by_name {
                let fault =
                    Fault::in_item("scan", "is no regular file but a pipe, socket or device");
                self.refuse(path, fault, true);
            }
        } else if is_sheet(path) {
            self.note_sheet(entry);
        } else if let Some(why) = left_out::by_name(path)
            && !(why == Why::Notes && left_out::is_audio_by_content(path))
        {
            self.leave_out(path, why);
        } else if by_name || left_out::is_audio_by_content(path) {
            self.take(entry);
        }
    }

    fn take(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let Ok(name) = library_path(&self.root, path) else {
            let text = "the name is not valid UTF-8, which a library path must be; rename the file";
            return self.refuse(path, Fault::in_item("scan", text), false);
        };
        match entry.metadata() {
            Ok(metadata) => {
                self.folder_of(path).audio.push(path.to_owned());
                self.scan.files.push(ScannedFile {
                    path: name,
                    absolute: path.to_owned(),
                    size: metadata.len(),
                    modified_ns: modified_ns(&metadata),
                    changed_ns: changed_ns(&metadata),
                    beside: Arc::default(),
                    sheets: None,
                });
            }
            Err(error) => self.refuse(path, Fault::retry_later("scan", error), false),
        }
    }

    fn note_sheet(&mut self, entry: &DirEntry) {
        if let Some(sheet) = sheet_file(entry) {
            self.folder_of(entry.path()).sheets.push(sheet);
        }
    }

    fn folder_of(&mut self, path: &Path) -> &mut Folder {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.folders.entry(folder).or_default()
    }

    fn refuse(&mut self, path: &Path, fault: Fault, misleading: bool) {
        let path = library_path(&self.root, path).unwrap_or_else(|lossy| lossy);
        self.scan.refused.push(Refused {
            path,
            fault,
            misleading,
        });
    }

    fn leave_out(&mut self, path: &Path, why: Why) {
        let path = library_path(&self.root, path).unwrap_or_else(|lossy| lossy);
        self.scan.left_out.push(LeftOut { path, why });
    }

    fn cannot_list(&mut self, error: &walkdir::Error) {
        let path = error.path().unwrap_or(&self.root);
        let path = library_path(&self.root, path).unwrap_or_else(|lossy| lossy);
        let reason = error
            .io_error()
            .map_or_else(|| error.to_string(), ToString::to_string);
        self.scan.unreadable.push(path.clone());
        self.scan.refused.push(Refused {
            path,
            fault: Fault::retry_later("scan", reason),
            misleading: false,
        });
    }

    /// What lies in the folder above one, if that is in the library, too.
    fn above_of(
        &self,
        folder: &Path,
        known: &BTreeMap<PathBuf, Arc<Beside>>,
    ) -> Option<Arc<Beside>> {
        let above = folder.parent().filter(|_| folder != self.root)?;
        if self.listed.contains(above) {
            return known.get(above).cloned();
        }
        above
            .starts_with(&self.root)
            .then(|| self.above.sheets_in(above))
    }

    fn finish(mut self) -> Scan {
        // Folders come before those in them.
        let mut folders: BTreeMap<PathBuf, Arc<Beside>> = BTreeMap::new();
        for (path, folder) in std::mem::take(&mut self.folders) {
            let above = self.above_of(&path, &folders);
            let beside = Beside::new(folder.sheets, folder.audio).below(above);
            folders.insert(path, Arc::new(beside));
        }
        for file in &mut self.scan.files {
            if let Some(beside) = file
                .absolute
                .parent()
                .and_then(|folder| folders.get(folder))
            {
                file.beside = Arc::clone(beside);
            }
            file.absolute = plain_path(&file.absolute);
        }
        self.scan.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.scan.refused.sort_by(|a, b| a.path.cmp(&b.path));
        self.scan.left_out.sort_by(|a, b| a.path.cmp(&b.path));
        self.scan
    }
}

/// `path` relative to `root` with forward slashes; a readable stand-in as the
/// error where the name is not UTF-8.
fn library_path(root: &Path, path: &Path) -> Result<String, String> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.iter().collect();
    let readable = |part: &&OsStr| part.to_string_lossy().into_owned();
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

#[cfg(unix)]
pub(crate) fn changed_ns(metadata: &Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    metadata
        .ctime()
        .saturating_mul(1_000_000_000)
        .saturating_add(metadata.ctime_nsec())
}

#[cfg(not(unix))]
pub(crate) fn changed_ns(_metadata: &Metadata) -> i64 {
    0
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
            "...One More Time.mp3",
            ".5 The Grey Chapter/y.ogg",
            "old.wma",
            "notes",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let (files, refused) = scan_names(root.path());
        assert_eq!(
            files,
            [
                "...One More Time.mp3",
                ".5 The Grey Chapter/y.ogg",
                "a/x.flac",
                "b.MP3",
                "old.wma"
            ]
        );
        assert_eq!(refused, []);
    }

    #[test]
    fn what_only_looks_like_a_file_is_refused_once() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("x.mp3")).unwrap();
        fs::write(root.path().join("x.mp3/inner.ogg"), b"x").unwrap();
        let (files, refused) = scan_names(root.path());
        assert_eq!(files, ["x.mp3/inner.ogg"]);
        assert_eq!(refused, [("x.mp3".into(), true)]);
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
        let left_out = scan(root.path(), root.path(), &Cancel::new())
            .unwrap()
            .left_out;
        let told: Vec<_> = left_out
            .iter()
            .map(|one| (one.path.as_str(), one.why))
            .collect();
        assert_eq!(told, [("link.wav", Why::Link), ("loop.mp3", Why::Link)]);
    }

    #[test]
    fn what_could_be_audio_is_taken_or_left_out_for_a_reason() {
        let root = tempfile::tempdir().unwrap();
        let flac = b"fLaC\0\0\0\x22";
        let files: [(&str, &[u8]); 13] = [
            ("no extension", flac),
            ("wrong.xyz", flac),
            ("letter.xyz", b"Dear all,"),
            ("picture.jpg", b"\xff\xd8\xff\xe0"),
            ("._01 Song.mp3", b"\0\x05\x16\x07"),
            ("song.mp3.part", flac),
            ("song.wvc", b"wvpk"),
            (".wav", b"RIFF"),
            ("x.wav.", b"RIFF\0\0\0\0WAVE"),
            ("tune.mid", b"MThd\0\0\0\x06"),
            ("truly a song.mid", flac),
            (".Trash-1000/files/gone.mp3", b"x"),
            ("album.cue", b"x"),
        ];
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let scan = scan(root.path(), root.path(), &Cancel::new()).unwrap();
        let taken: Vec<_> = scan.files.iter().map(ScannedFile::path).collect();
        assert_eq!(taken, ["no extension", "truly a song.mid", "wrong.xyz"]);
        let left_out: Vec<_> = scan
            .left_out
            .iter()
            .map(|one| (one.path.as_str(), one.why))
            .collect();
        assert_eq!(
            left_out,
            [
                (".Trash-1000", Why::SystemFolder),
                ("._01 Song.mp3", Why::Companion),
                (".wav", Why::Nameless),
                ("song.mp3.part", Why::Unfinished),
                ("song.wvc", Why::Correction),
                ("tune.mid", Why::Notes),
                ("x.wav.", Why::TrailingDot),
            ]
        );
        assert!(!scan.files[0].beside().state().is_empty());
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("gone");
        let error = scan(root.path(), &gone, &Cancel::new()).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
