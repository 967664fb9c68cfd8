//! `music collect`.

use anyhow::{Context, Result};
use music::heard::collect::{Collect, collect as collect_records, is_empty};
use music::heard::place::Place;
use music::heard::source::Source;
use music::{Completed, Event, Library};
use run::{Cancel, ExitStatus, Progress};

use crate::args;
use crate::commands::import::told::Told;
use crate::commands::located;
use crate::hints::advised;
use crate::printer::Printer;
use crate::progress::Display;
use crate::signals::stop_on_signals;

/// Records what was heard.
pub(crate) fn collect(args: &args::hear::Collect, printer: Printer) -> Result<ExitStatus> {
    let endpoint = args.store.address();
    let open = |address: &String| Place::open(address, endpoint.as_deref());
    let records: Vec<Place> = args.records.iter().map(open).collect::<Result<_, _>>()?;
    for place in records.iter().filter_map(Place::folder) {
        // A typing error must not leave an empty library behind.
        std::fs::read_dir(place)
            .with_context(|| format!("cannot read the folder `{}`", place.display()))?;
    }
    let source = args.source.as_ref().map(open).transpose()?.map(Source::new);
    let mut place = args.place.clone();
    // Nothing but the database lies in the root folder where the audio is in a bucket.
    if place.root_folder.is_none() {
        let of_source = source.as_ref().and_then(|source| source.place().folder());
        let of_database = place.database.as_deref().and_then(std::path::Path::parent);
        place.root_folder = of_source.or(of_database).map(std::path::Path::to_owned);
    }
    let located = located(&place, printer)?;
    if located.assumed() && !located.database.exists() {
        return Err(advised(
            "no library is named, and there is none here to collect into",
            "--database says where it is to be",
        ));
    }
    // Nor must a place without records become one.
    if !args.follow && !located.database.exists() && is_empty(&records)? {
        let places = args.records.join("`, `");
        let hint = "`accession music hear --out PLACE` makes them; --follow waits for them";
        return Err(advised(format!("there are no records in `{places}`"), hint));
    }
    let library = Library::open_to_record(&located.database, &located.root)?;
    let what = Collect {
        records: &records,
        source: source.as_ref(),
        jobs: usize::from(args.jobs),
        prune: args.prune,
        follow: args.follow,
    };
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let completed = run(&library, &what, &cancel, printer)?;
    library.close()?;
    let files = &completed.files;
    Ok(match cancel.signal() {
        Some(signal) => ExitStatus::Stopped(signal),
        None if files.all_taken_in() && files.not_reached == 0 => ExitStatus::Done,
        None => ExitStatus::SomeFailed,
    })
}

fn run(
    library: &Library,
    what: &Collect<'_>,
    cancel: &Cancel,
    printer: Printer,
) -> Result<Completed> {
    let progress = Progress::new(what.jobs);
    let snapshots = |snapshot| printer.json(&Event::Progress(snapshot));
    let told = Told::default();
    std::thread::scope(|scope| {
        let display = Display::start(scope, printer, &progress, cancel, &snapshots);
        let notes = display.notes();
        let tell = |event: &Event| {
            if printer.is_json() {
                printer.json(event);
            } else if let Some((volume, line)) = told.line(event) {
                notes.note(volume, &line);
            }
        };
        let completed = collect_records(library, what, cancel, &progress, &tell);
        drop(display);
        let completed = completed?;
        if printer.is_json() {
            printer.json(&Event::ImportCompleted(Box::new(completed.clone())));
        } else {
            for line in told.report(&completed, printer) {
                printer.result(&line);
            }
        }
        Ok(completed)
    })
}
