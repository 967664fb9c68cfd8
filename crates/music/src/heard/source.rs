//! Where files to be heard lie: a folder, or a part of a bucket, whose objects are spooled one by one.
//!
//! Both are looked at folder by folder, since a folder is what a file is understood in: its cue sheets, the number of
//! its files, and how their tags are encoded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use audio::decode::{extension_is_audio, is_certainly_audio};
use audio::marks::{Beside, SheetFile, is_sheet};
use audio::tags::{ASKED, Neighbours};
use run::{Cancel, Fault, LibraryPath, Scratch};

use crate::error::{Error, Result};
use crate::event::Why;
use crate::heard::lock;
use crate::heard::place::{Children, Object, Place};
use crate::intake::scan::left_out::{self, LeftOut};
use crate::intake::scan::{Above, Refused, scan_folder};
use crate::library::values::{ScannedFile, name_of};

/// The most bytes of an object that is taken to the disk to be heard: a day of uncompressed stereo has 15 GB.
const MAX_OBJECT: u64 = 64 << 30;

/// The most bytes of a sheet that is taken along.
const MAX_SHEET: u64 = 1 << 20;

/// Where files lie.
#[derive(Debug)]
pub struct Source {
    place: Place,
    /// Folders of a bucket that are on the disk in part, by where.
    spooled: Arc<Mutex<HashMap<PathBuf, Weak<Folder>>>>,
    above: Above,
}

/// A folder of a source.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its audio files, with what the store calls their versions, in order of paths.
    pub(crate) files: Vec<(ScannedFile, Option<String>)>,
    /// What looks like audio and is none, or cannot be read.
    pub(crate) refused: Vec<Refused>,
    /// What could be audio and is not looked at.
    pub(crate) left_out: Vec<LeftOut>,
    /// The folders right in it, in order.
    pub(crate) folders: Vec<String>,
    /// Where files of a bucket are put while they are heard.
    spool: Option<Spool>,
}

#[derive(Debug)]
struct Spool {
    place: Place,
    folder: Scratch,
    /// Names of the files by which the others are judged.
    first: Vec<String>,
}

/// A file that can be opened; one that was brought from a bucket is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    folder: &'a Folder,
    file: &'a ScannedFile,
}

impl Source {
    /// The files below a place.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            spooled: Arc::default(),
            above: Above::default(),
        }
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What a path given by a person is called in this source: as it is, or what follows the source's own folder.
    pub(crate) fn path_of(&self, given: &str) -> Result<String, String> {
        let inside = match self.place.folder() {
            Some(root) => {
                let absolute = root.join(given);
                let absolute = std::path::absolute(absolute).map_err(|error| error.to_string())?;
                // As the source's own folder has no link in its path, a path that leads there through one is taken too.
                let real = absolute.parent().zip(absolute.file_name());
                let real = real
                    .and_then(|(folder, name)| Some(run::canonical_path(folder).ok()?.join(name)));
                let inside = real
                    .unwrap_or(absolute)
                    .strip_prefix(root)
                    .map(Path::to_owned)
                    .map_err(|_| format!("it is not inside the source `{}`", self.place))?;
                inside
                    .to_string_lossy()
                    .replace(std::path::MAIN_SEPARATOR, "/")
            }
            None => given.to_owned(),
        };
        inside
            .parse::<LibraryPath>()
            .map(|path| path.as_str().to_owned())
            .map_err(|error| error.to_string())
    }

    /// Looks into a folder; empty for the source itself.
    ///
    /// # Errors
    ///
    /// When it cannot be listed.
    pub(crate) fn folder(&self, folder: &str) -> Result<Arc<Folder>> {
        if let Some(root) = self.place.folder() {
            let (scan, inner) = scan_folder(root, &root.join(folder), &self.above)?;
            let name = |path: PathBuf| -> Option<String> {
                Some(path.strip_prefix(root).ok()?.to_str()?.to_owned())
            };
            return Ok(Arc::new(Folder {
                files: scan.files.into_iter().map(|file| (file, None)).collect(),
                refused: scan.refused,
                left_out: scan.left_out,
                folders: inner.into_iter().filter_map(name).collect(),
                spool: None,
            }));
        }
        let children = self.place.children(folder)?;
        let folder = Arc::new(Folder::of_bucket(&self.place, children)?);
        if let Some(spool) = &folder.spool {
            let mut spooled = lock(&self.spooled);
            spooled.retain(|_, folder| folder.strong_count() > 0);
            spooled.insert(spool.folder.path().to_owned(), Arc::downgrade(&folder));
        }
        Ok(folder)
    }

    /// Looks into every folder, each before those in it, until it is asked to stop. One that cannot be listed is given as
    /// a refusal.
    ///
    /// # Errors
    ///
    /// When the source itself cannot be listed, and those of `each`.
    pub(crate) fn walk(
        &self,
        cancel: &Cancel,
        mut each: impl FnMut(&str, Result<Arc<Folder>, Refused>) -> Result<()>,
    ) -> Result<()> {
        let mut folders = vec![String::new()];
        while let Some(path) = folders.pop() {
            if cancel.is_requested() {
                break;
            }
            match self.folder(&path) {
                Ok(folder) => {
                    folders.extend(folder.folders.iter().rev().cloned());
                    each(&path, Ok(folder))?;
                }
                Err(Error::Folder { reason, .. }) if !path.is_empty() => {
                    let fault = Fault::retry_later("scan", reason);
                    let refused = Refused {
                        path: path.clone(),
                        fault,
                        misleading: false,
                    };
                    each(&path, Err(refused))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How to ask the other files of a folder how their tags are encoded.
    pub(crate) fn neighbours(&self) -> Neighbours {
        if self.place.folder().is_some() {
            return Neighbours::default();
        }
        let spooled = Arc::clone(&self.spooled);
        Neighbours::brought(move |folder| {
            let folder = lock(&spooled).get(folder).and_then(Weak::upgrade);
            if let Some(folder) = folder {
                folder.bring_first();
            }
        })
    }
}

impl Folder {
    fn of_bucket(place: &Place, children: Children) -> Result<Self> {
        // What is opened below it must have no link in its path.
        let spool = Scratch::new()?;
        let at = |object: &Object| spool.path().join(name_of(&object.name));
        let mut folder = Self {
            files: Vec::new(),
            refused: Vec::new(),
            left_out: Vec::new(),
            folders: Vec::new(),
            spool: None,
        };
        for path in children.folders {
            if left_out::is_system_folder_by_name(name_of(&path)) {
                let why = Why::SystemFolder;
                folder.left_out.push(LeftOut { path, why });
            } else {
                folder.folders.push(path);
            }
        }
        let (mut sheets, mut audio) = (Vec::new(), Vec::new());
        for object in children.objects {
            let path = Path::new(&object.name);
            let leave_out = |why| LeftOut {
                path: object.name.clone(),
                why,
            };
            if is_sheet(path) {
                sheets.push(bring_sheet(place, &object, at(&object)));
            } else if let Some(why) = left_out::by_name(path)
                && !(why == Why::Notes && is_audio_by_content(place, &object))
            {
                folder.left_out.push(leave_out(why));
            } else if extension_is_audio(path) || is_audio_by_content(place, &object) {
                audio.push(object);
            }
        }
        let beside = Arc::new(Beside::new(sheets, audio.iter().map(at).collect()));
        let first = audio.iter().map(|object| &object.name);
        let first = first.filter(|name| extension_is_audio(Path::new(name)));
        let first = first.take(ASKED).cloned().collect();
        let scanned = |object: Object| {
            let file = ScannedFile {
                absolute: at(&object),
                size: object.size,
                modified_ns: object.modified_s.saturating_mul(1_000_000_000),
                changed_ns: 0,
                beside: Arc::clone(&beside),
                sheets: None,
                path: object.name,
            };
            (file, object.etag)
        };
        folder.files = audio.into_iter().map(scanned).collect();
        folder.spool = Some(Spool {
            place: place.clone(),
            folder: spool,
            first,
        });
        Ok(folder)
    }

    /// Makes a file of this folder one that can be opened.
    ///
    /// # Errors
    ///
    /// When it cannot be brought.
    pub(crate) fn open<'a>(&'a self, file: &'a ScannedFile) -> Result<Opened<'a>, Fault> {
        if let Some(spool) = &self.spool {
            spool
                .bring(file)
                .map_err(|error| Fault::retry_later("hash", error))?;
        }
        Ok(Opened { folder: self, file })
    }

    /// Brings the files by which the others are judged.
    fn bring_first(&self) {
        let Some(spool) = &self.spool else { return };
        let first = self.files.iter().map(|(file, _)| file);
        for file in first.filter(|file| spool.first.iter().any(|name| name == file.path())) {
            // One that cannot be brought has no say, like one that cannot be read.
            if let Err(error) = spool.bring(file) {
                tracing::info!(file.path = file.path(), %error, "a neighbour cannot be read");
            }
        }
    }
}

impl Spool {
    fn bring(&self, file: &ScannedFile) -> std::io::Result<()> {
        if file.size() > MAX_OBJECT {
            let reason = format!("it is larger than {MAX_OBJECT} bytes");
            return Err(std::io::Error::other(reason));
        }
        if file.absolute().exists() {
            return Ok(());
        }
        // Two workers may bring the same file; whoever is last puts the same bytes in its place.
        let part = tempfile::Builder::new()
            .prefix(".bring-")
            .tempdir_in(self.folder.path())?;
        let whole = part.path().join("object");
        self.place.download(file.path(), &whole, file.size())?;
        std::fs::rename(whole, file.absolute())
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let Some(spool) = &self.folder.spool else {
            return;
        };
        // The first ones stay as long as the folder: the others are judged by them.
        if !spool.first.iter().any(|name| name == self.file.path())
            && let Err(error) = std::fs::remove_file(self.file.absolute())
        {
            tracing::info!(%error, "a spooled file cannot be removed");
        }
    }
}

/// A sheet, once it is on the disk. One that cannot be had is as good as not there, as on a disk.
fn bring_sheet(place: &Place, object: &Object, to: PathBuf) -> SheetFile {
    if object.size <= MAX_SHEET
        && let Err(error) = place.download(&object.name, &to, object.size)
    {
        tracing::info!(%error, object = object.name, "a sheet cannot be read");
    }
    SheetFile {
        path: to,
        size: object.size,
        modified_ns: object.modified_s.saturating_mul(1_000_000_000),
        changed_ns: 0,
    }
}

/// Whether an object whose name tells nothing is audio by its first bytes, which are asked for alone.
fn is_audio_by_content(place: &Place, object: &Object) -> bool {
    object.size > 0
        && left_out::content_tells(Path::new(&object.name))
        && place
            .head(&object.name, audio::decode::PROOF as u64)
            .is_ok_and(|first| is_certainly_audio(&first))
}
