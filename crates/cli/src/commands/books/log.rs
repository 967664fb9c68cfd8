//! The run's log: one line an event, kept over all commands of the run.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use books::{Event, RunConfig};

use crate::commands::books::tell::line;
use crate::printer::{Printer, Volume};

/// Appends to the file that the run's settings name. A log that cannot be written stops nothing.
pub(crate) struct RunLog {
    file: Option<Mutex<File>>,
}

impl RunLog {
    /// Opens the log of a run.
    pub(crate) fn open(config: &RunConfig, printer: Printer) -> Self {
        let file = config.log_file.as_deref().map(Path::new).and_then(|path| {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            let opened = folder
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| File::options().create(true).append(true).open(path));
            match opened {
                Ok(file) => Some(Mutex::new(file)),
                Err(error) => {
                    let warning = format!(
                        "warning: cannot write the log `{}`: {error}",
                        path.display()
                    );
                    printer.note(Volume::Brief, &warning);
                    None
                }
            }
        });
        Self { file }
    }

    /// Writes an event down.
    pub(crate) fn event(&self, event: &Event) {
        if let Some((volume, text)) = line(event) {
            let level = match (volume, event) {
                (_, Event::PageFailed { .. } | Event::BatchFailed { .. }) => "ERROR",
                (Volume::Brief, _) => "WARNING",
                _ => "INFO",
            };
            self.line(level, &text);
        }
    }

    /// Writes a line down.
    pub(crate) fn line(&self, level: &str, text: &str) {
        let Some(file) = &self.file else { return };
        let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S");
        let text = text.replace('\n', " ");
        let written = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(format!("{now} - accession - {level} - {text}\n").as_bytes())
        };
        if let Err(error) = written {
            tracing::debug!("cannot write the log: {error}");
        }
    }
}
