//! A pace that commands on one machine keep together: a file that says when the next request may go out.
//!
//! Whoever wants to ask locks the file, takes the next place in the line, and writes where the line ends now. A command
//! that is killed leaves nothing behind but a place that it did not use.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use web::Pace;

use crate::error::{Error, Setting};

/// How such a file begins; what begins otherwise belongs to somebody else.
const MARK: &str = "accession pace ";

/// Longer than any such file is, in bytes.
const LONGEST: u64 = 64;

/// A line that is longer than this was written by a clock that has been set back since. A guess: a hundred requests that
/// wait, ten seconds apart each, are fewer than anybody has.
const LONGEST_WAIT: Duration = Duration::from_secs(1_000);

/// The line in a file.
#[derive(Debug)]
pub(super) struct FilePace {
    path: PathBuf,
    /// From one request to the next.
    between: Duration,
}

impl FilePace {
    /// The line in the file at `path`, which is made if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] where something else is there, [`Error::File`] where it cannot be opened.
    pub(super) fn open(path: &Path, per_second: f64) -> Result<Self, Error> {
        let other = || Error::setting(Setting::SharedRate, path.display().to_string());
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() || found.len() > LONGEST => return Err(other()),
            Ok(_) => {
                let mut text = String::new();
                let file = run::regular_file(path).map_err(Error::file("open", path))?;
                let read = file.take(LONGEST).read_to_string(&mut text);
                if read.is_err() || !(text.is_empty() || text.starts_with(MARK)) {
                    return Err(other());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::file("open", path)(error)),
        }
        let pace = Self {
            path: path.to_owned(),
            between: Duration::from_secs_f64(1.0 / per_second),
        };
        pace.file().map_err(Error::file("open", path))?;
        Ok(pace)
    }

    fn file(&self) -> io::Result<File> {
        let mut options = File::options();
        options.create(true).truncate(false).read(true).write(true);
        options.open(&self.path)
    }

    /// Takes the next place; how long it is until then.
    fn next(&self) -> io::Result<Duration> {
        let mut file = self.file()?;
        file.lock()?;
        let mut text = String::new();
        (&file).take(LONGEST).read_to_string(&mut text)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let end = text
            .strip_prefix(MARK)
            .and_then(|micros| micros.trim().parse().ok())
            .map(Duration::from_micros)
            .filter(|end| *end < now + LONGEST_WAIT);
        let place = end.unwrap_or(now).max(now);
        // Always of the same length, so that a reader never sees the rest of an older one.
        let line = format!("{MARK}{:020}\n", (place + self.between).as_micros());
        file.rewind()?;
        file.write_all(line.as_bytes())?;
        Ok(place.saturating_sub(now))
    }
}

impl Pace for FilePace {
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let line = Self {
                path: self.path.clone(),
                between: self.between,
            };
            match tokio::task::spawn_blocking(move || line.next()).await {
                Ok(Ok(pause)) => tokio::time::sleep(pause).await,
                // This process's own pace still holds.
                Ok(Err(error)) => tracing::warn!(
                    "the pace in `{}` is not known: {error}",
                    self.path.display()
                ),
                Err(error) => tracing::warn!("the shared pace is not known: {error}"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other_and_a_clock_that_was_set_back_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pace");
        let [one, other] = [(); 2].map(|()| FilePace::open(&path, 5.0).unwrap());
        let waits: Vec<_> = (0..6)
            .map(|at| if at % 2 == 0 { &one } else { &other }.next().unwrap())
            .collect();
        assert!(waits[0].is_zero(), "{waits:?}");
        // Five fifths of a second, less what the test itself took.
        let last = waits[5].as_secs_f64();
        assert!((0.5..=1.0).contains(&last), "{waits:?}");
        std::fs::write(&path, format!("{MARK}{:020}\n", u64::MAX / 2)).unwrap();
        assert!(one.next().unwrap().is_zero());
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("notes.txt");
        std::fs::write(&theirs, "buy milk\n").unwrap();
        for path in [&*theirs, folder.path()] {
            let refused = FilePace::open(path, 5.0).unwrap_err();
            assert!(matches!(refused, Error::Setting { .. }), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(theirs).unwrap(), "buy milk\n");
    }
}
