//! What every write cost: counted by the writer, read by anyone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "hdrhistogram")]
use hdrhistogram::Histogram;

/// What the writes of a [`Db`](crate::Db) cost since it was opened.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WriteReport {
    /// Transactions that got the write lock; as many times was it taken.
    pub transactions: u64,
    /// Those of them that were rolled back.
    pub rolled_back: u64,
    /// Units that ran or gave up, failed ones included.
    pub units: u64,
    /// Units that failed or gave up.
    pub failed: u64,
    /// Rows inserted, updated or deleted by units that committed.
    pub rows: u64,
    /// Attempts to begin that found the lock taken by another process.
    pub retries: u64,
    /// Times the WAL was copied to the file.
    pub checkpoints: u64,
    /// Per transaction, milliseconds from BEGIN granted until COMMIT returned.
    pub hold: Spread,
    /// Per checkpoint, its milliseconds. The lock is not held then.
    pub checkpoint: Spread,
    /// The same by label.
    pub labels: BTreeMap<String, LabelReport>,
}

/// What the units of one label cost.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LabelReport {
    /// Units that ran or gave up, failed ones included.
    pub units: u64,
    /// Units that failed or gave up.
    pub failed: u64,
    /// Rows inserted, updated or deleted by units that committed.
    pub rows: u64,
    /// Attempts to begin that failed while a unit of this label waited.
    pub retries: u64,
    /// Milliseconds at the gate, behind units of this process.
    pub wait: Spread,
    /// Milliseconds waiting for other processes.
    pub busy: Spread,
    /// Milliseconds that the transaction of the unit held the lock, from BEGIN granted until COMMIT returned.
    pub hold: Spread,
}

/// A distribution of times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Spread {
    /// How many were measured.
    pub count: u64,
    /// Half of them were not longer.
    #[cfg(feature = "hdrhistogram")]
    pub p50: f64,
    /// All but one in a hundred were not longer.
    #[cfg(feature = "hdrhistogram")]
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// How one unit fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) label: &'static str,
    pub(crate) rows: u64,
    pub(crate) retries: u32,
    pub(crate) committed: bool,
    pub(crate) wait: Duration,
    pub(crate) busy: Duration,
    /// None for a unit that never ran.
    pub(crate) hold: Option<Duration>,
}

/// The counters behind a [`WriteReport`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    transactions: u64,
    rolled_back: u64,
    retries: u64,
    hold: Times,
    checkpoint: Times,
    labels: BTreeMap<&'static str, LabelCounts>,
}

#[derive(Debug, Default)]
struct LabelCounts {
    units: u64,
    failed: u64,
    rows: u64,
    retries: u64,
    wait: Times,
    busy: Times,
    hold: Times,
}

/// Times in microseconds.
#[derive(Debug, Default)]
struct Times {
    count: u64,
    max: u64,
    #[cfg(feature = "hdrhistogram")]
    histogram: ThreeDigits,
}

/// Its percentiles are right to three digits.
#[cfg(feature = "hdrhistogram")]
#[derive(Debug)]
struct ThreeDigits(Histogram<u64>);

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One attempt to begin that found the lock taken.
    pub(crate) fn record_retry(&self) {
        self.counts().retries += 1;
    }

    /// One transaction that is over.
    pub(crate) fn record_transaction(&self, hold: Duration, committed: bool) {
        let mut counts = self.counts();
        counts.transactions += 1;
        counts.rolled_back += u64::from(!committed);
        counts.hold.record(hold);
    }

    /// One unit whose fate is known.
    pub(crate) fn record_unit(&self, sample: &Sample) {
        let mut counts = self.counts();
        let label = counts.labels.entry(sample.label).or_default();
        label.units += 1;
        label.failed += u64::from(!sample.committed);
        label.rows += if sample.committed { sample.rows } else { 0 };
        label.retries += u64::from(sample.retries);
        label.wait.record(sample.wait);
        label.busy.record(sample.busy);
        if let Some(hold) = sample.hold {
            label.hold.record(hold);
        }
    }

    /// A transaction outside of the writer's loop, of one unit.
    pub(crate) fn record_alone(
        &self,
        label: &'static str,
        busy: Duration,
        hold: Duration,
        committed: bool,
    ) {
        self.record_transaction(hold, committed);
        let wait = Duration::ZERO;
        self.record_unit(&Sample {
            label,
            rows: 0,
            retries: 0,
            committed,
            wait,
            busy,
            hold: Some(hold),
        });
    }

    /// One checkpoint.
    pub(crate) fn record_checkpoint(&self, took: Duration) {
        self.counts().checkpoint.record(took);
    }

    /// The sum of everything so far.
    pub(crate) fn report(&self) -> WriteReport {
        let counts = self.counts();
        let labels: BTreeMap<String, LabelReport> = counts
            .labels
            .iter()
            .map(|(&label, counts)| (label.to_owned(), counts.report()))
            .collect();
        WriteReport {
            transactions: counts.transactions,
            rolled_back: counts.rolled_back,
            units: labels.values().map(|label| label.units).sum(),
            failed: labels.values().map(|label| label.failed).sum(),
            rows: labels.values().map(|label| label.rows).sum(),
            retries: counts.retries,
            checkpoints: counts.checkpoint.count,
            hold: counts.hold.spread(),
            checkpoint: counts.checkpoint.spread(),
            labels,
        }
    }
}

impl LabelCounts {
    fn report(&self) -> LabelReport {
        LabelReport {
            units: self.units,
            failed: self.failed,
            rows: self.rows,
            retries: self.retries,
            wait: self.wait.spread(),
            busy: self.busy.spread(),
            hold: self.hold.spread(),
        }
    }
}

#[cfg(feature = "hdrhistogram")]
impl Default for ThreeDigits {
    fn default() -> Self {
        let mut histogram =
            Histogram::new(3).expect("three digits are within what a histogram supports");
        histogram.auto(true);
        ThreeDigits(histogram)
    }
}

impl Times {
    fn record(&mut self, time: Duration) {
        let microseconds = time.as_micros() as u64;
        self.count += 1;
        self.max = self.max.max(microseconds);
        // It grows as needed; only a time of centuries would not fit.
        #[cfg(feature = "hdrhistogram")]
        let _ = self.histogram.0.record(microseconds);
    }

    fn spread(&self) -> Spread {
        let milliseconds = |microseconds: u64| microseconds as f64 / 1000.0;
        #[cfg(feature = "hdrhistogram")]
        let quantile = |part| {
            let rounded = self.histogram.0.value_at_quantile(part);
            milliseconds(rounded.min(self.max))
        };
        Spread {
            count: self.count,
            #[cfg(feature = "hdrhistogram")]
            p50: quantile(0.5),
            #[cfg(feature = "hdrhistogram")]
            p99: quantile(0.99),
            max: milliseconds(self.max),
        }
    }
}
