//! Keeps what the services answered, so that nothing is asked twice.
//!
//! An answer is written with the first identification that it served, in the same transaction; until
//! then it is kept in memory. That somebody knows nothing is an answer, too.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlite::{Db, params};

use crate::catalogue::Found;
use crate::catalogue::Match;
use crate::catalogue::{Recording, Release};

/// How long an answer holds.
const DAYS_OF_ANSWER: i64 = 90;

/// How long it holds that nobody knows.
const DAYS_OF_NOTHING: i64 = 14;

/// An answer that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who answered.
    pub service: &'static str,
    /// What was asked.
    pub question: String,
    /// The answer as JSON; none if nothing is known.
    pub answer: Option<String>,
    /// How long it holds, in seconds.
    pub holds: i64,
}

/// The recordings that an answer tells of, of whatever kind the answer is.
fn recordings_in(answer: &str) -> Vec<Recording> {
    if let Ok(found) = serde_json::from_str::<Found>(answer) {
        return found.recordings;
    }
    if let Ok(release) = serde_json::from_str::<Release>(answer) {
        return release
            .tracks
            .into_iter()
            .map(|track| track.recording)
            .collect();
    }
    if let Ok(recording) = serde_json::from_str::<Recording>(answer) {
        return vec![recording];
    }
    if let Ok(recordings) = serde_json::from_str::<Vec<Recording>>(answer) {
        return recordings;
    }
    let matches: Vec<Match> = serde_json::from_str(answer).unwrap_or_default();
    let linked = matches.into_iter().flat_map(|one| one.recordings);
    linked.map(|one| one.recording).collect()
}

/// The answers of a library, written and unwritten.
#[derive(Debug)]
pub struct Answers {
    db: Db,
    /// Whether it is asked again what nobody knew.
    ask_again: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    fresh: HashMap<(&'static str, String), Option<String>>,
    unwritten: Vec<Answer>,
}

impl Answers {
    /// Those of `db`.
    pub fn new(db: Db, ask_again: bool) -> Self {
        Self {
            db,
            ask_again,
            state: Mutex::default(),
        }
    }

    /// The answer to a question, if it was asked: `Some(None)` when nothing is known.
    pub fn look<T: DeserializeOwned>(
        &self,
        service: &'static str,
        question: &str,
    ) -> Option<Option<T>> {
        let fresh = self
            .state()
            .fresh
            .get(&(service, question.to_owned()))
            .cloned();
        let text = if let Some(text) = fresh {
            text
        } else {
            let stored = self.stored(service, question)?;
            if stored.is_none() && self.ask_again {
                return None;
            }
            stored
        };
        match text {
            None => Some(None),
            // What an older program wrote and this one cannot read is asked again.
            Some(text) => serde_json::from_str(&text).ok().map(Some),
        }
    }

    /// A recording of which any answer told, whatever was asked and however old the answer is.
    pub fn recording(&self, mbid: &str) -> Option<Recording> {
        let found: Result<Vec<String>, sqlite::Error> = self.db.read(|snapshot| {
            snapshot.query_all(
                "SELECT answer FROM accession_answers WHERE service IN ('musicbrainz', 'acoustid') \
                    AND instr(answer, ?1) > 0 ORDER BY service DESC, expires_at DESC",
                params![mbid],
                |row| row.get(0),
            )
        });
        let answers = found.unwrap_or_default();
        let told: Vec<_> = answers
            .iter()
            .flat_map(|answer| recordings_in(answer))
            .collect();
        let is_it = |one: &Recording| one.mbid == mbid && !one.credits.is_empty();
        // Who told the works told most.
        let own = told.into_iter().filter(is_it);
        own.max_by_key(|one| (!one.works.is_empty(), one.releases.len()))
    }

    /// Whether a question was asked, whatever the answer.
    pub fn knows(&self, service: &'static str, question: &str) -> bool {
        self.look::<serde::de::IgnoredAny>(service, question)
            .is_some()
    }

    #[expect(
        clippy::option_option,
        reason = "whether it was asked and whether anything is known are two questions"
    )]
    fn stored(&self, service: &'static str, question: &str) -> Option<Option<String>> {
        let found: Result<_, sqlite::Error> = self.db.read(|snapshot| {
            snapshot.query_optional(
                "SELECT answer FROM accession_answers \
                 WHERE service = ?1 AND question = ?2 AND expires_at > unixepoch()",
                params![service, question],
                |row| row.get::<_, Option<String>>(0),
            )
        });
        found.unwrap_or_else(|error| {
            tracing::warn!("cannot read an answer: {error}");
            None
        })
    }

    /// Keeps an answer until it is written.
    pub fn keep<T: Serialize>(&self, service: &'static str, question: &str, answer: Option<&T>) {
        let answer =
            answer.map(|answer| serde_json::to_string(answer).expect("answers are plain data"));
        let days = if answer.is_some() {
            DAYS_OF_ANSWER
        } else {
            DAYS_OF_NOTHING
        };
        let mut state = self.state();
        state
            .fresh
            .insert((service, question.to_owned()), answer.clone());
        state.unwritten.push(Answer {
            service,
            question: question.to_owned(),
            answer,
            holds: days * 86_400,
        });
    }

    /// Takes what is to be written.
    pub fn take_unwritten(&self) -> Vec<Answer> {
        std::mem::take(&mut self.state().unwritten)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
