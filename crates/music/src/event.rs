//! What happens during an import, in the one vocabulary of progress, log and machines.

use run::{Retry, Snapshot, Usage};
use serde::Serialize;
use sqlite::WriteReport;

use crate::id::FileId;

/// One thing that happened. As JSON it is an object whose `event` names it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The import has begun.
    ImportStarted {
        /// The library's root folder.
        root: String,
        /// The database file.
        database: String,
        /// Files worked on at once.
        jobs: usize,
    },
    /// What is to be done is known.
    Planned {
        /// Files that look like audio.
        found: usize,
        /// Files to be analysed.
        to_analyse: usize,
        /// Of these, files that the library does not know yet.
        new: usize,
        /// Files as recorded.
        unchanged: usize,
        /// Copies of other files.
        duplicates: usize,
        /// Known files at new paths, or with new times.
        moved: usize,
        /// Known files that are gone.
        missing: usize,
    },
    /// In a dry run: what would be done with a file.
    FilePlanned {
        /// Its path in the library.
        path: String,
        /// Why it would be taken in.
        change: Change,
        /// Its size.
        bytes: u64,
    },
    /// Something that a person should know and that stops nothing.
    Warning {
        /// The file concerned, if it is about one.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// What it is.
        message: String,
    },
    /// A file is in the library.
    FileRecorded {
        /// Its path in the library.
        path: String,
        /// Its id.
        file_id: FileId,
        /// Its format, as in `files.format`.
        format: String,
        /// Number of its passages.
        passages: usize,
        /// Its length in seconds.
        audio_seconds: f64,
        /// Damaged frames that were left out.
        damaged_frames: u64,
    },
    /// A file whose sound is known has new tags, another container or another path.
    FileRetagged {
        /// Its path in the library.
        path: String,
        /// Its id, as before.
        file_id: FileId,
    },
    /// Nothing more is to come from right in a folder.
    FolderTakenIn {
        /// Its path in the library; empty for the root folder.
        folder: String,
    },
    /// A file was recorded as far as it goes; something in it could not be decoded.
    FileDamaged {
        /// Its path in the library.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file's content is in the library already.
    FileDuplicate {
        /// Its path in the library.
        path: String,
        /// The path of the original.
        original: String,
    },
    /// A file holds no sound.
    FileNoAudio {
        /// Its path in the library.
        path: String,
        /// Why it is taken for silent.
        reason: String,
    },
    /// A file could not be taken in.
    FileFailed {
        /// Its path in the library.
        path: String,
        /// The stage that gave up.
        stage: &'static str,
        /// Why.
        reason: String,
        /// Whether the next import tries again.
        retry: Retry,
    },
    /// A file is not what its name says.
    FileMisleading {
        /// Its path in the library.
        path: String,
        /// What it is.
        reason: String,
    },
    /// A known file was found at a new path.
    FileMoved {
        /// Where it was.
        from: String,
        /// Where it is.
        to: String,
    },
    /// A known file is gone.
    FileMissing {
        /// Where it was.
        path: String,
        /// Whether its rows were removed.
        pruned: bool,
    },
    /// A file was taken in all the same: its content is another kind of audio than its name says.
    FileMisnamed {
        /// Its path in the library.
        path: String,
        /// What it is.
        reason: String,
    },
    /// What could be audio was not looked at, for one reason.
    LeftOut {
        /// The reason, how many there are, and the first of them.
        #[serde(flatten)]
        group: Group,
        /// The reason in words.
        reason: &'static str,
    },
    /// Where the import stands.
    Progress(Snapshot),
    /// The import has ended; always the last event.
    ImportCompleted(Box<Completed>),
}

/// Why a file is to be worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is not in the library yet.
    New,
    /// It is not as it was recorded.
    Changed,
    /// Its sound is known; its tags, its container or its path are new.
    Tags,
    /// It is as recorded, and is to be heard or described again.
    Again,
}

impl Change {
    /// In words, of one file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Tags => "new tags",
            Self::Again => "again",
        }
    }
}

/// How an import ended.
#[derive(Debug, Clone, Serialize)]
pub struct Completed {
    /// `completed`, or `stopped` when it was asked to stop before the end, or `planned` for a dry run.
    pub state: &'static str,
    /// Files by what became of them.
    pub files: FileCounts,
    /// What could be audio and was not looked at, by reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Group>,
    /// All or most files are missing, so that none of them would be pruned unless it is forced.
    #[serde(skip)]
    pub may_be_unmounted: bool,
    /// Passages recorded.
    pub passages: u64,
    /// Audio decoded, in seconds.
    pub audio_seconds: f64,
    /// Time and memory.
    #[serde(flatten)]
    pub usage: Usage,
    /// What writing to the database took.
    pub writes: WriteReport,
}

/// Files by what became of them: `found` is the sum of the seven that follow it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// Files that look like audio by their names.
    pub found: u64,
    /// Analysed and recorded.
    pub recorded: u64,
    /// As recorded before; moved ones among them.
    pub unchanged: u64,
    /// Copies of other files, found in this run.
    pub duplicate: u64,
    /// Without sound.
    pub no_audio: u64,
    /// Failed, in this run or before and unchanged since.
    pub failed: u64,
    /// Not what their names say.
    pub misleading: u64,
    /// Not reached, because the import was asked to stop.
    pub not_reached: u64,
    /// Among the recorded: files that end before their time, so that something is lost.
    pub cut_off: u64,
    /// Among the unchanged: found at a new path.
    pub moved: u64,
    /// Among the recorded: named as what they are not.
    pub misnamed: u64,
    /// Among the unchanged: with other tags, or in another container.
    pub retagged: u64,
    /// Known and gone from the disk.
    pub missing: u64,
    /// Missing ones whose rows were removed.
    pub pruned: u64,
}

impl FileCounts {
    /// Whether every file that was found is in the library, and whole but for a damaged frame or two. A silent file is: it
    /// is recorded as what it is.
    pub fn all_taken_in(&self) -> bool {
        self.failed + self.misleading + self.cut_off == 0
    }
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A symbolic link: what it leads to is taken where it lies, if that is below the folder.
    Link,
    /// A folder of the system: a bin, thumbnails, versions.
    SystemFolder,
    /// The companion that macOS writes beside files on foreign disks.
    Companion,
    /// A download that has not ended.
    Unfinished,
    /// The half of a lossless file that only its other half makes use of.
    Correction,
    /// A hidden file that has nothing but an extension.
    Nameless,
    /// A name that ends in a dot, which Windows cannot open.
    TrailingDot,
    /// Notes, or a program for a chip, that hold no sound.
    Notes,
}

impl Why {
    /// In words, of several.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Link => "symbolic links, which are not followed",
            Self::SystemFolder => "folders of the system",
            Self::Companion => "companions that macOS wrote (`._`)",
            Self::Unfinished => "unfinished downloads",
            Self::Correction => "correction files of lossless codecs",
            Self::Nameless => "hidden files without a name",
            Self::TrailingDot => "names that end in a dot",
            Self::Notes => {
                "notes for a synthesiser or a chip, and no sound (MIDI, SID, NSF and the like)"
            }
        }
    }
}

/// How many were left out for a reason, and the first few of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Why.
    pub why: Why,
    /// How many.
    pub count: usize,
    /// The first of them, by path.
    pub examples: Vec<String>,
}
