//! Shows how far a job is: lines that are drawn again on a terminal, plain lines in a log, events for machines.
//!
//! A thread looks at the job's [`Progress`] now and then; the job itself never waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use console::{measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressStyle};
use run::{Cancel, Progress, Snapshot};

use crate::printer::{Printer, Volume, printable};
use crate::words::{count, counted, duration};

/// How often the terminal is drawn. Ten times a second looks steady; the whole picture is one write.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line or an event tells the progress where nothing can be drawn.
const TELL: Duration = Duration::from_secs(5);

/// How long a file has to be in hand to be named. A guess: what is gone sooner cannot be read anyway.
const NAMED_AFTER: f64 = 1.0;

/// The width of a terminal that does not tell its own.
const USUAL_WIDTH: usize = 80;

/// The part by which a new estimate of the time left moves the one that is shown. A guess: five seconds at ten drawings
/// a second, long enough for single files not to be seen in it.
const MOVED_BY: f64 = 0.02;

/// Draws a picture of a job as it stands; each string is a line of at most so many columns.
pub(crate) type Picture<'a> = dyn Fn(&Snapshot, usize) -> Vec<String> + Sync + 'a;

/// Shows progress until it is dropped.
pub(crate) struct Display<'scope> {
    stop: Option<Sender<()>>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
    notes: Notes,
}

impl<'scope> Display<'scope> {
    /// Begins to show the progress of an import; `event` gets a snapshot now and then for machines.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        printer: Printer,
        progress: &'env Progress,
        cancel: &'env Cancel,
        event: &'env (dyn Fn(Snapshot) + Sync),
    ) -> Self {
        Self::of(scope, printer, progress, cancel, event, &import_picture)
    }

    /// The same with a picture of its own.
    pub(crate) fn of<'env>(
        scope: &'scope Scope<'scope, 'env>,
        printer: Printer,
        progress: &'env Progress,
        cancel: &'env Cancel,
        event: &'env (dyn Fn(Snapshot) + Sync),
        picture: &'env Picture<'env>,
    ) -> Self {
        let (stop, stopped) = channel();
        let notes = Notes {
            printer,
            drawn: printer.may_draw().then(drawing),
        };
        let told = notes.clone();
        let thread = scope.spawn(move || {
            let mut shown = Shown {
                notes: &told,
                picture,
                event,
                told_at: Instant::now(),
                left: None,
                acknowledged: false,
            };
            while waits(&stopped) {
                shown.look(progress, cancel);
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
            notes,
        }
    }

    /// For a thread of its own to print lines with.
    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

/// Prints lines above what is drawn, if anything is.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    pub(crate) printer: Printer,
    drawn: Option<ProgressBar>,
}

impl Notes {
    /// Where nothing is drawn.
    pub(crate) fn without_bars(printer: Printer) -> Self {
        Self {
            printer,
            drawn: None,
        }
    }

    pub(crate) fn note(&self, volume: Volume, line: &str) {
        match &self.drawn {
            Some(drawn) => drawn.suspend(|| self.printer.note(volume, line)),
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
        if let Some(drawn) = &self.notes.drawn {
            drawn.finish_and_clear();
        }
    }
}

/// Whether another look is due.
fn waits(stopped: &Receiver<()>) -> bool {
    stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout)
}

/// A picture that is one message, so that a change of it is one drawing.
fn drawing() -> ProgressBar {
    let drawn = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{msg}");
    drawn.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    drawn
}

/// What is shown, from look to look.
struct Shown<'a> {
    notes: &'a Notes,
    picture: &'a Picture<'a>,
    event: &'a (dyn Fn(Snapshot) + Sync),
    told_at: Instant,
    left: Option<f64>,
    acknowledged: bool,
}

impl Shown<'_> {
    fn look(&mut self, progress: &Progress, cancel: &Cancel) {
        let mut seen = progress.snapshot();
        if cancel.is_requested() && !self.acknowledged {
            self.acknowledged = true;
            self.acknowledge(&seen);
        }
        let printer = self.notes.printer;
        if let Some(drawn) = &self.notes.drawn {
            seen.remaining_seconds = self.steadied(seen.remaining_seconds);
            let width = console::Term::stderr()
                .size_checked()
                .map_or(USUAL_WIDTH, |(_, columns)| columns.into());
            let lines = (self.picture)(&seen, width);
            drawn.set_message(lines.join("\n"));
        } else if self.told_at.elapsed() >= TELL {
            self.told_at = Instant::now();
            if printer.is_json() {
                (self.event)(seen);
            } else if let Some(line) = (self.picture)(&seen, usize::MAX).into_iter().next() {
                printer.note(Volume::Normal, &line);
            }
        }
    }

    /// Answers a request to stop at once; it is served when the items in hand are done.
    fn acknowledge(&self, seen: &Snapshot) {
        let in_hand = seen.workers.iter().flatten().count();
        let until = match in_hand {
            0 => "as soon as possible".to_owned(),
            _ => format!("after {} in hand", counted(in_hand, "item")),
        };
        self.notes.note(
            Volume::Normal,
            &format!("stopping {until}; Ctrl-C again stops at once"),
        );
    }

    /// Follows the estimate slowly, and counts down meanwhile.
    fn steadied(&mut self, estimate: Option<f64>) -> Option<f64> {
        let estimate = estimate?;
        let before = self
            .left
            .map_or(estimate, |left| left - REDRAW.as_secs_f64());
        let left = before + MOVED_BY * (estimate - before);
        self.left = Some(left.max(0.0));
        self.left
    }
}

/// An import: one line for all of it, one for each file that takes long.
fn import_picture(seen: &Snapshot, width: usize) -> Vec<String> {
    let mut lines = vec![with_bar(seen, &summaries(seen), width)];
    let long = seen.workers.iter().flatten();
    for state in long.filter(|state| state.seconds >= NAMED_AFTER) {
        let line = format!(
            "  {:>4.0} s  {}: {}",
            state.seconds,
            state.stage,
            printable(&state.item)
        );
        lines.push(truncate_str(&line, width, "…").into_owned());
    }
    lines
}

/// The first of some ways to say the same that fits, the longest of which comes first, with a bar before it where both fit and
/// the end is known.
pub(crate) fn with_bar(seen: &Snapshot, ways: &[String], width: usize) -> String {
    const BAR: usize = 20;
    let fits = |line: &&String| measure_text_width(line) < width;
    let line = ways.iter().find(fits).or(ways.last());
    let line = line.map_or("", String::as_str);
    let room = width.saturating_sub(measure_text_width(line) + 1);
    if seen.items_total > 0 && width < usize::MAX && room >= BAR {
        let items = seen.items_done.min(seen.items_total) as f64 / seen.items_total as f64;
        let done = seen.done.unwrap_or(items);
        let filled = (done * BAR as f64) as usize;
        format!("{}{} {line}", "━".repeat(filled), "╌".repeat(BAR - filled))
    } else {
        // The last column stays free: some terminals go to the next line when it is written.
        truncate_str(line, width.saturating_sub(1), "…").into_owned()
    }
}

/// One line: files, audio, time left or elapsed; and shorter ones for narrow terminals, which keep the count and the time.
fn summaries(seen: &Snapshot) -> Vec<String> {
    let elapsed = duration(seen.elapsed_seconds);
    if seen.items_total == 0 {
        return vec![format!("{} .. {elapsed}", seen.phase)];
    }
    let failed = match seen.items_failed {
        0 => String::new(),
        n => format!(", {} failed", count(n)),
    };
    let time = match seen.remaining_seconds {
        Some(left) if seen.elapsed_seconds >= NAMED_AFTER => format!("{} left", duration(left)),
        _ => elapsed,
    };
    let files = format!("{}/{}", count(seen.items_done), count(seen.items_total));
    let audio = duration(seen.content_seconds);
    vec![
        format!("{files} files{failed}, {audio} of audio, {time}"),
        format!("{files} files{failed}, {time}"),
        format!("{files}{failed}, {time}"),
        format!("{files}, {time}"),
    ]
}

#[cfg(test)]
mod tests {
    use run::WorkerState;

    use super::*;

    fn seen() -> Snapshot {
        Snapshot {
            phase: "import",
            items_total: 6000,
            items_done: 1234,
            items_failed: 12,
            content_seconds: 7500.0,
            elapsed_seconds: 75.0,
            remaining_seconds: Some(112.0),
            done: None,
            workers: vec![
                Some(WorkerState {
                    item: "Bach/Das Wohltemperierte Klavier/Präludium und Fuge in C-Dur.flac"
                        .into(),
                    stage: "decode",
                    seconds: 12.0,
                }),
                None,
            ],
        }
    }

    #[test]
    fn a_summary_tells_files_audio_and_time_left() {
        assert_eq!(
            summaries(&seen())[0],
            "1234/6000 files, 12 failed, 2 h 05 min of audio, 1 min 52 s left"
        );
    }

    #[test]
    fn the_picture_fits_every_width() {
        for width in [20, 40, 80, 120] {
            for line in import_picture(&seen(), width) {
                assert!(measure_text_width(&line) <= width, "{width}: {line}");
            }
        }
        for (width, expected) in [
            (60, "1234/6000 files, 12 failed, 1 min 52 s left"),
            (40, "1234/6000, 12 failed, 1 min 52 s left"),
            (30, "1234/6000, 1 min 52 s left"),
        ] {
            assert_eq!(import_picture(&seen(), width)[0], expected);
        }
        let wide = import_picture(&seen(), 120);
        assert!(wide[0].starts_with("━━━━╌"), "{}", wide[0]);
        assert_eq!(wide.len(), 2, "an idle worker is no line");
    }

    #[test]
    fn the_time_left_moves_steadily() {
        let mut shown = Shown {
            notes: &Notes::without_bars(Printer::silent()),
            picture: &import_picture,
            event: &|_| {},
            told_at: Instant::now(),
            left: None,
            acknowledged: false,
        };
        assert_eq!(shown.steadied(Some(100.0)), Some(100.0));
        let next = shown.steadied(Some(200.0)).unwrap();
        assert!((101.0..103.0).contains(&next), "{next}");
        assert_eq!(shown.steadied(None), None);
    }
}
