//! Asking a job to stop, politely.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why a job was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C, `SIGINT`.
    Interrupt,
    /// `SIGTERM`, a service manager's or a shutdown's wish.
    Terminate,
}

impl Signal {
    /// The signal's number, as POSIX has it.
    pub const fn number(self) -> usize {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

/// A request to stop, shared by everyone who works on a job.
///
/// Items in hand are finished, no new ones are begun. The request cannot be
/// taken back.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicUsize>);

impl Cancel {
    /// A job nobody has asked to stop.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the job to stop after the items in hand.
    pub fn request(&self, signal: Signal) {
        self.0.store(signal.number(), Ordering::Relaxed);
    }

    /// Whether the job has been asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// What asked the job to stop, if anything did.
    pub fn signal(&self) -> Option<Signal> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            15 => Some(Signal::Terminate),
            _ => Some(Signal::Interrupt),
        }
    }

    /// The flag itself, for a signal handler, which may do no more than store
    /// the signal's number in it.
    pub fn as_flag(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reaches_every_clone_and_names_its_signal() {
        let cancel = Cancel::new();
        let elsewhere = cancel.clone();
        assert_eq!(elsewhere.signal(), None);
        cancel.request(Signal::Terminate);
        assert!(elsewhere.is_requested());
        assert_eq!(elsewhere.signal(), Some(Signal::Terminate));
    }

    #[test]
    fn a_handler_that_stores_the_number_is_a_request() {
        let cancel = Cancel::new();
        cancel
            .as_flag()
            .store(Signal::Interrupt.number(), Ordering::SeqCst);
        assert_eq!(cancel.signal(), Some(Signal::Interrupt));
    }
}
