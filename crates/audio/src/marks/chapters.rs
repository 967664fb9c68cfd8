//! Chapter marks and embedded cue sheets, by format.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::{AudioFile, FileType};
use lofty::flac::FlacFile;
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::iff::aiff::AiffFile;
use lofty::iff::wav::WavFile;
use lofty::mpeg::MpegFile;
use lofty::ogg::tag::VorbisComments;
use lofty::ogg::{OpusFile, VorbisFile};
use lofty::probe::Probe;

use super::{Mark, flac};
use crate::decode;

/// What a file has written in itself about its tracks.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// A cue sheet.
    pub(super) sheet: Option<String>,
    /// Chapters, in any order.
    pub(super) chapters: Vec<Mark>,
}

pub(super) fn read(path: &Path) -> Written {
    let options = ParseOptions::new()
        .read_cover_art(false)
        .read_properties(false);
    let probe = Probe::open(path).ok();
    let probe = probe.and_then(|probe| probe.guess_file_type().ok());
    let Some(kind) = probe.and_then(|probe| probe.file_type()) else {
        return Written::default();
    };
    let Ok(file) = File::open(path) else {
        return Written::default();
    };
    let mut file = BufReader::new(file);
    match kind {
        FileType::Flac => FlacFile::read_from(&mut file, options)
            .ok()
            .and_then(|file| file.vorbis_comments().map(comments))
            .filter(|written| written.sheet.is_some() || !written.chapters.is_empty())
            .or_else(|| {
                Some(Written {
                    sheet: None,
                    chapters: flac::marks(path),
                })
            }),
        FileType::Vorbis => VorbisFile::read_from(&mut file, options)
            .ok()
            .map(|file| comments(file.vorbis_comments())),
        FileType::Opus => OpusFile::read_from(&mut file, options)
            .ok()
            .map(|file| comments(file.vorbis_comments())),
        FileType::Mpeg => MpegFile::read_from(&mut file, options)
            .ok()
            .and_then(|file| file.id3v2().map(id3v2)),
        FileType::Wav => WavFile::read_from(&mut file, options)
            .ok()
            .and_then(|file| file.id3v2().map(id3v2)),
        FileType::Aiff => AiffFile::read_from(&mut file, options)
            .ok()
            .and_then(|file| file.id3v2().map(id3v2)),
        FileType::Mp4 => Some(Written {
            sheet: None,
            chapters: decode::mp4_chapters(path)
                .into_iter()
                .map(|(start, title)| Mark {
                    start,
                    title: Some(title).filter(|title| !title.is_empty()),
                    ..Mark::default()
                })
                .collect(),
        }),
        _ => None,
    }
    .unwrap_or_default()
}

/// `CUESHEET`, or `CHAPTER001=00:00:00.000` with `CHAPTER001NAME` (Matroska's chapters for Ogg).
fn comments(comments: &VorbisComments) -> Written {
    let mut chapters: BTreeMap<u32, Mark> = BTreeMap::new();
    for (key, value) in comments.items() {
        let key = key.to_ascii_uppercase();
        let Some(rest) = key.strip_prefix("CHAPTER") else {
            continue;
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse::<u32>() else {
            continue;
        };
        let value = value.trim();
        match &rest[digits..] {
            "" => {
                if let Some(start) = seconds(value) {
                    chapters.entry(number).or_insert_with(nowhere).start = start;
                }
            }
            "NAME" if !value.is_empty() => {
                chapters.entry(number).or_insert_with(nowhere).title = Some(value.to_owned());
            }
            "PERFORMER" | "ARTIST" if !value.is_empty() => {
                chapters.entry(number).or_insert_with(nowhere).performer = Some(value.to_owned());
            }
            _ => {}
        }
    }
    Written {
        sheet: comments.get("CUESHEET").map(str::to_owned),
        chapters: chapters.into_values().collect(),
    }
}

/// A chapter of which only the name is known yet; without a time it is left out.
fn nowhere() -> Mark {
    Mark {
        start: f64::NAN,
        ..Mark::default()
    }
}

fn id3v2(tag: &Id3v2Tag) -> Written {
    let mut written = Written::default();
    for frame in tag {
        match frame {
            Frame::Chapter(chapter) => written.chapters.push(Mark {
                start: f64::from(chapter.times.start) / 1000.0,
                end: (chapter.times.end > chapter.times.start)
                    .then(|| f64::from(chapter.times.end) / 1000.0),
                title: chapter
                    .title()
                    .map(|title| title.trim().to_owned())
                    .filter(|title| !title.is_empty()),
                ..Mark::default()
            }),
            Frame::UserText(text) if text.description.eq_ignore_ascii_case("CUESHEET") => {
                written.sheet = Some(text.content.to_string());
            }
            _ => {}
        }
    }
    written
}

/// `hh:mm:ss.mmm`.
fn seconds(time: &str) -> Option<f64> {
    let mut seconds = 0.0;
    for part in time.split(':') {
        let part: f64 = part.trim().parse().ok()?;
        seconds = seconds * 60.0 + part;
    }
    Some(seconds).filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_of_vorbis_comments_need_a_time() {
        let mut tag = VorbisComments::new();
        for (key, value) in [
            ("CHAPTER001", "00:00:00.000"),
            ("CHAPTER001NAME", "First"),
            ("chapter002", "00:03:20.500"),
            ("CHAPTER003NAME", "Nowhere"),
            ("CHAPTERS", "x"),
        ] {
            tag.push(key.to_owned(), value.to_owned());
        }
        let chapters = comments(&tag).chapters;
        assert_eq!(chapters.len(), 3);
        assert_eq!(chapters[0].title.as_deref(), Some("First"));
        assert!((chapters[1].start - 200.5).abs() < 1e-9);
        assert!(chapters[2].start.is_nan());
    }

    #[test]
    fn times_are_hours_minutes_and_seconds() {
        assert_eq!(seconds("01:02:03.5"), Some(3723.5));
        assert_eq!(seconds("soon"), None);
    }
}
