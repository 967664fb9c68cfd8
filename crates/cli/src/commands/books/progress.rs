//! Shows how far a command on books is: a bar on a terminal, lines elsewhere, events for machines.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use books::{Event, Severity};
use indicatif::{ProgressBar, ProgressStyle};
use run::{Progress, Snapshot};

use crate::printer::{Printer, Volume};
use crate::progress::duration;

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(200);

/// How often a line or an event tells the progress where no bar can.
const TELL: Duration = Duration::from_secs(5);

/// Runs `work`, which tells its events, while its progress is shown.
pub(crate) fn shown<T>(
    printer: Printer,
    progress: &Progress,
    work: impl FnOnce(&(dyn Fn(&Event) + Sync)) -> T,
) -> T {
    let bar = printer.may_draw().then(ProgressBar::no_length);
    let (stop, stopped) = channel::<()>();
    std::thread::scope(|scope| {
        let drawn = bar.clone();
        scope.spawn(move || match drawn {
            Some(bar) => draw(&bar, progress, &stopped),
            None => tell(printer, progress, &stopped),
        });
        let result = work(&|event: &Event| {
            if printer.is_json() {
                printer.json(event);
            } else if let Some(volume) = volume(event) {
                let text = event.to_string();
                match &bar {
                    Some(bar) => bar.suspend(|| printer.note(volume, &text)),
                    None => printer.note(volume, &text),
                }
            }
        });
        drop(stop);
        result
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
    Some(match event.severity()? {
        Severity::Error | Severity::Warning => Volume::Brief,
        Severity::Info => Volume::Normal,
        Severity::Detail => Volume::Verbose,
    })
}

fn waits(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

fn draw(bar: &ProgressBar, progress: &Progress, stopped: &Receiver<()>) {
    if let Ok(style) = ProgressStyle::with_template("{bar:30.cyan/blue} {msg}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    while waits(stopped, REDRAW) {
        let seen = progress.snapshot();
        if seen.items_total > 0 {
            bar.set_length(seen.items_total.max(seen.items_done));
        }
        bar.set_position(seen.items_done);
        bar.set_message(summary(&seen));
    }
    bar.finish_and_clear();
}

fn tell(printer: Printer, progress: &Progress, stopped: &Receiver<()>) {
    while waits(stopped, TELL) {
        let seen = progress.snapshot();
        if printer.is_json() {
            printer.json(&Event::Progress(seen));
        } else {
            printer.note(Volume::Normal, &summary(&seen));
        }
    }
}

/// One line: books, rate, time left where it is known.
fn summary(seen: &Snapshot) -> String {
    let rate = seen.items_done as f64 / seen.elapsed_seconds.max(0.001);
    let failed = match seen.items_failed {
        0 => String::new(),
        n => format!(", {n} failed"),
    };
    let (of, left) = if seen.items_total > seen.items_done && rate > 0.0 {
        let left = (seen.items_total - seen.items_done) as f64 / rate;
        (
            format!("/{}", seen.items_total),
            format!(", {} left", duration(left)),
        )
    } else {
        (String::new(), String::new())
    };
    format!(
        "{}{of} books{failed}, {rate:.0} a second{left}",
        seen.items_done
    )
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
            workers: Vec::new(),
        };
        assert_eq!(summary(&seen), "500 books, 50 a second");
        seen.items_total = 1000;
        seen.items_failed = 2;
        assert_eq!(
            summary(&seen),
            "500/1000 books, 2 failed, 50 a second, 10 s left"
        );
    }
}
