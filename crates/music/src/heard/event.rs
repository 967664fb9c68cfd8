//! What happens while files are heard.

use run::Usage;
use serde::Serialize;

use crate::event::Group;

/// One thing that happened. As JSON it is an object whose `event` names it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HearEvent {
    /// Hearing has begun.
    HearStarted {
        /// Where the files lie.
        source: String,
        /// Where the records go.
        out: String,
        /// Files worked on at once.
        jobs: usize,
    },
    /// A file was heard, and its record is stored.
    FileHeard {
        /// Its path in the source.
        path: String,
        /// The name of its record.
        record: String,
        /// Number of its passages.
        passages: usize,
        /// Its length in seconds.
        audio_seconds: f64,
    },
    /// The record of a file is there already.
    FileSkipped {
        /// Its path in the source.
        path: String,
        /// The name of its record.
        record: String,
    },
    /// A file could not be heard; unless the reason may pass, its record says so.
    FileFailed {
        /// Its path in the source.
        path: String,
        /// The stage that gave up.
        stage: &'static str,
        /// Why.
        reason: String,
        /// Whether it is heard again the next time.
        retry: run::Retry,
        /// Its name promised something else.
        misleading: bool,
    },
    /// What could be audio was not looked at, for one reason.
    LeftOut {
        /// The reason, how many there are, and the first of them.
        #[serde(flatten)]
        group: Group,
        /// The reason in words.
        reason: &'static str,
    },
    /// Where hearing stands.
    Progress(run::Snapshot),
    /// Hearing has ended; always the last event.
    HearCompleted(Box<Heard>),
}

/// How hearing ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Heard {
    /// `completed`, or `stopped` when it was asked to stop before the end.
    pub state: &'static str,
    /// Files that were asked for and found.
    pub found: u64,
    /// Heard, with a new record.
    pub heard: u64,
    /// Heard before, with a record that is there.
    pub skipped: u64,
    /// Files that could not be heard.
    pub failed: u64,
    /// Passages in the new records.
    pub passages: u64,
    /// Audio decoded, in seconds.
    pub audio_seconds: f64,
    /// Bytes of the new records.
    pub record_bytes: u64,
    /// What could be audio and was not looked at, by reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Group>,
    /// Time and memory.
    #[serde(flatten)]
    pub usage: Usage,
}
