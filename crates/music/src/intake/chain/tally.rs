//! Counts what becomes of the files of a run.

use std::collections::HashMap;

use run::Fault;

use crate::event::Group;
use crate::event::{Event, FileCounts};
use crate::id::FileId;
use crate::library::known::FileStatus;
use crate::library::record::{DescriptionRecord, FileRecord};
use crate::library::values::Problem;

/// What came of a run so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) files: FileCounts,
    /// What could be audio and was not looked at.
    pub(super) left_out: Vec<Group>,
    /// So much is missing that a disk may not be mounted.
    pub(super) may_be_unmounted: bool,
    pub(super) passages: u64,
    pub(super) audio_seconds: f64,
    pub(super) problems: Vec<Problem>,
    /// Problems of the last time whose files are gone.
    pub(super) solved: Vec<String>,
    /// The run's end has been written.
    pub(super) ended: bool,
    /// What became of each analysed file, for its copies.
    pub(super) outcomes: HashMap<String, Result<FileId, Fault>>,
}

/// What one recorded file counts for.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) is_silent: bool,
    pub(super) is_cut_off: bool,
    pub(super) is_misnamed: bool,
    pub(super) passages: u64,
    pub(super) audio_seconds: f64,
    pub(super) damaged_frames: u64,
    pub(super) format: String,
}

impl Counted {
    pub(super) fn of(record: &FileRecord) -> Self {
        let audio = record.audio.as_ref();
        Self {
            is_silent: record.status == FileStatus::NoAudio,
            is_cut_off: audio.is_some_and(|audio| audio.is_cut_off),
            is_misnamed: record.misnamed.is_some(),
            passages: record.passages.len() as u64,
            audio_seconds: audio.map_or(0.0, |audio| {
                audio.frames as f64 / f64::from(audio.sample_rate)
            }),
            damaged_frames: audio.map_or(0, |audio| audio.damaged_frames),
            format: audio.map(|audio| audio.format.clone()).unwrap_or_default(),
        }
    }

    /// Of a file of which only the descriptions are new.
    pub(super) fn again(record: &DescriptionRecord) -> Self {
        Self {
            is_silent: false,
            is_cut_off: false,
            is_misnamed: false,
            passages: record.passages.len() as u64,
            audio_seconds: record.audio_seconds,
            damaged_frames: 0,
            format: record.format.clone(),
        }
    }

    /// What is told of it.
    pub(super) fn recorded(self, path: String, file_id: FileId) -> Event {
        Event::FileRecorded {
            path,
            file_id,
            format: self.format,
            passages: self.passages as usize,
            audio_seconds: self.audio_seconds,
            damaged_frames: self.damaged_frames,
        }
    }
}

impl Tally {
    /// Counts a file as recorded. Done before it is written, so that the run's
    /// end, which the last file's write carries, knows of those still in flight.
    pub(super) fn add(&mut self, counted: &Counted) {
        self.files.no_audio += u64::from(counted.is_silent);
        self.files.recorded += u64::from(!counted.is_silent);
        self.files.cut_off += u64::from(counted.is_cut_off && !counted.is_silent);
        self.files.misnamed += u64::from(counted.is_misnamed);
        self.passages += counted.passages;
        self.audio_seconds += counted.audio_seconds;
    }

    /// Takes back a file that could not be written after all.
    pub(super) fn take_back(&mut self, counted: &Counted) {
        self.files.no_audio -= u64::from(counted.is_silent);
        self.files.recorded -= u64::from(!counted.is_silent);
        self.files.cut_off -= u64::from(counted.is_cut_off && !counted.is_silent);
        self.files.misnamed -= u64::from(counted.is_misnamed);
        self.passages -= counted.passages;
        self.audio_seconds -= counted.audio_seconds;
    }
}
