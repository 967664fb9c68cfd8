//! From files to records: a function of bytes, of which any number of processes may run, anywhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use run::{Cancel, Fault, Progress, Usage, for_each};

use crate::error::{Error, Result};
use crate::heard::event::{HearEvent, Heard};
use crate::heard::lock;
use crate::heard::name::RecordName;
use crate::heard::place::Place;
use crate::heard::record::{BadRecord, HeardFile, HearingSettings, MAX_PACKED, Outcome};
use crate::heard::source::{Folder, Source};
use crate::id::SessionId;
use crate::intake::hearing::{OnDisk, Worker, hear_guarded};
use crate::intake::plan::{Extent, Task};
use crate::intake::recognise::Rejected;
use crate::intake::scan::Refused;
use crate::intake::scan::left_out::{self, LeftOut};
use crate::intake::take_in::Taken;
use crate::library::former::Former;
use crate::library::settings::Settings;
use crate::library::values::{ScannedFile, folder_of};

/// Files that are looked up and given to the workers at once. At its end the workers wait for the last of them, so it is
/// large; it is in memory, so it is not larger: with half a second of work each, 2,048 files keep 16 cores busy for a
/// minute.
const CHUNK: usize = 2_048;

/// What to hear.
#[derive(Debug)]
pub struct Hear<'a> {
    /// Where the files lie.
    pub source: &'a Source,
    /// Where the records go.
    pub out: &'a Place,
    /// Files worked on at once.
    pub jobs: usize,
    /// How to hear.
    pub settings: &'a Settings,
    /// Read the records that are there, and hear the files again whose records are damaged.
    pub reads_records: bool,
}

/// Hears the files at `paths`, or all of the source without them, and stores a record of each.
///
/// A file whose record is there already is not opened, unless records are to be read and it is damaged. Asked to stop, it
/// finishes the files in hand. Any number of processes may hear into the same place; two that hear the same file store the
/// same record.
///
/// # Errors
///
/// When the source cannot be listed, a path of the list is none, or no record can be stored. A file that cannot be
/// heard is told, counted, and has a record that says why.
pub fn hear(
    hear: &Hear<'_>,
    paths: Option<&mut dyn Iterator<Item = Result<String>>>,
    cancel: &Cancel,
    progress: &Progress,
    tell: &(dyn Fn(&HearEvent) + Sync),
) -> Result<Heard> {
    tell(&HearEvent::HearStarted {
        source: hear.source.place().to_string(),
        out: hear.out.to_string(),
        jobs: hear.jobs,
    });
    let began = Instant::now();
    let root = hear
        .source
        .place()
        .folder()
        .unwrap_or(std::path::Path::new(""));
    let run = Run {
        hear,
        hearing: OnDisk::new(root, hear.settings).with_neighbours(hear.source.neighbours()),
        settings: HearingSettings::of(hear.settings),
        session: SessionId::random(),
        cancel,
        progress,
        tell,
        heard: Mutex::default(),
        lost: Mutex::default(),
    };
    progress.phase("hear");
    match paths {
        Some(paths) => run.hear_paths(paths)?,
        None => run.hear_all()?,
    }
    run.lost_nothing()?;
    let mut heard = lock(&run.heard).clone();
    heard.usage = Usage::since(began);
    heard.state = if cancel.is_requested() {
        "stopped"
    } else {
        "completed"
    };
    Ok(heard)
}

/// A file to be heard, or why it cannot be.
enum Item {
    File { folder: Arc<Folder>, at: usize },
    Refused(Refused),
}

struct Run<'a> {
    hear: &'a Hear<'a>,
    hearing: OnDisk<'a>,
    settings: HearingSettings,
    session: SessionId,
    cancel: &'a Cancel,
    progress: &'a Progress,
    tell: &'a (dyn Fn(&HearEvent) + Sync),
    heard: Mutex<Heard>,
    /// Why no record can be stored any more.
    lost: Mutex<Option<Error>>,
}

impl Run<'_> {
    /// Goes through the source folder by folder.
    fn hear_all(&self) -> Result<()> {
        let (mut items, mut left_out) = (Vec::new(), Vec::new());
        self.hear.source.walk(self.cancel, |_, folder| {
            match folder {
                Ok(folder) => {
                    left_out.extend(folder.left_out.iter().cloned());
                    items.extend(folder.refused.iter().cloned().map(Item::Refused));
                    items.extend((0..folder.files.len()).map(|at| Item::File {
                        folder: Arc::clone(&folder),
                        at,
                    }));
                }
                // What lies in a folder that cannot be listed is unknown, and the others are heard.
                Err(refused) => items.push(Item::Refused(refused)),
            }
            if items.len() >= CHUNK {
                self.hear_chunk(std::mem::take(&mut items));
                self.tell_left_out(&mut left_out);
            }
            self.lost_nothing()
        })?;
        self.hear_chunk(items);
        self.tell_left_out(&mut left_out);
        Ok(())
    }

    /// Looks up the files of a list, chunk by chunk.
    fn hear_paths(&self, paths: &mut dyn Iterator<Item = Result<String>>) -> Result<()> {
        let mut chunk = Vec::new();
        loop {
            let next = paths.next().transpose()?;
            let is_last = next.is_none();
            chunk.extend(next);
            if chunk.len() >= CHUNK || is_last {
                let items = self.look_up(std::mem::take(&mut chunk));
                self.hear_chunk(items);
            }
            if is_last || self.has_ended() {
                return Ok(());
            }
        }
    }

    fn look_up(&self, given: Vec<String>) -> Vec<Item> {
        let mut folders: HashMap<String, Result<Arc<Folder>, String>> = HashMap::new();
        let mut items = Vec::with_capacity(given.len());
        for given in given {
            if self.cancel.is_requested() {
                break;
            }
            let refuse = |path: &str, reason: String| {
                Item::Refused(Refused {
                    path: path.to_owned(),
                    fault: Fault::retry_later("scan", reason),
                    misleading: false,
                })
            };
            let path = match self.hear.source.path_of(&given) {
                Ok(path) => path,
                Err(reason) => {
                    items.push(refuse(&given, reason));
                    continue;
                }
            };
            let folder = folders
                .entry(folder_of(&path).to_owned())
                .or_insert_with_key(|folder| {
                    let found = self.hear.source.folder(folder);
                    found.map_err(|error| error.to_string())
                });
            items.push(match folder {
                Ok(folder) => find(folder, &path)
                    .unwrap_or_else(|| refuse(&path, "there is no such audio file".to_owned())),
                Err(reason) => refuse(&path, reason.clone()),
            });
        }
        items
    }

    /// Hears files, large ones first, so that no worker is left with a long one at the end.
    fn hear_chunk(&self, mut items: Vec<Item>) {
        items.sort_by_key(|item| std::cmp::Reverse(item.size()));
        lock(&self.heard).found += items.len() as u64;
        let bytes = items.iter().map(Item::size).sum();
        self.progress.expect(items.len() as u64, bytes);
        let items: Vec<_> = items
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        for_each(self.hear.jobs, &items, self.cancel, |worker, item| {
            // Taken out, so that the last file of a folder takes the folder's spool with it.
            let Some(item) = lock(item).take() else {
                return;
            };
            if self.has_ended() {
                return;
            }
            let failed = self.hear_item(&item, worker);
            self.progress.finished(worker, item.size(), failed);
        });
    }

    /// Ends the run where no record can be stored.
    fn lost_nothing(&self) -> Result<()> {
        lock(&self.lost).take().map_or(Ok(()), Err)
    }

    fn has_ended(&self) -> bool {
        self.cancel.is_requested() || lock(&self.lost).is_some()
    }

    /// Returns whether the file failed.
    fn hear_item(&self, item: &Item, worker: usize) -> bool {
        let (file, etag, folder) = match item {
            Item::File { folder, at } => {
                let (file, etag) = &folder.files[*at];
                (file.clone(), etag.as_deref(), Some(folder))
            }
            Item::Refused(refused) => (refused.as_file(), None, None),
        };
        let name = RecordName::of(&file, etag, &self.settings);
        match self.has_record(&name.path()) {
            Ok(true) => {
                lock(&self.heard).skipped += 1;
                (self.tell)(&HearEvent::FileSkipped {
                    path: file.path().to_owned(),
                    record: name.path(),
                });
                return false;
            }
            Ok(false) => {}
            Err(error) => return self.lose(&error),
        }
        let outcome = match (folder, item) {
            (_, Item::Refused(refused)) => failed(&refused.fault, refused.misleading),
            (Some(folder), _) => self.listen(folder, &file, worker),
            (None, Item::File { .. }) => return false,
        };
        self.store(name, &HeardFile::new(self.settings, &file, outcome))
    }

    /// Whether there is a record of this name; if records are to be read, one that is whole.
    fn has_record(&self, name: &str) -> std::io::Result<bool> {
        let out = self.hear.out;
        let is_there = out.has(name).map_err(std::io::Error::other)?;
        if !is_there || !self.hear.reads_records {
            return Ok(is_there);
        }
        Ok(match out.get(name, MAX_PACKED) {
            // One that a newer Accession wrote is not ours to replace.
            Ok(bytes) => !matches!(
                HeardFile::decode(&bytes),
                Err(BadRecord::Damaged(_) | BadRecord::Foreign)
            ),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => false,
            Err(error) => return Err(error),
        })
    }

    fn listen(&self, folder: &Folder, file: &ScannedFile, worker: usize) -> Outcome {
        let task = Task {
            file: file.clone(),
            id: None,
            hash: None,
            audio: None,
            neighbours: folder.files.len(),
            extent: Extent::Whole,
            copies: Vec::new(),
        };
        let opened = match folder.open(file) {
            Ok(opened) => opened,
            Err(fault) => return failed(&fault, false),
        };
        let worker = Worker {
            session: &self.session,
            progress: self.progress,
            number: worker,
        };
        let unknown = |_: &[&str]| Ok(Former::default());
        let taken = hear_guarded(&self.hearing, &task, &unknown, worker);
        drop(opened);
        match taken {
            Ok(Taken::Record { record, warnings }) => Outcome::Heard { record, warnings },
            Ok(Taken::Failed(Rejected { fault, misleading })) => failed(&fault, misleading),
            // A file of which nothing is known is heard as a whole.
            Ok(Taken::Described(_) | Taken::Retagged { .. } | Taken::Digested { .. }) => failed(
                &Fault::retry_later("decode", "it was not heard as a whole"),
                false,
            ),
            Err(error) => failed(&Fault::retry_later("decode", error), false),
        }
    }

    /// Stores a record and tells of it; returns whether the file failed.
    fn store(&self, name: RecordName, record: &HeardFile) -> bool {
        let fault = record.fault();
        let passing = |(fault, _): &(Fault, bool)| fault.retry == run::Retry::Later;
        let name = RecordName {
            retry: fault.as_ref().is_some_and(passing),
            ..name
        };
        let bytes = match record.encode() {
            Ok(bytes) => bytes,
            Err(error) => return self.lose(&error),
        };
        let size = bytes.len() as u64;
        if let Err(error) = self.hear.out.put(&name.path(), bytes) {
            return self.lose(&error);
        }
        let path = record.file.path().to_owned();
        let mut heard = lock(&self.heard);
        heard.record_bytes += size;
        let event = match (&record.outcome, &fault) {
            (Outcome::Heard { record, .. }, _) => {
                let audio = record.audio.as_ref();
                let seconds = audio.map_or(0.0, |audio| {
                    audio.frames as f64 / f64::from(audio.sample_rate)
                });
                heard.heard += 1;
                heard.passages += record.passages.len() as u64;
                heard.audio_seconds += seconds;
                HearEvent::FileHeard {
                    path,
                    record: name.path(),
                    passages: record.passages.len(),
                    audio_seconds: seconds,
                }
            }
            (Outcome::Failed { .. }, Some((fault, misleading))) => {
                heard.failed += 1;
                HearEvent::FileFailed {
                    path,
                    stage: fault.stage,
                    reason: fault.reason.clone(),
                    retry: fault.retry,
                    misleading: *misleading,
                }
            }
            (Outcome::Failed { .. }, None) => return true,
        };
        drop(heard);
        (self.tell)(&event);
        fault.is_some()
    }

    /// Where no record can be stored, nothing more is heard.
    fn lose(&self, error: &dyn std::fmt::Display) -> bool {
        lock(&self.lost).get_or_insert_with(|| self.hear.out.failed(error));
        true
    }

    fn tell_left_out(&self, left_out: &mut Vec<LeftOut>) {
        for group in left_out::groups(&std::mem::take(left_out)) {
            (self.tell)(&HearEvent::LeftOut {
                group: group.clone(),
                reason: group.why.words(),
            });
            let mut heard = lock(&self.heard);
            match heard
                .left_out
                .iter_mut()
                .find(|other| other.why == group.why)
            {
                Some(other) => other.count += group.count,
                None => heard.left_out.push(group),
            }
        }
    }
}

impl Item {
    fn size(&self) -> u64 {
        match self {
            Self::File { folder, at } => folder.files[*at].0.size(),
            Self::Refused(_) => 0,
        }
    }
}

/// A file of a folder, as it was taken or refused.
fn find(folder: &Arc<Folder>, path: &str) -> Option<Item> {
    let files = &folder.files;
    let at = files.binary_search_by(|(file, _)| file.path().cmp(path));
    if let Ok(at) = at {
        let folder = Arc::clone(folder);
        return Some(Item::File { folder, at });
    }
    let refused = folder.refused.iter().find(|refused| refused.path == path);
    refused.cloned().map(Item::Refused)
}

fn failed(fault: &Fault, misleading: bool) -> Outcome {
    Outcome::Failed {
        stage: fault.stage.to_owned(),
        reason: fault.reason.clone(),
        retry: fault.retry,
        misleading,
    }
}
