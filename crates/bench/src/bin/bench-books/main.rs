//! Measures what the `books` commands promise. Run it in release mode, after `cargo build --release`.
//!
//! - `collect`: collecting, enriching and exporting through the program itself, against a design that commits every
//!   book twice and against the floor: the same rows by one prepared statement.
//! - `pg`: the same on a PostgreSQL server, against COPY alone; claims of books by several processes.
//! - `crew`: the pace that several processes of a run keep together, and what it costs that they share it.
//! - `deaths`: the same while they are killed and stopped, and the server is.
//! - `sqlite-large`: what each setting of the database gives on a large file.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is there to be read"
)]

mod collect;
#[cfg(target_os = "linux")]
mod crew;
#[cfg(target_os = "linux")]
mod deaths;
mod designs;
mod large;
#[cfg(unix)]
mod pg;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "bench-books")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Collect, enrich and export so many books
    Collect {
        /// Books in the catalogue
        #[arg(long, default_value_t = 100_000)]
        books: u64,
        /// Books on a page
        #[arg(long, default_value_t = 10_000)]
        page_size: u64,
        /// Books that the design of two commits a book takes in
        #[arg(long, default_value_t = 100_000)]
        two_commits: u64,
    },
    /// Settings of the database on a large file
    SqliteLarge {
        /// Books in the file; a million are some 562 MB
        #[arg(long, default_value_t = 1_000_000)]
        books: u64,
        /// Books changed in each measurement
        #[arg(long, default_value_t = 50_000)]
        changed: u64,
        /// Leave out the file with pages of 8 KiB, to need half the disk
        #[arg(long)]
        narrow: bool,
    },
    /// A run on a PostgreSQL server: collecting, and claims of several processes
    #[cfg(unix)]
    Pg {
        /// Books in the catalogue
        #[arg(long, default_value_t = 100_000)]
        books: u64,
        /// Books that are claimed and finished in each measurement
        #[arg(long, default_value_t = 10_000)]
        claimed: u64,
    },
    /// Several processes that bring the books of one run home together
    #[cfg(target_os = "linux")]
    Crew {
        /// Books of each measurement of the pace; some two requests each
        #[arg(long, default_value_t = 60)]
        paced: u32,
        /// Books of each measurement of CPU time
        #[arg(long, default_value_t = 100)]
        books: u32,
        /// Megabytes of each of those
        #[arg(long, default_value_t = 5)]
        megabytes: usize,
    },
    /// Processes of one run that are killed and stopped, and so is their server
    #[cfg(target_os = "linux")]
    Deaths(deaths::Deaths),
    /// One process that claims and finishes books
    #[cfg(unix)]
    #[command(hide = true)]
    PgWorker {
        /// The database
        url: String,
        /// Books claimed at once
        at_once: u32,
    },
    /// One way to store a catalogue: books/s, CPU seconds, bytes of memory
    #[command(hide = true)]
    Design {
        /// The way
        design: designs::Design,
        /// Books to store
        #[arg(long)]
        books: u64,
        /// Where to
        #[arg(long)]
        folder: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Collect {
            books,
            page_size,
            two_commits,
        } => collect::run(books, page_size, two_commits),
        Command::SqliteLarge {
            books,
            changed,
            narrow,
        } => large::run(books, changed, narrow),
        #[cfg(unix)]
        Command::Pg { books, claimed } => pg::run(books, claimed),
        #[cfg(target_os = "linux")]
        Command::Crew {
            paced,
            books,
            megabytes,
        } => crew::run(paced, books, megabytes),
        #[cfg(target_os = "linux")]
        Command::Deaths(how) => deaths::run(&how),
        #[cfg(unix)]
        Command::PgWorker { url, at_once } => pg::worker(&url, at_once),
        Command::Design {
            design,
            books,
            folder,
        } => {
            let cost = designs::store(design, &folder, books)?;
            let (rate, cpu) = (cost.books_per_second, cost.cpu_seconds);
            println!("{rate} {cpu} {}", cost.peak_rss_bytes);
            Ok(())
        }
    }
}
