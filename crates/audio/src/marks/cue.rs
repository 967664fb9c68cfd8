//! Cue sheets, as CDRWIN defined them and rippers write them.

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
        for line in text.split(['\n', '\r']) {
            let line = line.trim_matches(|letter: char| {
                letter.is_whitespace() || letter.is_control() || letter == '\u{feff}'
            });
            let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let count = sheet.tracks.len();
            // What is said of a data track is said of none of ours.
            let track = sheet.tracks.last_mut().filter(|_| !is_data);
            match command.to_ascii_uppercase().as_str() {
                "FILE" => file_name(rest).clone_into(&mut file),
                "TRACK" if count < MAX_TRACKS => {
                    let (number, kind) = first_word(rest);
                    is_data = !kind.is_empty() && !kind.eq_ignore_ascii_case("AUDIO");
                    if !is_data {
                        sheet.tracks.push(Track {
                            file: file.clone(),
                            number: number.parse().unwrap_or(0),
                            ..Track::default()
                        });
                    }
                }
                "TITLE" | "PERFORMER" if is_data => {}
                "TITLE" => *track.map_or(&mut sheet.title, |track| &mut track.title) = value(rest),
                "PERFORMER" => {
                    *track.map_or(&mut sheet.performer, |track| &mut track.performer) = value(rest);
                }
                "ISRC" => {
                    if let Some(track) = track {
                        track.isrc = value(rest);
                    }
                }
                "INDEX" => index(track, rest, &file),
                _ => {}
            }
        }
        sheet
    }
}

fn index(track: Option<&mut Track>, rest: &str, file: &str) {
    let (number, time) = first_word(rest);
    let (Some(track), Some(seconds)) = (track, seconds(time)) else {
        return;
    };
    match number.parse::<u32>() {
        Ok(0) => track.pause = Some(seconds),
        Ok(1) => {
            track.start = Some(seconds);
            // With the pause at the end of the file before, the track lies in this one.
            file.clone_into(&mut track.file);
        }
        _ => {}
    }
}

/// The first word, and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// A text, quoted or not. Between the first quote of a line and its last everything is the text, since titles have
/// quotes in them and rippers do not escape them; without quotes it is the whole line.
fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let value = match text.strip_prefix('"') {
        Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(inside, _)| inside),
        None => text,
    };
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The name in a `FILE` line: quoted, or all but the type behind it.
fn file_name(text: &str) -> &str {
    const TYPES: [&str; 8] = [
        "WAVE", "MP3", "AIFF", "BINARY", "MOTOROLA", "FLAC", "APE", "OGG",
    ];
    let text = text.trim();
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.rsplit_once('"').map_or(quoted, |(inside, _)| inside);
    }
    match text.rsplit_once(char::is_whitespace) {
        Some((name, kind)) if TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) => {
            name.trim()
        }
        _ => text,
    }
}

/// `mm:ss:ff`; minutes may go beyond 99, and whoever writes by hand leaves the frames out. Some programs write
/// `mm:ss.mmm`, or hours before that.
fn seconds(time: &str) -> Option<f64> {
    if let Some((before, last)) = time.trim().rsplit_once(':')
        && last.contains('.')
    {
        let whole = |part: &str| part.trim().parse::<u32>().ok().map(f64::from);
        let minutes = match before.split_once(':') {
            Some((hours, minutes)) => 60.0 * whole(hours)? + whole(minutes)?,
            None => whole(before)?,
        };
        let seconds: f64 = last.trim().parse().ok()?;
        let is_time = (0.0..60.0).contains(&seconds);
        return is_time.then_some(60.0 * minutes + seconds);
    }
    let mut parts = time
        .trim()
        .split(':')
        .map(|part| part.trim().parse::<u32>().ok());
    let (minutes, seconds, frames) = (
        parts.next()??,
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
    );
    Some(f64::from(minutes) * 60.0 + f64::from(seconds) + f64::from(frames) / FRAMES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_within_titles_are_part_of_them_and_bare_titles_have_many_words() {
        let sheet = Sheet::parse(
            "TITLE \"The \"Red\" Album\"\rFILE Band - A.wav WAVE\rTRACK 01 AUDIO\rTITLE \"\"Heroes\"\"\r\
             INDEX 01 00:00:00\rTRACK 02 AUDIO\rTITLE Second Song\rPERFORMER \"John \"Jack\" Doe\"\rINDEX 01 00:19:75\r",
        );
        assert_eq!(sheet.title.as_deref(), Some("The \"Red\" Album"));
        assert_eq!(sheet.tracks[0].title.as_deref(), Some("\"Heroes\""));
        assert_eq!(sheet.tracks[1].title.as_deref(), Some("Second Song"));
        assert_eq!(
            sheet.tracks[1].performer.as_deref(),
            Some("John \"Jack\" Doe")
        );
        assert_eq!(
            (sheet.tracks[1].start, sheet.tracks[1].file.as_str()),
            (Some(20.0), "Band - A.wav")
        );
    }

    #[test]
    fn titles_without_quotes_times_over_99_minutes_and_isrcs_are_read() {
        let sheet = Sheet::parse(
            "REM GENRE Jazz\nPERFORMER Someone\nFILE \"a.flac\" WAVE\nTRACK 1 AUDIO\nTITLE \"An \"odd\" one\"\n\
             ISRC USRC17607839\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nINDEX 01 120:30:15\nTRACK 3 MODE1/2352\nINDEX 01 130:00:00\n",
        );
        assert_eq!(sheet.tracks.len(), 2);
        assert_eq!(sheet.performer.as_deref(), Some("Someone"));
        assert_eq!(sheet.tracks[0].title.as_deref(), Some("An \"odd\" one"));
        assert_eq!(sheet.tracks[0].isrc.as_deref(), Some("USRC17607839"));
        assert_eq!(sheet.tracks[1].start, Some(7230.2));
    }

    #[test]
    fn a_data_track_and_what_ends_the_file_leave_the_album_alone() {
        let sheet = Sheet::parse(
            "TITLE \"Album\"\nFILE \"a.wav\" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n\
             TRACK 02 MODE1/2352\nTITLE \"Video\"\nTRACK 03 AUDIO\nINDEX 01 00:30:00\u{1a}\0",
        );
        assert_eq!(sheet.title.as_deref(), Some("Album"));
        assert_eq!(sheet.tracks[1].start, Some(30.0));
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
        assert_eq!(seconds("1:2"), Some(62.0));
        assert_eq!(seconds("00:08.500"), Some(8.5));
        assert_eq!(seconds("1:02:03.25"), Some(3723.25));
        assert_eq!(seconds("1:75.5"), None);
        assert_eq!(seconds("1"), None);
        assert_eq!(seconds("a:b:c"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = Sheet::parse(&text);
        }
    }
}
