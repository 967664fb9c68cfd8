//! `music show`.

use std::path::Path;

use anyhow::Result;
use music::library::covers::Cover;
use music::library::query::REPLAY_GAIN_LUFS;
use music::library::query::{FileDetails, PassageDetails, Shown};
use music::views::picture::Picture;
use run::ExitStatus;
use serde_json::Value;

use crate::args::Place;
use crate::commands::{open_to_read, output};
use crate::printer::{Printer, Volume};
use crate::words::{counted, moment, size};

/// Width of the drawing in characters where the terminal does not tell its own.
const DRAWN: usize = 76;

/// The widest drawing: more columns show no more of a piece of music.
const WIDEST: usize = 160;

/// The width of the drawing: that of the terminal, but for the margin.
fn drawn() -> usize {
    let columns = console::Term::stdout().size_checked();
    columns.map_or(DRAWN, |(_, columns)| {
        usize::from(columns).saturating_sub(4).min(WIDEST)
    })
}

/// Shows a file or a passage.
pub(crate) fn show(
    place: &Place,
    name: &str,
    svg: Option<&Path>,
    printer: Printer,
) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let name = &*music::library::names::meant(&library, name)?;
    let picture = Picture::of(&library, name);
    let drawn = match (picture, svg) {
        (Ok(picture), None) => picture.text(drawn()),
        (Ok(picture), Some(path)) => {
            output(&library, path).write(path, picture.svg().as_bytes())?;
            printer.note(Volume::Normal, &format!("drawn to `{}`", path.display()));
            picture.text(drawn())
        }
        (Err(error), Some(_)) => return Err(error.into()),
        // What was never heard has no picture, and is shown without one.
        (Err(_), None) => Vec::new(),
    };
    let shown = music::library::query::show(&library, name)?;
    printer.show(&shown, || match &shown {
        Shown::File(file) => file_lines(file, &drawn),
        Shown::Passage(passage) => passage_lines(passage, printer),
    });
    Ok(match &shown {
        Shown::File(file) if file.unreadable_passages > 0 => ExitStatus::SomeFailed,
        _ => ExitStatus::Done,
    })
}

fn file_lines(file: &FileDetails, picture: &[String]) -> Vec<String> {
    let mut lines = vec![file.path.clone()];
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<12} {value}"));
        }
    };
    line("id", Some(file.id.to_string()));
    line("status", Some(file.status.to_lowercase()));
    let audio = [
        file.format.clone(),
        file.sample_rate.map(|rate| format!("{rate} Hz")),
        file.channels.map(|channels| counted(channels, "channel")),
        file.seconds.map(clock),
    ];
    let audio: Vec<_> = audio.into_iter().flatten().collect();
    line("audio", (!audio.is_empty()).then(|| audio.join(", ")));
    line("damage", file.damage.clone());
    line("sha-256", Some(file.hash.clone()));
    line("modified", Some(moment(&file.modified)));
    line("size", file.size_bytes.map(size));
    for copy in &file.copies {
        line("same as", Some(copy.clone()));
    }
    if let Some(Value::Object(tags)) = &file.tags {
        for (name, value) in tags {
            line(name, Some(plain(value)));
        }
    }
    if let Some(decided) = &file.segmentation {
        // The log odds of several tracks against one.
        let odds = decided["score"].as_f64().unwrap_or_default().exp();
        let (kind, likely) = if decided["single_track"] == true {
            ("one track", 1.0 / (1.0 + odds))
        } else {
            ("several tracks", 1.0 - 1.0 / (1.0 + odds))
        };
        line(
            "taken for",
            Some(format!("{kind}, {:.0} % likely", likely * 100.0)),
        );
    }
    lines.extend(
        picture
            .iter()
            .map(|line| format!("  {line}").trim_end().to_owned()),
    );
    if !picture.is_empty() {
        lines.push("  ├ ┤ a passage, > its lead-in ends, < its lead-out begins".to_owned());
    }
    lines.push(format!("  {}", counted(file.passages.len(), "passage")));
    if file.unreadable_passages > 0 {
        let count = file.unreadable_passages;
        lines.push(format!(
            "  {count} more whose rows cannot be read: `accession music check` names them"
        ));
    }
    for (at, passage) in file.passages.iter().enumerate() {
        lines.push(format!(
            "  {:>3}  {} - {}  {}  {}",
            at + 1,
            clock(passage.start_seconds),
            clock(passage.end_seconds),
            passage.id,
            name(passage)
        ));
    }
    lines
}

fn passage_lines(passage: &PassageDetails, printer: Printer) -> Vec<String> {
    let mut lines = vec![name(passage)];
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<12} {value}"));
        }
    };
    line("id", Some(passage.id.to_string()));
    line("file", Some(passage.path.clone()));
    line("start", Some(clock(passage.start_seconds)));
    line("end", Some(clock(passage.end_seconds)));
    line("album", passage.album.clone());
    line("recording", passage.recording_mbid.clone());
    for found in &passage.found_ids {
        let told = format!("{} ({}, evidence)", found.recording_mbid, found.source);
        line("adopted id", Some(told));
    }
    line(
        "status",
        passage.status.as_ref().map(|status| status.to_lowercase()),
    );
    line("lead-in", passage.lead_in_seconds.map(clock));
    line("lead-out", passage.lead_out_seconds.map(clock));
    let autocue = passage.autocue.map(|found| {
        let (lead_in, lead_out) = (clock(found.lead_in_seconds), clock(found.lead_out_seconds));
        format!("lead-in {lead_in}, lead-out {lead_out} (8 LU below its loudness)")
    });
    line("by loudness", autocue);
    let may_clip = passage.overlap_may_clip == Some(true);
    line(
        "overlap",
        may_clip.then(|| {
            "peaks above half of full scale: over another one like it, it may clip".to_owned()
        }),
    );
    line("fade-in", passage.fade_in_seconds.map(clock));
    line("fade-out", passage.fade_out_seconds.map(clock));
    line("loudness", loudness(passage));
    line("replaygain", replay_gain(passage));
    if let Some(flavor) = &passage.flavor {
        line(
            "tempo",
            flavor
                .tempo_bpm
                .map(|bpm| format!("{bpm:.1} beats a minute")),
        );
        line("key", flavor.key_name());
        line("onsets", Some(format!("{:.1} a second", flavor.onset_rate)));
    }
    line("cover", passage.cover.as_ref().map(cover));
    // Kilobytes that only a program makes something of.
    let told = printer.says(Volume::Verbose);
    let fingerprint = passage.fingerprint.as_ref();
    line(
        "fingerprint",
        fingerprint.map(|print| {
            if told {
                print.clone()
            } else {
                format!("{} (-v shows it)", size(print.len() as u64))
            }
        }),
    );
    lines
}

fn cover(cover: &Cover) -> String {
    match (cover.width, cover.height) {
        (Some(width), Some(height)) => format!("{} ({width} x {height})", cover.path),
        _ => cover.path.clone(),
    }
}

fn loudness(passage: &PassageDetails) -> Option<String> {
    let lufs = passage.integrated_lufs?;
    let range = passage.range_lu.unwrap_or_default();
    let peak = passage
        .true_peak_dbtp
        .map(|peak| format!(", {peak:.1} dBTP"));
    Some(format!(
        "{lufs:.1} LUFS, {range:.1} LU{}",
        peak.unwrap_or_default()
    ))
}

/// The measured one, and the tags' where they have one.
fn replay_gain(passage: &PassageDetails) -> Option<String> {
    let measured = REPLAY_GAIN_LUFS - passage.integrated_lufs?;
    let tagged = passage
        .tagged_gain_db
        .map(|tagged| format!(" (its tags: {tagged:+.2} dB)"));
    Some(format!("{measured:+.2} dB{}", tagged.unwrap_or_default()))
}

pub(crate) fn name(passage: &PassageDetails) -> String {
    match (&passage.artist, &passage.title) {
        (Some(artist), Some(title)) => format!("{artist} - {title}"),
        (None, Some(title)) => title.clone(),
        (_, None) => "(untitled)".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A position as minutes, seconds and milliseconds.
pub(crate) fn clock(seconds: f64) -> String {
    let millis = (seconds * 1000.0).round() as u64;
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    format!("{minutes}:{:02}.{:03}", rest / 1000, rest % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_like_a_clock() {
        assert_eq!(clock(0.0), "0:00.000");
        assert_eq!(clock(61.0004), "1:01.000");
        assert_eq!(clock(3599.9999), "60:00.000");
    }
}
