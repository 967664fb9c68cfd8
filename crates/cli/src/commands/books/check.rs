//! `books check`.

use anyhow::Result;
use run::ExitStatus;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::Printer;

/// Checks a run; fails when anything is wrong with it.
pub(crate) fn check(place: &RunPlace, printer: Printer) -> Result<ExitStatus> {
    let (run, tracker) = open_to_read(place)?;
    let findings = books::check::check(&tracker, run.directory())?;
    let clean = findings.is_clean();
    printer.show(&findings, || {
        let mut lines = Vec::new();
        for finding in &findings.findings {
            lines.push(format!(
                "{}: {}: {}",
                finding.kind, finding.count, finding.what
            ));
            lines.extend(finding.examples.iter().map(|what| format!("  {what}")));
        }
        if clean {
            lines.push("the run is sound".to_owned());
        }
        lines
    });
    Ok(if clean {
        ExitStatus::Done
    } else {
        ExitStatus::SomeFailed
    })
}
