//! `books collect`.

use anyhow::Result;
use books::catalogue::Catalogue;
use books::catalogue::query;
use books::collect::Collect;
use books::run::{CONFIG, default_name};
use books::{CollectCompleted, Outcome, Run};
use run::ExitStatus;
use serde::Serialize;

use crate::args::books as args;
use crate::commands::books::progress::shown;
use crate::commands::books::status::collection;
use crate::commands::books::{session, settings, tell_name};
use crate::printer::{Printer, Volume};
use crate::words::{command, cost, count, counted, duration};

/// Collects the catalogue.
pub(crate) fn collect(args: &args::Collect, printer: Printer) -> Result<ExitStatus> {
    let output = settings::output(&args.output);
    let name = args.run_name.clone().unwrap_or_else(default_name);
    let options = settings::run_options(args)?;
    let access = settings::access(args.options.database.as_ref())?;
    if args.dry_run {
        let run = books::preview(&output, &name, &options, &access)?;
        tell_name(&run, &name, printer);
        return dry_run(&run, args, printer);
    }
    let run = books::begin(&output, &name, &options, &access)?;
    tell_name(&run, &name, printer);
    if run.is_new() || args.write_config {
        tell_places(&run, printer);
    }
    if args.write_config {
        return Ok(ExitStatus::Done);
    }
    let options = Collect {
        refresh: args.refresh,
        limit: args.limit,
        books_per_page: args.page_size,
        from_start: args.from_start,
        allow_vanish: args.allow_vanish,
    };
    let run_name = run.config().run_name.clone();
    let (session, cancel) = session::open(run, None, None, &args.asking, false)?;
    let progress = session.progress();
    let work = |tell: &(dyn Fn(&books::Event) + Sync)| session.collect(&options, tell);
    let completed = match shown(printer, &progress, &cancel, work) {
        Ok(completed) => completed,
        Err(error) => return session::stopped_early(error, &cancel, printer),
    };
    let lines = report(&completed, &run_name, printer);
    Ok(session::end(completed.state, &cancel, &lines, printer))
}

/// Tells what a collection would do.
fn dry_run(run: &Run, args: &args::Collect, printer: Printer) -> Result<ExitStatus> {
    let grin = settings::grin(&args.asking)?;
    let credentials = settings::credentials(Some(run.config()), None).credentials;
    let status = match Catalogue::of_run_to_read(run) {
        Ok(catalogue) => Some(query::status(&catalogue)?),
        Err(books::Error::NoDatabase { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let plan = Plan {
        run: run.directory().display().to_string(),
        database: run.shown_database(),
        log: run.config().log_file.clone(),
        library_directory: run.config().library_directory.clone(),
        base_url: grin.base_url,
        books_per_page: args.page_size,
        requests_per_second: grin.requests_per_second,
        signed_in: credentials.exists(),
        books: status.as_ref().map_or(0, |status| status.books),
        collection: status
            .as_ref()
            .map_or_else(|| "not begun".to_owned(), collection),
    };
    printer.show(&plan, || plan.lines());
    Ok(if plan.signed_in {
        ExitStatus::Done
    } else {
        ExitStatus::CouldNotRun
    })
}

/// What a collection would do.
#[derive(Serialize)]
struct Plan {
    run: String,
    database: String,
    log: Option<String>,
    library_directory: String,
    base_url: String,
    books_per_page: u32,
    /// 0 for no limit.
    requests_per_second: f64,
    signed_in: bool,
    books: u64,
    collection: String,
}

impl Plan {
    fn lines(&self) -> Vec<String> {
        let pace = if self.requests_per_second > 0.0 {
            format!("{} requests a second at most", self.requests_per_second)
        } else {
            "as fast as it answers".to_owned()
        };
        let mut lines = vec![
            format!("run         `{}`", self.run),
            format!("books       `{}`, {} now", self.database, count(self.books)),
        ];
        lines.extend(self.log.iter().map(|log| format!("log         `{log}`")));
        lines.extend([
            format!("collection  {}", self.collection),
            format!(
                "to ask      `{}` for the books of `{}`, {} a page, {pace}",
                self.base_url,
                self.library_directory,
                count(self.books_per_page)
            ),
        ]);
        if !self.signed_in {
            let sign_in = command(["books", "auth", "setup"]);
            lines.push(format!("sign-in     none yet; `{sign_in}` comes first"));
        }
        lines.push("nothing was asked or written: this was a dry run".to_owned());
        lines
    }
}

/// Tells of a run that begins where everything of it lies.
fn tell_places(run: &Run, printer: Printer) {
    let config = run.config();
    let folder = run.directory().display();
    printer.note(Volume::Normal, &format!("run:      `{folder}`"));
    let settings = run.directory().join(CONFIG);
    let told = [
        ("settings", Some(settings.display().to_string())),
        ("books", Some(run.shown_database())),
        ("log", config.log_file.clone()),
    ];
    for (what, path) in told {
        if let Some(path) = path {
            printer.note(
                Volume::Normal,
                &format!("{what}:{:1$}`{path}`", "", 9 - what.len()),
            );
        }
    }
}

/// How the collection went, for people.
fn report(end: &CollectCompleted, run: &str, printer: Printer) -> Vec<String> {
    let usage = &end.usage;
    let rate = end.books as f64 / usage.elapsed_seconds.max(0.001);
    let mut lines = vec![format!(
        "{} on {} in {} ({} a second)",
        counted(end.books, "book"),
        counted(end.pages, "page"),
        duration(usage.elapsed_seconds),
        count(rate.round() as u64),
    )];
    let enrich = command(["books", "enrich", "--run-name", run]);
    match end.state {
        Outcome::Completed => {
            lines.push(format!(
                "the catalogue is complete: {}, {} new, {} vanished",
                counted(end.total, "book"),
                count(end.new_books),
                count(end.vanished)
            ));
            lines.push(format!("next: `{enrich}` asks for more about each of them"));
        }
        Outcome::CompleteBefore => {
            lines = vec![
                format!(
                    "the catalogue was complete before: {}; nothing was asked for",
                    counted(end.total, "book")
                ),
                "hint: --refresh asks again, to update known books and find new ones".to_owned(),
            ];
        }
        Outcome::Stopped => {
            lines.push("stopped as asked; run the same command again to go on".to_owned());
        }
        Outcome::Limited => {
            lines.push("the limit is reached; run the command again to go on".to_owned());
        }
        Outcome::Failed => {}
    }
    if end.repeated > 0 {
        lines.push(format!(
            "listed more than once: {}; the catalogue changed while it was read",
            counted(end.repeated, "book")
        ));
    }
    match &end.missing {
        Some(doubt) if end.vanishing > 0 => {
            lines.push(format!("the catalogue is not complete: {doubt}"));
            lines.push(
                "hint: if they are gone indeed, run the command again with --allow-vanish"
                    .to_owned(),
            );
        }
        Some(missing) => {
            lines.push(format!("the catalogue is not complete, missing: {missing}"));
            lines.push("run the same command again to go on there".to_owned());
        }
        None => {}
    }
    if printer.says(Volume::Verbose) {
        lines.push(format!(
            "{}, {}, {}, {}",
            cost(usage),
            counted(end.writes.transactions, "transaction"),
            counted(end.writes.rows, "row"),
            counted(end.writes.retries, "retry"),
        ));
    }
    lines
}
