//! Finds the passages that sound most like one.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::Library;
use crate::library::query::{self, PassageDetails, Shown, show};
use audio::flavor::{Flavor, Similarity, spec003};

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
/// When there is no such passage, it has no flavor yet, or the database cannot be read.
pub fn similar(library: &Library, name: &str, count: usize) -> Result<Vec<Neighbour>> {
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
    let (sounds, ids) = sounds(library)?;
    let no_flavor = || Error::NoFlavor {
        name: name.to_owned(),
    };
    let own = ids.iter().position(|other| *other == id);
    let nearest = nearest(&sounds, &ids, own.ok_or_else(no_flavor)?, count);
    let flavor = |id| -> Result<_> {
        let text = query::flavor(library.db(), id)?;
        Ok(text.as_deref().and_then(read))
    };
    let own = flavor(&id)?.ok_or_else(no_flavor)?.characteristics();
    let mut neighbours = Vec::with_capacity(nearest.len());
    for (distance, number) in nearest {
        let id = &ids[number];
        let Some(flavor) = flavor(id)? else { continue };
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

/// At most `count` passages on a plane on which those that sound alike lie near each other: the one named first and those
/// nearest to it, or without a name some of the whole library, evenly taken. Nothing where none has been described.
///
/// # Errors
///
/// When there is no such passage, it has no flavor yet, or the database cannot be read.
pub fn map(library: &Library, name: Option<&str>, count: usize) -> Result<Vec<Placed>> {
    let (sounds, ids) = sounds(library)?;
    let numbers: Vec<usize> = if let Some(name) = name {
        let Shown::Passage(passage) = show(library, name)? else {
            return Err(Error::not_found(name));
        };
        let own = ids.iter().position(|id| *id == passage.id);
        let own = own.ok_or_else(|| Error::NoFlavor {
            name: name.to_owned(),
        })?;
        let near = nearest(&sounds, &ids, own, count.saturating_sub(1));
        let near = near.into_iter().map(|(_, number)| number);
        std::iter::once(own).chain(near).collect()
    } else {
        let step = ids.len().div_ceil(count.max(1)).max(1);
        (0..ids.len()).step_by(step).collect()
    };
    let places = sounds.plane(&numbers);
    let mut placed = Vec::with_capacity(numbers.len());
    for (number, [x, y]) in numbers.into_iter().zip(places) {
        let Some(passage) = still_there(library, &ids[number])? else {
            continue;
        };
        placed.push(Placed {
            id: passage.id,
            path: passage.path,
            title: passage.title,
            artist: passage.artist,
            start_seconds: passage.start_seconds,
            end_seconds: passage.end_seconds,
            x,
            y,
        });
    }
    Ok(placed)
}

/// The `count` nearest to the one numbered `own`, the nearest first: how far apart they are, and their numbers.
fn nearest(sounds: &Similarity, ids: &[PassageId], own: usize, count: usize) -> Vec<(f64, usize)> {
    let mut nearest: Vec<_> = sounds.distances(own).into_iter().zip(0..).collect();
    nearest.swap_remove(own);
    let nearer = |a: &(f64, usize), b: &(f64, usize)| {
        a.0.total_cmp(&b.0).then_with(|| ids[a.1].cmp(&ids[b.1]))
    };
    if count < nearest.len() {
        nearest.select_nth_unstable_by(count, nearer);
        nearest.truncate(count);
    }
    nearest.sort_unstable_by(nearer);
    nearest
}

/// One that was removed in the meantime is no neighbour any more, nor is one whose row cannot be read.
fn still_there(library: &Library, id: &PassageId) -> Result<Option<PassageDetails>> {
    match query::passage(library.db(), id.as_str()) {
        Err(Error::Database(error)) if !error.is_final() => Ok(None),
        passage => passage.map(Some),
    }
}

/// All flavors that can be compared with ours, and whose they are.
fn sounds(library: &Library) -> Result<(Similarity, Vec<PassageId>)> {
    let (mut sounds, mut ids) = (Similarity::default(), Vec::new());
    query::each_flavor(library.db(), |id, text| {
        // A vector of another extractor cannot be compared with ours.
        if read(text).is_some_and(|flavor| sounds.add(&flavor)) {
            ids.push(id);
        }
    })?;
    Ok((sounds, ids))
}

fn read(text: &str) -> Option<Flavor> {
    let flavor: Flavor = serde_json::from_str(text).ok()?;
    (flavor.extractor == audio::flavor::EXTRACTOR).then_some(flavor)
}
