//! Finds the passages that sound most like one.

use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use audio::flavor::{Flavor, Similarity, numbers, spec003};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::Library;
use crate::library::query::{self, PassageDetails, Shown, show};

/// A passage that sounds like another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Neighbour {
    /// The passage.
    #[serde(flatten)]
    pub passage: PassageDetails,
    /// How far apart they are: 0 is the same, two random passages are some 1.4 apart.
    pub distance: f64,
    /// The distance of WKMP's SPEC003, 0 to 1.
    pub spec003: f64,
}

/// The `count` passages nearest to the one named, the nearest first. The same music in another file counts too.
///
/// # Errors
///
/// As [`Sounds::similar`].
pub fn similar(library: &Library, name: &str, count: usize) -> Result<Vec<Neighbour>> {
    Sounds::read(library)?.similar(library, name, count)
}

/// A passage on the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Placed {
    /// Its id.
    pub id: PassageId,
    /// The path of its file.
    pub path: String,
    /// Its title.
    pub title: Option<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Where it starts in its file, in seconds.
    pub start_seconds: f64,
    /// Where it ends in its file, in seconds.
    pub end_seconds: f64,
    /// From left to right, -1 to 1.
    pub x: f64,
    /// From the bottom to the top, -1 to 1.
    pub y: f64,
}

/// Passages whose flavors are read within a tenth of a second where nothing of them is in memory: 2 kB each, at 120 MB/s.
const MANY: i64 = 5000;

/// How all passages of a library sound that have been described, in memory: some 225 bytes for each.
#[derive(Debug)]
pub struct Sounds {
    similarity: Similarity,
    ids: Ids,
}

impl Sounds {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn read(library: &Library) -> Result<Self> {
        Self::read_beside(library, &|| true)
    }

    /// The same, beside others who read from the same disk: it rests half of the time, unless `is_hurried`.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn read_beside(library: &Library, is_hurried: &dyn Fn() -> bool) -> Result<Self> {
        let (full, taken) = sync_channel(BATCHES);
        // Numbers are read from text beside the disk: either takes half of the time.
        let (read, (numbers, ids)) = std::thread::scope(|scope| {
            let numbers = scope.spawn(move || numbers_of(taken));
            let (mut batch, mut began) = (Batch::default(), Instant::now());
            let read = query::each_flavor(library.db(), |id, flavor| {
                batch.push(id, flavor);
                if batch.text.len() >= BATCH {
                    // It fails only once the other thread has panicked, which is told below.
                    let _ = full.send(std::mem::take(&mut batch));
                    if !is_hurried() {
                        std::thread::sleep(began.elapsed());
                    }
                    began = Instant::now();
                }
            });
            let _ = full.send(batch);
            drop(full);
            let numbers = numbers.join();
            (read, numbers.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        read?;
        Ok(Self {
            similarity: Similarity::of(numbers),
            ids,
        })
    }

    /// Some `count` of them from all over the library, and the one with the id `with`: what can be shown while all are read.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn sample(library: &Library, count: usize, with: Option<&str>) -> Result<Self> {
        let mut batch = Batch::default();
        let mut has_it = false;
        query::some_flavors(library.db(), count, |id, flavor| {
            has_it |= with == Some(id);
            batch.push(id, flavor);
        })?;
        if let Some(id) = with
            && !has_it
            && let Some(flavor) = query::flavor(library.db(), id)?
        {
            batch.push(id, &flavor);
        }
        let (numbers, ids) = numbers_of([batch]);
        Ok(Self {
            similarity: Similarity::of(numbers),
            ids,
        })
    }

    /// Whether reading them all may take longer than a person waits for a page.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn are_many(library: &Library) -> Result<bool> {
        Ok(query::last_flavor(library.db())? > MANY)
    }

    /// Number of passages.
    pub fn len(&self) -> usize {
        self.ids.ends.len()
    }

    /// Whether no passage has been described.
    pub fn is_empty(&self) -> bool {
        self.ids.ends.is_empty()
    }

    /// The `count` passages nearest to the one named, the nearest first. The same music in another file counts too, but not
    /// in one that is a duplicate by the setting `same_audio`.
    ///
    /// # Errors
    ///
    /// When there is no such passage, it has no flavor yet, or the database cannot be read.
    pub fn similar(&self, library: &Library, name: &str, count: usize) -> Result<Vec<Neighbour>> {
        let id = match show(library, name)? {
            Shown::Passage(passage) => passage.id,
            Shown::File(file) => match file.passages.as_slice() {
                [only] => only.id.clone(),
                several => {
                    return Err(Error::NotOnePassage {
                        name: name.to_owned(),
                        passages: several.len(),
                    });
                }
            },
        };
        let is_once = library.settings().same_audio_once;
        // A guess: a song lies in a library twice at most, and those nearest in some more files.
        let candidates = if is_once {
            count.saturating_mul(2).saturating_add(16)
        } else {
            count
        };
        let (own, nearest) = self.nearest(library, name, &id, candidates)?;
        let own = own.characteristics();
        let mut neighbours = Vec::with_capacity(count.min(nearest.len()));
        for (distance, number) in nearest {
            if neighbours.len() == count {
                break;
            }
            let other = self.ids.get(number);
            if is_once && query::is_of_a_duplicate(library.db(), &id, other)? {
                continue;
            }
            let id = other;
            let Some(flavor) = flavor(library, id)? else {
                continue;
            };
            let Some(passage) = still_there(library, id)? else {
                continue;
            };
            neighbours.push(Neighbour {
                passage,
                distance,
                spec003: spec003(&own, &flavor.characteristics()),
            });
        }
        Ok(neighbours)
    }

    /// At most `count` passages on a plane on which those that sound alike lie near each other: the one named first and
    /// those nearest to it, or without a name some of the whole library, evenly taken. Nothing where none has been
    /// described.
    ///
    /// # Errors
    ///
    /// When there is no such passage, it has no flavor yet, or the database cannot be read.
    pub fn map(&self, library: &Library, name: Option<&str>, count: usize) -> Result<Vec<Placed>> {
        let numbers: Vec<usize> = if let Some(name) = name {
            let Shown::Passage(passage) = show(library, name)? else {
                return Err(Error::not_found(name));
            };
            let own = self.ids.position(passage.id.as_str());
            let own = own.ok_or_else(|| no_flavor(name))?;
            let (_, near) = self.nearest(library, name, &passage.id, count.saturating_sub(1))?;
            let near = near.into_iter().map(|(_, number)| number);
            std::iter::once(own).chain(near).collect()
        } else {
            let step = self.len().div_ceil(count.max(1)).max(1);
            (0..self.len()).step_by(step).collect()
        };
        let ids = numbers.iter().map(|number| self.ids.get(*number));
        let found = query::places(library.db(), ids)?;
        let placed = found.into_iter().zip(self.similarity.plane(&numbers));
        Ok(placed
            .filter_map(|(found, [x, y])| {
                let found = found?;
                Some(Placed {
                    id: found.id,
                    path: found.path,
                    title: found.title,
                    artist: found.artist,
                    start_seconds: found.start.seconds(),
                    end_seconds: found.end.seconds(),
                    x,
                    y,
                })
            })
            .collect())
    }

    /// The flavor of the passage with this id, and the `count` nearest to it, the nearest first: how far apart they are,
    /// and their numbers.
    fn nearest(
        &self,
        library: &Library,
        name: &str,
        id: &PassageId,
        count: usize,
    ) -> Result<(Flavor, Vec<(f64, usize)>)> {
        let text = query::flavor(library.db(), id.as_str())?;
        let own = text
            .as_deref()
            .and_then(|text| Some((read(text)?, numbers(text)?)));
        let (flavor, own) = own.ok_or_else(|| no_flavor(name))?;
        let mut nearest: Vec<_> = self
            .similarity
            .distances(&own)
            .into_iter()
            .zip(0..)
            .collect();
        if let Some(own) = self.ids.position(id.as_str()) {
            nearest.swap_remove(own);
        }
        let nearer = |a: &(f64, usize), b: &(f64, usize)| {
            let ids = || self.ids.get(a.1).cmp(self.ids.get(b.1));
            a.0.total_cmp(&b.0).then_with(ids)
        };
        if count < nearest.len() {
            nearest.select_nth_unstable_by(count, nearer);
            nearest.truncate(count);
        }
        nearest.sort_unstable_by(nearer);
        Ok((flavor, nearest))
    }
}

/// Bytes of text that go to the other thread at once. A guess: some three hundred flavors.
const BATCH: usize = 256 << 10;

/// Batches that may wait for the other thread, so that neither waits for the other.
const BATCHES: usize = 4;

/// Ids and flavors, as text one after the other.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    /// Where each id, and each flavor behind it, ends.
    ends: Vec<(usize, usize)>,
}

impl Batch {
    fn push(&mut self, id: &str, flavor: &str) {
        self.text.push_str(id);
        let end = self.text.len();
        self.text.push_str(flavor);
        self.ends.push((end, self.text.len()));
    }
}

/// The numbers of all flavors that can be compared with ours, and whose they are.
fn numbers_of(batches: impl IntoIterator<Item = Batch>) -> (Vec<f32>, Ids) {
    let (mut all, mut ids) = (Vec::new(), Ids::default());
    for batch in batches {
        let mut start = 0;
        for (id, flavor) in batch.ends {
            if let Some(numbers) = numbers(&batch.text[id..flavor]) {
                all.extend(numbers);
                ids.push(&batch.text[start..id]);
            }
            start = flavor;
        }
    }
    (all, ids)
}

/// Ids, one after the other: 44 bytes for each.
#[derive(Debug, Default)]
struct Ids {
    text: String,
    ends: Vec<usize>,
}

impl Ids {
    fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }

    fn position(&self, id: &str) -> Option<usize> {
        (0..self.ends.len()).find(|number| self.get(*number) == id)
    }
}

fn no_flavor(name: &str) -> Error {
    Error::NoFlavor {
        name: name.to_owned(),
    }
}

/// One that was removed in the meantime is no neighbour any more, nor is one whose row cannot be read.
fn still_there(library: &Library, id: &str) -> Result<Option<PassageDetails>> {
    match query::passage(library.db(), id) {
        Err(Error::Database(error)) if !error.is_final() => Ok(None),
        passage => passage.map(Some),
    }
}

fn flavor(library: &Library, id: &str) -> Result<Option<Flavor>> {
    let text = query::flavor(library.db(), id)?;
    Ok(text.as_deref().and_then(read))
}

fn read(text: &str) -> Option<Flavor> {
    let flavor: Flavor = serde_json::from_str(text).ok()?;
    (flavor.extractor == audio::flavor::EXTRACTOR).then_some(flavor)
}
