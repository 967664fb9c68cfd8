//! What an import has told so far, counted as it comes.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use music::Completed;
use music::Event;
use music::identify::IdentifyEvent;
use music::job::JobEvent;
use music::library::jobs::{KeptJob, KeptProblem};
use music::library::values::Level;

use crate::jobs::State;

/// Problems that are kept for the page and WKMP's `errors`. A guess; the library keeps all of them.
const MOST_PROBLEMS: usize = 500;

/// Files that are kept as lately recorded. A guess: what a page shows of them.
const MOST_RECORDED: usize = 20;

/// A file with which something is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    pub(crate) is_skipped: bool,
    pub(crate) at: Timestamp,
}

/// A file that was recorded.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) path: String,
    pub(crate) passages: usize,
}

/// What an import has heard about its key for `AcoustID`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Key {
    /// Nothing that concerns anybody.
    #[default]
    Accepted,
    /// `AcoustID` does not know it, and nobody has said yet what to do.
    Refused,
    /// Somebody has given another one, which is to be used.
    Given,
    /// The import does without, because somebody has said so or since it is over.
    DoneWithout,
}

/// Everything that an import has told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Files that look like audio; `None` while they are looked for.
    pub(crate) found: Option<u64>,
    pub(crate) to_analyse: u64,
    pub(crate) files: u64,
    pub(crate) passages: u64,
    pub(crate) duplicates: u64,
    pub(crate) failed: u64,
    pub(crate) misleading: u64,
    pub(crate) high: u64,
    pub(crate) medium: u64,
    pub(crate) low: u64,
    pub(crate) unknown: u64,
    pub(crate) key: Key,
    pub(crate) problems: VecDeque<Problem>,
    pub(crate) recorded: VecDeque<Recorded>,
    pub(crate) ended: Option<State>,
    pub(crate) took: Option<Duration>,
    pub(crate) failure: Option<String>,
    pub(crate) completed: Option<Box<Completed>>,
}

impl Told {
    /// What is left of an import that a server before this one did.
    pub(crate) fn of_before(
        job: &KeptJob,
        problems: Vec<KeptProblem>,
        ended_at: Timestamp,
    ) -> Self {
        let report: serde_json::Value = job
            .report
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let files = |name: &str| report["files"][name].as_u64().unwrap_or(0);
        let asked_at: Option<Timestamp> = job.started_at.parse().ok();
        let took = asked_at.and_then(|at| Duration::try_from(ended_at.duration_since(at)).ok());
        let mut told = Self {
            found: report["files"]["found"].as_u64(),
            to_analyse: files("not_reached"),
            files: files("recorded"),
            passages: report["passages"].as_u64().unwrap_or(0),
            duplicates: files("duplicate"),
            failed: files("failed"),
            misleading: files("misleading"),
            ended: Some(match job.state.as_str() {
                "completed" => State::Completed,
                "cancelled" => State::Cancelled,
                _ => State::Failed,
            }),
            took: Some(took.unwrap_or_default()),
            failure: report["error"].as_str().map(str::to_owned),
            ..Self::default()
        };
        for problem in problems {
            let code = if problem.code.starts_with("SCAN") {
                "MISLEADING_EXTENSION"
            } else {
                "DECODE_ERROR"
            };
            told.problem(&problem.path, code, &problem.reason, true);
        }
        for problem in &mut told.problems {
            problem.at = ended_at;
        }
        told
    }

    /// Counts an event; true if it asks for somebody's answer.
    pub(crate) fn hear(&mut self, event: &JobEvent<'_>) -> bool {
        let before = self.key;
        match event {
            JobEvent::Import(event) => self.hear_import(event),
            JobEvent::Identify(event) => self.hear_identify(event),
        }
        self.key == Key::Refused && before != self.key
    }

    /// Whether a key was given that the import has not tried; if not, none can be given any more.
    pub(crate) fn take_key(&mut self) -> bool {
        let is_given = self.key == Key::Given;
        self.key = if is_given {
            Key::Accepted
        } else {
            Key::DoneWithout
        };
        is_given
    }

    fn hear_import(&mut self, event: &Event) {
        match event {
            Event::Planned {
                found, to_analyse, ..
            } => {
                self.found = Some(*found as u64);
                self.to_analyse = *to_analyse as u64;
            }
            Event::FileRecorded { path, passages, .. } => {
                self.files += 1;
                self.passages += *passages as u64;
                if self.recorded.len() == MOST_RECORDED {
                    self.recorded.pop_front();
                }
                self.recorded.push_back(Recorded {
                    path: path.clone(),
                    passages: *passages,
                });
            }
            Event::FileDuplicate { .. } => self.duplicates += 1,
            Event::FileFailed { path, reason, .. } => {
                self.failed += 1;
                self.problem(path, "DECODE_ERROR", reason, true);
            }
            Event::FileMisleading { path, reason } => {
                self.misleading += 1;
                self.problem(path, "MISLEADING_EXTENSION", reason, true);
            }
            Event::FileNoAudio { path, reason } => self.problem(path, "NO_AUDIO", reason, true),
            Event::FileDamaged { path, reason } => self.problem(path, "DAMAGED", reason, false),
            Event::Warning { path, message } => {
                self.problem(path.as_deref().unwrap_or(""), "WARNING", message, false);
            }
            _ => {}
        }
    }

    fn hear_identify(&mut self, event: &IdentifyEvent) {
        match event {
            IdentifyEvent::PassageIdentified { level, .. } => match level {
                Level::High => self.high += 1,
                Level::Medium => self.medium += 1,
                Level::Low => self.low += 1,
                Level::None => self.unknown += 1,
            },
            IdentifyEvent::ServiceFailed {
                message,
                key_refused,
            } => {
                if *key_refused && self.key == Key::Accepted {
                    self.key = Key::Refused;
                }
                self.problem("", "SERVICE", message, false);
            }
            IdentifyEvent::IdentifyCompleted(_) => {}
        }
    }

    /// The worst come last and stay; of many, the first are forgotten.
    fn problem(&mut self, path: &str, code: &'static str, reason: &str, is_skipped: bool) {
        if self.problems.len() == MOST_PROBLEMS {
            self.problems.pop_front();
        }
        self.problems.push_back(Problem {
            path: path.to_owned(),
            code,
            reason: reason.to_owned(),
            is_skipped,
            at: Timestamp::now(),
        });
    }
}
