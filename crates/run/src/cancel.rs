//! Asking a job to stop, politely.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_listener::{Event, Listener};
use serde::Serialize;

/// A signal that asks a program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The terminal is gone: `SIGHUP`.
    HangUp,
    /// Ctrl-C: `SIGINT`.
    Interrupt,
    /// A service manager or a shutdown: `SIGTERM`.
    Terminate,
}

impl Signal {
    /// Every signal that asks a job to stop.
    pub const ALL: [Self; 3] = [Self::HangUp, Self::Interrupt, Self::Terminate];

    /// The signal's number in POSIX.
    pub const fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

/// Why a job was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Someone asked for this job to stop, for instance over HTTP.
    Asked,
    /// The whole program was asked to stop.
    Signal(Signal),
}

impl Reason {
    const fn code(self) -> usize {
        match self {
            Self::Asked => 1,
            Self::Signal(signal) => 1 + signal.number() as usize,
        }
    }

    fn from_code(code: usize) -> Option<Self> {
        let all = Signal::ALL.into_iter().map(Self::Signal);
        all.chain([Self::Asked])
            .find(|reason| reason.code() == code)
    }
}

impl From<Signal> for Reason {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

/// A request to stop, shared by everyone who works on a job.
///
/// Items in hand are finished, no new ones are begun. The request cannot be
/// taken back, and its first reason stands. Work that computes asks
/// [`is_requested`](Self::is_requested) between items, a thread that pauses
/// sleeps in [`sleep`](Self::sleep), and a task that waits for something else
/// also waits for [`requested`](Self::requested).
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// 0 until a reason is known.
    code: AtomicUsize,
    event: Event,
}

impl Cancel {
    /// For a job that nobody has asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the job to stop after the items in hand, and wakes everyone who waits.
    pub fn request(&self, reason: impl Into<Reason>) {
        let code = reason.into().code();
        // A later reason changes nothing.
        let _ = self
            .0
            .code
            .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    /// Whether the job has been asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.code.load(Ordering::SeqCst) != 0
    }

    /// Why the job was asked to stop, if it was.
    pub fn reason(&self) -> Option<Reason> {
        Reason::from_code(self.0.code.load(Ordering::SeqCst))
    }

    /// The signal that asked the job to stop, if one did.
    pub fn signal(&self) -> Option<Signal> {
        match self.reason() {
            Some(Reason::Signal(signal)) => Some(signal),
            Some(Reason::Asked) | None => None,
        }
    }

    /// Waits until the job is asked to stop. Dropping the future forgets it.
    pub async fn requested(&self) -> Reason {
        loop {
            // Listening before looking, so that no request falls between the two.
            let listener = self.0.event.listen();
            if let Some(reason) = self.reason() {
                return reason;
            }
            listener.await;
        }
    }

    /// Sleeps for `time`, or until the job is asked to stop; whether it was.
    pub fn sleep(&self, time: Duration) -> bool {
        let listener = self.0.event.listen();
        if !self.is_requested() {
            listener.wait_timeout(time);
        }
        self.is_requested()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_request_reaches_every_clone_and_its_first_reason_stands() {
        let cancel = Cancel::new();
        let elsewhere = cancel.clone();
        assert_eq!(elsewhere.reason(), None);
        cancel.request(Signal::Terminate);
        cancel.request(Reason::Asked);
        assert!(elsewhere.is_requested());
        assert_eq!(elsewhere.signal(), Some(Signal::Terminate));
    }

    #[test]
    fn every_reason_comes_back_as_it_went_in() {
        let signals = Signal::ALL.map(Reason::Signal);
        for reason in signals.into_iter().chain([Reason::Asked]) {
            let cancel = Cancel::new();
            cancel.request(reason);
            assert_eq!(cancel.reason(), Some(reason));
        }
    }

    #[test]
    fn a_sleeping_thread_is_woken() {
        let cancel = Cancel::new();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| cancel.sleep(Duration::from_mins(1)));
            std::thread::sleep(Duration::from_millis(20));
            cancel.request(Reason::Asked);
            assert!(sleeper.join().unwrap());
        });
        assert!(cancel.sleep(Duration::from_mins(1)));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_sleep_that_nobody_ends_takes_its_time() {
        let cancel = Cancel::new();
        let began = Instant::now();
        assert!(!cancel.sleep(Duration::from_millis(30)));
        assert!(began.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_waiting_task_is_ready_once_the_job_is_asked_to_stop() {
        let cancel = Cancel::new();
        let mut waiting = pin!(cancel.requested());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
        cancel.request(Signal::HangUp);
        assert_eq!(
            waiting.as_mut().poll(&mut context),
            Poll::Ready(Reason::Signal(Signal::HangUp))
        );
    }
}
