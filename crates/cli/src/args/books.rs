//! The command line of `books`.

#![expect(clippy::doc_markdown, reason = "the comments are the text of --help")]

use std::path::PathBuf;

use books::RunOptions;
use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::args::{Global, complete};

#[derive(Debug, Subcommand)]
pub(crate) enum Books {
    /// Sign in to GRIN
    #[command(subcommand)]
    Auth(Auth),
    /// Collect the whole catalogue; run again to go on where it stopped
    Collect(Box<Collect>),
    /// Ask GRIN for more about each book; run again for those that failed
    Enrich(Enrich),
    /// Bring archives home: request conversions, download, decrypt, verify, extract, store; run again to go on
    Sync(Box<Sync>),
    /// Compare what is stored with what is recorded
    Verify(Verify),
    /// Put books back into the queue whose archive is missing or wrong; sync brings them again
    Repair(Repair),
    /// Tell where the archives stand: stored, failed and why
    Report {
        #[command(flatten)]
        place: RunPlace,
        /// Write a page with plots to this file
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// List, bring out or remove what the run has in storage
    #[command(subcommand)]
    Storage(Storage),
    /// Write the text of archives (.tar.gz) as JSON lines
    Extract {
        /// The archives
        #[arg(required = true, value_name = "FILE")]
        archives: Vec<PathBuf>,
        /// The folder that gets a .jsonl file for each
        #[arg(long, value_name = "DIR")]
        output_dir: PathBuf,
    },
    /// Write all books out
    Export(Export),
    /// Tell how far the run is, and what failed
    Status {
        #[command(flatten)]
        place: RunPlace,
    },
    /// Ask all processes that sync a run on a server to finish what they have, and to begin nothing more
    Drain {
        #[command(flatten)]
        place: RunPlace,
    },
    /// Copy or move the database of a run
    #[command(subcommand)]
    Db(Db),
    /// Check the run: integrity, and what disagrees
    Check {
        #[command(flatten)]
        place: RunPlace,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Sign in with a browser, and keep the tokens
    Setup {
        /// No browser on this machine: paste the address that the browser ends at
        #[arg(long, visible_alias = "remote-auth")]
        remote: bool,
        /// Sign in even if there are tokens
        #[arg(long)]
        force: bool,
        /// A folder with client_secret.json, besides the usual places
        #[arg(long, value_name = "DIR")]
        secrets_dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Copy all that is known of the books to a server, or to a file that other tools read
    Copy {
        #[command(flatten)]
        place: RunPlace,
        /// A new file, or a server such as postgres://user@host/name
        #[arg(long, value_name = "FILE|URL")]
        to: books::Place,
        /// The run uses the copy from now on; a file has to be books.db in the run directory for that
        #[arg(long = "move")]
        is_move: bool,
    },
}

/// Which run.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunPlace {
    /// The run's name
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::runs))]
    pub(crate) run_name: String,
    /// The PostgreSQL server that keeps the books, for this time only [default: as the run was begun]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<books::DatabaseUrl>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How much is told, by the name that other tools give it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Telling {
    /// How much is told, instead of -q and -v
    #[arg(long, value_name = "LEVEL", value_enum, ignore_case = true, conflicts_with_all = ["quiet", "verbose"])]
    pub(crate) log_level: Option<LogLevel>,
}

/// A level of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum LogLevel {
    /// Everything, as -vv
    Debug,
    /// As ever
    Info,
    /// What went wrong, and how it ended, as -q
    Warning,
    /// Errors only, as -qq
    Error,
}

impl Books {
    /// Says in `global` what `--log-level` says.
    pub(crate) fn adjust(&self, global: &mut Global) {
        let telling = match self {
            Books::Collect(args) => args.telling,
            Books::Enrich(args) => args.telling,
            Books::Export(args) => args.telling,
            Books::Sync(args) => args.telling,
            Books::Auth(_)
            | Books::Status { .. }
            | Books::Check { .. }
            | Books::Drain { .. }
            | Books::Db(_)
            | Books::Verify(_)
            | Books::Repair(_)
            | Books::Report { .. }
            | Books::Storage(_)
            | Books::Extract { .. } => return,
        };
        match telling.log_level {
            Some(LogLevel::Debug) => global.verbose = 2,
            Some(LogLevel::Warning) => global.quiet = 1,
            Some(LogLevel::Error) => global.quiet = 2,
            Some(LogLevel::Info) | None => {}
        }
    }
}

/// Where runs are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Output {
    /// The folder that holds the runs [default: GRIN_OUTPUT_DIR, output]
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
}

/// How GRIN is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct Asking {
    /// Where GRIN is [default: `GRIN_BASE_URL`, `https://books.google.com`]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Requests in any second, not the pause between two; 0 for no limit [default: GRIN_RATE_LIMIT_QPS, 5]. The Python
    /// tool takes its own --rate-limit and keeps none
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<f64>,
    /// Keep the rate limit together with all commands on this machine that name the same file, also those of other runs;
    /// the file is made
    #[arg(long, value_name = "FILE")]
    pub(crate) share_rate: Option<PathBuf>,
    /// How often a failed request is repeated, with growing pauses
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) retries: u32,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Collect {
    /// The run's name [default: run_ and the time]
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// A file with settings of the run, TOML or JSON; flags and the environment win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: RunOptions,
    /// Write run_config.json and stop
    #[arg(long)]
    pub(crate) write_config: bool,
    /// Tell where everything would go and what would be asked; ask and write nothing
    #[arg(short = 'n', long, conflicts_with = "write_config")]
    pub(crate) dry_run: bool,
    /// After a complete collection: update known books, and mark those that are gone
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Begin at the first page, wherever an earlier collection stopped; what is stored stays
    #[arg(long)]
    pub(crate) from_start: bool,
    /// Mark books as vanished even if they are more than one in a hundred
    #[arg(long)]
    pub(crate) allow_vanish: bool,
    /// Stop after N books
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Books asked for on one page
    #[arg(long, value_name = "N", default_value_t = books::grin::BOOKS_PER_PAGE,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page_size: u32,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

#[derive(Debug, Args)]
pub(crate) struct Enrich {
    #[command(flatten)]
    pub(crate) place: RunPlace,
    /// Requests under way at once, as far as the rate limit lets them
    #[arg(long, value_name = "N", default_value_t = books::enrich::CONCURRENT,
        value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) max_concurrent: u16,
    /// Books read from the database at a time, and asked for in one request at most
    #[arg(long, value_name = "N", default_value_t = 6000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: u32,
    /// Stop after N books
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Ask again for all books; what is known of them stays
    #[arg(long)]
    pub(crate) reset: bool,
    /// The library's directory in GRIN, for this time only
    #[arg(long, value_name = "NAME")]
    pub(crate) library_directory: Option<String>,
    /// A folder with credentials, for this time only
    #[arg(long, value_name = "DIR")]
    pub(crate) secrets_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) place: RunPlace,
    /// Which books, in this order; repeatable
    #[arg(long, value_enum, value_delimiter = ',', value_name = "QUEUE",
        required_unless_present_any = ["barcodes", "barcodes_file"],
        conflicts_with_all = ["barcodes", "barcodes_file"])]
    pub(crate) queue: Vec<books::sync::Queue>,
    /// These books, whatever is recorded of them
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "BARCODES",
        conflicts_with = "barcodes_file"
    )]
    pub(crate) barcodes: Vec<String>,
    /// The books of a file, one barcode a line, # for comments; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) barcodes_file: Option<PathBuf>,
    /// Stop after N books that were not stored before
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Download what is stored already, and try again what was given up
    #[arg(long)]
    pub(crate) force: bool,
    /// Store in the buckets of another run of this name, which is no more
    #[arg(long)]
    pub(crate) take_over: bool,
    /// List the books, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave the text of pages out
    #[arg(long)]
    pub(crate) skip_extract_ocr: bool,
    /// Leave the description (MARC) out
    #[arg(long)]
    pub(crate) skip_extract_marc: bool,
    /// Do not export the list of books at the end
    #[arg(long)]
    pub(crate) skip_csv_export: bool,
    /// Do not copy the database before
    #[arg(long)]
    pub(crate) skip_database_backup: bool,
    /// Store exports as they are, not packed
    #[arg(long)]
    pub(crate) skip_compression_meta: bool,
    /// Store texts as they are, not packed
    #[arg(long)]
    pub(crate) skip_compression_full: bool,
    /// Failures in a row that end a queue
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) max_sequential_failures: u32,
    /// Books under way at once
    #[arg(long, value_name = "N", default_value_t = books::sync::IN_THE_AIR, visible_alias = "workers",
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) in_the_air: u32,
    /// Seconds after which others take over the books of a process that is silent, where several work on a run
    #[arg(long, value_name = "SECONDS", default_value_t = books::sync::LEASE.as_secs() as u32,
        value_parser = clap::value_parser!(u32).range(2..=86_400))]
    pub(crate) lease: u32,
    /// Bytes a second from GRIN, such as 10M, or by the time of day: "08:00,512k 19:00,off"
    #[arg(long, value_name = "RATE")]
    pub(crate) bwlimit: Option<books::sync::Bandwidth>,
    /// The file whose first line is the passphrase [default: gpg_passphrase.asc beside the credentials]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Downloads at once [default: as the run's settings say]
    #[arg(long, value_name = "N")]
    pub(crate) task_download_concurrency: Option<u32>,
    /// Archives stored at once [default: as the run's settings say]
    #[arg(long, value_name = "N")]
    pub(crate) task_upload_concurrency: Option<u32>,
    /// The library's directory in GRIN, for this time only
    #[arg(long, value_name = "NAME")]
    pub(crate) library_directory: Option<String>,
    /// A folder with credentials, for this time only
    #[arg(long, value_name = "DIR")]
    pub(crate) secrets_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

/// How thoroughly storage is looked at.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: RunPlace,
    /// Look at a part of the books, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "100%")]
    pub(crate) sample: f64,
    /// Choose other books of the same share
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Read each archive and compare its digest, its text, and whether it is whole
    #[arg(long)]
    pub(crate) read: bool,
}

/// Which books are put back.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) look: Verify,
    /// Tell what is wrong, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Believe a store that is empty, where otherwise a disk is taken to be missing, or the bucket to be another one
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// A share such as `1%` or `0.01`.
fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    };
    let share = share.filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "expected a share such as `1%`".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Storage {
    /// List what the run has
    Ls {
        #[command(flatten)]
        place: RunPlace,
        /// Which of its places
        #[arg(value_enum)]
        room: books::sync::Room,
    },
    /// Copy an object out
    Cp {
        #[command(flatten)]
        place: RunPlace,
        /// Which of its places
        #[arg(value_enum)]
        room: books::sync::Room,
        /// The object's name
        name: String,
        /// The file to write
        target: PathBuf,
    },
    /// Remove what the run has; tells what that is, and does it with --yes
    Rm {
        #[command(flatten)]
        place: RunPlace,
        /// Which of its places
        #[arg(value_enum)]
        room: books::sync::Room,
        /// Do it
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) place: RunPlace,
    /// The form to write [default: what the ending of the file says, or csv]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub(crate) form: Option<Form>,
    /// The file to write; `-` is standard output [default: books_export.csv in the run directory]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

/// A form to write books in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Comma-separated values with the headers that others rely on
    Csv,
    /// One JSON object a line
    #[value(alias = "json", alias = "json-lines")]
    Jsonl,
    /// A Parquet file
    Parquet,
}
