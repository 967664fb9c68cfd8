//! Stops knocking at a door that does not open.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens after so many failures in a row; then lets one request through after each pause.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// Failures in a row that open it.
    failures: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    pub(crate) fn new(failures: u32, pause: Duration) -> Self {
        Self {
            failures,
            pause,
            state: Mutex::default(),
        }
    }

    /// How long nothing may be sent; `None` lets the request through.
    pub(crate) fn closed_for(&self, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let until = state.open_until?;
        if now < until {
            return Some(until - now);
        }
        // One request tries; the others wait for how it goes.
        state.open_until = Some(now + self.pause);
        None
    }

    /// The other side works.
    pub(crate) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// The other side, or the way to it, failed.
    pub(crate) fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.in_a_row = state.in_a_row.saturating_add(1);
        if state.in_a_row >= self.failures {
            state.open_until = Some(now + self.pause);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_request_try_again() {
        let second = Duration::from_secs(1);
        let breaker = Breaker::new(2, second);
        let now = Instant::now();
        breaker.failed(now);
        breaker.succeeded();
        breaker.failed(now);
        assert_eq!(breaker.closed_for(now), None);
        breaker.failed(now);
        assert_eq!(breaker.closed_for(now), Some(second));
        assert_eq!(breaker.closed_for(now + second), None, "one tries");
        assert_eq!(
            breaker.closed_for(now + second),
            Some(second),
            "others wait"
        );
        breaker.succeeded();
        assert_eq!(breaker.closed_for(now), None);
    }
}
