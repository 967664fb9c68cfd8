//! What a command asks for against what the run was begun with.

use std::path::Path;

use serde_json::Value;

use crate::error::Error;
use crate::run::config::{RunConfig, STORAGE_KEYS, build};
use crate::run::options::RunOptions;

impl RunConfig {
    /// Where `asked` says something else than the run's own settings, each with both values.
    ///
    /// Only what was said counts: a setting left out is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`build`], for a setting that makes no sense at all.
    pub fn difference(&self, directory: &Path, asked: &RunOptions) -> Result<Vec<String>, Error> {
        if *asked == RunOptions::default() {
            return Ok(Vec::new());
        }
        let stored = self.as_options();
        let mut full = asked.clone().or(stored.clone());
        let mut pairs = stored.storage_config.unwrap_or_default();
        pairs.extend(asked.storage_config.iter().flatten().cloned());
        pairs.extend(
            full.storage_path
                .take()
                .map(|path| format!("base_path={path}")),
        );
        full.storage_config = Some(pairs);
        let asked = build(&self.run_name, directory, &full)?;
        let mut lines = Vec::new();
        let (ours, theirs) = (serde_json::to_value(self), serde_json::to_value(&asked));
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            for place in COMPARED {
                compare(
                    place,
                    ours.pointer(place),
                    theirs.pointer(place),
                    &mut lines,
                );
            }
        }
        if full.log_dir.is_some() {
            compare(
                "/log_file",
                self.log_file.as_deref().map(Value::from).as_ref(),
                asked.log_file.as_deref().map(Value::from).as_ref(),
                &mut lines,
            );
        }
        Ok(lines)
    }

    /// The settings that would build this configuration.
    pub(crate) fn as_options(&self) -> RunOptions {
        let storage = self.storage_config.as_ref();
        let sync = self.sync_config.clone().unwrap_or_default();
        let pairs = storage.map(|storage| {
            let text = |(key, value): (&String, &Value)| {
                let known = STORAGE_KEYS.contains(&key.as_str());
                value
                    .as_str()
                    .filter(|_| known)
                    .map(|text| format!("{key}={text}"))
            };
            storage.config.iter().filter_map(text).collect()
        });
        RunOptions {
            library_directory: Some(self.library_directory.clone()),
            storage: storage.map(|storage| storage.kind),
            storage_config: pairs,
            secrets_dir: self.secrets_dir.clone(),
            database: self.database_url.clone(),
            sync_staging_dir: sync.staging_dir,
            sync_disk_space_threshold: Some(sync.disk_space_threshold),
            sync_task_check_concurrency: Some(sync.task_check_concurrency),
            sync_task_download_concurrency: Some(sync.task_download_concurrency),
            sync_task_decrypt_concurrency: Some(sync.task_decrypt_concurrency),
            sync_task_upload_concurrency: Some(sync.task_upload_concurrency),
            sync_task_unpack_concurrency: Some(sync.task_unpack_concurrency),
            sync_task_extract_marc_concurrency: Some(sync.task_extract_marc_concurrency),
            sync_task_extract_ocr_concurrency: Some(sync.task_extract_ocr_concurrency),
            sync_task_export_csv_concurrency: Some(sync.task_export_csv_concurrency),
            sync_task_cleanup_concurrency: Some(sync.task_cleanup_concurrency),
            ..RunOptions::default()
        }
    }
}

/// The settings that a run is begun with.
const COMPARED: [&str; 5] = [
    "/library_directory",
    "/storage_config",
    "/sync_config",
    "/secrets_dir",
    "/database_url",
];

/// Walks down to where two values differ.
fn compare(place: &str, ours: Option<&Value>, theirs: Option<&Value>, lines: &mut Vec<String>) {
    match (ours, theirs) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            // What others put there, keys of access among it, is not ours to compare or to show.
            for (key, value) in theirs {
                compare(&format!("{place}/{key}"), ours.get(key), Some(value), lines);
            }
        }
        (ours, theirs) if ours.unwrap_or(&Value::Null) != theirs.unwrap_or(&Value::Null) => {
            let show = |value: Option<&Value>| match value {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "none".to_owned(),
            };
            let name = place.trim_start_matches('/').replace('/', ".");
            lines.push(format!(
                "{name} is `{}`, asked for `{}`",
                show(ours),
                show(theirs)
            ));
        }
        _ => {}
    }
}
