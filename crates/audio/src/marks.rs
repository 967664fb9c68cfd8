//! Where somebody has written down the tracks of a file: a cue sheet or chapter marks.
//!
//! They beat anything that could be heard, if they are about this file. All that can be found are read: a cue sheet in the
//! tags; those beside the file that have its name, or name it, or are the only one beside the only file; chapters in
//! the tags or the container. A sheet must fit: its last track begins within the audio, and the file is not itself one of its
//! tracks. What seems to be meant and does not fit is told and left. Of those that fit the best is taken (`fit`).

mod beside;
mod chapters;
mod cue;
mod fit;
mod flac;
mod own;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::tags::{Written, encoding};
pub use beside::{Beside, SheetFile, is_sheet};
pub use cue::{Sheet, Track};
pub use fit::Known;
use fit::{Place, Verdict};
pub use own::sign;

/// Who has marked the tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marks {
    /// Who has marked them.
    pub origin: Origin,
    /// The album's title, where the marks tell.
    pub album: Option<String>,
    /// The tracks: two or more, or the one that a sheet says the whole file is.
    pub tracks: Vec<Mark>,
}

/// What was found about the tracks of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The marks, if there are any that fit.
    pub marks: Option<Marks>,
    /// What was found and left, a sentence each.
    pub left: Vec<String>,
}

/// Looks for the marks of the file at `path`, of which `written` is what its tags say.
///
/// What cannot be read is as good as not there: marks are a help, never a condition.
pub fn find(path: &Path, written: &Written, beside: &Beside, known: &Known<'_>) -> Found {
    let embedded = written.sheet.as_deref().map(Sheet::parse);
    let (mut fitting, mut left) = (Vec::new(), Vec::new());
    if embedded
        .as_ref()
        .is_some_and(|sheet| sheet.tracks.is_empty())
    {
        left.push(
            "the cue sheet in its tags has no track that can be read and was left".to_owned(),
        );
    }
    let embedded = embedded
        .as_ref()
        .filter(|sheet| !sheet.tracks.is_empty())
        .map(|sheet| (sheet, Place::Embedded));
    let beside_it = beside.sheets_for(path);
    let beside_it = beside_it
        .iter()
        .map(|read| (&read.sheet, Place::Beside(&read.path)));
    for (sheet, place) in embedded.into_iter().chain(beside_it) {
        match fit::judge(sheet, place, path, beside, known) {
            Verdict::Fits(one) => fitting.push(one),
            Verdict::Left(reason) => left.push(reason),
            Verdict::OfAlbum(track) => {
                tracing::debug!(file.path = %path.display(), track, "left the album's cue sheet in a track");
            }
            Verdict::Other => {}
        }
    }
    left.extend(beside.without_tracks(path).map(|sheet| {
        let name = sheet.file_name().unwrap_or_default().to_string_lossy();
        format!("the cue sheet `{name}` has no track that can be read and was left")
    }));
    let by_sheet = fit::best(fitting).map(|best| Marks {
        origin: best.origin,
        album: best.album,
        tracks: sorted(best.tracks),
    });
    let chapters = || {
        let tracks = sorted(chapters::innermost(chapters::of(path, written)));
        let fits = tracks
            .iter()
            .filter(|mark| mark.start < known.seconds)
            .count()
            >= 2;
        fits.then_some(Marks {
            origin: Origin::Chapters,
            album: None,
            tracks,
        })
    };
    let marks = match by_sheet {
        Some(sheet) if sheet.tracks.len() >= 2 => Some(sheet),
        // A sheet of one track names the file; chapters say more.
        one => chapters().or(one),
    };
    Found { marks, left }
}

/// In order of time, without what starts twice or before the beginning.
fn sorted(mut tracks: Vec<Mark>) -> Vec<Mark> {
    tracks.retain(|mark| mark.start.is_finite() && mark.start >= 0.0);
    tracks.sort_by(|a, b| a.start.total_cmp(&b.start));
    tracks.dedup_by(|a, b| (a.start - b.start).abs() < 0.01);
    tracks
}

/// Text in whatever encoding: by its byte order mark, as UTF-16 if every other byte is zero, as UTF-8 if it is that, else
/// as it looks.
fn text(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let zeros = |odd: usize| {
        bytes
            .iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    // Commands and times are ASCII, so at least a third of a sheet's letters have a zero beside them.
    let many = bytes.len() / 6;
    if bytes.len() > 8 && zeros(1) > many {
        return encoding_rs::UTF_16LE.decode(bytes).0.into_owned();
    }
    if bytes.len() > 8 && zeros(0) > many {
        return encoding_rs::UTF_16BE.decode(bytes).0.into_owned();
    }
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    match encoding::judge(&lines) {
        Some(judged) => encoding::decode(bytes, judged),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "PERFORMER \"Grup Yorum\"\nTITLE \"Şarkılar\"\nFILE \"rip.wav\" WAVE\n  \
        TRACK 01 AUDIO\n    TITLE \"Güneş\"\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE \"Ay\"\n    \
        PERFORMER \"Başka\"\n    INDEX 00 03:58:00\n    INDEX 01 04:00:37\n";

    fn found_with(bytes: &[u8], sheet: &str, known: &Known<'_>) -> Found {
        let folder = tempfile::tempdir().unwrap();
        let audio = folder.path().join("rip.flac");
        std::fs::write(&audio, b"no audio").unwrap();
        std::fs::write(folder.path().join("second.flac"), b"no audio").unwrap();
        std::fs::write(folder.path().join(sheet), bytes).unwrap();
        find(&audio, &Written::default(), &Beside::of(&audio), known)
    }

    const LONG: Known<'_> = Known {
        seconds: 500.0,
        title: None,
        track: None,
        track_total: None,
    };

    fn marks_with(bytes: &[u8], sheet: &str) -> Option<Marks> {
        found_with(bytes, sheet, &LONG).marks
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
    fn what_is_called_like_the_files_sheet_and_is_none_is_told() {
        let found = found_with(b"<html>404 not found</html>", "rip.cue", &LONG);
        assert_eq!(
            found.left,
            ["the cue sheet `rip.cue` has no track that can be read and was left"]
        );
        assert!(found_with(b"no sheet", "other.cue", &LONG).left.is_empty());
    }

    #[test]
    fn a_sheet_in_the_tags_that_is_left_is_told_why() {
        let embedded = |sheet: &str| {
            let written = Written {
                sheet: Some(sheet.to_owned()),
                ..Written::default()
            };
            let folder = tempfile::tempdir().unwrap();
            let audio = folder.path().join("rip.flac");
            std::fs::write(&audio, b"no audio").unwrap();
            find(&audio, &written, &Beside::of(&audio), &LONG)
        };
        let (first, second) = SHEET.split_at(SHEET.find("  TRACK 02").unwrap());
        let two_files = format!(
            "{}FILE \"two.wav\" WAVE\n{second}",
            first.replace("rip.wav", "one.wav")
        );
        assert_eq!(
            embedded(&two_files).left,
            ["the cue sheet in its tags is about other files (`one.wav` and more) and was left"]
        );
        assert_eq!(
            embedded("PERFORMER \"Grup Yorum\"").left,
            ["the cue sheet in its tags has no track that can be read and was left"]
        );
        assert!(embedded(SHEET).left.is_empty() && embedded(SHEET).marks.is_some());
    }

    #[test]
    fn a_sheet_of_another_name_counts_when_it_names_the_file() {
        let named = SHEET.replace("rip.wav", "RIP.FLAC");
        assert!(marks_with(named.as_bytes(), "album.cue").is_some());
        let other = SHEET.replace("rip.wav", "other.flac");
        assert!(marks_with(other.as_bytes(), "album.cue").is_none());
    }

    #[test]
    fn a_sheet_is_paired_whatever_the_case_and_form_of_its_name() {
        let unnamed = SHEET.replace("rip.wav", "Grup Yorum - Şarkılar.wav");
        for name in ["RIP.CUE", "rip.flac.cue", "Rip.Cue"] {
            assert!(marks_with(unnamed.as_bytes(), name).is_some(), "{name}");
        }
        assert!(marks_with(unnamed.as_bytes(), "other.cue").is_none());
        let there = SHEET.replace("rip.wav", "second.flac");
        assert!(
            marks_with(there.as_bytes(), "rip.cue").is_none(),
            "it is about the file beside"
        );
    }

    #[test]
    fn one_track_names_the_file_and_nonsense_marks_nothing() {
        let one = &SHEET[..SHEET.find("  TRACK 02").unwrap()];
        assert_eq!(
            marks_with(one.as_bytes(), "rip.cue").unwrap().tracks.len(),
            1
        );
        assert!(marks_with(&[0xFF; 3000], "rip.cue").is_none());
        assert!(marks_with(b"", "rip.cue").is_none());
    }

    #[test]
    fn a_sheet_that_goes_beyond_the_audio_is_told_and_left() {
        let known = Known {
            seconds: 200.0,
            ..LONG
        };
        let found = found_with(SHEET.as_bytes(), "rip.cue", &known);
        assert_eq!(found.marks, None);
        assert_eq!(
            found.left,
            [
                "the cue sheet `rip.cue` goes beyond the audio (its last track begins at 240.5 s of 200.0 s) and was left"
            ]
        );
    }

    #[test]
    fn a_track_that_carries_the_sheet_of_its_album_is_not_cut_by_it() {
        let known = Known {
            seconds: 400.0,
            title: Some("Ay"),
            track: Some(2),
            track_total: Some(2),
        };
        let found = found_with(SHEET.as_bytes(), "rip.cue", &known);
        assert_eq!(found.marks, None);
        assert!(
            found.left.is_empty(),
            "it is as it should be: {:?}",
            found.left
        );
        let album = Known {
            title: Some("Şarkılar"),
            ..known
        };
        let first = Known {
            title: None,
            track: Some(1),
            track_total: None,
            ..known
        };
        for whole in [album, first] {
            let fits = found_with(
                SHEET.as_bytes(),
                "rip.cue",
                &Known {
                    track_total: None,
                    track: Some(1),
                    ..whole
                },
            );
            assert!(fits.marks.is_some(), "{whole:?}");
        }
    }
}
