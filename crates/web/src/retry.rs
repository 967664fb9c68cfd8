//! Repeats an operation as long as that makes sense.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::error::{Class, Classified};

/// How often and how patiently an operation is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Attempts in all; 6 unless said.
    pub attempts: u32,
    /// Pause before the second attempt; doubled before each further one. Half a second unless said.
    pub first_pause: Duration,
    /// No pause is longer unless the other side asks for it; 30 s unless said.
    pub longest_pause: Duration,
    /// The longest pause that the other side is granted; 10 min unless said.
    pub longest_asked: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_asked: Duration::from_mins(10),
        }
    }
}

impl Retry {
    /// Runs `operation` until it succeeds, fails for good, or has used up its attempts.
    ///
    /// Between attempts, `stop` is asked several times a second; once it says so, the last error is returned.
    /// `again` hears of each failure that is followed by another attempt, and how long the pause is.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn run<T, E, F>(
        &self,
        stop: impl Fn() -> bool,
        again: impl Fn(&E, Duration),
        mut operation: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: Classified,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempt = 1;
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(pause) = self.pause(attempt, error.class()) else {
                return Err(error);
            };
            if attempt >= self.attempts || stop() {
                return Err(error);
            }
            again(&error, pause);
            if !sleep_unless(pause, &stop).await {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// How long to wait after a failed attempt; `None` if another makes no sense.
    fn pause(&self, attempt: u32, class: Class) -> Option<Duration> {
        let doubled = self.first_pause * 2u32.saturating_pow((attempt - 1).min(20));
        // Jitter keeps many waiting operations from coming back at once.
        let own = doubled
            .min(self.longest_pause)
            .mul_f64(0.75 + fastrand::f64() / 2.0);
        match class {
            Class::Transient | Class::Throttled(None) => Some(own),
            Class::Throttled(Some(asked)) if asked <= self.longest_asked => Some(asked.max(own)),
            Class::Throttled(Some(_)) | Class::Unauthorised | Class::Final => None,
        }
    }
}

/// Sleeps; `false` if `stop` ended it.
async fn sleep_unless(pause: Duration, stop: &impl Fn() -> bool) -> bool {
    const LOOK: Duration = Duration::from_millis(100);
    let until = Instant::now() + pause;
    loop {
        if stop() {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[derive(Debug)]
    struct Failure(Class);

    impl Classified for Failure {
        fn class(&self) -> Class {
            self.0
        }
    }

    const FAST: Retry = Retry {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        longest_asked: Duration::from_millis(50),
    };

    fn attempts(class: Class, stop: bool) -> (u32, Vec<Duration>) {
        let (count, pauses) = (Cell::new(0), RefCell::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let result: Result<(), Failure> = runtime.block_on(FAST.run(
            || stop,
            |_, pause| pauses.borrow_mut().push(pause),
            || {
                count.set(count.get() + 1);
                async move { Err(Failure(class)) }
            },
        ));
        assert_eq!(result.unwrap_err().0, class);
        (count.get(), pauses.into_inner())
    }

    #[test]
    fn only_what_may_help_is_tried_again() {
        assert_eq!(attempts(Class::Transient, false).0, 4);
        assert_eq!(attempts(Class::Throttled(None), false).0, 4);
        assert_eq!(attempts(Class::Final, false).0, 1);
        assert_eq!(attempts(Class::Unauthorised, false).0, 1);
        assert_eq!(attempts(Class::Transient, true).0, 1);
    }

    #[test]
    fn the_other_side_is_obeyed_within_reason() {
        let asked = Duration::from_millis(20);
        let (count, pauses) = attempts(Class::Throttled(Some(asked)), false);
        assert_eq!((count, pauses), (4, vec![asked; 3]));
        let (count, _) = attempts(Class::Throttled(Some(Duration::from_mins(1))), false);
        assert_eq!(count, 1, "nobody waits longer than is reasonable");
    }
}
