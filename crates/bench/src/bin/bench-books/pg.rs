//! A run on a PostgreSQL server: collecting against COPY itself, and claims of books by several processes.

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use books::catalogue::rehearse;
use books::{Access, Catalogue, Run, RunOptions};
use testkit::accession_bin;
use testkit::grin::{FakeCatalogue, FakeGrin, listed};
use testkit::postgres::Postgres;

const COLUMNS: &str = "barcode, title, scanned_date, converted_date, downloaded_date, processed_date, analyzed_date, ocr_date,
    google_books_link, grin_state, created_at, updated_at";

const NOW: &str = "2026-11-21T07:08:50.704946+00:00";

/// Measures both and prints tables. The server waits for the disk.
pub(crate) fn run(books: u64, claimed: u64) -> Result<()> {
    let server = Postgres::start(false).context("PostgreSQL is not installed")?;
    println!("| way into PostgreSQL | books/s | of COPY |");
    println!("|---|---:|---:|");
    let before = copy(&server, books)?;
    let ours = collect(&server, books)?;
    let after = copy(&server, books)?;
    let floor = f64::midpoint(before, after);
    println!("| COPY into the same tables and indexes | {before:.0} and {after:.0} | 1 |");
    println!(
        "| `books collect`, start to end | {ours:.0} | {:.2} |",
        ours / floor
    );
    println!();
    println!("| processes | claimed at once | claims and finishes/s |");
    println!("|---:|---:|---:|");
    for (processes, at_once) in [(1, 1), (1, 8), (1, 32), (2, 32), (4, 32)] {
        let number = if at_once == 1 { claimed / 10 } else { claimed };
        let rate = claims(&server, number, (processes, at_once), false)?;
        println!("| {processes} | {at_once} | {rate:.0} |");
    }
    let calm = claims(&server, claimed * 2, (2, 32), false)?;
    let held = claims(&server, claimed * 2, (2, 32), true)?;
    println!();
    println!(
        "under a snapshot that is held meanwhile {held:.0} a second, {:.2} of {calm:.0}",
        held / calm
    );
    Ok(())
}

/// The same rows by COPY alone, into tables with the same indexes.
fn copy(server: &Postgres, books: u64) -> Result<f64> {
    let url = server.database();
    let run = served("floor", &url)?;
    drop(Catalogue::of_run(&run.1)?);
    let (mut rows, mut seen) = (String::new(), String::new());
    for number in 0..books {
        let [barcode, title, dates @ .., link, state] = listed(number, 0);
        let known = |text: &String| {
            if text.is_empty() {
                "\\N".to_owned()
            } else {
                text.clone()
            }
        };
        let dates = dates.iter().map(known).collect::<Vec<_>>().join("\t");
        writeln!(
            rows,
            "{barcode}\t{title}\t{dates}\t{link}\t{state}\t{NOW}\t{NOW}"
        )?;
        writeln!(seen, "{barcode}\t{NOW}\t1750000000")?;
    }
    let mut taken = Duration::ZERO;
    for (table, columns, text) in [
        ("books", COLUMNS, &rows),
        ("processed", "barcode, timestamp, session_id", &seen),
    ] {
        let path = server.folder().join(table);
        std::fs::write(&path, text)?;
        let columns = columns.split_whitespace().collect::<Vec<_>>().join(" ");
        let started = Instant::now();
        server.rows(
            &url,
            &format!(
                "\\copy accession_floor.{table} ({columns}) FROM '{}'",
                path.display()
            ),
        );
        taken += started.elapsed();
        std::fs::remove_file(path)?;
    }
    Ok(books as f64 / taken.as_secs_f64())
}

/// The program itself, against a GRIN on the loopback.
fn collect(server: &Postgres, books: u64) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let grin = FakeGrin::start(FakeCatalogue::of(books))?;
    grin.prepare(10_000);
    grin.write_credentials(folder.path())?;
    let args = "books collect --run-name R --library-directory X --rate-limit 0 --page-size 10000 -q --database";
    let started = Instant::now();
    let status = Command::new(accession_bin())
        .args(args.split(' '))
        .arg(server.database())
        .current_dir(folder.path())
        .env("GRIN_CREDENTIALS_DIR", folder.path())
        .env("GRIN_BASE_URL", grin.url())
        .stdout(Stdio::null())
        .status()?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(status.success(), "collecting ended with {status}");
    Ok(books as f64 / seconds)
}

/// A run with its books at `url`, and the folder that has its settings.
fn served(name: &str, url: &str) -> Result<(tempfile::TempDir, Run)> {
    let folder = tempfile::tempdir()?;
    let options = RunOptions {
        library_directory: Some("X".to_owned()),
        database: Some(url.parse()?),
        ..RunOptions::default()
    };
    let run = books::begin(folder.path(), name, &options, &Access::default())?;
    Ok((folder, run))
}

/// Claims and finishes a second of so many processes together.
fn claims(
    server: &Postgres,
    books: u64,
    (processes, at_once): (u32, u32),
    is_held: bool,
) -> Result<f64> {
    let url = server.database();
    let (_folder, run) = served("claims", &url)?;
    let catalogue = Catalogue::of_run(&run)?;
    rehearse::offer(&catalogue, books)?;
    drop(catalogue);
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class;";
    let holder = is_held
        .then(|| server.session(&url, snapshot))
        .transpose()?;
    let begun = Instant::now();
    let children = (0..processes).map(|_| {
        let child = Command::new(std::env::current_exe()?)
            .args(["pg-worker", &url, &at_once.to_string()])
            .spawn()?;
        Ok(child)
    });
    let children: Vec<Child> = children.collect::<Result<_>>()?;
    for mut child in children {
        ensure!(child.wait()?.success(), "a worker failed");
    }
    let taken = begun.elapsed().as_secs_f64();
    if let Some(mut holder) = holder {
        holder.kill()?;
        holder.wait()?;
    }
    let stored = server.rows(
        &url,
        "SELECT count(*), count(DISTINCT barcode) FROM accession_claims.accession_archive",
    );
    ensure!(stored == [format!("{books}|{books}")], "{stored:?}");
    Ok(books as f64 / taken)
}

/// What a process of [`claims`] does.
pub(crate) fn worker(url: &str, at_once: u32) -> Result<()> {
    let (_folder, run) = served("claims", url)?;
    rehearse::work(&Catalogue::of_run(&run)?, at_once)?;
    Ok(())
}
