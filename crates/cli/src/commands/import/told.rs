//! What an import tells a person: a line for each file on demand, and at the end what happened, by reason, with what to
//! do about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use music::intake::reason_itself;
use music::{Completed, Event};

use crate::args::Place;
use crate::hints;
use crate::printer::{Printer, Volume};
use crate::words::{cost, count, counted, duration, size};

/// Files named for each reason.
const EXAMPLES: usize = 2;

/// What became of files that are not simply in the library, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Failed,
    LeftOut,
    NoAudio,
    Damaged,
    Misnamed,
    Missing,
    Moved,
    Retagged,
    Pruned,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::LeftOut => "left out",
            Self::NoAudio => "no audio",
            Self::Damaged => "damaged",
            Self::Misnamed => "misnamed, and taken",
            Self::Missing => "missing",
            Self::Moved => "moved",
            Self::Retagged => "new tags",
            Self::Pruned => "pruned",
        }
    }
}

#[derive(Debug, Default)]
struct Group {
    count: usize,
    /// The reason of all, as long as it is the same.
    reason: String,
    differ: bool,
    /// Files as they are named to a person, in backticks.
    examples: Vec<String>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Told {
    groups: Mutex<BTreeMap<(Kind, String), Group>>,
    bytes: Mutex<u64>,
}

impl Told {
    /// Takes note of an event; the line to print at once, and how loud.
    pub(crate) fn line(&self, event: &Event) -> Option<(Volume, String)> {
        if let Event::FilePlanned { bytes, .. } = event {
            *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        }
        if let Event::LeftOut { group, reason } = event {
            let examples: Vec<_> = group.examples.iter().map(|p| format!("`{p}`")).collect();
            self.add(Kind::LeftOut, reason, group.count, &examples);
            return None;
        }
        let Some((kind, path, reason)) = of_file(event) else {
            return line(event);
        };
        if kind == Kind::Moved {
            self.add(kind, "", 1, &[format!("`{path}` {reason}")]);
        } else {
            self.add(kind, reason_itself(&reason), 1, &[format!("`{path}`")]);
        }
        let reason = if reason.is_empty() {
            reason
        } else {
            format!(": {reason}")
        };
        Some((
            Volume::Verbose,
            format!("{}: `{path}`{reason}", kind.word()),
        ))
    }

    fn add(&self, kind: Kind, reason: &str, count: usize, examples: &[String]) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let group = groups.entry((kind, without_figures(reason))).or_default();
        if group.count == 0 {
            reason.clone_into(&mut group.reason);
        }
        group.differ |= group.reason != reason;
        group.count += count;
        let free = EXAMPLES.saturating_sub(group.examples.len());
        group.examples.extend(examples.iter().take(free).cloned());
    }

    /// Everything that is not simply in the library, by reason.
    fn groups(&self, dry_run: bool) -> Vec<String> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups
            .iter()
            .map(|((kind, key), group)| {
                let more = group.count.saturating_sub(group.examples.len());
                let more = match more {
                    0 => String::new(),
                    more => format!(", +{}", count(more)),
                };
                let reason = if group.differ { key } else { &group.reason };
                let reason = match reason.as_str() {
                    "" => String::new(),
                    reason => format!("{reason}: "),
                };
                let word = match kind {
                    Kind::Pruned if dry_run => "to be pruned",
                    kind => kind.word(),
                };
                format!(
                    "{word}: {} {reason}{}{more}",
                    count(group.count),
                    group.examples.join(", ")
                )
            })
            .collect()
    }

    fn has(&self, kinds: &[Kind]) -> bool {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.keys().any(|(kind, _)| kinds.contains(kind))
    }

    /// How the import went.
    pub(crate) fn report(&self, end: &Completed, printer: Printer) -> Vec<String> {
        let mut lines = if end.state == "planned" {
            self.planned(end)
        } else {
            taken_in(end)
        };
        lines.extend(self.groups(end.state == "planned"));
        if printer.says(Volume::Verbose) {
            let writes = &end.writes;
            lines.push(format!(
                "{}, {}, {}, {}",
                cost(&end.usage),
                counted(writes.transactions, "transaction"),
                counted(writes.rows, "row"),
                counted(writes.retries, "retry"),
            ));
        }
        match end.state {
            "stopped" if end.files.not_reached == 0 => {
                lines.push("stopped as asked, when everything was done".to_owned());
            }
            "stopped" => lines.push(format!(
                "stopped as asked, {} to come; run the same command again to go on",
                counted(end.files.not_reached, "file")
            )),
            "planned" => lines.push("nothing was done: this was a dry run".to_owned()),
            _ => {}
        }
        lines
    }

    fn planned(&self, end: &Completed) -> Vec<String> {
        let bytes = *self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let files = &end.files;
        let mut lines = vec![format!(
            "to take in: {} of {}, {}",
            count(files.not_reached),
            counted(files.found, "file"),
            size(bytes)
        )];
        if files.unchanged > 0 {
            lines.push(format!("unchanged: {}", counted(files.unchanged, "file")));
        }
        lines
    }

    /// What may be done next, as commands on the library that `place` names; files may be `unheard` with settings that
    /// changed, and so many boundaries and matches are `in_doubt`. What an import that `is_pruned` leaves, it has told why.
    pub(crate) fn next(
        &self,
        end: &Completed,
        unheard: &BTreeSet<&str>,
        in_doubt: (u64, u64),
        is_pruned: bool,
        place: &Place,
    ) -> Vec<String> {
        let mut next = Vec::new();
        let command = |words: &[&str]| hints::music(place, words);
        if self.has(&[Kind::Failed, Kind::LeftOut, Kind::Damaged]) && end.state != "planned" {
            next.push(format!(
                "next: `{}` lists what is wrong, and why",
                command(&["status", "--all"])
            ));
        }
        if self.has(&[Kind::Missing]) && end.may_be_unmounted {
            next.push(format!(
                "next: is the disk mounted? if the files are gone for good, `{}` removes them from the library",
                command(&["import", "--prune", "--force"])
            ));
        } else if self.has(&[Kind::Missing]) && !is_pruned {
            next.push(format!(
                "next: `{}` removes what is gone from the disk",
                command(&["import", "--prune"])
            ));
        }
        if end.state == "completed" && !unheard.is_empty() {
            let keys: Vec<_> = unheard.iter().map(|key| format!("`{key}`")).collect();
            let since = match keys.len() {
                1 => "was changed",
                _ => "were changed",
            };
            next.push(format!(
                "next: `{}` hears the files again that were heard before {} {since}",
                command(&["import", "--force"]),
                keys.join(", ")
            ));
        }
        let (boundaries, matches) = in_doubt;
        let doubts: Vec<_> = [(boundaries, "boundary"), (matches, "match")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, noun)| counted(number, noun))
            .collect();
        if !doubts.is_empty() {
            next.push(format!(
                "next: `{}` lists {} in doubt",
                command(&["review"]),
                doubts.join(" and ")
            ));
        }
        if next.is_empty() && end.state == "completed" && end.files.recorded > 0 {
            next.push(format!(
                "next: `{}` tells what is in the library",
                command(&["status"])
            ));
        }
        next
    }
}

/// What came of the files that are in the library.
fn taken_in(end: &Completed) -> Vec<String> {
    let files = &end.files;
    let elapsed = end.usage.elapsed_seconds;
    // In less than a second the factor says more about the start than about the work.
    let speed = if elapsed >= 1.0 {
        format!(" ({:.0}x real time)", end.audio_seconds / elapsed)
    } else {
        String::new()
    };
    let mut lines = Vec::new();
    if files.recorded > 0 {
        lines.push(format!(
            "taken in: {} of {}, {}, {} of audio in {}{speed}",
            count(files.recorded),
            counted(files.found, "file"),
            counted(end.passages, "passage"),
            duration(end.audio_seconds),
            duration(elapsed),
        ));
    } else if end.state != "stopped" {
        lines.push(format!("nothing new in {}", counted(files.found, "file")));
    }
    for (number, word) in [
        (files.unchanged, "unchanged"),
        (files.duplicate, "copies"),
        (files.cut_off, "cut off"),
    ] {
        if number > 0 {
            lines.push(format!("{word}: {}", counted(number, "file")));
        }
    }
    lines
}

/// The same reason with other figures is the same reason.
fn without_figures(reason: &str) -> String {
    let mut text = String::with_capacity(reason.len());
    for c in reason.chars() {
        if !c.is_ascii_digit() {
            text.push(c);
        } else if !text.ends_with('#') {
            text.push('#');
        }
    }
    text
}

/// What became of a file that is not simply taken in.
fn of_file(event: &Event) -> Option<(Kind, &String, String)> {
    Some(match event {
        Event::FileDamaged { path, reason } => (Kind::Damaged, path, reason.clone()),
        Event::FileNoAudio { path, reason } => (Kind::NoAudio, path, reason.clone()),
        Event::FileFailed { path, reason, .. } => (Kind::Failed, path, reason.clone()),
        Event::FileMisnamed { path, reason } => (Kind::Misnamed, path, reason.clone()),
        Event::FileMisleading { path, reason } => (Kind::LeftOut, path, reason.clone()),
        Event::FileMoved { from, to } => (Kind::Moved, from, format!("is now `{to}`")),
        Event::FileRetagged { path, .. } => (Kind::Retagged, path, String::new()),
        Event::FileMissing { path, pruned } if *pruned => (Kind::Pruned, path, String::new()),
        Event::FileMissing { path, .. } => (Kind::Missing, path, "gone from the disk".to_owned()),
        _ => return None,
    })
}

/// What another event says to a person, and how loud.
fn line(event: &Event) -> Option<(Volume, String)> {
    Some(match event {
        Event::ImportStarted { root, database, .. } => (
            Volume::Normal,
            format!("importing `{root}` into `{database}`"),
        ),
        Event::Planned {
            found,
            to_analyse,
            unchanged,
            ..
        } => (
            Volume::Normal,
            format!(
                "{} found: {} to analyse, {} unchanged",
                counted(*found, "file"),
                count(*to_analyse),
                count(*unchanged)
            ),
        ),
        Event::FilePlanned { path, change, .. } => {
            (Volume::Normal, format!("{}: `{path}`", change.word()))
        }
        Event::Warning {
            path: None,
            message,
        } => (Volume::Brief, format!("warning: {message}")),
        Event::Warning {
            path: Some(path),
            message,
        } => (Volume::Brief, format!("warning: `{path}`: {message}")),
        Event::FileRecorded {
            path,
            passages,
            audio_seconds,
            ..
        } => (
            Volume::Verbose,
            format!(
                "recorded `{path}`: {}, {}",
                counted(*passages, "passage"),
                duration(*audio_seconds)
            ),
        ),
        Event::FileDuplicate { path, original } => (
            Volume::Verbose,
            format!("duplicate: `{path}` is the same as `{original}`"),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_reason_with_other_figures_is_one_group() {
        let told = Told::default();
        for (path, frames) in [("a", 3), ("b", 12), ("c", 3)] {
            told.line(&Event::FileDamaged {
                path: path.to_owned(),
                reason: format!("{frames} frames are damaged"),
            });
        }
        assert_eq!(
            told.groups(false),
            ["damaged: 3 # frames are damaged: `a`, `b`, +1"]
        );
    }
}
