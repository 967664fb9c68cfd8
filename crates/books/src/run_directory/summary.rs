//! `process_summary.json`: what each command did, for people and for the other tools that read it.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::date::stamp;
use crate::error::Error;
use crate::run_directory::replace;

/// The name of the file.
const SUMMARY: &str = "process_summary.json";

/// A stage as the file names it, with its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Collecting the catalogue.
    Collect,
    /// Asking for more about each book.
    Enrich,
}

/// What one command did. It replaces what the same stage did before.
#[derive(Clone, Debug)]
pub struct StageResult {
    /// When it began.
    pub started: jiff::Timestamp,
    /// Items done.
    pub done: u64,
    /// Items passed over.
    pub skipped: u64,
    /// Items that failed.
    pub failed: u64,
    /// Whether nothing is left to do.
    pub completed: bool,
    /// The last error.
    pub last_error: Option<String>,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::Collect => "collect",
            Stage::Enrich => "enrich",
        }
    }

    fn counters(self, result: &StageResult, per_hour: f64) -> Vec<(&'static str, Value)> {
        let rate = json!(per_hour);
        match self {
            Stage::Collect => vec![
                ("books_collected", json!(result.done)),
                ("collection_failed", json!(result.failed)),
                ("collection_rate_per_hour", rate),
            ],
            Stage::Enrich => vec![
                ("books_enriched", json!(result.done)),
                ("enrichment_skipped", json!(result.skipped)),
                ("enrichment_failed", json!(result.failed)),
                ("enrichment_rate_per_hour", rate),
            ],
        }
    }
}

/// Notes in the run's summary what a command did. Keys that are not ours stay as they are.
///
/// # Errors
///
/// [`Error::File`]; a file that is not understood is replaced.
pub fn record_stage(
    directory: &Path,
    run_name: &str,
    stage: Stage,
    result: &StageResult,
) -> Result<(), Error> {
    let path = directory.join(SUMMARY);
    let mut summary = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice::<Map<String, Value>>(&bytes).unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(Error::file("read", &path)(error)),
    };
    let ended = jiff::Timestamp::now();
    let mut stages = object(summary.remove("stages"));
    let entry = stages.remove(stage.name());
    let noted = describe(object(entry), stage, result, ended);
    stages.insert(stage.name().to_owned(), noted.into());
    let total = |key: &str| -> u64 {
        let of = |stage: &Value| stage.get(key).and_then(Value::as_u64).unwrap_or(0);
        stages.values().map(of).sum()
    };
    let (done, errors) = (
        total("books_collected") + total("books_enriched") + total("books_synced"),
        total("error_count"),
    );
    let names = |completed: bool| -> Vec<Value> {
        let is = |stage: &Value| stage.get("is_completed").and_then(Value::as_bool);
        stages
            .iter()
            .filter(|(_, stage)| is(stage).unwrap_or(false) == completed)
            .map(|(name, _)| Value::from(name.as_str()))
            .collect()
    };
    let (completed, active) = (names(true), names(false));
    for (key, usual) in [
        ("run_name", json!(run_name)),
        ("session_id", json!(result.started.as_second())),
        ("run_start_time", json!(stamp(result.started))),
        ("run_end_time", Value::Null),
        ("total_duration_seconds", Value::Null),
        ("interruption_count", json!(0)),
    ] {
        summary.entry(key).or_insert(usual);
    }
    for (key, value) in [
        ("last_checkpoint_time", json!(stamp(ended))),
        ("total_items_processed", json!(done + errors)),
        ("total_items_successful", json!(done)),
        ("total_items_failed", json!(errors)),
        ("total_error_count", json!(errors)),
        ("overall_success_rate_percent", json!(percent(done, errors))),
        ("is_completed", json!(active.is_empty())),
        ("has_errors", json!(errors > 0)),
        ("active_stages", Value::from(active)),
        ("completed_stages", Value::from(completed)),
        ("generated_at", json!(stamp(ended))),
        ("stages", Value::Object(stages)),
    ] {
        summary.insert(key.to_owned(), value);
    }
    let bytes = serde_json::to_vec_pretty(&summary).unwrap_or_default();
    replace(&path, &bytes, false)
}

fn describe(
    mut entry: Map<String, Value>,
    stage: Stage,
    result: &StageResult,
    ended: jiff::Timestamp,
) -> Map<String, Value> {
    let seconds = ended
        .duration_since(result.started)
        .as_secs_f64()
        .max(0.001);
    let per_hour = result.done as f64 / seconds * 3600.0;
    let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    set("start_time", json!(stamp(result.started)));
    set("end_time", json!(stamp(ended)));
    set("duration_seconds", json!(seconds));
    set("error_count", json!(result.failed));
    set("last_operation_time", json!(stamp(ended)));
    set("is_completed", json!(result.completed));
    set("last_error_message", json!(result.last_error));
    set(
        "last_error_time",
        json!(result.last_error.as_ref().map(|_| stamp(ended))),
    );
    set(
        "success_rate_percent",
        json!(percent(result.done, result.failed)),
    );
    for (key, value) in stage.counters(result, per_hour) {
        set(key, value);
    }
    for (key, usual) in [
        ("error_types", json!({})),
        ("command_args", json!({})),
        ("progress_updates", json!([])),
        ("stage_details", json!({})),
        ("queue_info", json!({})),
        ("error_breakdown", json!({})),
    ] {
        entry.entry(key).or_insert(usual);
    }
    entry
}

fn percent(done: u64, failed: u64) -> f64 {
    done as f64 / (done + failed).max(1) as f64 * 100.0
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_replaced_and_unknown_keys_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SUMMARY);
        let before = json!({"run_name": "R", "interruption_count": 3, "custom": [1],
            "stages": {"sync": {"books_synced": 5, "is_completed": true, "error_count": 1}, "collect": {"mine": 1}}});
        std::fs::write(&path, before.to_string()).unwrap();
        let result = StageResult {
            started: jiff::Timestamp::now(),
            done: 100,
            skipped: 0,
            failed: 1,
            completed: false,
            last_error: Some("page 3".into()),
        };
        for _ in 0..2 {
            record_stage(folder.path(), "R", Stage::Collect, &result).unwrap();
        }
        let after: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(after["custom"][0], 1);
        assert_eq!(after["interruption_count"], 3);
        assert_eq!(after["stages"]["collect"]["mine"], 1);
        assert_eq!(after["stages"]["collect"]["books_collected"], 100);
        assert_eq!(after["total_items_successful"], 105);
        assert_eq!(after["completed_stages"], json!(["sync"]));
        assert_eq!(after["active_stages"], json!(["collect"]));
    }
}
