//! What a service costs an import that answers too late or never.
//!
//! The same files are taken in offline and beside services of our own, in turns, each time by the program
//! itself and into a new library. Told are the medians and their ratio.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use music::{DATABASE, Library};
use sqlite::params;
use testkit::services::{FakeServices, Fault, KEY, Service, World};

use crate::printer;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Files to take in.
    pub files: usize,
    /// Length of each in seconds.
    pub seconds: f64,
    /// How often each import is measured.
    pub rounds: usize,
}

/// How AcoustID behaves.
const WAYS: [(&str, Option<Fault>); 3] = [
    ("offline", None),
    (
        "AcoustID answers after 17 s",
        Some(Fault::Slow(Duration::from_secs(17))),
    ),
    ("AcoustID never answers", Some(Fault::Silent)),
];

/// Measures and prints.
///
/// # Errors
///
/// When a file cannot be made, or an import does not do what it should.
pub fn run(plan: &Plan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = folder.path().canonicalize()?;
    testkit::corpus::many(&files, plan.files, plan.seconds)?;
    let fake = FakeServices::start(World::generate(1, 4))?;
    let mut times: [Vec<f64>; 3] = Default::default();
    for round in 0..=plan.rounds {
        for ((name, fault), times) in WAYS.iter().zip(&mut times) {
            let seconds = import(&files, plan, &fake, fault.as_ref())?;
            // The first round is for the caches of the machine.
            if round > 0 {
                printer::note(&format!("round {round}, {name}: {seconds:.2} s"));
                times.push(seconds);
            }
        }
    }
    let medians = times.map(|times| median(&times));
    for ((name, _), time) in WAYS.iter().zip(medians) {
        printer::result(&format!(
            "{name:<28} {time:>7.2} s  {:+.1} %",
            100.0 * (time / medians[0] - 1.0)
        ));
    }
    Ok(())
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// One import into a new library; how long the program ran, in seconds.
fn import(files: &Path, plan: &Plan, fake: &FakeServices, fault: Option<&Fault>) -> Result<f64> {
    let scratch = tempfile::tempdir()?;
    let database = scratch.path().join(DATABASE);
    let library = Library::open(&database, files)?;
    for (key, value) in fake.settings() {
        music::library::settings::set(library.db(), key, Some(&value))?;
    }
    library.close()?;
    fake.mend();
    if let Some(fault) = fault {
        fake.fail(Service::AcoustId, fault.clone(), u32::MAX);
    }
    let mut command = Command::new(testkit::accession_bin());
    command
        .args(["music", "import", "--quiet"])
        .arg(files)
        .arg("--database")
        .arg(&database)
        .env("HOME", scratch.path())
        .env("XDG_CONFIG_HOME", scratch.path())
        .env("WKMP_ACOUSTID_API_KEY", KEY)
        .env_remove("ACCESSION_OFFLINE")
        .stdout(Stdio::null());
    if fault.is_none() {
        command.arg("--offline");
    }
    let began = Instant::now();
    let status = command.status()?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(status.success(), "the import ended with {status}");
    check(&database, files, plan.files, fault.is_some())?;
    Ok(seconds)
}

/// Every file has to be recorded, and every passage marked if somebody was asked.
fn check(database: &Path, root: &Path, files: usize, asked: bool) -> Result<()> {
    let library = Library::open_read_only(database, root)?;
    let (recorded, passages, later) = library
        .db()
        .read(|snapshot| {
            snapshot.query_row(
                "SELECT (SELECT count(*) FROM files WHERE status = 'INGEST COMPLETE'), \
                        (SELECT count(*) FROM passages), \
                        (SELECT count(*) FROM accession_identifications WHERE state = 'retry_later')",
                params![],
                |row| Ok((row.get::<_, usize>(0)?, row.get(1)?, row.get::<_, usize>(2)?)),
            )
        })
        .map_err(|error: sqlite::Error| error)?;
    ensure!(recorded == files, "{recorded} of {files} files recorded");
    let marked = if asked { passages } else { 0 };
    ensure!(
        later == marked,
        "{later} of {passages} passages are to be tried again"
    );
    Ok(())
}
