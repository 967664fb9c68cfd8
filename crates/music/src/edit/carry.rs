//! What was said about passages that are joined or split: where one goes out goes with its end, and what it is called
//! stays with its beginning.

use super::{Bounds, Changes, Cut, Ticks};
use crate::error::Result;
use crate::id::PassageId;
use crate::library::Library;
use crate::library::edits::{self, Field, NewEdit, PERSON};

/// What is said about the ends that moved to other passages; `before` are the passages before they were joined or split,
/// and `cut` has them as they are then.
///
/// # Errors
///
/// When the database cannot be read.
pub(super) fn ends(
    library: &Library,
    cut: &Cut,
    before: &[Bounds],
    passage: &PassageId,
    changes: &Changes,
) -> Result<Vec<NewEdit>> {
    let old = before.iter().position(|(id, ..)| id == passage);
    let new = cut.passages.iter().position(|(id, ..)| id == passage);
    let (Some(old), Some(new)) = (old, new) else {
        return Ok(Vec::new());
    };
    let said = edits::said_of(library.db(), &cut.place)?;
    let about = |field: Field, (_, start, end): &Bounds| {
        let mut found = said.iter().filter(|edit| edit.field == field);
        found
            .find(|edit| edit.is_about(*start, *end))
            .map(|edit| (edit.value.clone(), edit.source.clone()))
    };
    let mut carried = Vec::new();
    for field in [Field::LeadOut, Field::FadeOut] {
        let ours = about(field, &before[old]);
        if let Some(split) = changes.split_at
            && let Some((value, source)) = &ours
            && value.parse().is_ok_and(|at: i64| at >= split.0)
            && let Some((_, start, end)) = cut.passages.get(new + 1)
        {
            let said = (value.clone(), source.clone());
            carried.push(said_by(cut, field, (*start, *end), said));
        }
        if changes.join
            && let Some(next) = before.get(old + 1)
        {
            let (_, start, end) = cut.passages[new];
            // Where only the first one's end was said, that lies in the middle now.
            let value = match about(field, next) {
                None if ours.is_some() => edits::point_of(library.db(), &next.0, field)?
                    .map(|at| (at.0.to_string(), PERSON.to_owned())),
                said => said,
            };
            carried.extend(value.map(|said| said_by(cut, field, (start, end), said)));
        }
    }
    Ok(carried)
}

/// What is to be said again, so that a passage that was joined with a longer one begins as it did and keeps its names:
/// what was said about the longer one would count for both.
///
/// # Errors
///
/// When the database cannot be read.
pub(super) fn beginning(
    library: &Library,
    cut: &Cut,
    before: &[Bounds],
    passage: &PassageId,
) -> Result<Vec<NewEdit>> {
    let old = before.iter().position(|(id, ..)| id == passage);
    let new = cut.passages.iter().find(|(id, ..)| id == passage);
    let (Some(old), Some((_, start, end))) = (old, new) else {
        return Ok(Vec::new());
    };
    let (ours, Some(theirs)) = (&before[old], before.get(old + 1)) else {
        return Ok(Vec::new());
    };
    let said = edits::said_of(library.db(), &cut.place)?;
    let mut again = Vec::new();
    for field in [
        Field::LeadIn,
        Field::FadeIn,
        Field::Title,
        Field::Artist,
        Field::Album,
        Field::Match,
    ] {
        let about = |(_, start, end): &Bounds| {
            let mut found = said.iter().filter(|edit| edit.field == field);
            found.find(|edit| edit.is_about(*start, *end))
        };
        if !about(theirs).is_some_and(|edit| edit.is_about(*start, *end)) {
            continue;
        }
        let value = match about(ours) {
            Some(edit) => Some((edit.value.clone(), edit.source.clone())),
            // Where nothing leads in, it does so no longer than its start.
            None if field.is_point() => {
                let at = edits::point_of(library.db(), passage, field)?;
                Some((at.unwrap_or(*start).0.to_string(), PERSON.to_owned()))
            }
            None => None,
        };
        again.extend(value.map(|said| said_by(cut, field, (*start, *end), said)));
    }
    Ok(again)
}

/// What is said about a passage of a file, by whoever said it.
fn said_by(
    cut: &Cut,
    field: Field,
    bounds: (Ticks, Ticks),
    (value, source): (String, String),
) -> NewEdit {
    NewEdit {
        source,
        ..edits::about(&cut.place, field, bounds, value)
    }
}
