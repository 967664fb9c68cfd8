//! `books sync`.

use std::io::BufRead;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use books::sync::{Source, SyncOptions, is_barcode};
use books::{Outcome, SyncCompleted};
use run::ExitStatus;

use crate::args::books as args;
use crate::commands::books::progress::shown;
use crate::commands::books::{open, session};
use crate::printer::{Printer, Volume};
use crate::words::{cost, count, counted, duration, size};

/// Brings archives home.
pub(crate) fn sync(args: &args::Sync, printer: Printer) -> Result<ExitStatus> {
    let options = options(args)?;
    let (session, cancel) = session::open(
        open(&args.place, printer)?,
        args.library_directory.as_deref(),
        args.secrets_dir.as_deref(),
        &args.asking,
        true,
    )?;
    let progress = session.progress();
    let work = |tell: &(dyn Fn(&books::Event) + Sync)| session.sync(&options, tell);
    let completed = match shown(printer, &progress, &cancel, work) {
        Ok(completed) => completed,
        Err(error) => return session::stopped_early(error, &cancel, printer),
    };
    let lines = report(&completed, printer);
    Ok(session::end(completed.state, &cancel, &lines, printer))
}

fn options(args: &args::Sync) -> Result<SyncOptions> {
    let source = if args.queue.is_empty() {
        Source::Barcodes(barcodes(&args.barcodes, args.barcodes_file.as_deref())?)
    } else {
        Source::Queues(args.queue.clone())
    };
    Ok(SyncOptions {
        source,
        limit: args.limit,
        force: args.force,
        take_over: args.take_over,
        dry_run: args.dry_run,
        text: !args.skip_extract_ocr,
        marc: !args.skip_extract_marc,
        csv: !args.skip_csv_export,
        backup: !args.skip_database_backup,
        pack_text: !args.skip_compression_full,
        pack_meta: !args.skip_compression_meta,
        failures_in_a_row: args.max_sequential_failures,
        in_the_air: args.in_the_air,
        bandwidth: args.bwlimit.clone().unwrap_or_default(),
        passphrase_file: args.passphrase_file.clone(),
        downloads: args.task_download_concurrency,
        uploads: args.task_upload_concurrency,
        lease: Duration::from_secs(args.lease.into()),
    })
}

/// Barcodes from the command line, a file, or standard input.
pub(crate) fn barcodes(given: &[String], file: Option<&Path>) -> Result<Vec<String>> {
    let mut barcodes = Vec::new();
    match file {
        None => barcodes.extend_from_slice(given),
        Some(path) if path == Path::new("-") => {
            lines(std::io::stdin().lock(), &mut barcodes).context("cannot read standard input")?;
        }
        Some(path) => {
            let cannot = || format!("cannot read the barcodes in `{}`", path.display());
            let file = run::named_file(path).with_context(cannot)?;
            lines(std::io::BufReader::new(file), &mut barcodes).with_context(cannot)?;
        }
    }
    if let Some(wrong) = barcodes.iter().find(|barcode| !is_barcode(barcode)) {
        anyhow::bail!(
            "invalid barcode `{}`: expected 3 to 50 letters, digits, or one of `-_.:$`",
            wrong.escape_default()
        );
    }
    anyhow::ensure!(!barcodes.is_empty(), "no barcode is given");
    Ok(barcodes)
}

fn lines(reader: impl BufRead, barcodes: &mut Vec<String>) -> std::io::Result<()> {
    for line in reader.lines() {
        let line = line?;
        let barcode = line.split('#').next().unwrap_or_default().trim();
        if !barcode.is_empty() {
            barcodes.push(barcode.trim_start_matches('\u{feff}').to_owned());
        }
    }
    Ok(())
}

fn not_stored(problem: &String) -> String {
    format!("not stored, {problem}")
}

/// How it went, for people.
fn report(end: &SyncCompleted, printer: Printer) -> Vec<String> {
    let counts = &end.counts;
    let seconds = end.usage.elapsed_seconds;
    if end.state == Outcome::CompleteBefore {
        let mut lines = vec!["no book is in the queue: nothing was done".to_owned()];
        lines.extend(end.problems.iter().map(not_stored));
        return lines;
    }
    let mut lines = vec![format!(
        "{} stored in {} ({:.1} a second, {}), {} failed",
        counted(counts.stored, "book"),
        duration(seconds),
        counts.stored as f64 / seconds.max(0.001),
        size(counts.stored_bytes),
        count(counts.failed),
    )];
    for (number, what) in [
        (counts.skipped, "need nothing"),
        (counts.requested, "are to be converted now"),
        (counts.waiting, "wait to be converted"),
        (counts.unconvertible, "cannot be had from GRIN"),
        (counts.given_up, "failed before and are left alone"),
    ] {
        if number > 0 {
            lines.push(format!("{} {what}", count(number)));
        }
    }
    lines.extend(end.problems.iter().map(not_stored));
    if counts.failed > 0 {
        lines.push("run the same command again for the books that failed".to_owned());
    }
    if end.state == Outcome::Stopped {
        lines.push("stopped as asked; run the same command again to go on".to_owned());
    }
    if printer.says(Volume::Verbose) {
        lines.push(format!(
            "{} from GRIN, {}, {}",
            size(counts.downloaded_bytes),
            cost(&end.usage),
            counted(end.writes.transactions, "transaction")
        ));
    }
    lines
}
