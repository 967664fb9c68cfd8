//! Finds the passages that sound most like one.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::Library;
use crate::library::query::{self, PassageDetails, Shown, each_passage, show};
use audio::flavor::{Flavor, Similarity, spec003};

/// A passage that sounds like another.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    let flavors = flavors(library)?;
    let scale = Similarity::of(flavors.iter().map(|(_, flavor)| flavor));
    let Some((_, own)) = flavors.iter().find(|(other, _)| *other == id) else {
        return Err(Error::NoFlavor {
            name: name.to_owned(),
        });
    };
    let place = scale.place(own);
    let mut distances: Vec<(f64, &PassageId, &Flavor)> = flavors
        .iter()
        .filter(|(other, _)| *other != id)
        .map(|(other, flavor)| {
            (
                Similarity::distance(&place, &scale.place(flavor)),
                other,
                flavor,
            )
        })
        .collect();
    distances.sort_by(|a, b| a.0.total_cmp(&b.0));
    distances.truncate(count);
    let own = own.characteristics();
    let mut neighbours = Vec::with_capacity(distances.len());
    each_passage(library.db(), |passage| {
        let found = distances.iter().find(|(_, id, _)| **id == passage.id);
        if let Some((distance, _, flavor)) = found {
            neighbours.push(Neighbour {
                passage,
                distance: *distance,
                spec003: spec003(&own, &flavor.characteristics()),
            });
        }
        Ok(())
    })?;
    neighbours.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    Ok(neighbours)
}

fn flavors(library: &Library) -> Result<Vec<(PassageId, Flavor)>> {
    let rows = query::flavors(library.db())?;
    // A vector of another extractor cannot be compared with ours.
    let read =
        |(id, text): (PassageId, String)| Some((id, serde_json::from_str::<Flavor>(&text).ok()?));
    Ok(rows
        .into_iter()
        .filter_map(read)
        .filter(|(_, flavor)| flavor.extractor == audio::flavor::EXTRACTOR)
        .collect())
}
