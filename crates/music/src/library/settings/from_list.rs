//! The settings of a library that is not at hand, as it listed them.

use serde::Deserialize;

use super::{Settings, Stored, check, is_secret};
use crate::error::Result;

/// A line of `settings list` in JSON.
#[derive(Deserialize)]
struct Line {
    key: String,
    value: Option<String>,
}

impl Settings {
    /// Reads what `settings list` printed as JSON of another library's settings.
    ///
    /// # Errors
    ///
    /// When it is something else, or a value is none for its setting.
    pub fn from_list(json: &str) -> Result<Self> {
        let lines: Vec<Line> = serde_json::from_str(json).map_err(std::io::Error::from)?;
        for line in &lines {
            if !is_secret(&line.key)? {
                check(&line.key, line.value.as_deref())?;
            }
        }
        Self::by(&|key| {
            let line = lines.iter().find(|line| line.key == key);
            Ok(Stored {
                value: line.and_then(|line| line.value.clone()),
                chosen: true,
            })
        })
    }
}
