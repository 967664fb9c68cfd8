//! What was said about where a passage goes out goes with its end, where passages are joined or split.

use super::{Bounds, Changes, Cut};
use crate::error::Result;
use crate::id::PassageId;
use crate::library::Library;
use crate::library::edits::{self, Field, NewEdit};
use audio::Ticks;

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
    let said = edits::points_of(library.db(), &cut.place)?;
    let about = |field: Field, (_, start, end): &Bounds| {
        let mut found = said.iter().filter(|edit| edit.field == field);
        found
            .find(|edit| edit.is_about(*start, *end))
            .map(|edit| edit.value.clone())
    };
    let mut carried = Vec::new();
    for field in [Field::LeadOut, Field::FadeOut] {
        let ours = about(field, &before[old]);
        if let Some(split) = changes.split_at
            && let Some(value) = &ours
            && value.parse().is_ok_and(|at: i64| at >= split.0)
            && let Some((_, start, end)) = cut.passages.get(new + 1)
        {
            carried.push(edits::about(
                &cut.place,
                field,
                (*start, *end),
                value.clone(),
            ));
        }
        if changes.join
            && let Some(next) = before.get(old + 1)
        {
            let (_, start, end) = cut.passages[new];
            // Where only the first one's end was said, that lies in the middle now.
            let value = match about(field, next) {
                None if ours.is_some() => end_of(library, &next.0, field)?,
                said => said,
            };
            carried.extend(value.map(|value| edits::about(&cut.place, field, (start, end), value)));
        }
    }
    Ok(carried)
}

/// Where a passage goes out by what was measured.
fn end_of(library: &Library, passage: &PassageId, field: Field) -> Result<Option<String>> {
    let (lead, fade) = edits::ends_of(library.db(), passage)?;
    let at: Option<Ticks> = if field == Field::LeadOut { lead } else { fade };
    Ok(at.map(|at| at.0.to_string()))
}
