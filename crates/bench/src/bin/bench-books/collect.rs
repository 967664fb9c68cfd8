//! The program itself, as a process of its own, against a GRIN on the loopback.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::Value;
use testkit::grin::{FakeCatalogue, FakeGrin};
use testkit::{accession_bin, json_events};

use crate::designs::{Cost, Design, measure};

/// What the predecessor was measured to do, on another machine of two cores.
const PREDECESSOR: f64 = 846.0;

struct Measured {
    seconds: f64,
    last: Value,
    peak_rss: u64,
    written: u64,
}

/// Measures everything and prints a table.
pub(crate) fn run(books: u64, page_size: u64, two_commits: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let grin = FakeGrin::start(FakeCatalogue::of(books))?;
    grin.prepare(page_size);
    grin.write_credentials(folder.path())?;
    eprintln!("{books} books are ready to be served");
    let floor_before = measure(Design::Floor, folder.path(), books)?;
    let page_size = page_size.to_string();
    let collect = [
        "collect",
        "--library-directory",
        "X",
        "--storage",
        "s3",
        "--page-size",
        &page_size,
    ];
    let collected = accession(folder.path(), &grin, &[&collect[..], &FAST].concat())?;
    let floor_after = measure(Design::Floor, folder.path(), books)?;
    let two = measure(Design::TwoCommits, folder.path(), two_commits.min(books))?;
    let ours = Cost {
        books_per_second: books as f64 / collected.seconds,
        cpu_seconds: collected.last["cpu_seconds"].as_f64().unwrap_or_default(),
        peak_rss_bytes: collected.peak_rss,
    };
    let floor = Cost {
        books_per_second: f64::midpoint(
            floor_before.books_per_second,
            floor_after.books_per_second,
        ),
        ..floor_after
    };
    let database = std::fs::metadata(folder.path().join("output/R/books.db"))?.len();
    let rate = ours.books_per_second;
    println!("| design | books/s | of the floor | CPU s per 100,000 | peak RSS MB |");
    println!("|---|---:|---:|---:|---:|");
    for (name, cost, stored) in [
        (
            "two commits a book, no network",
            two,
            two_commits.min(books),
        ),
        ("`accession books collect`, start to end", ours, books),
        (
            "floor: prepared statements, 10,000 books a transaction",
            floor,
            books,
        ),
    ] {
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} | {} |",
            cost.books_per_second,
            cost.books_per_second / floor.books_per_second,
            cost.cpu_seconds * 100_000.0 / stored as f64,
            cost.peak_rss_bytes >> 20,
        );
    }
    println!();
    println!(
        "collect: {:.2} s, {} transactions, database {} MB, {} MB written, {:.1} times two commits, {:.1} times the predecessor's {PREDECESSOR}",
        collected.seconds,
        collected.last["writes"]["transactions"],
        database >> 20,
        collected.written >> 20,
        rate / two.books_per_second,
        rate / PREDECESSOR,
    );
    println!(
        "lock held {} ms, checkpoints {} ms",
        collected.last["writes"]["hold"], collected.last["writes"]["checkpoint"]
    );
    ensure!(collected.last["total"] == books, "books are missing");
    others(folder.path(), &grin, books)
}

/// What enrichment and the exports cost.
fn others(folder: &Path, grin: &FakeGrin, books: u64) -> Result<()> {
    for args in [
        &["enrich"][..],
        &["export"],
        &["export", "--as", "jsonl"],
        &["export", "--as", "parquet"],
    ] {
        let fast: &[&str] = if args[0] == "enrich" {
            &FAST
        } else {
            &["--run-name", "R"]
        };
        let done = accession(folder, grin, &[args, fast].concat())?;
        println!(
            "{}: {:.2} s, {:.0} books/s, {} MB at most",
            args.join(" "),
            done.seconds,
            books as f64 / done.seconds,
            done.peak_rss >> 20
        );
    }
    Ok(())
}

/// Without a limit, which would be what is measured.
const FAST: [&str; 4] = ["--run-name", "R", "--rate-limit", "0"];

fn accession(folder: &Path, grin: &FakeGrin, args: &[&str]) -> Result<Measured> {
    let started = Instant::now();
    let mut child = Command::new(accession_bin())
        .arg("books")
        .args(args)
        .args(["--format", "json"])
        .current_dir(folder)
        .env("GRIN_CREDENTIALS_DIR", folder)
        .env("GRIN_BASE_URL", grin.url())
        .stdout(std::fs::File::create(folder.join("events"))?)
        .spawn()?;
    let (mut peak_rss, mut written) = (0, 0);
    let status = loop {
        let process = Path::new("/proc").join(child.id().to_string());
        peak_rss = peak_rss.max(number(&process.join("status"), "VmHWM:") << 10);
        written = written.max(number(&process.join("io"), "write_bytes:"));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let seconds = started.elapsed().as_secs_f64();
    ensure!(status.success(), "{args:?} ended with {status}");
    let events = json_events(std::fs::read(folder.join("events"))?);
    let last = events.last().cloned().unwrap_or_default();
    let told = last["peak_rss_bytes"].as_u64().unwrap_or(0);
    Ok(Measured {
        seconds,
        last,
        peak_rss: peak_rss.max(told),
        written,
    })
}

/// A number in a file of `/proc`; 0 where there is none.
fn number(path: &Path, name: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|rest| rest.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}
