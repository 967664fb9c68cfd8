//! Cue sheets, as CDRWIN defined them and rippers write them.

use std::path::Path;

use super::Mark;

/// Frames of a cue sheet's clock in a second.
const FRAMES_PER_SECOND: f64 = 75.0;

/// Tracks of one sheet; a CD has 99, and rips of box sets a few hundred.
const MAX_TRACKS: usize = 10_000;

/// A cue sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// The album's title.
    pub title: Option<String>,
    /// The album's performer.
    pub performer: Option<String>,
    /// Its tracks, in the order of the sheet.
    pub tracks: Vec<Track>,
}

/// A track of a cue sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// The file it is in.
    pub file: String,
    /// Its number.
    pub number: u32,
    /// Its title.
    pub title: Option<String>,
    /// Its performer, if not the album's.
    pub performer: Option<String>,
    /// Its International Standard Recording Code.
    pub isrc: Option<String>,
    /// Where its pause begins (index 0), in seconds.
    pub pause: Option<f64>,
    /// Where it begins (index 1), in seconds.
    pub start: Option<f64>,
}

impl Sheet {
    /// Reads a cue sheet; lines that make no sense are passed over.
    pub fn parse(text: &str) -> Self {
        let mut sheet = Self::default();
        let mut file = String::new();
        let mut is_data = false;
        for line in text.lines() {
            let (command, rest) = word(line.trim_start_matches('\u{feff}').trim());
            let value = || Some(word(rest).0.to_owned()).filter(|value| !value.is_empty());
            let count = sheet.tracks.len();
            // What is said of a data track is said of none of ours.
            let track = sheet.tracks.last_mut().filter(|_| !is_data);
            match command.to_ascii_uppercase().as_str() {
                "FILE" => word(rest).0.clone_into(&mut file),
                "TRACK" if count < MAX_TRACKS => {
                    let (number, kind) = word(rest);
                    is_data = !kind.trim().is_empty() && !kind.trim().eq_ignore_ascii_case("AUDIO");
                    if !is_data {
                        sheet.tracks.push(Track {
                            file: file.clone(),
                            number: number.parse().unwrap_or(0),
                            ..Track::default()
                        });
                    }
                }
                "TITLE" => *track.map_or(&mut sheet.title, |track| &mut track.title) = value(),
                "PERFORMER" => {
                    *track.map_or(&mut sheet.performer, |track| &mut track.performer) = value();
                }
                "ISRC" => {
                    if let Some(track) = track {
                        track.isrc = value();
                    }
                }
                "INDEX" => {
                    let (number, time) = word(rest);
                    if let (Some(track), Some(seconds)) = (track, seconds(time)) {
                        match number.parse::<u32>() {
                            Ok(0) => track.pause = Some(seconds),
                            Ok(1) => {
                                track.start = Some(seconds);
                                // With the pause at the end of the file before, the track lies in this one.
                                track.file.clone_from(&file);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        sheet
    }

    /// The tracks that lie in the file at `path`; `None` where the sheet is of other files.
    pub(super) fn marks_of(&self, path: &Path) -> Option<Vec<Mark>> {
        let stem = |name: &str| {
            let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
            name.rsplit_once('.')
                .map_or(name, |(stem, _)| stem)
                .to_lowercase()
        };
        let own = stem(path.file_name()?.to_str()?);
        let mut files: Vec<&str> = self
            .tracks
            .iter()
            .map(|track| track.file.as_str())
            .collect();
        files.dedup();
        // A sheet embedded in a file often names the file it was ripped to at first.
        let is_only = files.len() == 1 && self.is_beside_or_in(path, &own);
        let mut tracks = Vec::new();
        for track in &self.tracks {
            if stem(&track.file) == own || is_only {
                tracks.push(Mark {
                    start: track.start.or(track.pause)?,
                    end: None,
                    number: Some(track.number),
                    title: track.title.clone(),
                    performer: track.performer.clone().or_else(|| self.performer.clone()),
                    isrc: track.isrc.clone(),
                });
            }
        }
        Some(tracks).filter(|tracks| !tracks.is_empty())
    }

    /// Whether the one file that the sheet names is not there, so that it must mean this one.
    fn is_beside_or_in(&self, path: &Path, own: &str) -> bool {
        let named = self.tracks.first().map_or("", |track| track.file.as_str());
        let sheet_of_same_name = path.with_extension("cue").is_file();
        let named_is_there = path
            .parent()
            .is_some_and(|folder| folder.join(named).is_file());
        !named_is_there
            && (sheet_of_same_name || own == named || named.is_empty() || is_placeholder(named))
    }
}

/// Names that rippers give to what is embedded.
fn is_placeholder(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    ["cdimage", "range", "dummy", "image"].contains(&stem.to_lowercase().as_str())
}

/// The first word, quoted or not, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    }
}

/// `mm:ss:ff`; minutes may go beyond 99.
fn seconds(time: &str) -> Option<f64> {
    let mut parts = time
        .trim()
        .split(':')
        .map(|part| part.trim().parse::<u32>().ok());
    let (minutes, seconds, frames) = (parts.next()??, parts.next()??, parts.next()??);
    Some(f64::from(minutes) * 60.0 + f64::from(seconds) + f64::from(frames) / FRAMES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_without_quotes_times_over_99_minutes_and_isrcs_are_read() {
        let sheet = Sheet::parse(
            "REM GENRE Jazz\nPERFORMER Someone\nFILE \"a.flac\" WAVE\nTRACK 1 AUDIO\nTITLE \"An \"odd\" one\"\n\
             ISRC USRC17607839\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nINDEX 01 120:30:15\nTRACK 3 MODE1/2352\nINDEX 01 130:00:00\n",
        );
        assert_eq!(sheet.tracks.len(), 2);
        assert_eq!(sheet.performer.as_deref(), Some("Someone"));
        assert_eq!(sheet.tracks[0].title.as_deref(), Some("An "));
        assert_eq!(sheet.tracks[0].isrc.as_deref(), Some("USRC17607839"));
        assert_eq!(sheet.tracks[1].start, Some(7230.2));
    }

    #[test]
    fn times_are_minutes_seconds_and_frames() {
        for (text, expected) in [
            ("00:00:00", 0.0),
            ("03:59:74", 239.0 + 74.0 / 75.0),
            ("121:05:01", 7265.0 + 1.0 / 75.0),
        ] {
            assert_eq!(seconds(text), Some(expected));
        }
        assert_eq!(seconds("1:2"), None);
        assert_eq!(seconds("a:b:c"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = Sheet::parse(&text);
        }
    }
}
