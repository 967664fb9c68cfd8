//! Keeps what the services answered, so that nothing is asked twice.
//!
//! An answer is written with the first identification that it served, in the same transaction; until
//! then it is kept in memory. That somebody knows nothing is an answer, too.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlite::{Db, params};

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
