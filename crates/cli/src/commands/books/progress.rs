//! Shows how far a command on books is: a line that is drawn again on a terminal, lines elsewhere, events for machines.

use std::sync::atomic::{AtomicU64, Ordering};

use books::{Event, Severity};
use run::{Cancel, Progress, Snapshot};

use crate::printer::{Printer, Volume};
use crate::progress::{Display, with_bar};
use crate::words::{count, counted, duration};

/// Runs `work`, which tells its events, while its progress is shown.
pub(crate) fn shown<T>(
    printer: Printer,
    progress: &Progress,
    cancel: &Cancel,
    work: impl FnOnce(&(dyn Fn(&Event) + Sync)) -> T,
) -> T {
    let snapshots = |snapshot| printer.json(&Event::Progress(snapshot));
    // A service that is busy for hours answers many requests with "later"; they are counted, not listed.
    let repeated = AtomicU64::new(0);
    let picture = |seen: &Snapshot, width: usize| {
        let mut ways = summaries(seen);
        let times = repeated.load(Ordering::Relaxed);
        if times > 0 {
            let longest = format!("{}, {}", ways[0], counted(times, "retry"));
            ways.insert(0, longest);
        }
        vec![with_bar(seen, &ways, width)]
    };
    std::thread::scope(|scope| {
        let display = Display::of(scope, printer, progress, cancel, &snapshots, &picture);
        let notes = display.notes();
        work(&|event: &Event| {
            if matches!(event, Event::RequestRepeated { .. }) {
                repeated.fetch_add(1, Ordering::Relaxed);
            }
            if printer.is_json() {
                printer.json(event);
            } else if let Some(volume) = volume(event) {
                notes.note(volume, &event.to_string());
            }
        })
    })
}

/// How loud an event is, for those that are lines. How a command ended is told as its result.
fn volume(event: &Event) -> Option<Volume> {
    if matches!(
        event,
        Event::CollectCompleted(_) | Event::EnrichCompleted(_)
    ) {
        return None;
    }
    if matches!(event, Event::RequestRepeated { .. }) {
        return Some(Volume::Verbose);
    }
    Some(match event.severity()? {
        Severity::Error | Severity::Warning => Volume::Brief,
        Severity::Info => Volume::Normal,
        Severity::Detail => Volume::Verbose,
    })
}

/// One line: books, rate, time left or elapsed; and shorter ones for narrow terminals, which keep the count and the time.
fn summaries(seen: &Snapshot) -> Vec<String> {
    let rate = seen.items_done as f64 / seen.elapsed_seconds.max(0.001);
    let failed = match seen.items_failed {
        0 => String::new(),
        n => format!(", {} failed", count(n)),
    };
    let rate_told = count(rate.round() as u64);
    if seen.items_total > seen.items_done && rate > 0.0 {
        let left = (seen.items_total - seen.items_done) as f64 / rate;
        let left = duration(left);
        let books = format!("{}/{}", count(seen.items_done), count(seen.items_total));
        return vec![
            format!("{books} books{failed}, {rate_told} a second, {left} left"),
            format!("{books} books{failed}, {left} left"),
            format!("{books}{failed}, {left} left"),
            format!("{books}, {left} left"),
        ];
    }
    let books = counted(seen.items_done, "book");
    let elapsed = duration(seen.elapsed_seconds);
    vec![
        format!("{books}{failed}, {rate_told} a second, {elapsed}"),
        format!("{books}{failed}, {elapsed}"),
        format!("{books}, {elapsed}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_tells_the_rate_and_the_time_left_where_it_is_known() {
        let mut seen = Snapshot {
            phase: "collect",
            items_total: 0,
            items_done: 500,
            items_failed: 0,
            content_seconds: 0.0,
            elapsed_seconds: 10.0,
            remaining_seconds: None,
            done: None,
            workers: Vec::new(),
        };
        assert_eq!(summaries(&seen)[0], "500 books, 50 a second, 10 s");
        seen.items_total = 1000;
        seen.items_failed = 2;
        assert_eq!(
            summaries(&seen)[0],
            "500/1000 books, 2 failed, 50 a second, 10 s left"
        );
    }
}
