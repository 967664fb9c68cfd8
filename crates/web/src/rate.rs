//! How many requests go out, and when none may.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A pace that clients of several processes keep together, besides each client's own.
pub trait Pace: std::fmt::Debug + Send + Sync {
    /// Waits until a request may go out.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// At most so many requests in any second, first come, first served.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Requests in any window; none means no limit.
    limit: Option<(usize, Duration)>,
    state: Mutex<State>,
    /// Whoever waits holds it, so that nobody overtakes.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// When the last requests went out, oldest first; no more than the limit.
    sent: VecDeque<Instant>,
    /// The other side asked for silence until then.
    silent_until: Option<Instant>,
}

impl Rate {
    /// `per_second` requests a second, rounded down; zero or less is no limit. Below one, it is one request in a longer
    /// window.
    pub(crate) fn new(per_second: f64) -> Self {
        let limit = (per_second > 0.0).then(|| {
            let count = per_second.floor().max(1.0);
            // A window shorter than a second would let more through in some seconds.
            let window = Duration::from_secs_f64((1.0 / per_second).max(1.0));
            (count as usize, window)
        });
        Self {
            limit,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits until a request may go out, and counts it.
    pub(crate) async fn ready(&self) {
        let _turn = self.turn.lock().await;
        while let Some(time) = self.take(Instant::now()) {
            tokio::time::sleep_until(time.into()).await;
        }
    }

    /// No request goes out before `pause` has passed.
    pub(crate) fn silence(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state();
        state.silent_until = Some(state.silent_until.map_or(until, |then| then.max(until)));
    }

    /// Counts a request at `now`, or tells when to ask again.
    fn take(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        if let Some(until) = state.silent_until {
            if now < until {
                return Some(until);
            }
            state.silent_until = None;
        }
        let (count, window) = self.limit?;
        if state.sent.len() >= count {
            let free = state.sent.front().map(|first| *first + window)?;
            if now < free {
                return Some(free);
            }
            state.sent.pop_front();
        }
        state.sent.push_back(now);
        None
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_of_a_second_holds_more_than_the_limit() {
        let rate = Rate::new(5.0);
        let start = Instant::now();
        let mut now = start;
        let mut sent = Vec::new();
        while sent.len() < 23 {
            match rate.take(now) {
                None => sent.push(now),
                Some(time) => now = time,
            }
        }
        for pair in sent.windows(6) {
            assert!(pair[5] - pair[0] >= Duration::from_secs(1));
        }
        assert!(now - start <= Duration::from_secs(5));
    }

    #[test]
    fn a_limit_below_one_is_a_longer_window() {
        let rate = Rate::new(0.5);
        let start = Instant::now();
        assert_eq!(rate.take(start), None);
        assert_eq!(rate.take(start), Some(start + Duration::from_secs(2)));
    }

    #[test]
    fn a_broken_number_is_no_more_in_any_second() {
        let rate = Rate::new(2.9);
        let start = Instant::now();
        assert_eq!(rate.take(start), None);
        assert_eq!(rate.take(start), None);
        assert_eq!(rate.take(start), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn silence_holds_everybody_and_no_limit_holds_nobody() {
        let rate = Rate::new(0.0);
        assert_eq!(rate.take(Instant::now()), None);
        rate.silence(Duration::from_mins(1));
        assert!(rate.take(Instant::now()).is_some());
        assert_eq!(rate.take(Instant::now() + Duration::from_mins(2)), None);
    }
}
