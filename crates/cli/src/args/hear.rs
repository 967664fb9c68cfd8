//! `music hear`, `music collect` and `music plan`: hearing on many machines, recording on one.

use std::path::PathBuf;

use clap::Args;

use crate::env;
use crate::place::Place;

/// Where files and records are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Store {
    /// The address of a store that speaks S3 and is not Amazon's [default: `AWS_ENDPOINT_URL`]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}

impl Store {
    /// The address of the store, where it is not Amazon's.
    pub(crate) fn address(&self) -> Option<String> {
        let said = std::env::var(env::S3_ENDPOINT).ok();
        self.endpoint
            .clone()
            .or(said.filter(|said| !said.is_empty()))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Hear {
    /// Files to hear, by their paths in the source; `-` reads paths from standard input, one a line
    /// [default: all of the source]
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<String>,
    /// A file with paths to hear, one a line; or, with --shard, where `music plan` wrote its lists
    #[arg(long, value_name = "FILE|PLACE", conflicts_with = "files")]
    pub(crate) list: Option<String>,
    /// Hear the list of this number, counted from 0 [default: `JOB_COMPLETION_INDEX`, `AWS_BATCH_JOB_ARRAY_INDEX` or
    /// `SLURM_ARRAY_TASK_ID`, where --list is a folder or a bucket]
    #[arg(long, value_name = "N", requires = "list")]
    pub(crate) shard: Option<u32>,
    /// Where the files are: a folder, or `s3://bucket/prefix` (or r2, minio, gs); paths in the library start here
    #[arg(long, value_name = "PLACE", default_value = ".")]
    pub(crate) source: String,
    /// Where the records go: a folder, or `s3://bucket/prefix`; what is there already is not heard again
    #[arg(long, value_name = "PLACE")]
    pub(crate) out: String,
    /// Files worked on at once [default: one per core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Hear by the settings in this file, as `music settings list --format json` prints them
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Read the records that are there, and hear the files again whose records are damaged
    #[arg(long)]
    pub(crate) check: bool,
    /// Afterwards, tell collectors that follow that all is heard
    #[arg(long)]
    pub(crate) finish: bool,
    #[command(flatten)]
    pub(crate) store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Where `music hear` put its records
    #[arg(value_name = "RECORDS", required = true)]
    pub(crate) records: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where the files are that were heard: what it lacks counts as gone, and what has changed since waits to be heard
    #[arg(long, value_name = "PLACE")]
    pub(crate) source: Option<String>,
    /// Go on while files are heard, until `music hear --finish` or Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    /// Remove from the library what is gone from the source
    #[arg(long, requires = "source")]
    pub(crate) prune: bool,
    /// Records read and written at once
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: u16,
    #[command(flatten)]
    pub(crate) store: Store,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Where the files are: a folder, or `s3://bucket/prefix` (or r2, minio, gs)
    #[arg(long, value_name = "PLACE", default_value = ".")]
    pub(crate) source: String,
    /// How many lists to write
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) shards: u32,
    /// Where the lists go: a folder, or `s3://bucket/prefix`
    #[arg(long, value_name = "PLACE")]
    pub(crate) out: String,
    #[command(flatten)]
    pub(crate) store: Store,
}
