//! Imports in a list: what waits, what is under way, and what has ended.

use music::library::jobs as kept;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Refusal;
use crate::jobs::{Jobs, State, View};

/// Imports in a list. A guess: what a person looks through.
const MOST: u32 = 50;

/// One import.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Job {
    /// Its id, a UUID.
    pub(crate) id: String,
    /// Its folder below the root folder; empty for the root folder itself.
    folder: String,
    /// `waiting`, `running`, `completed`, `cancelled` or `failed`.
    state: String,
    /// When it was asked for, UTC, RFC 3339.
    asked_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// Files that look like audio, once they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<u64>,
    /// Files recorded so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<u64>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Value>,
}

impl Jobs {
    /// The imports that were asked for, the latest first.
    pub(crate) fn list(&self) -> Result<Vec<Job>, Refusal> {
        let kept = kept::latest(self.library.db(), MOST)?;
        let jobs = kept.into_iter().map(|job| {
            let id = uuid::Uuid::parse_str(&job.id).ok();
            let view = id.and_then(|id| self.find(id)).map(|one| one.view());
            // Before that it has the terms.
            let report = job.report.filter(|_| job.ended_at.is_some());
            Job {
                id: job.id,
                folder: job.folder,
                state: view
                    .as_ref()
                    .map_or(job.state, |view| word(view.state).to_owned()),
                asked_at: job.started_at,
                ended_at: job.ended_at,
                found: view.as_ref().and_then(|view| view.told.found),
                recorded: view.map(|view| view.told.files),
                report: report.and_then(|text| serde_json::from_str(&text).ok()),
            }
        });
        Ok(jobs.collect())
    }

    /// One of them.
    pub(crate) fn listed(&self, view: &View) -> Result<Job, Refusal> {
        let id = view.id.to_string();
        let found = self.list()?.into_iter().find(|job| job.id == id);
        found.ok_or_else(|| Refusal::not_found("there is no such import"))
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Scanning | State::Processing | State::Paused => "running",
        State::Completed => "completed",
        State::Cancelled => "cancelled",
        State::Failed => "failed",
    }
}
