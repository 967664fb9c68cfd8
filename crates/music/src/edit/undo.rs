//! Takes back what was said: what was computed counts again, and what a later word is built on is not taken from under it.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlite::Tx;

use crate::edit::{Bounds, list, place};
use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::identify::decide;
use crate::intake::import::take_in_again;
use crate::library::Library;
use crate::library::edits::{self, Edit, Field, NewEdit, Place};
use crate::library::identification;
use crate::library::verdicts;

/// What became of words that were not taken back themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Undone {
    /// They were said about passages that are gone with the cut that was taken back. They are kept, and count again where
    /// such a passage comes back.
    pub ended: Vec<Edit>,
}

/// Takes back what was said about a passage, and the cut of its file. What it inherited from a file that is gone stays with
/// the other heirs, and waits for that file.
pub(super) fn reset(library: &Library, passage: &PassageId) -> Result<()> {
    let place = place(library, passage)?;
    let concerning = edits::concerning(library.db(), &place)?;
    let (mut ids, mut inherited, mut of_others) = (Vec::new(), Vec::new(), Vec::new());
    for edit in list(library.db())? {
        // What another program found was not said about it.
        if !concerning.contains(&edit.id) || edit.said.is_evidence() {
            continue;
        }
        let about = edits::places_about(library.db(), &edit.said)?;
        let is_about = about.iter().any(|(id, _)| id == passage);
        if !is_about && !edit.said.overlaps(place.start, place.end) {
            continue;
        }
        ids.push(edit.id);
        let owner = edit.said.file.as_ref();
        if owner.is_some_and(|owner| *owner == place.path) {
            continue;
        }
        inherited.extend(owner.map(|_| edit.id));
        let mut heirs: Vec<_> = about.into_iter().map(|(_, place)| place.path).collect();
        heirs.retain(|heir| *heir != place.path);
        heirs.dedup();
        of_others.extend(heirs.into_iter().map(|heir| NewEdit {
            file: Some(heir),
            ..edit.said.clone()
        }));
    }
    take_back(library, &ids, move |tx| {
        edits::keep_for_owner(tx, &inherited)?;
        edits::write(tx, &of_others).map(drop)
    })
    .map(drop)
}

/// Takes edits back: what was computed counts again, and what no longer is known is found out anew.
///
/// # Errors
///
/// When there is no such edit, a later cut holds what it says and is not taken back, too, the database cannot be written,
/// or a file cannot be heard; in the last case the edits are taken back all the same.
pub fn undo(library: &Library, ids: &[i64]) -> Result<Undone> {
    undo_with(library, ids, |_| Ok(()))
}

/// The same, with `also` in the transaction that takes the edits back; whatever a kill leaves to be heard again, the next
/// import hears.
pub(super) fn undo_with(
    library: &Library,
    ids: &[i64],
    also: impl FnOnce(&Tx<'_>) -> Result<()> + Send + 'static,
) -> Result<Undone> {
    for edit in called(library, ids)? {
        if edit.said.field == Field::Cut {
            is_the_last_cut(library, &edit, ids)?;
        }
    }
    take_back(library, ids, also)
}

/// The edits with these numbers.
fn called(library: &Library, ids: &[i64]) -> Result<Vec<Edit>> {
    let all = list(library.db())?;
    let find = |id: &i64| {
        let edit = all.iter().find(|edit| edit.id == *id);
        edit.cloned()
            .ok_or_else(|| Error::not_found(format!("edit {id}")))
    };
    ids.iter().map(find).collect()
}

/// A cut has all passages of a file, so a later one has what an earlier one said, and would go on saying it. A cut that was
/// said earlier, about the file itself, counts before one that it inherited, and has nothing of that.
fn is_the_last_cut(library: &Library, edit: &Edit, ids: &[i64]) -> Result<()> {
    let mut files: Vec<Place> = Vec::new();
    for (_, place) in edits::places_about(library.db(), &edit.said)? {
        if files.iter().all(|known| known.file != place.file) {
            files.push(place);
        }
    }
    for place in files {
        let mut later = edits::cuts_over(library.db(), &place, edit.id)?;
        later.retain(|id| !ids.contains(id));
        if !later.is_empty() {
            let decisions = verdicts::that_led_to(library.db(), &later)?;
            return Err(Error::BuiltUpon {
                edit: edit.id,
                later,
                decisions,
            });
        }
    }
    Ok(())
}

fn take_back(
    library: &Library,
    ids: &[i64],
    also: impl FnOnce(&Tx<'_>) -> Result<()> + Send + 'static,
) -> Result<Undone> {
    let undone = called(library, ids)?;
    let (mut again, mut renamed, mut forgotten) = (Vec::<Place>::new(), Vec::new(), Vec::new());
    let mut reconsidered = Vec::new();
    for edit in &undone {
        for (passage, place) in edits::places_about(library.db(), &edit.said)? {
            match edit.said.field {
                Field::Title | Field::Artist | Field::Album => renamed.push(passage),
                // It was taken for a person's word once.
                Field::Match
                    if edit.said.is_evidence()
                        && !identification::is_chosen(
                            library.db(),
                            &passage,
                            &edit.said.value,
                        )? =>
                {
                    reconsidered.push(passage);
                }
                Field::Match => forgotten.push(passage),
                Field::Cut | Field::LeadIn | Field::LeadOut | Field::FadeIn | Field::FadeOut => {
                    if again.iter().all(|known| known.file != place.file) {
                        again.push(place);
                    }
                }
            }
        }
    }
    let counted = counting(library, &again)?;
    let (taken, files) = (ids.to_vec(), again.clone());
    library
        .db()
        .try_write("undo edits", move |tx| -> Result<()> {
            edits::undo(tx, &taken)?;
            for place in &files {
                edits::cut_anew(tx, &place.file, true)?;
            }
            for passage in &reconsidered {
                edits::reconsider(tx, passage, true)?;
            }
            also(tx)?;
            // What is kept for its owner is not undone.
            edits::move_back(tx, &taken)
        })?;
    for passage in &renamed {
        decide::rename(library, passage)?;
    }
    for passage in &forgotten {
        decide::forget(library, passage)?;
    }
    let mut unheard = Ok(());
    for place in &again {
        let (before, _) = edits::bounds_of(library.db(), &place.file)?;
        match take_in_again(library, &place.path, &place.file, true) {
            Ok(()) => follow(library, place, &before)?,
            // The others are heard all the same.
            Err(error @ Error::Unheard { .. }) => unheard = Err(error),
            Err(error) => return Err(error),
        }
    }
    unheard?;
    let count = counting(library, &again)?;
    let mut ended = list(library.db())?;
    ended.retain(|edit| counted.contains(&edit.id) && !count.contains(&edit.id));
    Ok(Undone { ended })
}

/// What was said and counts for a passage of one of these files.
fn counting(library: &Library, files: &[Place]) -> Result<BTreeSet<i64>> {
    let mut all = BTreeSet::new();
    for place in files {
        all.extend(edits::in_force(library.db(), &place.file)?);
    }
    Ok(all)
}

/// Has what was said about passages go with them to where they lie now.
fn follow(library: &Library, place: &Place, before: &[Bounds]) -> Result<()> {
    let (now, _) = edits::bounds_of(library.db(), &place.file)?;
    let moved: Vec<_> = before
        .iter()
        .filter_map(|(id, start, end)| {
            let (_, to_start, to_end) = now.iter().find(|(other, ..)| other == id)?;
            let (from, to) = ((*start, *end), (*to_start, *to_end));
            (from != to).then_some((from, to))
        })
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    let file = place.file.clone();
    library
        .db()
        .try_write("move edits", move |tx| -> Result<()> {
            for (from, to) in moved {
                edits::move_to(tx, &file, from, to)?;
            }
            Ok(())
        })?;
    // What was said about a passage may have counted for another one until now.
    for (passage, ..) in &now {
        decide::rename(library, passage)?;
    }
    Ok(())
}
