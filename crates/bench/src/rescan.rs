//! Importing again with nothing changed: thousands of files, no audio read, no write lock but for the run itself.

use std::path::PathBuf;

use anyhow::Result;

use crate::import::{Cost, Measured};
use crate::printer;
use crate::table::{Table, median};

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Files in the library.
    pub files: usize,
    /// Length of each.
    pub seconds: f64,
    /// Workers.
    pub jobs: usize,
    /// How often it is imported again.
    pub rounds: usize,
    /// This program, which is started again for each measurement.
    pub program: PathBuf,
}

/// Measures and prints.
pub fn run(plan: &Plan) -> Result<()> {
    let (first, again) = measure(plan)?;
    let mut table = Table::new(&[
        "",
        "wall / first import",
        "files",
        "wall s",
        "CPU s",
        "write locks",
        "peak RSS MB",
    ]);
    table.row(row("first import", &[&first], &first));
    let again: Vec<&Cost> = again.iter().collect();
    table.row(row("nothing changed", &again, &first));
    printer::result(&table.to_string());
    Ok(())
}

/// Makes a library, imports it, and imports it again; the cost of the first import and of the others.
pub fn measure(plan: &Plan) -> Result<(Cost, Vec<Cost>)> {
    let made = tempfile::tempdir()?;
    let music = made.path().join("music");
    testkit::corpus::many(&music, plan.files, plan.seconds)?;
    printer::note(&format!("{} files are made", plan.files));
    let measured = Measured::Import {
        folder: music.canonicalize()?,
        database: made.path().join(music::DATABASE),
        jobs: plan.jobs,
    };
    let first = measured.in_child(&plan.program)?;
    let again = (0..plan.rounds).map(|_| measured.in_child(&plan.program));
    Ok((first, again.collect::<Result<_>>()?))
}

fn row(name: &str, costs: &[&Cost], first: &Cost) -> [String; 7] {
    let middle =
        |value: &dyn Fn(&Cost) -> f64| median(costs.iter().map(|cost| value(cost)).collect());
    let seconds = middle(&|cost| cost.seconds);
    [
        name.to_owned(),
        format!("{:.4}", seconds / first.seconds),
        format!("{:.0}", middle(&|cost| cost.files as f64)),
        format!("{seconds:.2}"),
        format!("{:.2}", middle(&|cost| cost.cpu_seconds)),
        format!("{:.0}", middle(&|cost| cost.commits as f64)),
        format!("{:.0}", middle(&|cost| cost.peak_rss_bytes as f64 / 1e6)),
    ]
}
