//! `music review`.

use anyhow::Result;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::commands::show::clock;
use crate::printer::Printer;

/// Lists the doubtful boundaries.
pub(crate) fn review(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let doubts = music::review::review(&library)?;
    printer.show(&doubts, || {
        if doubts.is_empty() {
            return vec!["no boundary is in doubt".to_owned()];
        }
        let mut lines = Vec::new();
        let mut path = "";
        for doubt in &doubts {
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
        }
        lines
    });
    Ok(ExitStatus::Done)
}
