//! What stages and the flow of identification hand to the library, and get from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audio::Ticks;
use audio::marks::Beside;
use run::Fault;
use serde::{Deserialize, Serialize};

use crate::id::FileId;
use crate::library::edits::NewEdit;

/// One audio file by name, as it lies on the disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScannedFile {
    pub(crate) path: String,
    /// Nowhere for a file that was heard on another machine.
    #[serde(skip)]
    pub(crate) absolute: PathBuf,
    pub(crate) size: u64,
    pub(crate) modified_ns: i64,
    pub(crate) changed_ns: i64,
    #[serde(skip)]
    pub(crate) beside: Arc<Beside>,
    /// The sheets beside a file that was heard on another machine, as that found them.
    pub(crate) sheets: Option<Sheets>,
}

/// In which state the sheets beside a file are, and what those say that can mean it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sheets {
    pub(crate) state: String,
    pub(crate) content: String,
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

    /// When anything about the file changed (its `ctime`), in nanoseconds since 1970; 0 where the system does not
    /// tell. Programs that put the modification time back cannot put this back.
    pub fn changed_ns(&self) -> i64 {
        self.changed_ns
    }

    /// A short name for the state that the sheets beside it are in; empty where there are none.
    pub fn sheets_state(&self) -> String {
        let heard_elsewhere = self.sheets.as_ref();
        heard_elsewhere.map_or_else(|| self.beside.state(), |sheets| sheets.state.clone())
    }

    /// A short name for what the sheets say that can mean it; empty where there are none.
    pub fn sheets_content(&self) -> String {
        let heard_elsewhere = self.sheets.as_ref();
        heard_elsewhere.map_or_else(
            || self.beside.content(&self.absolute),
            |sheets| sheets.content.clone(),
        )
    }

    /// The file as another machine may know it: without where it lies, with what the sheets beside it say.
    pub(crate) fn as_heard(&self) -> Self {
        Self {
            absolute: PathBuf::new(),
            beside: Arc::default(),
            sheets: Some(Sheets {
                state: self.sheets_state(),
                content: self.sheets_content(),
            }),
            ..self.clone()
        }
    }

    /// What lies beside it.
    pub fn beside(&self) -> &Beside {
        &self.beside
    }

    /// The extension in lower case.
    pub fn extension(&self) -> String {
        Path::new(&self.path)
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default()
    }
}

/// A known content at a new path, or at the old one with a new time.
#[derive(Debug)]
pub struct Move {
    /// The row, which keeps its id and all that hangs on it.
    pub id: FileId,
    /// Where it was.
    pub from: String,
    /// Where it is.
    pub to: ScannedFile,
}

/// A file that cannot be taken in.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Its path in the library.
    pub path: String,
    /// Its size in bytes, 0 where it was never asked.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970, 0 where it was never asked.
    pub modified_ns: i64,
    /// The row it has from better days.
    pub id: Option<FileId>,
    /// Why.
    pub fault: Fault,
    /// Its name promised something else.
    pub misleading: bool,
}

impl Problem {
    /// A problem with `file`.
    pub fn of(file: &ScannedFile, id: Option<FileId>, fault: Fault, misleading: bool) -> Self {
        Self {
            path: file.path().to_owned(),
            size: file.size(),
            modified_ns: file.modified_ns(),
            id,
            fault,
            misleading,
        }
    }
}

/// The folder of a path in the library; empty for the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last name of a path in the library.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// How many names two paths have in common, from the end on; `is_same` compares two of them.
pub(crate) fn common_names(one: &str, other: &str, is_same: impl Fn(&str, &str) -> bool) -> usize {
    let names = one.rsplit('/').zip(other.rsplit('/'));
    names.take_while(|(one, other)| is_same(one, other)).count()
}

/// Whether `path` is `folder` or lies below it; the empty folder holds everything.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whoever says that a passage is a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A MusicBrainz id or an ISRC in the file's tags.
    TagId,
    /// A MusicBrainz id in another program's database.
    FoundId,
    /// `AcoustID`, by the fingerprint.
    AcoustId,
    /// `MusicBrainz`, by artist, title and length.
    Search,
    /// A release whose tracks fit the files of the folder, or the passages of the file.
    Album,
    /// Title and artist in the tags.
    Tags,
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Source {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TagId => "tag_id",
            Self::FoundId => "adopted_id",
            Self::AcoustId => "acoustid",
            Self::Search => "musicbrainz",
            Self::Album => "album",
            Self::Tags => "tags",
        }
    }

    /// Whose word it is that something is noticed.
    pub(crate) fn of(noticed: &str) -> Self {
        match noticed.split(':').next() {
            Some("id" | "isrc") => Self::TagId,
            Some("found id") => Self::FoundId,
            Some("sound") => Self::AcoustId,
            Some("album") => Self::Album,
            Some("length") => Self::Search,
            _ => Self::Tags,
        }
    }
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Hardly a guess.
    None,
    /// A guess to be looked at.
    Low,
    /// Right nineteen times in twenty.
    Medium,
    /// Right 199 times in 200.
    High,
}

/// From here on 199 of 200 answers are right, on the worlds that the weights were validated on.
///
/// An answer just as sure as this is right less often than that; nearly all are much surer.
const HIGH: f64 = 0.975;

/// From here on to [`HIGH`] 19 of 20 answers are right, on the same worlds.
const MEDIUM: f64 = 0.87;

/// A guess: likelier than all else together.
const LOW: f64 = 0.5;

impl Level {
    /// The level of a confidence.
    pub fn of(confidence: f64) -> Self {
        match confidence {
            c if c >= HIGH => Self::High,
            c if c >= MEDIUM => Self::Medium,
            c if c >= LOW => Self::Low,
            _ => Self::None,
        }
    }

    /// As it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// One reason for a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Who says so.
    pub source: Source,
    /// How much it is worth by itself, 0 to 1; 0.5 is worth nothing.
    pub confidence: f64,
    /// What was noticed.
    pub because: String,
}

/// What `AcoustID` says of a recording, or of the one that most people name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Print {
    /// How alike the fingerprints are, 0 to 1.
    pub score: f64,
    /// How many people named it.
    pub sources: u64,
    /// How many named anything.
    pub sources_of_all: u64,
}

/// An id that another program found for a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FoundId {
    /// MusicBrainz recording id.
    pub recording_mbid: String,
    /// Whose database says so, and where that has it from, such as `vaino:acoustid`.
    pub source: String,
}

impl FoundId {
    /// Those of what was found that are about a passage with these bounds.
    pub(crate) fn of(found: &[NewEdit], start: Ticks, end: Ticks) -> Vec<Self> {
        let about = found.iter().filter(|edit| edit.is_about(start, end));
        let of = |edit: &NewEdit| Self {
            recording_mbid: edit.value.clone(),
            source: edit.source.clone(),
        };
        about.map(of).collect()
    }
}

/// What is known of a passage without asking `MusicBrainz`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Heard {
    /// Its length in ms.
    pub length_ms: u64,
    /// Title in the tags.
    pub title: Option<String>,
    /// Artist in the tags.
    pub artist: Option<String>,
    /// Album in the tags.
    pub album: Option<String>,
    /// Track number in the tags.
    pub track: Option<u32>,
    /// Disc number in the tags.
    pub disc: Option<u32>,
    /// ISRC in the tags.
    pub isrc: Option<String>,
    /// Year in the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    /// Year of the first release in the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_year: Option<i32>,
    /// Composers in the tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composers: Vec<String>,
    /// Artist of the album in the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_artist: Option<String>,
    /// Versions that it is said to be beside its title: by names of the file and its folders, a subtitle, a genre.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said_versions: Vec<&'static str>,
    /// What its folder is called.
    #[serde(skip)]
    pub folder: String,
    /// Conductors, orchestras and ensembles in the tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub performers: Vec<String>,
    /// Title, artist and album are read from names of files and folders, since the tags have no title.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_by_path: bool,
    /// The album is read from a folder that names the artist, too: `Artist - Album`, `Artist/Album`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_album_by_folder: bool,
    /// Files of this album are by many, and no field says whose it is: somebody's own sampler, or one that no catalogue has.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_album_of_many: bool,
    /// MusicBrainz recording id in the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording_mbid: Option<String>,
    /// Ids that other programs found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found_ids: Vec<FoundId>,
    /// What `AcoustID` says of the recording that most people name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_print: Option<Print>,
}

impl Heard {
    /// All recordings that an id names, each once.
    pub(crate) fn ids(&self) -> Vec<&String> {
        let found = self.found_ids.iter().map(|found| &found.recording_mbid);
        let mut ids: Vec<_> = self.recording_mbid.iter().chain(found).collect();
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        ids
    }
}

/// A moment that is quieter than what is around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuietSpot {
    /// Where it is, in ms.
    pub at: u64,
    /// How much quieter it is, in dB.
    pub depth_db: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_lies_below_it_and_not_its_namesakes() {
        assert!(is_below("a/b.mp3", ""));
        assert!(is_below("a/b.mp3", "a"));
        assert!(is_below("a", "a"));
        assert!(!is_below("ab/c.mp3", "a"));
        assert_eq!(folder_of("a/b/c.mp3"), "a/b");
        assert_eq!(folder_of("c.mp3"), "");
    }
}
