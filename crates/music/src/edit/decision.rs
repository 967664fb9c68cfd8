//! A person's decisions about what is in doubt: one word each, and each can be taken back.
//!
//! What changes passages or songs is written as an edit first, so nothing that is computed undoes it; then that it is
//! decided, so that it is not asked again.

use serde::{Deserialize, Serialize};

use crate::edit::undo::undo_with;
use crate::edit::{self, Changes, Cut, Ticks, Undone, load, name_sound, place};
use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::identify::decide;
use crate::library::Library;
use crate::library::edits::{self, Field, Place};
use crate::library::query::FileDetails;
use crate::library::verdicts::{self, NewVerdict, Subject};

/// Passages begin and end in the gap that a boundary lies in the middle of: this far from it at most, as where a person's
/// cut is compared with what is heard.
const NEAR: Ticks = Ticks(28_224_000);

/// What a person says about something in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Verb {
    /// The passage is the likeliest candidate.
    UseMatch,
    /// What the library has is right: the recording that is linked, or the names alone where none is.
    KeepOurs,
    /// The passage is no song that is known.
    NotASong,
    /// A passage ends here and another one begins.
    Boundary,
    /// No passage begins or ends here.
    NotABoundary,
    /// It is not decided yet, and is to be out of the way until it is asked for.
    Later,
}

impl Verb {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UseMatch => "use_match",
            Self::KeepOurs => "keep_ours",
            Self::NotASong => "not_a_song",
            Self::Boundary => "boundary",
            Self::NotABoundary => "not_a_boundary",
            Self::Later => "later",
        }
    }
}

/// Decides what a passage is; the decision's number. `set` makes a recording the passage's, given its id.
///
/// # Errors
///
/// When there is no such passage, the verb is not about recordings, `set` fails, or the database cannot be written.
pub fn decide_match(
    library: &Library,
    passage: &PassageId,
    verb: Verb,
    set: impl FnOnce(&str) -> Result<()>,
) -> Result<i64> {
    name_sound(library, passage)?;
    let place = place(library, passage)?;
    let bounds = (place.start, place.end);
    decided(
        library,
        &place,
        Subject::Match,
        bounds,
        verb,
        || match verb {
            Verb::UseMatch => set(&decide::likeliest(library, passage)?),
            Verb::KeepOurs => match decide::linked(library, passage)? {
                Some(linked) => set(&linked),
                None => decide::reject(library, passage),
            },
            Verb::NotASong => decide::reject(library, passage),
            Verb::Later => Ok(()),
            Verb::Boundary | Verb::NotABoundary => Err(misused(verb, "a recording")),
        },
    )
}

/// Decides whether a file is cut at a place; the decision's number.
///
/// # Errors
///
/// When nothing is in doubt there, the verb is not about boundaries, the file cannot be heard, or the database cannot be
/// written.
pub fn decide_boundary(
    library: &Library,
    file: &FileDetails,
    at: Ticks,
    verb: Verb,
) -> Result<i64> {
    let first = file
        .passages
        .first()
        .ok_or_else(|| Error::not_found(file.path.clone()))?;
    name_sound(library, &first.id)?;
    let known = library.db().read(edits::last)?;
    let cut = load(library, &first.id)?;
    decided(
        library,
        &cut.place,
        Subject::Boundary,
        (at, at),
        verb,
        || {
            match (verb, before(&cut, at), around(&cut, at)) {
                (Verb::Later, ..) => Ok(()),
                // What is as the person says stays so, whatever a later analysis makes of it.
                (Verb::Boundary, Some(_), _) | (Verb::NotABoundary, None, _) => {
                    keep_cut(library, &cut, known)
                }
                (Verb::NotABoundary, Some(passage), _) => {
                    let changes = Changes {
                        join: true,
                        ..Changes::default()
                    };
                    edit::edit(library, passage, &changes)
                }
                (Verb::Boundary, None, Some(passage)) => {
                    let changes = Changes {
                        split_at: Some(at),
                        ..Changes::default()
                    };
                    edit::edit(library, passage, &changes)
                }
                (Verb::Boundary, None, None) => Err(edit::misplaced(
                    &format!("{:.3} s", at.seconds()),
                    "a position inside a passage",
                )),
                (Verb::UseMatch | Verb::KeepOurs | Verb::NotASong, ..) => {
                    Err(misused(verb, "a boundary"))
                }
            }
        },
    )
}

/// Takes a decision back, and what it led to.
///
/// # Errors
///
/// When there is no such decision in force, a later cut holds what it led to, a file cannot be heard, or the database cannot
/// be written.
pub fn undo(library: &Library, decision: i64) -> Result<Undone> {
    let edits = verdicts::edits_of(library.db(), decision)?
        .ok_or_else(|| Error::not_found(format!("decision {decision}")))?;
    undo_with(library, &edits, move |tx| verdicts::undo(tx, decision))
}

fn misused(verb: Verb, about: &str) -> Error {
    Error::Misplaced {
        given: verb.word().to_owned(),
        expected: format!("a word that is said about {about}"),
    }
}

fn decided(
    library: &Library,
    place: &Place,
    subject: Subject,
    (start, end): (Ticks, Ticks),
    verb: Verb,
    apply: impl FnOnce() -> Result<()>,
) -> Result<i64> {
    let last = library.db().read(edits::last)?;
    apply()?;
    let verdict = NewVerdict {
        sound: place.sound.clone(),
        file: place.file.clone(),
        subject,
        start,
        end,
        verb: verb.word(),
        is_settled: verb != Verb::Later,
        edits: verdicts::edits_since(library.db(), &place.sound, last)?,
    };
    verdicts::write(library.db(), verdict)
}

/// The passage that ends at a place where another one begins.
fn before(cut: &Cut, at: Ticks) -> Option<&PassageId> {
    let pairs = cut.passages.windows(2);
    pairs
        .filter(|two| two[0].2.0 <= at.0 + NEAR.0 && at.0 <= two[1].1.0 + NEAR.0)
        .min_by_key(|two| two[0].2.0.abs_diff(at.0).min(two[1].1.0.abs_diff(at.0)))
        .map(|two| &two[0].0)
}

/// The passage that a place lies in.
fn around(cut: &Cut, at: Ticks) -> Option<&PassageId> {
    let mut passages = cut.passages.iter();
    passages
        .find(|(_, start, end)| *start < at && at < *end)
        .map(|(id, ..)| id)
}

/// Makes the cut that a file had after the edit `known` a person's; where somebody cut it since, that one stays. It is said
/// again where it was said before: each of two decisions stands on a word of its own.
fn keep_cut(library: &Library, cut: &Cut, known: i64) -> Result<()> {
    let spans: Vec<_> = cut
        .passages
        .iter()
        .map(|(_, start, end)| (*start, *end))
        .collect();
    let (place, whole) = (cut.place.clone(), (Ticks(0), cut.file_end));
    let said = edits::about(&place, Field::Cut, whole, edits::value_of(&spans));
    library.db().try_write("record edits", move |tx| {
        if edits::begin_cut(tx, &place.file, known)? {
            edits::write_again(tx, &[said])?;
        }
        Ok(())
    })
}
