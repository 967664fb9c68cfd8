//! What is read of the whole library and asked for often, kept in memory: how passages sound, and the counts of its report.
//!
//! With 200,000 passages that takes a tenth of a second to half of one, so it is done beside the requests. Where the library
//! is small every answer is of its newest state; where it is large, an answer may lack what was taken in since the last
//! reading, and a new one begins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use music::Library;
use music::library::query::{self, Status};
use music::views::similar::Sounds;

use crate::work::beside;

/// What is read within this time is read while somebody waits. A guess: nobody notices a fiftieth of a second.
const SOON: Duration = Duration::from_millis(20);

/// The share of the time that is spent on reading again while a library changes all the time: a twentieth. A guess.
const REST: u32 = 20;

/// Passages that are kept, of 225 bytes each. A guess: ten times the music that anybody owns.
const MOST_KEPT: usize = 1_000_000;

/// What was read last.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    soon: Duration,
    read: Read<T>,
    fits: fn(&T) -> bool,
    last: Mutex<Option<Arc<Reading<T>>>>,
    /// Held by the one who reads.
    reading: Mutex<()>,
    /// How many wait for what is read.
    waiting: AtomicUsize,
}

/// Reads from a library, without haste until its second argument says that somebody waits.
type Read<T> = fn(&Library, &dyn Fn() -> bool) -> music::Result<T>;

#[derive(Debug)]
struct Reading<T> {
    value: T,
    /// The library's state before it was read.
    state: music::State,
    ended: Instant,
    took: Duration,
}

impl Kept<Sounds> {
    /// How passages sound.
    pub(crate) fn sounds() -> Self {
        Self::new(SOON, Sounds::read_beside, |sounds| {
            sounds.len() <= MOST_KEPT
        })
    }
}

impl Kept<Status> {
    /// What the report tells.
    pub(crate) fn status() -> Self {
        Self::new(SOON, |library, _| query::status(library), |_| true)
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    fn new(soon: Duration, read: Read<T>, fits: fn(&T) -> bool) -> Self {
        Self {
            soon,
            read,
            fits,
            last: Mutex::default(),
            reading: Mutex::default(),
            waiting: AtomicUsize::default(),
        }
    }

    /// Answers a question from what is kept, and reads what is not.
    ///
    /// # Errors
    ///
    /// Those of the question, or when the database cannot be read.
    pub(crate) fn ask<A>(
        self: &Arc<Self>,
        library: &Library,
        question: impl Fn(&T) -> music::Result<A>,
    ) -> music::Result<A> {
        let Some(last) = self.last().clone() else {
            return question(&self.read(library)?.value);
        };
        if last.state == library.state()? {
            return question(&last.value);
        }
        if last.took < self.soon {
            return question(&self.read(library)?.value);
        }
        if last.ended.elapsed() >= last.took * REST {
            let (kept, library) = (Arc::clone(self), library.clone());
            beside(move || kept.read_unless_somebody_does(&library));
        }
        match question(&last.value) {
            // Whoever asks for what has just come waits for it.
            Err(music::Error::NoFlavor { .. }) => question(&self.read(library)?.value),
            answer => answer,
        }
    }

    /// Whether a question would wait until everything is read for the first time.
    pub(crate) fn is_unread(&self) -> bool {
        self.last().is_none()
    }

    /// Reads ahead of the first question.
    pub(crate) fn read_ahead(&self, library: &Library) {
        if self.last().is_none() {
            self.read_unless_somebody_does(library);
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Arc<Reading<T>>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_unless_somebody_does(&self, library: &Library) {
        let Ok(_turn) = self.reading.try_lock() else {
            return;
        };
        // A question that needs it meets the same error, and tells it.
        if let Err(error) = self.read_now(library) {
            tracing::warn!("cannot read the library ahead: {error}");
        }
    }

    /// Reads, or waits for whoever does.
    fn read(&self, library: &Library) -> music::Result<Arc<Reading<T>>> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let read = self.read_in_turn(library);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        read
    }

    fn read_in_turn(&self, library: &Library) -> music::Result<Arc<Reading<T>>> {
        let _turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.last().clone();
        match last {
            Some(last) if last.state == library.state()? => Ok(last),
            _ => self.read_now(library),
        }
    }

    fn read_now(&self, library: &Library) -> music::Result<Arc<Reading<T>>> {
        let (began, state) = (Instant::now(), library.state()?);
        let is_hurried = || self.waiting.load(Ordering::Acquire) > 0;
        let value = (self.read)(library, &is_hurried)?;
        let reading = Arc::new(Reading {
            value,
            state,
            ended: Instant::now(),
            took: began.elapsed(),
        });
        *self.last() = (self.fits)(&reading.value).then(|| Arc::clone(&reading));
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
                "extractor": "accession-flavor 3", "tempo_bpm": 120.0, "pulse_clarity": 0.5, "onset_rate": 3.0,
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
                     VALUES (?1, 'accession-flavor 3', 5, ?2)",
                    said,
                )
                .unwrap();
        }

        fn count(&self, kept: &Arc<Kept<Sounds>>) -> usize {
            kept.ask(&self.library, |sounds| Ok(sounds.len())).unwrap()
        }
    }

    #[test]
    fn of_a_small_library_every_answer_is_of_its_newest_state() {
        let two = Two::new();
        let kept = Arc::new(Kept::new(Duration::MAX, Sounds::read_beside, |_| true));
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
        let kept = Arc::new(Kept::new(Duration::ZERO, Sounds::read_beside, |_| true));
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
