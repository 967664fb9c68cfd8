//! How far a job is: kept in memory, looked at from outside, never written down.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use serde::Serialize;

/// The state of a running job, updated by its workers and read by anyone.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    items_total: AtomicU64,
    items_done: AtomicU64,
    items_failed: AtomicU64,
    bytes_total: AtomicU64,
    bytes_done: AtomicU64,
    content_millis: AtomicU64,
    phase: Mutex<&'static str>,
    workers: Mutex<Vec<Option<Busy>>>,
}

#[derive(Debug, Clone)]
struct Busy {
    item: String,
    stage: &'static str,
    since: Instant,
    thread: ThreadId,
    bytes: u64,
    /// How much of its content was worked through, from 0 to 1.
    part: f64,
}

/// The part of the work on an item that goes with its content; what comes of it is made afterwards. A FLAC of 15 minutes took
/// 41 s until it was decoded, and 18 s more.
const WITH_CONTENT: f64 = 0.7;

/// What one worker does at the moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkerState {
    /// The item in hand.
    pub item: String,
    /// The stage it is in.
    pub stage: &'static str,
    /// How long the item has been in hand, in seconds.
    pub seconds: f64,
}

/// A look at a [`Progress`] at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
    /// What the job as a whole is doing (`scan`, `import`, ..).
    pub phase: &'static str,
    /// Items to be worked, as far as known.
    pub items_total: u64,
    /// Items finished, failed ones among them.
    pub items_done: u64,
    /// Items that failed.
    pub items_failed: u64,
    /// Seconds of content (audio, for music) worked through.
    pub content_seconds: f64,
    /// Seconds since the job began.
    pub elapsed_seconds: f64,
    /// Expected seconds until the end, by the bytes still to be worked.
    pub remaining_seconds: Option<f64>,
    /// The part of all bytes that was worked, from 0 to 1, items in hand among them; `None` where bytes are not counted.
    #[serde(skip)]
    pub done: Option<f64>,
    /// Each worker's state; `None` is idle.
    pub workers: Vec<Option<WorkerState>>,
}

impl Progress {
    /// A job of `jobs` workers that begins now.
    pub fn new(jobs: usize) -> Self {
        Self {
            started: Instant::now(),
            items_total: AtomicU64::new(0),
            items_done: AtomicU64::new(0),
            items_failed: AtomicU64::new(0),
            bytes_total: AtomicU64::new(0),
            bytes_done: AtomicU64::new(0),
            content_millis: AtomicU64::new(0),
            phase: Mutex::new("start"),
            workers: Mutex::new(vec![None; jobs]),
        }
    }

    /// The job as a whole goes on to `phase`.
    pub fn phase(&self, phase: &'static str) {
        *lock(&self.phase) = phase;
    }

    /// So many items, of so many bytes, will have to be worked.
    pub fn expect(&self, items: u64, bytes: u64) {
        self.items_total.fetch_add(items, Ordering::Relaxed);
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Worker `worker` is now in `stage` of `item`.
    pub fn working(&self, worker: usize, item: &str, stage: &'static str) {
        let mut workers = lock(&self.workers);
        if workers.len() <= worker {
            workers.resize(worker + 1, None);
        }
        match &mut workers[worker] {
            Some(busy) if busy.item == item => busy.stage = stage,
            slot => {
                *slot = Some(Busy {
                    item: item.to_owned(),
                    stage,
                    since: Instant::now(),
                    thread: thread::current().id(),
                    bytes: 0,
                    part: 0.0,
                });
            }
        }
    }

    /// The item in hand of worker `worker` has so many bytes.
    pub fn weighs(&self, worker: usize, bytes: u64) {
        if let Some(Some(busy)) = lock(&self.workers).get_mut(worker) {
            busy.bytes = bytes;
        }
    }

    /// Of the item in hand of the worker that this thread is, such a part of the content was worked through.
    pub fn part(&self, part: f64) {
        let here = thread::current().id();
        let mut workers = lock(&self.workers);
        if let Some(busy) = workers
            .iter_mut()
            .flatten()
            .find(|busy| busy.thread == here)
        {
            busy.part = part.clamp(0.0, 1.0);
        }
    }

    /// Worker `worker` has finished an item of `bytes` bytes.
    pub fn finished(&self, worker: usize, bytes: u64, failed: bool) {
        self.items_done.fetch_add(1, Ordering::Relaxed);
        self.items_failed
            .fetch_add(u64::from(failed), Ordering::Relaxed);
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        if let Some(slot) = lock(&self.workers).get_mut(worker) {
            *slot = None;
        }
    }

    /// So much content (audio, for music) has been worked through.
    pub fn content(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.content_millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Where the job stands now.
    pub fn snapshot(&self) -> Snapshot {
        let elapsed = self.started.elapsed().as_secs_f64();
        let bytes_total = self.bytes_total.load(Ordering::Relaxed);
        let workers = lock(&self.workers).clone();
        let in_hand = workers.iter().flatten();
        let in_hand: f64 = in_hand
            .map(|busy| busy.bytes as f64 * busy.part * WITH_CONTENT)
            .sum();
        let bytes = self.bytes_done.load(Ordering::Relaxed) as f64 + in_hand;
        let done = (bytes_total > 0).then(|| (bytes / bytes_total as f64).min(1.0));
        let remaining = done
            .filter(|done| *done > 0.0)
            .map(|done| elapsed * (1.0 - done) / done);
        Snapshot {
            phase: *lock(&self.phase),
            items_total: self.items_total.load(Ordering::Relaxed),
            items_done: self.items_done.load(Ordering::Relaxed),
            items_failed: self.items_failed.load(Ordering::Relaxed),
            content_seconds: self.content_millis.load(Ordering::Relaxed) as f64 / 1000.0,
            elapsed_seconds: elapsed,
            remaining_seconds: remaining,
            done,
            workers: workers
                .iter()
                .map(|slot| slot.as_ref().map(describe))
                .collect(),
        }
    }
}

fn describe(busy: &Busy) -> WorkerState {
    WorkerState {
        item: busy.item.clone(),
        stage: busy.stage,
        seconds: busy.since.elapsed().as_secs_f64(),
    }
}

/// A worker that panicked while it held the lock left nothing half done: every
/// update is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_tells_counts_workers_and_time_left() {
        let progress = Progress::new(2);
        progress.phase("import");
        progress.expect(4, 400);
        progress.working(0, "a.mp3", "decode");
        progress.working(1, "b.mp3", "hash");
        progress.finished(1, 100, true);
        progress.content(Duration::from_millis(1500));
        let seen = progress.snapshot();
        assert_eq!(
            (seen.items_total, seen.items_done, seen.items_failed),
            (4, 1, 1)
        );
        assert!((seen.content_seconds - 1.5).abs() < 1e-9);
        assert_eq!(seen.workers[0].as_ref().map(|w| w.stage), Some("decode"));
        assert_eq!(seen.workers[1], None);
        let left = seen.remaining_seconds.unwrap();
        assert!((left - 3.0 * seen.elapsed_seconds).abs() < 1e-6);
    }

    #[test]
    fn time_left_is_unknown_until_something_is_done() {
        let progress = Progress::new(1);
        progress.expect(1, 10);
        assert_eq!(progress.snapshot().remaining_seconds, None);
    }
}
