//! `music status`.

use anyhow::Result;
use music::library::query::{Count, ListedProblem, Status};
use run::ExitStatus;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::printer::Printer;
use crate::progress::duration;

/// Problems listed unless all are asked for.
const FIRST: usize = 20;

/// Tells what is in a library.
pub(crate) fn status(place: &Place, all: bool, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let status = music::library::query::status(&library)?;
    printer.show(&status, || {
        text(&status, if all { usize::MAX } else { FIRST })
    });
    Ok(ExitStatus::Done)
}

fn text(status: &Status, most: usize) -> Vec<String> {
    let list = |counts: &[Count]| {
        let parts: Vec<_> = counts
            .iter()
            .map(|one| format!("{} {}", one.count, one.name))
            .collect();
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join(", ")
        }
    };
    let mut lines = vec![
        format!("library   {}", status.database),
        format!("root      {}", status.root),
        format!("files     {}", list(&status.files)),
        format!("formats   {}", list(&status.formats)),
        format!(
            "passages  {}, {} with a fingerprint, {} identified",
            status.passages, status.fingerprints, status.identified
        ),
        format!("audio     {}", duration(status.audio_seconds)),
    ];
    if !status.left_out.is_empty() {
        lines.push(format!(
            "left out  {}",
            list(&status.left_out).replace('_', " ")
        ));
    }
    if let Some(run) = &status.last_run {
        lines.push(format!(
            "last run  {} UTC: {}, {}",
            run.started_at,
            run.state.to_lowercase(),
            run.operation
        ));
    }
    lines.extend(problems("could not be taken in", &status.problems, most));
    lines.extend(problems("recorded, but damaged", &status.damaged, most));
    lines.extend(problems(
        "taken in under a wrong name",
        &status.misnamed,
        most,
    ));
    lines
}

fn problems(title: &str, problems: &[ListedProblem], most: usize) -> Vec<String> {
    if problems.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{} {title}:", problems.len())];
    for problem in problems.iter().take(most) {
        lines.push(format!(
            "  {} ({}): {}",
            problem.path, problem.kind, problem.reason
        ));
    }
    if problems.len() > most {
        lines.push(format!("  .. and {} more (--all)", problems.len() - most));
    }
    lines
}
