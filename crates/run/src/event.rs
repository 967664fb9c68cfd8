//! The one form in which a long job tells what happens.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of one run of a job: unique without asking anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A new, random name.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// One event of one job: `{"job": .., "seq": .., "event": .., ..}`.
///
/// The event's own fields stand beside `job` and `seq`; its name is its field
/// `event`, as an enum with `#[serde(tag = "event")]` writes it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Envelope<'a, E> {
    /// The job that it happened in.
    pub job: JobId,
    /// Its place among the events of the job, from 1 and without gaps.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: &'a E,
}

/// Numbers the events of one job.
#[derive(Debug)]
pub struct Events {
    job: JobId,
    /// The number of the latest event.
    latest: Mutex<u64>,
}

impl Events {
    /// For a job that has told nothing yet.
    pub fn new(job: JobId) -> Self {
        Self {
            job,
            latest: Mutex::new(0),
        }
    }

    /// The job whose events these are.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Gives `event` the next number and hands it to `tell`.
    ///
    /// Events that several threads tell at once are handed on one after the
    /// other, in the order of their numbers; `tell` must not tell another.
    pub fn tell<E: Serialize>(&self, event: &E, tell: impl FnOnce(&Envelope<'_, E>)) {
        // A teller that panicked has used up its number; the count is whole.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest += 1;
        tell(&Envelope {
            job: self.job,
            seq: *latest,
            event,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(tag = "event", rename_all = "snake_case")]
    enum Happened {
        FileRecorded { path: String },
    }

    #[test]
    fn an_event_carries_its_job_and_number_beside_its_own_fields() {
        let job = JobId::random();
        let events = Events::new(job);
        let mut lines = Vec::new();
        for path in ["a", "b"] {
            let event = Happened::FileRecorded { path: path.into() };
            events.tell(&event, |envelope| {
                lines.push(serde_json::to_string(envelope).unwrap());
            });
        }
        let line = |seq, path| {
            format!(r#"{{"job":"{job}","seq":{seq},"event":"file_recorded","path":"{path}"}}"#)
        };
        assert_eq!(lines, [line(1, "a"), line(2, "b")]);
        assert_eq!(job.to_string().parse(), Ok(job));
    }

    #[test]
    fn events_of_several_threads_arrive_in_the_order_of_their_numbers() {
        let events = Events::new(JobId::random());
        let seen = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        events.tell(&(), |envelope| seen.lock().unwrap().push(envelope.seq));
                    }
                });
            }
        });
        assert_eq!(seen.into_inner().unwrap(), (1..=400).collect::<Vec<u64>>());
    }
}
