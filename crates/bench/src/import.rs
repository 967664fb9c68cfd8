//! The whole import against its floor, decoding alone; and where the rest goes.
//!
//! Every configuration runs in a process of its own, in turns (decoding, one job, two jobs, decoding, ..), because a
//! machine is never quite idle; the tables have medians, and ratios are of measurements that stand side by side.

mod child;
mod report;
mod stages;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

pub use child::{Cost, Measured};
pub use report::{Turns, table};

use crate::corpus::Corpus;
use crate::printer;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The music; none for made music.
    pub folder: Option<PathBuf>,
    /// Workers of the imports.
    pub jobs: Vec<usize>,
    /// How often each configuration is measured.
    pub rounds: usize,
    /// Whether single stages are measured, too.
    pub stages: bool,
    /// This program, which is started again for each measurement.
    pub program: PathBuf,
}

/// Measures and prints.
pub fn run(plan: &Plan) -> Result<()> {
    let corpus = Corpus::of(plan.folder.as_deref())?;
    let folder = corpus.folder().canonicalize()?;
    warm(&folder)?;
    let all = measure(plan, &folder)?;
    printer::result(&table(&all).to_string());
    if plan.stages {
        printer::note("every stage by itself");
        let measured = Measured::Stages { folder };
        let rounds = (0..plan.rounds)
            .map(|_| measured.in_child(&plan.program))
            .collect::<Result<Vec<_>>>()?;
        printer::result("CPU seconds per hour of audio:\n");
        printer::result(&report::stages(&rounds).to_string());
    }
    Ok(())
}

/// Measures decoding alone, which comes first, and every import.
pub fn measure(plan: &Plan, folder: &Path) -> Result<Vec<Turns>> {
    let mut all = vec![Turns {
        name: "decoding alone".to_owned(),
        jobs: 0,
        costs: Vec::new(),
    }];
    all.extend(plan.jobs.iter().map(|&jobs| Turns {
        name: format!("import, {jobs} job{}", if jobs == 1 { "" } else { "s" }),
        jobs,
        costs: Vec::new(),
    }));
    for round in 1..=plan.rounds {
        for turns in &mut all {
            let scratch = tempfile::tempdir()?;
            let folder = folder.to_owned();
            let measured = if turns.jobs == 0 {
                Measured::Decode { folder }
            } else {
                Measured::Import {
                    folder,
                    database: scratch.path().join(music::DATABASE),
                    jobs: turns.jobs,
                }
            };
            let cost: Cost = measured.in_child(&plan.program)?;
            printer::note(&format!(
                "round {round}, {}: {:.2} CPU seconds, {:.2} s, {} files failed",
                turns.name, cost.cpu_seconds, cost.seconds, cost.failed
            ));
            turns.costs.push(cost);
        }
    }
    for turns in &all[1..] {
        let audio = |turns: &Turns| turns.median(|cost| cost.audio_seconds);
        ensure!(
            (audio(turns) - audio(&all[0])).abs() < 0.5,
            "{}: {:.1} s of audio, but decoding alone gave {:.1} s",
            turns.name,
            audio(turns),
            audio(&all[0])
        );
    }
    Ok(all)
}

/// Reads every file once, so that no measurement waits for the disk.
fn warm(folder: &Path) -> Result<()> {
    let scan = music::intake::scan::scan(folder, folder, &run::Cancel::new())?;
    for file in &scan.files {
        std::io::copy(
            &mut std::fs::File::open(file.absolute())?,
            &mut std::io::sink(),
        )?;
    }
    Ok(())
}
