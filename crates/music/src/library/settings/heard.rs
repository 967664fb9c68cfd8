//! The settings that change what is heard, and which of them files were heard with: a change takes effect only where files
//! are heard again, so an import says which were not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlite::params;

use super::SETTINGS;
use crate::error::{Error, Result};
use crate::library::Library;

/// Those that change what is heard.
pub(super) const HEARD: [&str; 7] = [
    "silence_threshold_dB",
    "silence_min_duration_ticks",
    "minimum_passage_audio_duration_ticks",
    "lead_in_threshold_dB",
    "lead_out_threshold_dB",
    "lead_rule",
    "import_parameters",
];

/// Their values in force, by key; a run keeps them beside what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct HeardWith(BTreeMap<&'static str, Option<String>>);

impl HeardWith {
    pub(super) fn of(
        in_force: &mut dyn FnMut(&'static str) -> Result<Option<String>>,
    ) -> Result<Self> {
        let values = HEARD.iter().map(|key| Ok((*key, in_force(key)?)));
        values.collect::<Result<_>>().map(Self)
    }

    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned().flatten()
    }

    /// The keys whose values differ in what a run kept. What it says nothing of is not known, and no difference.
    fn unlike(&self, kept: &serde_json::Value) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(|(key, now)| {
            let then = kept.get(key)?.as_str();
            let now = now.as_deref();
            // "35" and "35.0" are one threshold.
            let number = |text: Option<&str>| text?.parse::<f64>().ok();
            let is_same = then == now || (number(then).is_some() && number(then) == number(now));
            (!is_same).then_some(*key)
        })
    }
}

impl Default for HeardWith {
    fn default() -> Self {
        let settings = SETTINGS.iter().filter(|one| HEARD.contains(&one.key));
        Self(
            settings
                .map(|one| (one.key, one.default.map(str::to_owned)))
                .collect(),
        )
    }
}

/// The settings that changed since files of the library were heard, by what its runs kept, back to the last one that heard
/// everything; runs of earlier versions kept nothing, and nothing is known of their files.
///
/// # Errors
///
/// When the database cannot be read.
pub fn changed_since(library: &Library) -> Result<BTreeSet<&'static str>> {
    let runs = library.db().read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT json_extract(parameters, '$.heard_with'), \
                    json_extract(file_classification_data, '$.recorded') > 0, \
                    json_extract(parameters, '$.force') AND json_extract(parameters, '$.folder') = root_folder \
                        AND json_extract(parameters, '$.only') IS NULL AND state = '\"COMPLETED\"' \
             FROM import_sessions WHERE json_valid(parameters) AND json_valid(file_classification_data) \
             ORDER BY started_at DESC, rowid DESC",
            params![],
            |row| {
                let [recorded, everything] = [1, 2].map(|column| row.get::<_, Option<bool>>(column));
                let is_true = |value: Option<bool>| value == Some(true);
                Ok((row.get::<_, Option<String>>(0)?, is_true(recorded?), is_true(everything?)))
            },
        )?)
    })?;
    let now = &library.settings().heard_with;
    let mut changed = BTreeSet::new();
    for (kept, recorded, heard_everything) in runs {
        let kept = kept.filter(|_| recorded);
        if let Some(kept) = kept.and_then(|kept| serde_json::from_str(&kept).ok()) {
            changed.extend(now.unlike(&kept));
        }
        if heard_everything {
            break;
        }
    }
    Ok(changed)
}
