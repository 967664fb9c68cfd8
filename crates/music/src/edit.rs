//! Takes a person's word about a passage: bounds, leads, fades, names, and that it is no song that is known.
//!
//! What is said is written first, in one transaction with the passages as they are then; only then is the file heard
//! again, where bounds moved. Killed in between, the next import hears it.

mod carry;
pub mod decision;
mod port;
mod undo;

use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::identify::decide;
use crate::intake::import::take_in_again;
use crate::intake::scan::modified_ns;
use crate::library::Library;
use crate::library::edits::{self, Field, NewEdit, Place};
use crate::library::known::Known;
use crate::library::record::{self, CutBy, Measured};
pub use audio::Ticks;
pub(crate) use port::take_over;
pub use port::{Imported, export, import};
pub use undo::{Undone, undo};

pub use crate::library::edits::{
    Edit, Field as EditField, LONGEST_TEXT, NewEdit as PortableEdit, list,
};

/// No position that a person gives is further from the beginning of a file, in seconds. Three years: no file that can be
/// decoded is as long, and it is far from the range of ticks.
pub const LONGEST_SECONDS: f64 = 1e8;

/// No passage that a person makes is shorter: 1 ms, in which a file of any usual rate has a sample frame, so that hearing
/// it again finds the same passages.
const SHORTEST: Ticks = Ticks(Ticks::PER_SECOND / 1000);

/// What a person says about a passage. Positions are counted from the beginning of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Where it starts.
    pub start: Option<Ticks>,
    /// Where it ends.
    pub end: Option<Ticks>,
    /// Where it is cut in two.
    pub split_at: Option<Ticks>,
    /// It is one with the passage that follows it.
    pub join: bool,
    /// Until when the passage before may still sound.
    pub lead_in: Option<Ticks>,
    /// From when the next passage may sound.
    pub lead_out: Option<Ticks>,
    /// Where its fade-in ends.
    pub fade_in: Option<Ticks>,
    /// Where its fade-out begins.
    pub fade_out: Option<Ticks>,
    /// Its title.
    pub title: Option<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Its album.
    pub album: Option<String>,
    /// It is no song that is known.
    pub no_song: bool,
    /// Everything that was said about it before is taken back first.
    pub reset: bool,
}

impl Changes {
    /// Whether all that was said is taken back, and nothing new said.
    fn only_resets(&self) -> bool {
        let nothing = Self {
            reset: true,
            ..Self::default()
        };
        *self == nothing
    }

    /// Whether a lead or a fade is among them.
    fn has_points(&self) -> bool {
        [self.lead_in, self.lead_out, self.fade_in, self.fade_out]
            .iter()
            .any(Option::is_some)
    }

    /// Names go into files and tables of others, which a control character may end or spoil.
    fn check_texts(&self) -> Result<()> {
        for (field, text) in [
            (Field::Title, &self.title),
            (Field::Artist, &self.artist),
            (Field::Album, &self.album),
        ] {
            if let Some(expected) = edits::expected_text(text.as_deref().unwrap_or("")) {
                return Err(Error::BadText {
                    field: field.word(),
                    expected,
                });
            }
        }
        Ok(())
    }

    fn moves_bounds(&self) -> bool {
        self.start.is_some() || self.end.is_some() || self.split_at.is_some() || self.join
    }
}

/// How often a cut is tried while others cut the same file. A guess: each try waits until the file is heard again.
const MOST_TRIES: usize = 8;

/// The bounds of a passage before and after.
type Moved = ((Ticks, Ticks), (Ticks, Ticks));

/// A passage with its bounds.
type Bounds = (PassageId, Ticks, Ticks);

/// The passages of a file before and after an edit.
struct Cut {
    place: Place,
    file_end: Ticks,
    passages: Vec<Bounds>,
}

/// Takes a person's word about a passage, and describes it anew where its bounds moved.
///
/// # Errors
///
/// When there is no such passage, a name is too long or no text, what was said does not fit into its file, the database cannot be written, or the
/// file cannot be heard; in the last case what was said is kept all the same.
pub fn edit(library: &Library, passage: &PassageId, changes: &Changes) -> Result<()> {
    changes.check_texts()?;
    name_sound(library, passage)?;
    if changes.reset {
        undo::reset(library, passage)?;
        // The file has other passages now.
        if changes.only_resets() && find_place(library, passage)?.is_none() {
            return Ok(());
        }
    }
    for _ in 0..MOST_TRIES {
        if say(library, passage, changes)? {
            if changes.no_song {
                decide::reject(library, passage)?;
            }
            if changes.moves_bounds() {
                hear_again(library, &place(library, passage)?)?;
            }
            return Ok(());
        }
    }
    Err(Error::Misplaced {
        given: "a cut".to_owned(),
        expected: "that nobody else cuts this file at the same time".to_owned(),
    })
}

/// Writes down what is said about a passage; `false`, and nothing is written, where somebody else cut its file meanwhile:
/// a cut has all passages of a file, and the later one would undo the earlier.
fn say(library: &Library, passage: &PassageId, changes: &Changes) -> Result<bool> {
    let known = library.db().read(edits::last)?;
    let mut cut = load(library, passage)?;
    if changes.moves_bounds() && !is_cut_as_said(library, &cut)? {
        hear_again(library, &cut.place)?;
        cut = load(library, passage)?;
    }
    let before = (cut.place.start, cut.place.end);
    let (mut said, mut again) = (Vec::new(), Vec::new());
    if changes.moves_bounds() {
        let uncut = cut.passages.clone();
        recut(&mut cut, passage, changes)?;
        said = carry::ends(library, &cut, &uncut, passage, changes)?;
        if changes.join {
            again = carry::beginning(library, &cut, &uncut, passage)?;
        }
        let spans: Vec<_> = cut
            .passages
            .iter()
            .map(|(_, start, end)| (*start, *end))
            .collect();
        let whole = (Ticks(0), cut.file_end);
        let value = edits::value_of(&spans);
        said.push(edits::about(&cut.place, Field::Cut, whole, value));
    }
    let after = cut
        .passages
        .iter()
        .find(|(id, ..)| id == passage)
        .map(|(_, start, end)| (*start, *end))
        .ok_or_else(|| not_found(passage))?;
    // Listing what was said reads all edits, and only a lead or a fade is compared with it.
    let said_before = if changes.has_points() {
        edits::said_of(library.db(), &cut.place)?
    } else {
        Vec::new()
    };
    said.extend(points(changes, &cut.place, after, &said_before)?);
    for (field, value) in [
        (Field::Title, &changes.title),
        (Field::Artist, &changes.artist),
        (Field::Album, &changes.album),
    ] {
        said.extend(
            value
                .as_ref()
                .map(|value| edits::about(&cut.place, field, after, value.clone())),
        );
    }
    let named = changes.title.as_ref().map(|_| passage.clone());
    let moved = changes.moves_bounds().then_some((before, after));
    write(
        library,
        &cut,
        moved.map(|moved| (moved, known)),
        (again, said),
        named,
    )
}

/// Whether a file is cut as a person said. It is not where edits came from elsewhere that no import has made yet, or where
/// an import that was under way has cut without them.
fn is_cut_as_said(library: &Library, cut: &Cut) -> Result<bool> {
    let Place {
        file, path, sound, ..
    } = &cut.place;
    let said = library
        .db()
        .read(|snapshot| edits::cuts_of(snapshot, Some(file), path, &[sound]))?;
    // Hearing rounds to sample frames.
    let is_near = |one: Ticks, other: Ticks| (one.0 - other.0).abs() <= SHORTEST.0;
    Ok(said.first().is_none_or(|said| {
        said.spans.len() == cut.passages.len()
            && said
                .spans
                .iter()
                .zip(&cut.passages)
                .all(|(span, (_, start, end))| is_near(span.0, *start) && is_near(span.1, *end))
    }))
}

fn not_found(passage: &PassageId) -> Error {
    Error::not_found(passage.to_string())
}

/// Names the sound of a passage's file, where it was taken in before sounds had names, and sees that it still is the one
/// that is spoken about: nobody can have heard another one here yet.
fn name_sound(library: &Library, passage: &PassageId) -> Result<()> {
    let place = place(library, passage)?;
    let is_named = place.sound.len() == 32;
    // A file that is not there today is known by its content until it is.
    let Some(path) = library.place(&place.path) else {
        return Ok(());
    };
    let Ok(found) = path.metadata() else {
        return Ok(());
    };
    if is_named {
        let paths = [place.path.clone()];
        let known = Known::about(library.db(), &paths, &[], &[])?;
        let row = known.files.get(&place.path);
        if row.is_some_and(|row| row.has_stamp(found.len(), modified_ns(&found))) {
            return Ok(());
        }
    }
    let Ok(digest) = library.settings().decoders().audio_digest(&path) else {
        return Ok(());
    };
    if !is_named {
        record::record_sound(library.db(), place.file, Some(digest), None)?;
    } else if digest.md5.to_string() != place.sound {
        return Err(Error::OtherAudio { path: place.path });
    }
    Ok(())
}

fn place(library: &Library, passage: &PassageId) -> Result<Place> {
    find_place(library, passage)?.ok_or_else(|| not_found(passage))
}

fn find_place(library: &Library, passage: &PassageId) -> Result<Option<Place>> {
    library
        .db()
        .read(|snapshot| edits::place_of(snapshot, passage))
}

fn load(library: &Library, passage: &PassageId) -> Result<Cut> {
    let place = place(library, passage)?;
    let (passages, length) = edits::bounds_of(library.db(), &place.file)?;
    let last = passages.iter().map(|(.., end)| *end).max();
    let file_end = length.or(last).unwrap_or(place.end);
    Ok(Cut {
        place,
        file_end,
        passages,
    })
}

/// Changes the passages as a person says; the one in hand keeps its id.
fn recut(cut: &mut Cut, passage: &PassageId, changes: &Changes) -> Result<()> {
    let at = cut
        .passages
        .iter()
        .position(|(id, ..)| id == passage)
        .ok_or_else(|| not_found(passage))?;
    if changes.join {
        if at + 1 >= cut.passages.len() {
            return Err(Error::NothingToJoin {
                passage: passage.to_string(),
            });
        }
        let (.., end) = cut.passages.remove(at + 1);
        cut.passages[at].2 = end;
    }
    let floor = at
        .checked_sub(1)
        .map_or(Ticks(0), |before| cut.passages[before].2);
    let ceiling = cut
        .passages
        .get(at + 1)
        .map_or(cut.file_end, |(_, start, _)| *start);
    let (_, start, end) = &mut cut.passages[at];
    *start = changes.start.unwrap_or(*start);
    *end = changes.end.unwrap_or(*end);
    if *start < floor || *end > ceiling || start.0 + SHORTEST.0 > end.0 {
        let expected = format!(
            "a start before its end by at least 1 ms, both between {:.3} s and {:.3} s, where its neighbours or its file end",
            floor.seconds(),
            ceiling.seconds()
        );
        let given = format!("{:.3} s to {:.3} s", start.seconds(), end.seconds());
        return Err(misplaced(&given, &expected));
    }
    if let Some(split) = changes.split_at {
        let (start, end) = (*start, *end);
        if split.0 < start.0 + SHORTEST.0 || split.0 + SHORTEST.0 > end.0 {
            let expected = format!(
                "a position inside the passage, at least 1 ms from {:.3} s and {:.3} s",
                start.seconds(),
                end.seconds()
            );
            return Err(misplaced(&format!("{:.3} s", split.seconds()), &expected));
        }
        cut.passages[at].2 = split;
        let second = (PassageId::random(), split, end);
        cut.passages.insert(at + 1, second);
    }
    Ok(())
}

fn misplaced(given: &str, expected: &str) -> Error {
    Error::Misplaced {
        given: given.to_owned(),
        expected: expected.to_owned(),
    }
}

/// The leads and fades as edits; each lies in the passage, and what comes in does so before what goes out, be that
/// said before: of two that contradict each other one would be kept and not be in force.
fn points(
    changes: &Changes,
    place: &Place,
    bounds: (Ticks, Ticks),
    said_before: &[NewEdit],
) -> Result<Vec<NewEdit>> {
    let mut said = Vec::new();
    for (field, point) in [
        (Field::LeadIn, changes.lead_in),
        (Field::LeadOut, changes.lead_out),
        (Field::FadeIn, changes.fade_in),
        (Field::FadeOut, changes.fade_out),
    ] {
        let Some(point) = point else { continue };
        if point < bounds.0 || point > bounds.1 {
            let expected = format!(
                "a position in the passage, {:.3} s to {:.3} s from the beginning of the file",
                bounds.0.seconds(),
                bounds.1.seconds()
            );
            return Err(misplaced(&format!("{:.3} s", point.seconds()), &expected));
        }
        said.push(edits::about(place, field, bounds, point.0.to_string()));
    }
    let before = |field: Field| {
        let about = |edit: &&NewEdit| {
            edit.field == field && (edit.start_ticks, edit.end_ticks) == (bounds.0.0, bounds.1.0)
        };
        let edit = said_before.iter().find(about)?;
        edit.value.parse().ok().map(Ticks)
    };
    for (first, second, fields) in [
        (
            changes.lead_in,
            changes.lead_out,
            (Field::LeadIn, Field::LeadOut),
        ),
        (
            changes.fade_in,
            changes.fade_out,
            (Field::FadeIn, Field::FadeOut),
        ),
    ] {
        let of_first = first.or_else(|| second.and_then(|_| before(fields.0)));
        let of_second = second.or_else(|| first.and_then(|_| before(fields.1)));
        if let (Some(first), Some(second)) = (of_first, of_second)
            && first > second
        {
            let given = format!("{:.3} s and {:.3} s", first.seconds(), second.seconds());
            return Err(misplaced(
                &given,
                "an end of the beginning before the beginning of the end",
            ));
        }
    }
    Ok(said)
}

fn write(
    library: &Library,
    cut: &Cut,
    moved: Option<(Moved, i64)>,
    (again, said): (Vec<NewEdit>, Vec<NewEdit>),
    named: Option<PassageId>,
) -> Result<bool> {
    if said.is_empty() {
        return Ok(true);
    }
    let place = cut.place.clone();
    let passages: Vec<_> = cut
        .passages
        .iter()
        .map(|(id, start, end)| (id.clone(), *start, *end, Measured::HoldsUnmoved))
        .collect();
    let is_cut = moved.is_some();
    library.db().try_write("record edits", move |tx| {
        if let Some(((before, after), known)) = moved {
            if !edits::begin_cut(tx, &place.file, known)? {
                return Ok(false);
            }
            record::write_cut(tx, &place.file, CutBy::Person, &passages)?;
            edits::move_with_cut(tx, &place.file, before, after)?;
        }
        if let Some(named) = &named {
            edits::supersede_user_title(tx, named)?;
        }
        edits::write_again(tx, &again)?;
        edits::write(tx, &said)?;
        if is_cut {
            edits::moved_by_cut(tx, &place.file)?;
        }
        edits::apply(tx, &place.file)?;
        Ok(true)
    })
}

/// Describes the passages of a file anew.
fn hear_again(library: &Library, place: &Place) -> Result<()> {
    take_in_again(library, &place.path, &place.file, false)
}
