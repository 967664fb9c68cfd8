//! `books check`.

use anyhow::Result;
use books::catalogue::check::FindingKind;
use run::ExitStatus;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::Printer;

/// Checks a run; fails when anything is wrong with it.
pub(crate) fn check(place: &RunPlace, printer: Printer) -> Result<ExitStatus> {
    let (run, catalogue) = open_to_read(place, printer)?;
    let findings = books::catalogue::check::check(&catalogue, run.directory())?;
    let clean = findings.is_clean();
    printer.show(&findings, || {
        let mut lines = Vec::new();
        for finding in &findings.findings {
            let kind = name(finding.kind);
            lines.push(format!("{kind}: {}: {}", finding.count, finding.what));
            lines.extend(finding.examples.iter().map(|what| format!("  {what}")));
            lines.extend(hint(finding.kind).map(|hint| format!("  hint: {hint}")));
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

/// The word for it, as machines read it.
fn name(kind: FindingKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// What may help.
fn hint(kind: FindingKind) -> Option<&'static str> {
    Some(match kind {
        FindingKind::EnrichedWithoutData => "`enrich --reset` asks again",
        FindingKind::MixedDates => "`enrich --reset` and `collect --refresh` renew them",
        FindingKind::Incomplete => "`collect` goes on",
        _ => return None,
    })
}
