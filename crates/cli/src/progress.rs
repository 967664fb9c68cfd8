//! Shows how far a job is: bars on a terminal, plain lines in a log, events for machines.
//!
//! A thread looks at the job's [`Progress`] now and then; the job itself never waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use run::{Progress, Snapshot};

use crate::printer::{Printer, Volume, printable};

/// How often bars are redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line or an event tells the progress where no bar can.
const TELL: Duration = Duration::from_secs(5);

/// Shows progress until it is dropped.
pub(crate) struct Display<'scope> {
    stop: Option<Sender<()>>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
    bars: Option<MultiProgress>,
}

impl<'scope> Display<'scope> {
    /// Begins to show `progress`; `event` gets a snapshot now and then for machines.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        printer: Printer,
        progress: &'env Progress,
        event: &'env (dyn Fn(Snapshot) + Sync),
    ) -> Self {
        let (stop, stopped) = channel();
        let bars = printer.may_draw().then(MultiProgress::new);
        let drawn = bars.clone();
        let thread = scope.spawn(move || match drawn {
            Some(bars) => draw(&bars, progress, &stopped),
            None => tell(printer, progress, event, &stopped),
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
            bars,
        }
    }

    /// For a thread of its own to print lines with.
    pub(crate) fn notes(&self, printer: Printer) -> Notes {
        Notes {
            printer,
            bars: self.bars.clone(),
        }
    }
}

/// Prints lines above the bars, if there are any.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    pub(crate) printer: Printer,
    bars: Option<MultiProgress>,
}

impl Notes {
    /// Where there are no bars.
    pub(crate) fn without_bars(printer: Printer) -> Self {
        Self {
            printer,
            bars: None,
        }
    }

    pub(crate) fn note(&self, volume: Volume, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.printer.note(volume, line)),
            None => self.printer.note(volume, line),
        }
    }
}

impl Drop for Display<'_> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A display that panicked has shown so on the terminal; the job is not concerned.
            let _ = thread.join();
        }
        if let Some(bars) = &self.bars {
            // A terminal that cannot be cleared cannot be helped.
            let _ = bars.clear();
        }
    }
}

fn waits(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

fn draw(bars: &MultiProgress, progress: &Progress, stopped: &Receiver<()>) {
    let plain = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    let total = bars.add(ProgressBar::new(0));
    total.set_style(plain("{bar:30.cyan/blue} {msg}").progress_chars("━╸ "));
    let mut workers: Vec<ProgressBar> = Vec::new();
    while waits(stopped, REDRAW) {
        let seen = progress.snapshot();
        total.set_length(seen.items_total);
        total.set_position(seen.items_done);
        total.set_message(summary(&seen));
        while workers.len() < seen.workers.len() {
            let line = bars.add(ProgressBar::new(0));
            line.set_style(plain("  {msg:.dim}"));
            workers.push(line);
        }
        for (line, state) in workers.iter().zip(&seen.workers) {
            line.set_message(match state {
                Some(state) => format!(
                    "{:<11} {:>4.0} s  {}",
                    state.stage,
                    state.seconds,
                    printable(&state.item)
                ),
                None => "idle".to_owned(),
            });
        }
    }
    total.finish_and_clear();
    for line in workers {
        line.finish_and_clear();
    }
}

fn tell(
    printer: Printer,
    progress: &Progress,
    event: &(dyn Fn(Snapshot) + Sync),
    stopped: &Receiver<()>,
) {
    while waits(stopped, TELL) {
        let seen = progress.snapshot();
        if printer.is_json() {
            event(seen);
        } else {
            printer.note(Volume::Normal, &summary(&seen));
        }
    }
}

/// One line: files, audio, speed against real time, time left.
pub(crate) fn summary(seen: &Snapshot) -> String {
    if seen.items_total == 0 {
        return format!("{} ..", seen.phase);
    }
    let speed = seen.content_seconds / seen.elapsed_seconds.max(0.001);
    let failed = match seen.items_failed {
        0 => String::new(),
        n => format!(", {n} failed"),
    };
    let left = seen.remaining_seconds.map_or_else(String::new, |seconds| {
        format!(", {} left", duration(seconds))
    });
    format!(
        "{}/{} files{failed}, {} of audio, {speed:.0}x real time{left}",
        seen.items_done,
        seen.items_total,
        duration(seen.content_seconds),
    )
}

/// A length of time for people: `4 s`, `3 min 20 s`, `2 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_rounded() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(59.6), "1 min 00 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
    }

    #[test]
    fn a_summary_tells_files_audio_speed_and_time_left() {
        let seen = Snapshot {
            phase: "import",
            items_total: 10,
            items_done: 4,
            items_failed: 1,
            content_seconds: 7500.0,
            elapsed_seconds: 75.0,
            remaining_seconds: Some(112.0),
            workers: Vec::new(),
        };
        assert_eq!(
            summary(&seen),
            "4/10 files, 1 failed, 2 h 05 min of audio, 100x real time, 1 min 52 s left"
        );
    }
}
