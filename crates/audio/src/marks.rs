//! Where somebody has written down the tracks of a file: a cue sheet or chapter marks.
//!
//! They beat anything that could be heard. Looked for in this order, and the
//! first with at least two tracks counts:
//!
//! 1. a cue sheet in the tags (`CUESHEET` in Vorbis comments and `ID3v2` user text);
//! 2. a cue sheet beside the file, with its name or naming it;
//! 3. chapters: `CHAP` of `ID3v2`, `CHAPTER001=` in Vorbis comments, `chpl` or a chapter track in MP4, the
//!    `CUESHEET` block of FLAC (which knows no titles).

mod chapters;
mod cue;
mod flac;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use cue::{Sheet, Track};

/// A cue sheet is some kilobytes of text; what is larger is none.
const MAX_SHEET: u64 = 1 << 20;

/// Cue sheets in one folder that are looked into for a file's name.
const MAX_SHEETS: usize = 32;

/// Who has marked the tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A cue sheet in the file's tags.
    EmbeddedCueSheet,
    /// A cue sheet beside the file.
    CueSheet,
    /// Chapter marks in the file.
    Chapters,
}

/// One marked track.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Where it starts, in seconds.
    pub start: f64,
    /// Where it ends, if not where the next one starts.
    pub end: Option<f64>,
    /// Its number on the album.
    pub number: Option<u32>,
    /// Its title.
    pub title: Option<String>,
    /// Its performer.
    pub performer: Option<String>,
    /// Its International Standard Recording Code.
    pub isrc: Option<String>,
}

/// The marked tracks of a file, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Who has marked them.
    pub origin: Origin,
    /// The album's title, where the marks tell.
    pub album: Option<String>,
    /// The tracks, two or more.
    pub tracks: Vec<Mark>,
}

/// The marks of the file at `path`, if it has any.
///
/// What cannot be read is as good as not there: marks are a help, never a condition.
pub fn find(path: &Path) -> Option<Marks> {
    let written = std::panic::catch_unwind(|| chapters::read(path)).unwrap_or_default();
    let embedded = written.sheet.as_deref().map(Sheet::parse);
    let sheet = |sheet: Sheet, origin| {
        let tracks = sheet.marks_of(path)?;
        let album = sheet.title;
        Some(Marks {
            origin,
            album,
            tracks,
        })
    };
    embedded
        .and_then(|found| sheet(found, Origin::EmbeddedCueSheet))
        .or_else(|| {
            beside(path)
                .into_iter()
                .find_map(|found| sheet(found, Origin::CueSheet))
        })
        .or(Some(Marks {
            origin: Origin::Chapters,
            album: None,
            tracks: written.chapters,
        }))
        .map(sorted)
        .filter(|marks| marks.tracks.len() >= 2)
}

/// In order of time, without what starts twice or before the beginning.
fn sorted(mut marks: Marks) -> Marks {
    marks
        .tracks
        .retain(|mark| mark.start.is_finite() && mark.start >= 0.0);
    marks.tracks.sort_by(|a, b| a.start.total_cmp(&b.start));
    marks
        .tracks
        .dedup_by(|a, b| (a.start - b.start).abs() < 0.01);
    marks
}

/// The cue sheets beside a file: first the one with its name, then those that name it.
fn beside(path: &Path) -> Vec<Sheet> {
    let own = [path.with_extension("cue"), appended(path, ".cue")];
    let folder = path
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok());
    let others = folder
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|other| {
            other
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("cue"))
        });
    let mut others: Vec<PathBuf> = others
        .filter(|other| !own.contains(other))
        .take(MAX_SHEETS)
        .collect();
    others.sort();
    own.iter()
        .chain(&others)
        .filter_map(|sheet| Some(Sheet::parse(&text(&bytes(sheet)?))))
        .collect()
}

fn appended(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_SHEET).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Text in whatever encoding: by its byte order mark, as UTF-8 if it is that, else as it looks.
fn text(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Allow);
    encoding.decode(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "PERFORMER \"Grup Yorum\"\nTITLE \"Şarkılar\"\nFILE \"rip.wav\" WAVE\n  \
        TRACK 01 AUDIO\n    TITLE \"Güneş\"\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE \"Ay\"\n    \
        PERFORMER \"Başka\"\n    INDEX 00 03:58:00\n    INDEX 01 04:00:37\n";

    fn marks_with(bytes: &[u8], sheet: &str) -> Option<Marks> {
        let folder = tempfile::tempdir().unwrap();
        let audio = folder.path().join("rip.flac");
        std::fs::write(&audio, b"no audio").unwrap();
        std::fs::write(folder.path().join(sheet), bytes).unwrap();
        find(&audio)
    }

    #[test]
    fn a_sheet_beside_the_file_is_read_in_any_usual_encoding() {
        let turkish = encoding_rs::WINDOWS_1254.encode(SHEET).0.into_owned();
        let utf16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(SHEET.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let marked = format!("\u{feff}{}", SHEET.replace('\n', "\r\n"));
        for bytes in [SHEET.as_bytes(), &turkish, &utf16, marked.as_bytes()] {
            let marks = marks_with(bytes, "rip.cue").unwrap();
            assert_eq!(marks.origin, Origin::CueSheet);
            assert_eq!(marks.album.as_deref(), Some("Şarkılar"));
            assert_eq!(marks.tracks[0].title.as_deref(), Some("Güneş"));
            assert_eq!(marks.tracks[0].performer.as_deref(), Some("Grup Yorum"));
            assert_eq!(marks.tracks[1].performer.as_deref(), Some("Başka"));
            assert!((marks.tracks[1].start - 240.493_333).abs() < 1e-5);
        }
    }

    #[test]
    fn a_sheet_of_another_name_counts_when_it_names_the_file() {
        let named = SHEET.replace("rip.wav", "RIP.FLAC");
        assert!(marks_with(named.as_bytes(), "album.cue").is_some());
        let other = SHEET.replace("rip.wav", "other.flac");
        assert!(marks_with(other.as_bytes(), "album.cue").is_none());
    }

    #[test]
    fn one_track_or_nonsense_marks_nothing() {
        let one = &SHEET[..SHEET.find("  TRACK 02").unwrap()];
        assert!(marks_with(one.as_bytes(), "rip.cue").is_none());
        assert!(marks_with(&[0xFF; 3000], "rip.cue").is_none());
        assert!(marks_with(b"", "rip.cue").is_none());
    }
}
