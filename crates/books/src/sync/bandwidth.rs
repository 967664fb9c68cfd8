//! How many bytes a second may come, at which time of day.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A limit of bytes a second, or several with the times of day from which each holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// Minutes after midnight and bytes a second, in the order of the day.
    times: Vec<(u16, Rate)>,
}

/// What holds at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rate {
    Unlimited,
    BytesPerSecond(u64),
}

/// A text that is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a bandwidth, expected bytes a second such as `10M`, or times such as `08:00,512k 19:00,off`"
)]
pub struct BandwidthError(String);

impl FromStr for Bandwidth {
    type Err = BandwidthError;

    fn from_str(text: &str) -> Result<Self, BandwidthError> {
        let wrong = || BandwidthError(text.to_owned());
        let mut times = Vec::new();
        for part in text.split_whitespace() {
            times.push(match part.split_once(',') {
                Some((time, rate)) => (
                    minutes(time).ok_or_else(wrong)?,
                    self::rate(rate).ok_or_else(wrong)?,
                ),
                None => (0, self::rate(part).ok_or_else(wrong)?),
            });
        }
        if times.is_empty()
            || (times.len() > 1 && text.split_whitespace().any(|part| !part.contains(',')))
        {
            return Err(wrong());
        }
        times.sort_by_key(|(minute, _)| *minute);
        Ok(Self { times })
    }
}

/// `HH:MM` in minutes after midnight.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// `512k`, `10M`, `1.5G`, by 1024; without a letter bytes. `off` is no limit.
fn rate(text: &str) -> Option<Rate> {
    if text == "off" || text == "0" {
        return Some(Rate::Unlimited);
    }
    let (number, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1u64 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        (at, 'b' | 'B') => (&text[..at], 1),
        _ => (text, 1),
    };
    let number: f64 = number.parse().ok()?;
    let rate = number * unit as f64;
    (1.0..1e15)
        .contains(&rate)
        .then_some(Rate::BytesPerSecond(rate as u64))
}

impl Bandwidth {
    /// The limit at so many minutes after midnight.
    fn at(&self, minute: u16) -> Option<u64> {
        let begun = self.times.iter().rev().find(|(from, _)| *from <= minute);
        // Before the first time of the day, the last one of the day before holds.
        match begun.or(self.times.last()) {
            Some((_, Rate::BytesPerSecond(rate))) => Some(*rate),
            Some((_, Rate::Unlimited)) | None => None,
        }
    }
}

/// Keeps everybody together within a limit.
#[derive(Debug)]
pub(super) struct Limiter {
    bandwidth: Bandwidth,
    /// When everything that was let through so far is paid for.
    paid: Mutex<Instant>,
}

/// What may come at once after a pause, in time of the limit.
const BURST: Duration = Duration::from_millis(100);

impl Limiter {
    pub(super) fn new(bandwidth: Bandwidth) -> Self {
        Self {
            bandwidth,
            paid: Mutex::new(Instant::now()),
        }
    }

    /// Whether there is a limit, at whatever time of day.
    pub(super) fn is_limited(&self) -> bool {
        !self.bandwidth.times.is_empty()
    }

    /// Waits until so many bytes may have come.
    pub(super) async fn pass(&self, count: usize) {
        let now = jiff::Zoned::now();
        let minute = now.hour() as u16 * 60 + now.minute() as u16;
        let Some(rate) = self.bandwidth.at(minute) else {
            return;
        };
        let until = self.pay(Instant::now(), count, rate);
        tokio::time::sleep_until(until.into()).await;
    }

    fn pay(&self, now: Instant, count: usize, rate: u64) -> Instant {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*paid).max(now.checked_sub(BURST).unwrap_or(now));
        *paid = from + Duration::from_secs_f64(count as f64 / rate as f64);
        *paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_rate_or_rates_by_the_time_of_day() {
        let one: Bandwidth = "10M".parse().unwrap();
        assert_eq!(one.at(0), Some(10 << 20));
        let many: Bandwidth = "08:00,512k 19:00,off 23:30,1.5M".parse().unwrap();
        assert_eq!(many.at(8 * 60), Some(512 << 10));
        assert_eq!(many.at(20 * 60), None);
        assert_eq!(
            many.at(60),
            Some(1536 << 10),
            "what holds at night holds after midnight"
        );
        for wrong in [
            "", "fast", "-1", "25:00,1M", "08:00", "1M 2M", "NaN", "1e99G",
        ] {
            assert!(wrong.parse::<Bandwidth>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_holds_over_all_who_share_it() {
        let limiter = Limiter::new("1M".parse().unwrap());
        let start = Instant::now();
        let mut until = start;
        for _ in 0..640 {
            until = limiter.pay(start, 16 << 10, 1 << 20);
        }
        let taken = (until - start).as_secs_f64();
        assert!((9.8..10.1).contains(&taken), "10 MiB took {taken} s");
    }
}
