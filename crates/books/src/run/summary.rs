//! `process_summary.json`: what each command did, for people and for the other tools that read it.

use std::path::Path;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::date::stamp;
use crate::error::Error;
use crate::run::config::RunConfig;
use crate::run::directory::replace;

/// The name of the file.
pub const SUMMARY: &str = "process_summary.json";

/// Bytes of a summary that are read. It has a record for each stage, some kilobytes whatever the number of books.
pub(crate) const LARGEST: u64 = 16 << 20;

/// A stage as the file names it, with its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Collecting the catalogue.
    Collect,
    /// Asking for more about each book.
    Enrich,
    /// Bringing archives to storage.
    Sync,
}

/// What one command did. It replaces what the same stage did before.
#[derive(Clone, Debug)]
pub struct StageResult {
    /// When it began.
    pub started: jiff::Timestamp,
    /// How long it took, by a clock that is never set.
    pub elapsed: Duration,
    /// Items done.
    pub done: u64,
    /// Items passed over.
    pub skipped: u64,
    /// Items that failed.
    pub failed: u64,
    /// Conversions that were asked for.
    pub requested: u64,
    /// Conversions that GRIN could not make.
    pub unconvertible: u64,
    /// Whether nothing is left to do.
    pub completed: bool,
    /// The last error.
    pub last_error: Option<String>,
    /// Items after which it was to stop, if any.
    pub limit: Option<u64>,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::Collect => "collect",
            Stage::Enrich => "enrich",
            Stage::Sync => "sync",
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
            Stage::Sync => vec![
                ("books_synced", json!(result.done)),
                ("sync_skipped", json!(result.skipped)),
                ("sync_failed", json!(result.failed)),
                ("conversions_requested_during_sync", json!(result.requested)),
                ("conversion_failures_tracked", json!(result.unconvertible)),
                ("sync_rate_per_hour", rate),
            ],
        }
    }
}

/// Notes in the run's summary what a command did. Keys that are not ours stay as they are.
///
/// # Errors
///
/// [`Error::File`]; a file that is not understood is kept under another name.
pub fn record_stage(
    directory: &Path,
    config: &RunConfig,
    stage: Stage,
    result: &StageResult,
) -> Result<(), Error> {
    let path = directory.join(SUMMARY);
    let mut summary = match run::read_regular_file(&path, LARGEST) {
        Ok(bytes) => match parse(&bytes) {
            Some(summary) => summary,
            None => set_aside(&path, directory)?,
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(Error::file("read", &path)(error)),
    };
    let ended = jiff::Timestamp::now();
    let mut stages = object(summary.shift_remove("stages"));
    let mut entry = object(stages.shift_remove(stage.name()));
    describe(&mut entry, stage, result, ended);
    if stage == Stage::Collect {
        entry.insert("command_args".to_owned(), arguments(config, result));
    }
    stages.insert(stage.name().to_owned(), entry.into());
    for (key, usual) in [
        ("run_name", json!(config.run_name)),
        ("session_id", json!(result.started.as_second())),
        ("run_start_time", json!(stamp(result.started))),
        ("run_end_time", Value::Null),
        ("total_duration_seconds", Value::Null),
        ("interruption_count", json!(0)),
    ] {
        summary.entry(key).or_insert(usual);
    }
    total(&mut summary, &stages, seconds(result));
    for key in ["last_checkpoint_time", "generated_at"] {
        summary.insert(key.to_owned(), json!(stamp(ended)));
    }
    summary.insert("stages".to_owned(), stages.into());
    replace(&path, &crate::run::pretty(&InOrder(&summary.into())), false)
}

/// The file's object, also behind a byte order mark.
fn parse(bytes: &[u8]) -> Option<Map<String, Value>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).ok()
}

/// A summary that is not understood may hold what other tools did: it is kept under another name.
fn set_aside(path: &Path, directory: &Path) -> Result<Map<String, Value>, Error> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%.6fZ");
    let aside = directory.join(format!("process_summary.not-understood-{stamp}.json"));
    std::fs::rename(path, &aside).map_err(Error::file("set aside", path))?;
    tracing::warn!(
        "`{}` is not understood; it is kept as `{}`",
        path.display(),
        aside.display()
    );
    Ok(Map::new())
}

/// Sums up all stages.
fn total(summary: &mut Map<String, Value>, stages: &Map<String, Value>, seconds: f64) {
    let (mut done, mut failed, mut errors) = (0, 0, 0);
    for (name, stage) in stages {
        let (stage_done, stage_failed) = outcomes(name, stage);
        // Other tools' counters may be any number.
        done = u64::saturating_add(done, stage_done);
        failed = u64::saturating_add(failed, stage_failed);
        errors = u64::saturating_add(errors, number(stage, "error_count"));
    }
    let is_completed = |stage: &Value| stage.get("is_completed").and_then(Value::as_bool);
    let names = |completed: bool| -> Vec<&str> {
        let mut names: Vec<&str> = stages
            .iter()
            .filter(|(_, stage)| is_completed(stage).unwrap_or(false) == completed)
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        names
    };
    let (completed, active) = (names(true), names(false));
    let all = done.saturating_add(failed);
    let rate = all as f64 / seconds;
    for (key, value) in [
        ("total_items_processed", json!(all)),
        ("total_items_successful", json!(done)),
        ("total_items_failed", json!(failed)),
        ("total_error_count", json!(errors)),
        ("overall_success_rate_percent", percent(done, failed)),
        ("overall_processing_rate_per_second", json!(rate)),
        ("is_completed", json!(active.is_empty())),
        ("has_errors", json!(errors > 0)),
        ("active_stages", Value::from(active)),
        ("completed_stages", Value::from(completed)),
    ] {
        summary.insert(key.to_owned(), value);
    }
}

/// What a stage of any tool did and failed to do, by its counters.
fn outcomes(name: &str, stage: &Value) -> (u64, u64) {
    let (done, failed): (&[&str], &str) = match name {
        "collect" => (&["books_collected"], "collection_failed"),
        "process" => (&["conversion_requests_made"], "conversion_requests_failed"),
        "enrich" => (
            &["books_enriched", "enrichment_skipped"],
            "enrichment_failed",
        ),
        "sync" => (
            &[
                "books_synced",
                "sync_skipped",
                "conversions_requested_during_sync",
                "conversion_failures_tracked",
            ],
            "sync_failed",
        ),
        _ => (&[], ""),
    };
    let done = done.iter().map(|key| number(stage, key));
    let done = done.fold(0, u64::saturating_add);
    (done, number(stage, failed))
}

fn number(stage: &Value, key: &str) -> u64 {
    stage.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Seconds that a command took.
fn seconds(result: &StageResult) -> f64 {
    result.elapsed.as_secs_f64().max(0.001)
}

/// What a collection was begun with.
fn arguments(config: &RunConfig, result: &StageResult) -> Value {
    let storage = config.storage_config.as_ref();
    let mut all = Map::new();
    all.insert(
        "library_directory".to_owned(),
        json!(config.library_directory),
    );
    all.insert(
        "storage_type".to_owned(),
        json!(storage.map(|storage| storage.kind)),
    );
    if let Some(limit) = result.limit {
        all.insert("limit".to_owned(), json!(limit));
    }
    all.into()
}

fn describe(
    entry: &mut Map<String, Value>,
    stage: Stage,
    result: &StageResult,
    ended: jiff::Timestamp,
) {
    let seconds = seconds(result);
    let per_hour = result.done as f64 / seconds * 3600.0;
    let at_end = json!(stamp(ended));
    let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    set("start_time", json!(stamp(result.started)));
    // A stage that has ended is a completed one: going on with another one ends it.
    let end = result.completed.then(|| at_end.clone());
    set("end_time", end.unwrap_or_default());
    set("duration_seconds", json!(seconds));
    set("error_count", json!(result.failed));
    set("last_operation_time", at_end.clone());
    set("is_completed", json!(result.completed));
    set("last_error_message", json!(result.last_error));
    let error_time = result.last_error.as_ref().map(|_| at_end);
    set("last_error_time", error_time.unwrap_or_default());
    for (key, value) in stage.counters(result, per_hour) {
        set(key, value);
    }
    let (done, failed) = outcomes(stage.name(), &Value::Object(entry.clone()));
    entry.insert("success_rate_percent".to_owned(), percent(done, failed));
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
}

/// A plain 0 where there is nothing to tell.
fn percent(done: u64, failed: u64) -> Value {
    match done.saturating_add(failed) {
        0 => json!(0),
        all => json!(done as f64 / all as f64 * 100.0),
    }
}

/// Keys in the order in which people know them, those of the file and those of a stage. Others follow.
const ORDER: [&str; 56] = [
    "run_name",
    "session_id",
    "run_start_time",
    "run_end_time",
    "total_duration_seconds",
    "interruption_count",
    "last_checkpoint_time",
    "total_items_processed",
    "total_items_successful",
    "total_items_failed",
    "total_error_count",
    "overall_success_rate_percent",
    "overall_processing_rate_per_second",
    "stages",
    "start_time",
    "end_time",
    "duration_seconds",
    "timestamp",
    "elapsed_seconds",
    "message",
    "books_collected",
    "collection_failed",
    "collection_rate_per_hour",
    "conversion_requests_made",
    "conversion_requests_failed",
    "conversion_request_rate_per_hour",
    "books_synced",
    "sync_skipped",
    "sync_failed",
    "conversions_requested_during_sync",
    "conversion_failures_tracked",
    "sync_rate_per_hour",
    "metrics_snapshot_at_start",
    "books_enriched",
    "enrichment_skipped",
    "enrichment_failed",
    "enrichment_rate_per_hour",
    "total_books_processed",
    "error_count",
    "error_types",
    "last_error_message",
    "last_error_time",
    "last_operation_time",
    "command_args",
    "progress_updates",
    "is_completed",
    "has_errors",
    "active_stages",
    "completed_stages",
    "generated_at",
    "success_rate_percent",
    "stage_details",
    "queue_info",
    "error_breakdown",
    "library_directory",
    "storage_type",
];

/// A value whose objects have their keys in [`ORDER`].
struct InOrder<'a>(&'a Value);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let place = |key: &str| ORDER.iter().position(|known| *known == key);
                let mut pairs: Vec<_> = object.iter().collect();
                pairs.sort_by_key(|(key, _)| place(key).unwrap_or(ORDER.len()));
                serializer.collect_map(pairs.into_iter().map(|(key, value)| (key, InOrder(value))))
            }
            Value::Array(array) => serializer.collect_seq(array.iter().map(InOrder)),
            plain => plain.serialize(serializer),
        }
    }
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

    fn config() -> RunConfig {
        serde_json::from_value(json!({"run_name": "R", "library_directory": "X",
            "storage_config": {"type": "local"}}))
        .unwrap()
    }

    fn result(completed: bool) -> StageResult {
        StageResult {
            started: jiff::Timestamp::now(),
            elapsed: Duration::from_secs(50),
            done: 100,
            skipped: 0,
            failed: 1,
            requested: 0,
            unconvertible: 0,
            completed,
            last_error: Some("page 3".into()),
            limit: None,
        }
    }

    fn read(folder: &Path) -> (String, Value) {
        let text = std::fs::read_to_string(folder.join(SUMMARY)).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn a_stage_is_replaced_and_unknown_keys_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SUMMARY);
        let before = json!({"run_name": "R", "interruption_count": 3, "custom": [1],
            "stages": {"sync": {"books_synced": 5, "sync_skipped": 2, "sync_failed": 1, "is_completed": true,
                "error_count": 1}, "collect": {"mine": 1, "end_time": "before"}}});
        std::fs::write(&path, before.to_string()).unwrap();
        for _ in 0..2 {
            record_stage(folder.path(), &config(), Stage::Collect, &result(false)).unwrap();
        }
        let (_, after) = read(folder.path());
        assert_eq!(after["custom"][0], 1);
        assert_eq!(after["interruption_count"], 3);
        assert_eq!(after["stages"]["collect"]["mine"], 1);
        assert_eq!(after["stages"]["collect"]["books_collected"], 100);
        assert_eq!(after["stages"]["collect"]["end_time"], Value::Null);
        assert_eq!(after["total_items_processed"], 109);
        assert_eq!(after["total_items_successful"], 107);
        assert_eq!(after["total_items_failed"], 2);
        assert_eq!(after["completed_stages"], json!(["sync"]));
        assert_eq!(after["active_stages"], json!(["collect"]));
        record_stage(folder.path(), &config(), Stage::Collect, &result(true)).unwrap();
        let (_, after) = read(folder.path());
        assert!(after["stages"]["collect"]["end_time"].is_string());
        assert_eq!(after["completed_stages"], json!(["collect", "sync"]));
    }

    #[test]
    fn counters_of_any_size_are_summed_up() {
        let folder = tempfile::tempdir().unwrap();
        let before = json!({"stages": {"sync": {"books_synced": u64::MAX, "sync_failed": u64::MAX, "error_count": u64::MAX},
            "enrich": {"books_enriched": -1, "enrichment_failed": 1e300}}});
        std::fs::write(folder.path().join(SUMMARY), before.to_string()).unwrap();
        record_stage(folder.path(), &config(), Stage::Collect, &result(true)).unwrap();
        let (_, after) = read(folder.path());
        assert_eq!(after["total_items_processed"], u64::MAX);
    }

    #[test]
    fn a_clock_that_is_set_meanwhile_changes_no_duration() {
        let folder = tempfile::tempdir().unwrap();
        let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let set = StageResult {
            started: tomorrow,
            ..result(true)
        };
        record_stage(folder.path(), &config(), Stage::Collect, &set).unwrap();
        let (_, after) = read(folder.path());
        assert_eq!(after["stages"]["collect"]["duration_seconds"], 50.0);
        assert_eq!(
            after["stages"]["collect"]["collection_rate_per_hour"],
            7_200.0
        );
    }

    #[test]
    fn the_file_has_the_keys_of_the_interface_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let limited = StageResult {
            limit: Some(7),
            ..result(true)
        };
        record_stage(folder.path(), &config(), Stage::Collect, &limited).unwrap();
        record_stage(folder.path(), &config(), Stage::Enrich, &result(true)).unwrap();
        let (text, value) = read(folder.path());
        let keys: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("  \""))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        let expected = "run_name session_id run_start_time run_end_time total_duration_seconds interruption_count \
            last_checkpoint_time total_items_processed total_items_successful total_items_failed total_error_count \
            overall_success_rate_percent overall_processing_rate_per_second stages is_completed has_errors \
            active_stages completed_stages generated_at";
        assert_eq!(keys.join(" "), expected);
        let (collect, enrich) = text.split_once("    \"enrich\": {\n").unwrap();
        let keys = |text: &str| -> String {
            let keys: Vec<_> = text
                .lines()
                .filter(|line| line.starts_with("      \""))
                .filter_map(|line| line.split('"').nth(1))
                .collect();
            keys.join(" ")
        };
        let common = "error_count error_types last_error_message last_error_time last_operation_time command_args \
            progress_updates is_completed success_rate_percent stage_details queue_info error_breakdown";
        let first = "start_time end_time duration_seconds";
        assert_eq!(
            keys(collect),
            format!("{first} books_collected collection_failed collection_rate_per_hour {common}")
        );
        assert_eq!(
            keys(enrich),
            format!(
                "{first} books_enriched enrichment_skipped enrichment_failed enrichment_rate_per_hour {common}"
            )
        );
        assert_eq!(
            value["stages"]["collect"]["command_args"],
            json!({"library_directory": "X", "storage_type": "local", "limit": 7})
        );
        assert_eq!(value["run_end_time"], Value::Null);
        assert!(!text.ends_with('\n'));
    }
}
