//! How the passages of the library sound, kept in memory for the map and for neighbours.
//!
//! Reading all of it takes half a second for 200,000 passages, so it is done ahead and beside the requests. Where the
//! library is small every answer is of its newest state; where it is large, an answer may lack what was taken in since
//! the last reading, and a new one begins.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use music::Library;
use music::views::similar::Sounds;

use crate::work::beside;

/// What is read within this time is read while somebody waits. A guess: nobody notices half of a tenth of a second.
const SOON: Duration = Duration::from_millis(50);

/// The share of the time that is spent on reading again while a library changes all the time: a twentieth. A guess.
const REST: u32 = 20;

/// Passages that are kept, of 225 bytes each. A guess: ten times the music that anybody owns.
const MOST_KEPT: usize = 1_000_000;

/// What was read last.
#[derive(Debug)]
pub(crate) struct Kept {
    soon: Duration,
    last: Mutex<Option<Arc<Reading>>>,
    /// Held by the one who reads.
    reading: Mutex<()>,
}

#[derive(Debug)]
struct Reading {
    sounds: Sounds,
    ended: Instant,
    took: Duration,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self::with_patience(SOON)
    }

    fn with_patience(soon: Duration) -> Self {
        Self {
            soon,
            last: Mutex::default(),
            reading: Mutex::default(),
        }
    }

    /// Answers a question from what is kept, and reads what is not.
    ///
    /// # Errors
    ///
    /// Those of the question, or when the database cannot be read.
    pub(crate) fn ask<T>(
        self: &Arc<Self>,
        library: &Library,
        question: impl Fn(&Sounds) -> music::Result<T>,
    ) -> music::Result<T> {
        let Some(last) = self.last() else {
            return question(&self.read(library)?.sounds);
        };
        if last.sounds.are_current(library)? {
            return question(&last.sounds);
        }
        if last.took < self.soon {
            return question(&self.read(library)?.sounds);
        }
        if last.ended.elapsed() >= last.took * REST {
            let (kept, library) = (Arc::clone(self), library.clone());
            beside(move || kept.read_unless_somebody_does(&library));
        }
        match question(&last.sounds) {
            // Whoever asks for what has just come waits for it.
            Err(music::Error::NoFlavor { .. }) => question(&self.read(library)?.sounds),
            answer => answer,
        }
    }

    /// Reads ahead of the first question.
    pub(crate) fn read_ahead(&self, library: &Library) {
        if self.last().is_none() {
            self.read_unless_somebody_does(library);
        }
    }

    fn last(&self) -> Option<Arc<Reading>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    fn read_unless_somebody_does(&self, library: &Library) {
        let Ok(_turn) = self.reading.try_lock() else {
            return;
        };
        // A question that needs it meets the same error, and tells it.
        if let Err(error) = self.read_now(library) {
            tracing::warn!("cannot read how passages sound: {error}");
        }
    }

    /// Reads, or waits for whoever does.
    fn read(&self, library: &Library) -> music::Result<Arc<Reading>> {
        let _turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        match self.last() {
            Some(last) if last.sounds.are_current(library)? => Ok(last),
            _ => self.read_now(library),
        }
    }

    fn read_now(&self, library: &Library) -> music::Result<Arc<Reading>> {
        let began = Instant::now();
        let sounds = Sounds::read(library)?;
        let reading = Arc::new(Reading {
            sounds,
            ended: Instant::now(),
            took: began.elapsed(),
        });
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (reading.sounds.len() <= MOST_KEPT).then(|| Arc::clone(&reading));
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use music::DATABASE;
    use rusqlite::Connection;

    use super::*;

    fn id(letter: &str) -> String {
        format!("0000000{letter}-0000-4000-8000-000000000000")
    }

    /// A library, and another program that writes to it.
    struct Two {
        folder: tempfile::TempDir,
        library: Library,
        other: Connection,
    }

    impl Two {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(DATABASE);
            let library = Library::open(&path, folder.path()).unwrap();
            let other = Connection::open(&path).unwrap();
            other
                .execute(
                    "INSERT INTO files (guid, path, hash, modification_time) VALUES ('f', 'a.mp3', '', '')",
                    [],
                )
                .unwrap();
            Self {
                folder,
                library,
                other,
            }
        }

        fn describe(&self, letter: &str, centroid_hz: f64) {
            let id = id(letter);
            let flavor = serde_json::json!({
                "extractor": "accession-flavor 1", "tempo_bpm": 120.0, "pulse_clarity": 0.5, "onset_rate": 3.0,
                "key": 0, "key_strength": 0.8, "major_over_minor": 0.1, "pitch_classes": vec![0.1; 12],
                "loudness_lufs": -14.0, "loudness_range_lu": 5.0, "dynamic_complexity_db": 3.0,
                "centroid_hz": centroid_hz, "centroid_spread_hz": 500.0, "rolloff_hz": 2000.0, "flatness": 0.1,
                "bands": vec![0.125; 8], "timbre": vec![0.0; 13], "timbre_spread": vec![1.0; 13],
            });
            let said = [&id, &flavor.to_string()];
            self.other
                .execute(
                    "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks) \
                     VALUES (?1, 'f', 0, 28224000)",
                    [&id],
                )
                .unwrap();
            self.other
                .execute(
                    "INSERT INTO accession_sounds (passage_id, extractor, range_lu, flavor) \
                     VALUES (?1, 'accession-flavor 1', 5, ?2)",
                    said,
                )
                .unwrap();
        }

        fn count(&self, kept: &Arc<Kept>) -> usize {
            kept.ask(&self.library, |sounds| Ok(sounds.len())).unwrap()
        }
    }

    #[test]
    fn of_a_small_library_every_answer_is_of_its_newest_state() {
        let two = Two::new();
        let kept = Arc::new(Kept::with_patience(Duration::MAX));
        for number in 0..4 {
            assert_eq!(two.count(&kept), number);
            two.describe(&number.to_string(), 800.0);
        }
        two.other.execute("DELETE FROM passages", []).unwrap();
        two.other
            .execute("DELETE FROM accession_sounds", [])
            .unwrap();
        assert_eq!(two.count(&kept), 0);
        drop(two.folder);
    }

    #[tokio::test]
    async fn of_a_large_library_nobody_waits_but_for_what_has_just_come() {
        let two = Two::new();
        // Nothing is read soon enough, as if there were very many.
        let kept = Arc::new(Kept::with_patience(Duration::ZERO));
        two.describe("a", 700.0);
        two.describe("b", 800.0);
        kept.read_ahead(&two.library);
        two.describe("c", 900.0);
        assert_eq!(two.count(&kept), 2, "what was read before");
        let began = Instant::now();
        while two.count(&kept) < 3 {
            assert!(began.elapsed() < Duration::from_secs(30), "it is not read");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        two.describe("d", 4000.0);
        let around = |sounds: &Sounds| sounds.map(&two.library, Some(&id("d")), 9);
        assert_eq!(kept.ask(&two.library, around).unwrap().len(), 4);
        let near = |sounds: &Sounds| sounds.similar(&two.library, &id("a"), 9);
        let near = kept.ask(&two.library, near).unwrap();
        let near: Vec<_> = near.iter().map(|one| one.passage.id.as_str()).collect();
        assert_eq!(near, [id("b"), id("c"), id("d")]);
    }
}
