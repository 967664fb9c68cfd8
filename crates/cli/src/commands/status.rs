//! `music status`.

use std::collections::BTreeMap;

use anyhow::Result;
use music::intake::reason_itself;
use music::library::query::{Copy, Count, ListedProblem, Status};
use run::ExitStatus;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::hints;
use crate::printer::Printer;
use crate::words::{count, counted, duration, moment};

/// Reasons listed unless all are asked for.
const FIRST: usize = 20;

/// Files named for each of them.
const NAMED: usize = 3;

/// Tells what is in a library.
pub(crate) fn status(place: &Place, all: bool, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let status = music::library::query::status(&library)?;
    printer.show(&status, || {
        text(&status, if all { usize::MAX } else { FIRST }, place)
    });
    Ok(ExitStatus::Done)
}

fn text(status: &Status, most: usize, place: &Place) -> Vec<String> {
    let list = |counts: &[Count]| {
        let parts: Vec<_> = counts
            .iter()
            .map(|one| format!("{} {}", count(one.count), one.name))
            .collect();
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join(", ")
        }
    };
    let files: Vec<_> = status
        .files
        .iter()
        .map(|one| format!("{} {}", count(one.count), status_word(&one.name)))
        .collect();
    let files = if files.is_empty() {
        "none".to_owned()
    } else {
        files.join(", ")
    };
    let mut lines = vec![
        format!("library   {}", status.database),
        format!("root      {}", status.root),
        format!("files     {files}"),
        format!("formats   {}", list(&status.formats)),
        format!(
            "passages  {}, {} with a fingerprint, {} identified",
            count(status.passages),
            count(status.fingerprints),
            count(status.identified)
        ),
        format!("audio     {}", duration(status.audio_seconds)),
    ];
    if !status.left_out.is_empty() {
        lines.push(format!(
            "left out  {}",
            list(&status.left_out).replace('_', " ")
        ));
    }
    if !status.same_audio.is_empty() {
        let files = counted(status.same_audio.len(), "file");
        lines.push(format!("sounds    {files} {}", of_same_audio(status)));
    }
    if let Some(run) = &status.last_run {
        lines.push(format!(
            "last run  {}: {}, {}",
            moment(&run.started_at),
            run.state.to_lowercase(),
            run.operation
        ));
    }
    let all: [(&str, &[ListedProblem]); 3] = [
        ("could not be taken in", &status.problems),
        ("recorded, but damaged", &status.damaged),
        ("taken in under a wrong name", &status.misnamed),
    ];
    for (title, listed) in all {
        lines.extend(problems(title, listed, most));
    }
    if most == usize::MAX {
        lines.extend(copies(
            "with the content of another",
            "is the same as",
            &status.copies,
        ));
        lines.extend(copies(
            &of_same_audio(status),
            "sounds as",
            &status.same_audio,
        ));
    } else if all.iter().any(|(_, listed)| listed.len() > 1) {
        let command = hints::music(place, &["status", "--all"]);
        lines.extend([String::new(), format!("`{command}` lists each of them")]);
    }
    lines
}

fn of_same_audio(status: &Status) -> String {
    let are = match status.same_audio_are {
        "once" => "duplicates",
        _ => "each its own",
    };
    format!("with the audio of another and other tags ({are}, by the setting `same_audio`)")
}

/// WKMP's statuses in words.
fn status_word(status: &str) -> String {
    match status {
        "INGEST COMPLETE" => "in the library".to_owned(),
        "DUPLICATE HASH" => "copies of others".to_owned(),
        "NO AUDIO" => "without audio".to_owned(),
        other => other.to_lowercase(),
    }
}

/// Problems by reason, the most frequent first, or each of them.
fn problems(title: &str, problems: &[ListedProblem], most: usize) -> Vec<String> {
    if problems.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        String::new(),
        format!("{} {title}:", counted(problems.len(), "file")),
    ];
    let mut reasons: BTreeMap<&str, Vec<&ListedProblem>> = BTreeMap::new();
    for problem in problems {
        reasons
            .entry(reason_itself(&problem.reason))
            .or_default()
            .push(problem);
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));
    for (reason, files) in reasons.iter().take(most) {
        lines.push(format!("  {} x {reason}", count(files.len())));
        let named = if most == usize::MAX { most } else { NAMED };
        lines.extend(
            files
                .iter()
                .take(named)
                .map(|file| format!("      {}", file.path)),
        );
        if files.len() > named {
            lines.push(format!("      .. and {} more", count(files.len() - named)));
        }
    }
    if reasons.len() > most {
        let more = counted(reasons.len() - most, "other reason");
        lines.push(format!("  .. and {more}"));
    }
    lines
}

fn copies(which: &str, verb: &str, copies: &[Copy]) -> Vec<String> {
    let mut lines = Vec::new();
    if !copies.is_empty() {
        lines.extend([
            String::new(),
            format!("{} {which}:", counted(copies.len(), "file")),
        ]);
    }
    lines.extend(
        copies
            .iter()
            .map(|copy| format!("  {} {verb} {}", copy.path, copy.original)),
    );
    lines
}
