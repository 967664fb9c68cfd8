//! An import in WKMP's words: the status that is asked for, and the events that are told.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::jobs::{Moment, Problem, State, View};

impl State {
    /// As a status has it.
    pub(crate) fn capitals(self) -> &'static str {
        match self {
            // WKMP knows no import that waits for another.
            Self::Waiting | Self::Scanning => "SCANNING",
            Self::Processing => "PROCESSING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    /// As an event has it.
    fn word(self) -> &'static str {
        match self {
            Self::Waiting | Self::Scanning => "Scanning",
            Self::Processing => "Processing",
            // WKMP's page looks for these letters.
            Self::Paused => "PAUSED",
            Self::Completed => "Completed",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
    }

    /// Whether files are listened to.
    pub(crate) fn is_processing(self) -> bool {
        matches!(self, Self::Processing | Self::Paused)
    }
}

/// Numbers of one moment.
struct Figures {
    current: u64,
    total: u64,
    percentage: f64,
    elapsed: u64,
    remaining: Option<u64>,
    operation: String,
    file: Option<String>,
}

impl Figures {
    fn of(view: &View) -> Self {
        let told = &view.told;
        let total = told.found.unwrap_or(0);
        let done = view.snapshot.items_done.min(told.to_analyse);
        let current = match &told.completed {
            Some(completed) => completed.files.found - completed.files.not_reached,
            None => total.saturating_sub(told.to_analyse) + done,
        };
        let percentage = if total > 0 {
            100.0 * current as f64 / total as f64
        } else if view.state == State::Completed {
            100.0
        } else {
            0.0
        };
        let is_live = view.state == State::Scanning || view.state.is_processing();
        let workers = view.snapshot.workers.iter().flatten();
        let file = workers.map(|worker| worker.item.clone()).next();
        Self {
            current,
            total,
            percentage,
            elapsed: view.elapsed.as_secs(),
            remaining: view
                .snapshot
                .remaining_seconds
                .filter(|_| is_live)
                .map(|seconds| seconds.round() as u64),
            operation: operation(view),
            file: file.filter(|_| is_live),
        }
    }
}

/// What happens, in words for a person.
fn operation(view: &View) -> String {
    let told = &view.told;
    match view.state {
        State::Waiting => "Waiting for another import to end".to_owned(),
        State::Scanning => "Looking for audio files".to_owned(),
        State::Processing if view.snapshot.phase == "identify" => {
            "Finding out which recordings the passages are".to_owned()
        }
        State::Processing => format!(
            "Listening to {} new or changed files of {}",
            told.to_analyse,
            told.found.unwrap_or(0)
        ),
        // WKMP's page looks for the first four words.
        State::Paused => "AcoustID API key invalid: files are listened to all the same. Give another key, or go on \
             without; what cannot be asked now is asked another time"
            .to_owned(),
        State::Completed => format!(
            "{} files recorded, {} passages, {} files failed",
            told.files,
            told.passages,
            told.failed + told.misleading
        ),
        State::Cancelled => "Stopped as asked".to_owned(),
        State::Failed => told
            .failure
            .clone()
            .unwrap_or_else(|| "The import failed".to_owned()),
    }
}

/// What `/import/status` answers.
pub(crate) fn status(view: &View) -> Value {
    let figures = Figures::of(view);
    let errors: Vec<_> = view.told.problems.iter().map(error).collect();
    json!({
        "session_id": view.id,
        "state": view.state.capitals(),
        "progress": {
            "current": figures.current,
            "total": figures.total,
            "percentage": figures.percentage,
            "current_operation": figures.operation,
            "elapsed_seconds": figures.elapsed,
            "estimated_remaining_seconds": figures.remaining,
            "phases": phases(view, false),
            "current_file": figures.file,
        },
        "current_operation": figures.operation,
        "errors": errors,
        "started_at": view.started_at,
        "elapsed_seconds": figures.elapsed,
        "estimated_remaining_seconds": figures.remaining,
    })
}

fn error(problem: &Problem) -> Value {
    json!({
        "file_path": problem.path,
        "error_code": problem.code,
        "error_message": problem.reason,
        "severity": if problem.is_skipped { "SKIP" } else { "WARNING" },
        "occurred_at": problem.at,
    })
}

fn phases(view: &View, with_description: bool) -> Vec<Value> {
    let figures = Figures::of(view);
    let found = view.told.found;
    let failed = view.told.failed + view.told.misleading;
    let scanning = match (found, view.state) {
        (Some(_), _) => "Completed",
        (None, State::Failed) => "Failed",
        (None, State::Cancelled) => "Pending",
        (None, _) => "InProgress",
    };
    let processing = match (found, view.state) {
        (_, State::Completed) if failed > 0 => "CompletedWithWarnings",
        (_, State::Completed) => "Completed",
        (Some(_), State::Failed) => "Failed",
        (Some(_), state) if state.is_processing() => "InProgress",
        _ => "Pending",
    };
    let subtasks = json!([{
        "name": "Files",
        "success_count": view.told.files,
        "failure_count": failed,
        "skip_count": view.told.duplicates,
    }]);
    let steps = [
        (
            "SCANNING",
            scanning,
            (figures.total, figures.total),
            json!([]),
            "Looking for audio files",
        ),
        (
            "PROCESSING",
            processing,
            (figures.current, figures.total),
            subtasks,
            "Listening, cutting, identifying, recording",
        ),
    ];
    let steps = steps.into_iter();
    steps
        .map(|(phase, status, (current, total), subtasks, description)| {
            let mut step = json!({
                "phase": phase,
                "status": status,
                "progress_current": current,
                "progress_total": total,
                "subtasks": subtasks,
            });
            if with_description {
                step["description"] = description.into();
            }
            step
        })
        .collect()
}

/// The event that tells of a moment: its name, and what it says.
pub(crate) fn event(moment: Moment, view: &View) -> (&'static str, Value) {
    match moment {
        Moment::Began => ("ImportSessionStarted", started(view)),
        Moment::GoesOn => ("ImportProgressUpdate", progress(view)),
        Moment::Ended => ended(view),
    }
}

fn started(view: &View) -> Value {
    json!({
        "type": "ImportSessionStarted",
        "session_id": view.id,
        "root_folder": view.folder.to_string_lossy(),
        "timestamp": Timestamp::now(),
    })
}

fn progress(view: &View) -> Value {
    let figures = Figures::of(view);
    json!({
        "type": "ImportProgressUpdate",
        "session_id": view.id,
        "state": view.state.word(),
        "current": figures.current,
        "total": figures.total,
        "percentage": figures.percentage,
        "current_operation": figures.operation,
        "elapsed_seconds": figures.elapsed,
        "estimated_remaining_seconds": figures.remaining,
        "phases": phases(view, true),
        "current_file": figures.file,
        "phase_statistics": statistics(view, &figures),
        "timestamp": Timestamp::now(),
    })
}

fn statistics(view: &View, figures: &Figures) -> Value {
    let told = &view.told;
    let recorded: Vec<_> = told
        .recorded
        .iter()
        .flat_map(|file| {
            let row = json!({ "song_title": null, "file_path": file.path });
            // One row a passage, as WKMP has it; a long album tells itself by a few of them.
            std::iter::repeat_n(row, file.passages.min(5))
        })
        .collect();
    json!([
        { "phase_name": "SCANNING", "potential_files_found": figures.total, "is_scanning": view.state == State::Scanning },
        {
            "phase_name": "PROCESSING", "completed": figures.current, "started": figures.current + workers(view).len() as u64,
            "total": figures.total, "workers": workers(view), "max_workers": view.snapshot.workers.len(),
        },
        { "phase_name": "FILENAME_MATCHING", "completed_filenames_found": figures.total.saturating_sub(told.to_analyse) },
        { "phase_name": "HASHING", "hashes_computed": view.snapshot.items_done, "matches_found": told.duplicates },
        { "phase_name": "EXTRACTING", "successful_extractions": told.files, "failures": told.failed },
        {
            "phase_name": "SEGMENTING", "files_processed": told.files, "potential_passages": told.passages,
            "finalized_passages": told.passages, "songs_identified": told.high + told.medium,
        },
        {
            "phase_name": "FINGERPRINTING", "passages_fingerprinted": told.passages,
            "successful_matches": told.high + told.medium,
        },
        {
            "phase_name": "SONG_MATCHING", "high_confidence": told.high, "medium_confidence": told.medium,
            "low_confidence": told.low, "no_confidence": told.unknown,
        },
        { "phase_name": "RECORDING", "recorded_passages": recorded },
        { "phase_name": "AMPLITUDE", "analyzed_passages": [] },
        { "phase_name": "FLAVORING", "pre_existing": 0, "acousticbrainz": 0, "essentia": 0, "failed": 0 },
        { "phase_name": "PASSAGES_COMPLETE", "passages_completed": told.passages },
        { "phase_name": "FILES_COMPLETE", "files_completed": figures.current },
    ])
}

fn workers(view: &View) -> Vec<Value> {
    let workers = view.snapshot.workers.iter().enumerate();
    workers
        .filter_map(|(number, worker)| {
            let worker = worker.as_ref()?;
            Some(json!({
                "worker_id": number,
                "file_path": worker.item,
                "file_index": null,
                "phase_number": null,
                "phase_name": worker.stage,
                "phase_started_at": null,
                "elapsed_ms": (worker.seconds * 1000.0) as u64,
                "passage_start_seconds": null,
                "passage_end_seconds": null,
            }))
        })
        .collect()
}

fn ended(view: &View) -> (&'static str, Value) {
    let figures = Figures::of(view);
    let told = &view.told;
    let name = match view.state {
        State::Cancelled => "ImportSessionCancelled",
        State::Failed => "ImportSessionFailed",
        _ => "ImportSessionCompleted",
    };
    let mut data = json!({
        "type": name,
        "session_id": view.id,
        "files_processed": figures.current,
        "timestamp": Timestamp::now(),
    });
    match view.state {
        State::Cancelled => {
            data["files_skipped"] = figures.total.saturating_sub(figures.current).into();
        }
        State::Failed => {
            // WKMP's program tells the one, its page reads the other.
            data["error_message"] = figures.operation.clone().into();
            data["error"] = figures.operation.into();
        }
        _ => {
            data["files_failed"] = (told.failed + told.misleading).into();
            data["passages_created"] = told.passages.into();
            data["duration_seconds"] = figures.elapsed.into();
        }
    }
    (name, data)
}

/// What `/import/cancel` answers.
pub(crate) fn cancelled(view: &View) -> Value {
    let figures = Figures::of(view);
    json!({
        "session_id": view.id,
        "state": "CANCELLED",
        "files_processed": figures.current,
        "files_skipped": figures.total.saturating_sub(figures.current),
        "cancelled_at": Timestamp::now(),
    })
}
