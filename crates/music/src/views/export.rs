//! Writes a library's passages out for other programs.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

/// Nothing that is written may replace what this finds.
pub use audio::decode::is_audio_file as is_music;

use crate::error::Result;
use crate::library::Library;
use crate::library::marks;
use crate::library::query::{PassageDetails, each_passage};
use crate::library::values::name_of;
use audio::marks::sign;

/// A form to write passages in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// A playlist of files with their times; passages of a longer file as VLC's start and stop options.
    M3u8,
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Passages, or cue sheets.
    pub written: u64,
    /// Passages that were left out, since their row cannot be read or leads out of the library.
    pub unreadable: u64,
}

/// Writes every passage to `out`, in the order of paths and positions.
///
/// # Errors
///
/// When the database cannot be read or `out` not be written.
pub fn export(library: &Library, form: Form, out: &mut dyn Write) -> Result<Exported> {
    let mut written = 0;
    match form {
        Form::Csv => writeln!(out, "{}\r", HEADER.join(","))?,
        Form::M3u8 => writeln!(out, "#EXTM3U")?,
        Form::JsonLines => {}
    }
    let mut outside = 0;
    let unreadable = each_passage(library, |passage| {
        match form {
            Form::Csv => csv(&passage, out)?,
            Form::JsonLines => json_line(&passage, out)?,
            Form::M3u8 => {
                // A player would open whatever lies there.
                let Some(path) = library.place(&passage.path) else {
                    outside += 1;
                    return Ok(());
                };
                m3u8(&passage, &path, out)?;
            }
        }
        written += 1;
        Ok(())
    })?;
    out.flush()?;
    Ok(Exported {
        written,
        unreadable: unreadable + outside,
    })
}

/// A file of several passages, of which a cue sheet can be made.
#[derive(Debug)]
pub struct CueSheet<'a> {
    passages: &'a [PassageDetails],
    /// It is cut as another sheet says, in whose place this one may come to lie.
    is_by_sheet: bool,
}

impl CueSheet<'_> {
    /// The file's path in the library.
    pub fn path(&self) -> &str {
        &self.passages[0].path
    }

    /// The file's name without a folder, as a sheet that lies beside it names it.
    pub fn name(&self) -> &str {
        name_of(self.path())
    }

    /// The sheet, which calls its file `name` and is signed, so that an import that finds it unchanged takes it for no word of
    /// somebody else; `None` for a name that no sheet can have, since it ends at a quotation mark
    /// and at the end of a line.
    pub fn naming(&self, name: &str) -> Option<String> {
        let is_plain = !name.contains(|c: char| c == '"' || c.is_control());
        is_plain.then(|| {
            let sheet = cue_sheet(self.passages, name);
            if self.is_by_sheet {
                sheet
            } else {
                sign(&sheet)
            }
        })
    }
}

/// Hands every file of several passages to `each`.
///
/// # Errors
///
/// When the database cannot be read, or `each` fails.
pub fn cue_sheets(
    library: &Library,
    mut each: impl FnMut(&CueSheet<'_>) -> Result<()>,
) -> Result<Exported> {
    let by_sheets = marks::cut_by_sheets(library.db())?;
    let mut written = 0;
    let mut file: Vec<PassageDetails> = Vec::new();
    let mut finish = |file: &mut Vec<PassageDetails>| -> Result<()> {
        if file.len() > 1 {
            written += 1;
            each(&CueSheet {
                passages: file,
                is_by_sheet: by_sheets.contains(&file[0].path),
            })?;
        }
        file.clear();
        Ok(())
    };
    let unreadable = each_passage(library, |passage| {
        if file.first().is_some_and(|first| first.path != passage.path) {
            finish(&mut file)?;
        }
        file.push(passage);
        Ok(())
    })?;
    finish(&mut file)?;
    Ok(Exported {
        written,
        unreadable,
    })
}

fn cue_sheet(passages: &[PassageDetails], name: &str) -> String {
    let plain = |text: &str| text.replace('"', "'").replace(char::is_control, " ");
    let kind = match name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
        .as_deref()
    {
        Some("mp3") => "MP3",
        Some("aif" | "aiff") => "AIFF",
        _ => "WAVE",
    };
    let mut lines = Vec::new();
    if let Some(artist) = &passages[0].artist {
        lines.push(format!("PERFORMER \"{}\"", plain(artist)));
    }
    if let Some(album) = &passages[0].album {
        lines.push(format!("TITLE \"{}\"", plain(album)));
    }
    lines.push(format!("FILE \"{name}\" {kind}"));
    for (at, passage) in passages.iter().enumerate() {
        let number = at + 1;
        lines.push(format!("  TRACK {number:02} AUDIO"));
        let title = passage
            .title
            .clone()
            .unwrap_or_else(|| format!("Track {number}"));
        lines.push(format!("    TITLE \"{}\"", plain(&title)));
        if let Some(artist) = &passage.artist {
            lines.push(format!("    PERFORMER \"{}\"", plain(artist)));
        }
        lines.push(format!("    INDEX 01 {}", clock(passage.start_seconds)));
    }
    lines.push(String::new());
    lines.join("\n")
}

const HEADER: [&str; 11] = [
    "passage_id",
    "path",
    "start_seconds",
    "end_seconds",
    "title",
    "artist",
    "album",
    "recording_mbid",
    "status",
    "start_ticks",
    "end_ticks",
];

fn csv(passage: &PassageDetails, out: &mut dyn Write) -> std::io::Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    write_record(
        out,
        &[
            passage.id.to_string(),
            passage.path.clone(),
            format!("{:.6}", passage.start_seconds),
            format!("{:.6}", passage.end_seconds),
            text(&passage.title),
            text(&passage.artist),
            text(&passage.album),
            text(&passage.recording_mbid),
            text(&passage.status),
            passage.start_ticks.0.to_string(),
            passage.end_ticks.0.to_string(),
        ],
    )
}

/// One line as RFC 4180 has it.
fn write_record<T: AsRef<[u8]>>(out: &mut dyn Write, fields: &[T]) -> std::io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .buffer_capacity(512)
        .from_writer(out);
    writer.write_record(fields).map_err(std::io::Error::other)?;
    writer.flush()
}

fn json_line(value: &impl Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// A line of a playlist must not contain another line.
fn m3u8(passage: &PassageDetails, path: &Path, out: &mut dyn Write) -> std::io::Result<()> {
    let name = name_of(&passage.path);
    let title = passage
        .title
        .as_deref()
        .unwrap_or(name)
        .replace(char::is_control, " ");
    let artist = passage
        .artist
        .as_ref()
        .map(|artist| format!("{} - ", artist.replace(char::is_control, " ")));
    let seconds = (passage.end_seconds - passage.start_seconds).round();
    writeln!(
        out,
        "#EXTINF:{seconds},{}{title}",
        artist.unwrap_or_default()
    )?;
    if passage.start_ticks.0 > 0 {
        writeln!(out, "#EXTVLCOPT:start-time={:.3}", passage.start_seconds)?;
        writeln!(out, "#EXTVLCOPT:stop-time={:.3}", passage.end_seconds)?;
    }
    writeln!(out, "{}", location(path))
}

/// A path as a playlist can hold it: a name with a line break or the like in it only as a URI.
fn location(path: &Path) -> String {
    let plain = path.display().to_string();
    if !plain.contains(char::is_control) {
        return plain;
    }
    url::Url::from_file_path(path).map_or(plain, String::from)
}

/// Frames of a cue sheet's clock in a second.
const FRAMES_PER_SECOND: f64 = 75.0;

/// A time as a cue sheet has it: minutes, which may go beyond 99, seconds and frames.
fn clock(seconds: f64) -> String {
    let frames = (seconds.max(0.0) * FRAMES_PER_SECOND).round() as u64;
    format!(
        "{:02}:{:02}:{:02}",
        frames / 4500,
        frames / 75 % 60,
        frames % 75
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_cue_sheet_are_minutes_seconds_and_frames() {
        assert_eq!(clock(0.0), "00:00:00");
        assert_eq!(clock(239.0 + 74.0 / 75.0), "03:59:74");
        assert_eq!(clock(7265.0 + 1.0 / 75.0), "121:05:01");
    }

    #[test]
    fn a_line_break_in_a_name_does_not_break_a_playlist() {
        assert_eq!(location(Path::new("/m/a 1%.mp3")), "/m/a 1%.mp3");
        assert_eq!(
            location(Path::new("/m/a 1%\né.mp3")),
            "file:///m/a%201%25%0A%C3%A9.mp3"
        );
    }

    #[test]
    fn csv_fields_are_quoted_where_they_must_be() {
        let mut line = Vec::new();
        write_record(&mut line, &["plain", "a, \"b\"", "two\nlines"]).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line, "plain,\"a, \"\"b\"\"\",\"two\nlines\"\r\n");
    }
}
