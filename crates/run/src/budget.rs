//! What reading something foreign may cost.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// How many bytes are spent before the clock is looked at again: looking at it
/// is a system call, which is dear beside a few bytes and cheap beside these.
const BYTES_PER_LOOK: u64 = 1 << 16;

/// Why reading something was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// More came out of it than it may hold.
    #[error("holds more than {0} bytes, which is more than can be read of it")]
    Bytes(u64),
    /// Reading it took longer than it may take.
    #[error("takes more than {} s to read", .0.as_secs_f64())]
    Time(Duration),
}

impl From<Exceeded> for io::Error {
    fn from(exceeded: Exceeded) -> Self {
        Self::new(io::ErrorKind::QuotaExceeded, exceeded)
    }
}

/// What reading something foreign may cost: bytes, counted after unpacking, and
/// CPU time.
///
/// It is handed down to every reader of data that others made, and spent there
/// *before* memory is taken or work is done: a length that a header declares is
/// spent before that much is allocated. Clones spend from the same budget.
///
/// Time is that of the CPU in the thread that made the budget, so that a slow
/// disk or a busy machine makes no file unreadable; seen from another thread,
/// and where the system does not tell, it is time that has passed.
#[derive(Debug, Clone)]
pub struct Budget(Arc<State>);

#[derive(Debug)]
struct State {
    bytes: u64,
    time: Duration,
    spent: AtomicU64,
    looked_at: AtomicU64,
    thread: ThreadId,
    began: Instant,
    began_cpu: Option<Duration>,
}

impl Budget {
    /// A budget of `bytes` bytes and `time`, which begins now.
    pub fn new(bytes: u64, time: Duration) -> Self {
        Self(Arc::new(State {
            bytes,
            time,
            spent: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            thread: std::thread::current().id(),
            began: Instant::now(),
            began_cpu: thread_cpu(),
        }))
    }

    /// Spends `bytes` bytes.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if that is more than is left, or if the time is up. The
    /// bytes are spent all the same: a reader that ignores it gets no further.
    pub fn spend(&self, bytes: u64) -> Result<(), Exceeded> {
        let state = &*self.0;
        let before = state
            .spent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
                Some(spent.saturating_add(bytes))
            })
            .unwrap_or_else(|spent| spent);
        let spent = before.saturating_add(bytes);
        if spent > state.bytes {
            return Err(Exceeded::Bytes(state.bytes));
        }
        if spent - state.looked_at.load(Ordering::Relaxed) >= BYTES_PER_LOOK {
            state.looked_at.store(spent, Ordering::Relaxed);
            return self.check_time();
        }
        Ok(())
    }

    /// Looks at the clock; for loops that work without reading.
    ///
    /// # Errors
    ///
    /// [`Exceeded::Time`] if the time is up.
    pub fn check_time(&self) -> Result<(), Exceeded> {
        let state = &*self.0;
        let here = std::thread::current().id() == state.thread;
        let cpu = here.then(thread_cpu).flatten().zip(state.began_cpu);
        let taken = match cpu {
            Some((now, began)) => now.saturating_sub(began),
            None => state.began.elapsed(),
        };
        if taken > state.time {
            return Err(Exceeded::Time(state.time));
        }
        Ok(())
    }

    /// Bytes that are left.
    pub fn left(&self) -> u64 {
        let spent = self.0.spent.load(Ordering::Relaxed);
        self.0.bytes.saturating_sub(spent)
    }

    /// Reads `inner`, spending what comes out of it.
    pub fn reader<R>(&self, inner: R) -> BudgetReader<R> {
        BudgetReader {
            inner,
            budget: self.clone(),
        }
    }
}

/// A reader that spends a [`Budget`]; where it is exceeded, reading fails with
/// [`io::ErrorKind::QuotaExceeded`].
#[derive(Debug)]
pub struct BudgetReader<R> {
    inner: R,
    budget: Budget,
}

impl<R> BudgetReader<R> {
    /// The reader inside.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for BudgetReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.spend(count as u64)?;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for BudgetReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // What is consumed is spent after the fact, so what is left is looked at here.
        self.budget.spend(0)?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        // The next `fill_buf` or `read` says that it was too much.
        let _ = self.budget.spend(amount as u64);
    }
}

impl<R: Seek> Seek for BudgetReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such clock")]
fn thread_cpu() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // A clock of the CPU counts from nought: neither part is negative.
    Some(Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    ))
}

#[cfg(windows)]
fn thread_cpu() -> Option<Duration> {
    Some(cpu_time::ThreadTime::try_now().ok()?.as_duration())
}

#[cfg(not(any(windows, target_os = "linux")))]
fn thread_cpu() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_reader_gives_no_more_than_its_budget() {
        let budget = Budget::new(1000, HOUR);
        let mut read = Vec::new();
        budget
            .reader(&[0u8; 600][..])
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(budget.left(), 400);
        let error = budget
            .reader(io::repeat(0))
            .read_to_end(&mut read)
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert!(read.len() <= 1000);
        assert_eq!(budget.left(), 0);
        // Nor later, nor where a buffer is looked into.
        let mut lines = budget.reader(io::BufReader::new(io::repeat(b'x')));
        assert!(lines.read_until(b'\n', &mut read).is_err());
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let budget = Budget::new(1 << 20, HOUR);
        let mut line = Vec::new();
        let error = budget
            .reader(io::BufReader::new(io::repeat(b'x')))
            .read_until(b'\n', &mut line)
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert!(line.len() < 2 << 20);
    }

    #[test]
    fn a_declared_length_is_spent_before_it_is_believed() {
        let budget = Budget::new(1 << 20, HOUR);
        assert_eq!(budget.spend(u64::MAX), Err(Exceeded::Bytes(1 << 20)));
        assert_eq!(budget.spend(1), Err(Exceeded::Bytes(1 << 20)));
    }

    #[test]
    fn work_ends_when_the_time_is_up() {
        let budget = Budget::new(u64::MAX, Duration::from_millis(20));
        let mut chunk = vec![0u8; 1 << 16];
        let mut reader = budget.reader(io::repeat(7));
        let error = loop {
            if let Err(error) = reader.read_exact(&mut chunk) {
                break error;
            }
        };
        assert!(error.to_string().contains("0.02 s"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn waiting_spends_nothing() {
        let budget = Budget::new(1, Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(budget.check_time(), Ok(()));
    }
}
