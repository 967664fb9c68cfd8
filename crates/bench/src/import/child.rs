//! One measurement in a process of its own, so that its CPU time and its peak memory are nobody else's.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use audio::decode::{Block, Listener, StreamInfo, decode};
use clap::Subcommand;
use music::Library;
use run::{Cancel, Progress, Usage};
use serde::{Deserialize, Serialize};
use testkit::locks::CommitCounter;

use crate::import::stages;

/// What a child process measures.
#[derive(Debug, Clone, Subcommand)]
pub enum Measured {
    /// Decoding alone, one file after the other
    Decode {
        /// The music
        folder: PathBuf,
    },
    /// The whole import
    Import {
        /// The music
        folder: PathBuf,
        /// Where the library lies or is to be
        database: PathBuf,
        /// Workers
        jobs: usize,
    },
    /// Every stage by itself, one file after the other
    Stages {
        /// The music
        folder: PathBuf,
    },
}

/// What a run over a folder took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cost {
    /// Files that gave audio; those that were unchanged, for a second import.
    pub files: u64,
    /// Files that did not.
    pub failed: u64,
    /// Audio decoded.
    pub audio_seconds: f64,
    /// Wall time.
    pub seconds: f64,
    /// CPU time of the process.
    pub cpu_seconds: f64,
    /// The process's largest resident set.
    pub peak_rss_bytes: u64,
    /// Write transactions since the library was opened, as the engine reports them.
    pub transactions: u64,
    /// Commits from then on, as SQLite's own counter has them.
    pub commits: u64,
}

impl Measured {
    /// Measures, in this process; the result as JSON.
    pub fn measure(&self) -> Result<String> {
        Ok(match self {
            Self::Decode { folder } => serde_json::to_string(&decode_all(folder)?)?,
            Self::Import {
                folder,
                database,
                jobs,
            } => serde_json::to_string(&import_all(folder, database, *jobs)?)?,
            Self::Stages { folder } => serde_json::to_string(&stages::measure(folder)?)?,
        })
    }

    /// Measures in a process of its own, which `program` (this one) starts as.
    pub(crate) fn in_child<T: for<'a> Deserialize<'a>>(&self, program: &Path) -> Result<T> {
        let mut command = Command::new(program);
        command.arg("child");
        match self {
            Self::Decode { folder } => command.arg("decode").arg(folder),
            Self::Import {
                folder,
                database,
                jobs,
            } => {
                let command = command.arg("import").arg(folder).arg(database);
                command.arg(jobs.to_string())
            }
            Self::Stages { folder } => command.arg("stages").arg(folder),
        };
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "a measurement failed: {self:?}");
        serde_json::from_slice(&output.stdout).context("a measurement printed no result")
    }
}

/// Hears nothing.
struct Deaf;

impl Listener for Deaf {
    fn start(&mut self, _info: &StreamInfo) {}

    fn block(&mut self, _block: &Block<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Decodes a file for nothing; seconds of audio, if it gave any.
pub(crate) fn decode_alone(path: &Path) -> Option<f64> {
    let decoded = decode(path, &mut Deaf).ok()?;
    Some(decoded.frames as f64 / f64::from(decoded.info.sample_rate))
}

/// The floor of every import.
fn decode_all(folder: &Path) -> Result<Cost> {
    let started = Instant::now();
    let scan = music::intake::scan::scan(folder, folder, &Cancel::new())?;
    let heard: Vec<Option<f64>> = scan
        .files
        .iter()
        .map(|file| decode_alone(file.absolute()))
        .collect();
    let usage = Usage::since(started);
    let files = heard.iter().flatten().count() as u64;
    Ok(Cost {
        files,
        failed: heard.len() as u64 - files,
        audio_seconds: heard.iter().flatten().sum(),
        seconds: usage.elapsed_seconds,
        cpu_seconds: usage.cpu_seconds,
        peak_rss_bytes: usage.peak_rss_bytes,
        transactions: 0,
        commits: 0,
    })
}

fn import_all(folder: &Path, database: &Path, jobs: usize) -> Result<Cost> {
    let started = Instant::now();
    let library = Library::open(database, folder)?;
    let counter = CommitCounter::attach(database)?;
    let import = music::Import {
        only: None,
        session: None,
        folder: folder.to_owned(),
        jobs,
        prune: false,
        dry_run: false,
        force: false,
    };
    let progress = Progress::new(jobs);
    let completed = music::import(&library, &import, &Cancel::new(), &progress, &|_| ())?;
    let commits = counter.commits()?;
    library.close()?;
    let usage = Usage::since(started);
    let files = completed.files;
    ensure!(
        files.duplicate == 0,
        "{} files are copies of others and were not decoded; measure without them",
        files.duplicate
    );
    Ok(Cost {
        files: files.recorded + files.no_audio + files.unchanged,
        failed: files.failed + files.misleading,
        audio_seconds: completed.audio_seconds,
        seconds: usage.elapsed_seconds,
        cpu_seconds: usage.cpu_seconds,
        peak_rss_bytes: usage.peak_rss_bytes,
        transactions: completed.writes.transactions,
        commits,
    })
}
