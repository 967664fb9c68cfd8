//! Importing again with nothing changed: thousands of files, no audio read, no write lock but for the run itself; and
//! with new tags in every file, of which only these are read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

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
    let Rescanned {
        first,
        again,
        retagged,
    } = measure(plan)?;
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
    table.row(row("new tags in all", &[&retagged], &first));
    printer::result(&table.to_string());
    Ok(())
}

/// What importing the same files costs.
#[derive(Debug)]
pub struct Rescanned {
    /// The first time.
    pub first: Cost,
    /// Again, with nothing changed.
    pub again: Vec<Cost>,
    /// Once more, after every file got another title.
    pub retagged: Cost,
}

/// Makes a library and imports it, again and again.
pub fn measure(plan: &Plan) -> Result<Rescanned> {
    let made = tempfile::tempdir()?;
    let music = made.path().join("music");
    let files = testkit::corpus::many(&music, plan.files, plan.seconds)?;
    printer::note(&format!("{} files are made", plan.files));
    let measured = Measured::Import {
        folder: music.canonicalize()?,
        database: made.path().join(music::DATABASE),
        jobs: plan.jobs,
    };
    let first = measured.in_child(&plan.program)?;
    let again = (0..plan.rounds).map(|_| measured.in_child(&plan.program));
    let again = again.collect::<Result<_>>()?;
    for file in &files {
        retag(file)?;
    }
    let retagged = measured.in_child(&plan.program)?;
    Ok(Rescanned {
        first,
        again,
        retagged,
    })
}

/// Changes a letter of the title that a made file has.
fn retag(path: &Path) -> Result<()> {
    let mut bytes = std::fs::read(path)?;
    let at = bytes.windows(4).position(|four| four == b"INAM");
    let letter = at
        .and_then(|at| bytes.get_mut(at + 8))
        .context("a made file without a title")?;
    *letter = b'T';
    std::fs::write(path, bytes)?;
    Ok(())
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
