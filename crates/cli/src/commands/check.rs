//! `music check`.

use anyhow::Result;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::hints;
use crate::printer::Printer;

/// Checks a library; fails when anything is wrong with it.
pub(crate) fn check(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let findings = music::library::check::check(&library)?;
    let clean = findings.is_clean();
    printer.show(&findings, || {
        let kinds = [
            ("integrity", &findings.integrity),
            ("reference", &findings.foreign_keys),
            ("orphan", &findings.orphans),
            ("missing on disk", &findings.missing_files),
        ];
        let mut lines: Vec<_> = kinds
            .iter()
            .flat_map(|(kind, found)| found.iter().map(move |what| format!("{kind}: {what}")))
            .collect();
        if !findings.missing_files.is_empty() {
            let prune = hints::music(place, &["import", "--prune"]);
            lines.push(format!(
                "next: `{prune}` removes what is gone from the disk"
            ));
        }
        if findings.has_torn_links() {
            let import = hints::music(place, &["import"]);
            let again = hints::music(place, &["import", "--force"]);
            lines.push(format!(
                "next: `{import}` links copies anew; `{again}` if that changes nothing"
            ));
        }
        if clean {
            lines.push("the library is sound".to_owned());
        }
        lines
    });
    Ok(if clean {
        ExitStatus::Done
    } else {
        ExitStatus::SomeFailed
    })
}
