//! The run's log: one line an event, kept over all commands of the run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Severity};

/// Appends to the file that the run's settings name. A log that cannot be written stops nothing.
#[derive(Debug, Default)]
pub struct RunLog {
    file: Option<Mutex<File>>,
}

impl RunLog {
    /// Opens the log at `path`; without one, nothing is written.
    ///
    /// # Errors
    ///
    /// What the system says when the folder or the file cannot be made.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self {
            file: Some(Mutex::new(file)),
        })
    }

    /// Writes an event down.
    pub fn event(&self, event: &Event) {
        if let Some(severity) = event.severity() {
            self.line(severity, &event.to_string());
        }
    }

    /// Writes a line down.
    pub fn line(&self, severity: Severity, text: &str) {
        let Some(file) = &self.file else { return };
        let level = match severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Info | Severity::Detail => "INFO",
        };
        let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S");
        let text = text.replace(['\n', '\r'], " ");
        let written = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(format!("{now} - accession - {level} - {text}\n").as_bytes())
        };
        if let Err(error) = written {
            tracing::debug!("cannot write the log: {error}");
        }
    }
}
