//! `music review`.

use anyhow::Result;
use music::library::review::{Doubt, DoubtfulMatch};
use run::ExitStatus;
use serde::Serialize;
use serde_json::Value;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::commands::show::clock;
use crate::hints;
use crate::printer::Printer;
use crate::words::counted;

/// Candidates named for a doubtful match; the rest is in the JSON.
const NAMED: usize = 3;

/// Everything in doubt.
#[derive(Serialize)]
struct Doubts {
    boundaries: Vec<Doubt>,
    matches: Vec<DoubtfulMatch>,
}

/// Lists the doubtful boundaries and matches, each with the command that settles it.
pub(crate) fn review(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let doubts = Doubts {
        boundaries: music::library::review::review(&library)?,
        matches: music::library::review::doubtful_matches(&library)?,
    };
    printer.show(&doubts, || lines(&doubts, place));
    Ok(ExitStatus::Done)
}

fn lines(doubts: &Doubts, place: &Place) -> Vec<String> {
    if doubts.boundaries.is_empty() && doubts.matches.is_empty() {
        return vec!["nothing is in doubt".to_owned()];
    }
    let mut lines = Vec::new();
    let mut path = "";
    for doubt in &doubts.boundaries {
        if doubt.path != path {
            path = &doubt.path;
            lines.push(path.to_owned());
        }
        let what = if doubt.is_cut { "cut" } else { "not cut" };
        lines.push(format!(
            "  {:>10}  {what:<7}  {:>3.0} % sure  {}",
            clock(doubt.at_seconds),
            doubt.confidence * 100.0,
            doubt.reason
        ));
        lines.extend(settled_by(doubt, place).map(|command| format!("              {command}")));
    }
    for doubt in &doubts.matches {
        lines.push(format!("{}  {}", doubt.path, clock(doubt.start_seconds)));
        let linked = if doubt.is_linked {
            ", linked to the first"
        } else {
            ""
        };
        lines.push(format!("  passage {}{linked}", doubt.passage_id));
        lines.push(format!("  {}", doubt.decided_by));
        lines.extend(doubt.candidates.iter().take(NAMED).map(candidate));
        let id = doubt.passage_id.to_string();
        let command = |option: &str| hints::music(place, &["identify", option, &id]);
        lines.push(format!("  right: {}", command("--accept")));
        lines.push(format!("  wrong: {}", command("--reject")));
    }
    lines.push(format!(
        "in doubt: {} and {}, the least sure first",
        counted(doubts.boundaries.len(), "boundary"),
        counted(doubts.matches.len(), "match")
    ));
    lines
}

/// The command of somebody who has listened and knows better.
fn settled_by(doubt: &Doubt, place: &Place) -> Option<String> {
    let id = doubt.passage_id.as_ref()?.to_string();
    let at = format!("{:.3}", doubt.at_seconds);
    Some(if doubt.is_cut {
        let join = hints::music(place, &["edit", &id, "--join"]);
        format!("no cut: {join}")
    } else {
        let split = hints::music(place, &["edit", &id, "--split-at", &at]);
        format!("a cut: {split}")
    })
}

fn candidate(candidate: &Value) -> String {
    let text = |key: &str| candidate[key].as_str().unwrap_or("?").to_owned();
    format!(
        "  {:>3.0} %  {}  {} - {}",
        candidate["confidence"].as_f64().unwrap_or_default() * 100.0,
        text("recording_mbid"),
        text("artist"),
        text("title")
    )
}
