//! What a person said about passages, and how every writer honours it.
//!
//! An edit is bound to the sound of a file and a position in it, so no new analysis, tag, path or database makes it
//! void. It keeps the file that it was said about, too: where two files have one sound, as a song on its album and on a
//! compilation, each has its own titles and cuts. Only where that file is gone, the others of its sound are its heirs.
//!
//! Where a file is cut by a person, `cuts_of` is asked before the file is cut; everything else is put over what
//! was computed by `apply`, the last statement of every writer of passages.

mod applied;
mod places;

use serde::{Deserialize, Serialize};
use sqlite::{Db, Row, RowResult, Snapshot, Tx, params};

use crate::error::{Error, Result};
use crate::id::FileId;
use audio::Ticks;

pub(crate) use applied::{
    apply, begin_cut, come_home, concerns, edit_concerns, in_force, is_edited, keep_user_titles,
    leave_to_heirs, mind_newer_cut, move_back, move_to, move_with_cut, moved_by_cut, name_by_sound,
    reconsider, supersede_user_title, take_place,
};
pub(crate) use places::{
    Place, bounds_of, concerning, cut_anew, cuts_over, evidence_of, owner_gone, paths_of, place_of,
    places_about, point_of, said_of,
};

/// What an edit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Field {
    /// Where a file is cut into passages.
    Cut,
    /// Until when the passage before may still sound.
    LeadIn,
    /// From when the next passage may sound.
    LeadOut,
    /// Where a fade-in ends.
    FadeIn,
    /// Where a fade-out begins.
    FadeOut,
    /// The title.
    Title,
    /// The artist.
    Artist,
    /// The album.
    Album,
    /// Which recording a passage is, if it is one that is known; as another program has it, that is evidence, unless a
    /// person said it there.
    Match,
}

impl Field {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::LeadIn => "lead_in",
            Self::LeadOut => "lead_out",
            Self::FadeIn => "fade_in",
            Self::FadeOut => "fade_out",
            Self::Title => "title",
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Match => "match",
        }
    }

    /// Whether its value is a position in the file.
    pub const fn is_point(self) -> bool {
        matches!(
            self,
            Self::LeadIn | Self::LeadOut | Self::FadeIn | Self::FadeOut
        )
    }

    /// The field of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Cut,
            Self::LeadIn,
            Self::LeadOut,
            Self::FadeIn,
            Self::FadeOut,
            Self::Title,
            Self::Artist,
            Self::Album,
            Self::Match,
        ]
        .into_iter()
        .find(|field| field.word() == word)
    }
}

/// Who made an edit that was made here.
pub const PERSON: &str = "person";

/// An edit to be kept. As JSON it is a line of an exported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewEdit {
    /// The file's `audio_md5`, or its SHA-256 where that is all that is known.
    pub sound: String,
    /// What it is about.
    pub field: Field,
    /// Where the passage started, in ticks; 0 for a cut.
    pub start_ticks: i64,
    /// Where the passage ended, in ticks; the file's end for a cut.
    pub end_ticks: i64,
    /// What the person said.
    pub value: String,
    /// Who said it: `person`, or the database it was taken over from.
    pub source: String,
    /// The path of the file it was said about, below the library's root; none for every file of this sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// When it was said, UTC, as `2026-01-31 12:00:00`; none for now. Of two edits about one thing the later one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<String>,
}

/// Who, in the words of another program, is a person there: `manual` in Vaino, `user` in a library of WKMP.
const BY_HAND: [&str; 3] = ["manual", "user", PERSON];

/// Whether a row of edits is what [`NewEdit::is_evidence`] says.
pub(crate) fn is_evidence(row: &str) -> String {
    let by_hand = BY_HAND.map(|word| format!("'{word}'")).join(", ");
    format!(
        "({row}.field = 'match' AND {row}.value <> '' AND instr({row}.source, ':') > 0 \
            AND lower(substr({row}.source, instr({row}.source, ':') + 1)) NOT IN ({by_hand}))"
    )
}

impl NewEdit {
    /// Whether it is an id that another program found out by itself, as the second part of its source says. That is no
    /// person's word: identification weighs it as it weighs an id in the tags.
    pub fn is_evidence(&self) -> bool {
        let found_by = self.source.split_once(':').map(|(_, by)| by.to_lowercase());
        self.field == Field::Match
            && !self.value.is_empty()
            && found_by.is_some_and(|by| !BY_HAND.contains(&&*by))
    }

    /// Whether it is about a passage with these bounds: they share more than three quarters of the longer one.
    pub(crate) fn is_about(&self, start: Ticks, end: Ticks) -> bool {
        let shared = self.end_ticks.min(end.0) - self.start_ticks.max(start.0);
        let longer = (self.end_ticks - self.start_ticks).max(end.0 - start.0);
        shared.saturating_mul(4) > longer.saturating_mul(3)
    }

    /// Whether it was said about a passage that these bounds are mostly a part of, or that is mostly a part of them: it
    /// may count for what lies there once the file is cut otherwise.
    pub(crate) fn overlaps(&self, start: Ticks, end: Ticks) -> bool {
        let shared = self.end_ticks.min(end.0) - self.start_ticks.max(start.0);
        shared.saturating_mul(2) > (self.end_ticks - self.start_ticks).min(end.0 - start.0)
    }

    /// An edit from elsewhere, whose text may have lines or other control characters: they are blanks here.
    pub(crate) fn on_one_line(mut self) -> Self {
        self.value = self.value.replace(char::is_control, " ");
        self
    }

    /// What is wrong with an edit that somebody else wrote.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_hex = self.sound.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !matches!(self.sound.len(), 32 | 64) {
            return Err(format!(
                "`{}` is no digest, expected 32 or 64 hexadecimal digits",
                self.sound
            ));
        }
        if self.start_ticks < 0 || self.start_ticks >= self.end_ticks {
            return Err(format!(
                "`{}` to `{}` ticks, expected a start before the end",
                self.start_ticks, self.end_ticks
            ));
        }
        let is_text = matches!(self.field, Field::Title | Field::Artist | Field::Album);
        if let Some(expected) = expected_text(&self.value).filter(|_| is_text) {
            return Err(format!("`{}`: expected {expected}", self.field.word()));
        }
        if let Some(file) = &self.file
            && let Err(error) = file.parse::<run::LibraryPath>()
        {
            return Err(error.to_string());
        }
        // As it is written, so that two of them are compared as text.
        let format = "%Y-%m-%d %H:%M:%S";
        if let Some(made_at) = &self.made_at
            && !jiff::civil::DateTime::strptime(format, made_at)
                .is_ok_and(|time| time.strftime(format).to_string() == *made_at)
        {
            return Err(format!(
                "`{made_at}` is no time, expected one as `2026-01-31 12:00:00`"
            ));
        }
        let is_sound = match self.field {
            Field::Cut => spans_of(&self.value).is_some(),
            Field::LeadIn | Field::LeadOut | Field::FadeIn | Field::FadeOut => {
                self.value.parse().is_ok_and(|at: i64| {
                    at >= self.start_ticks.saturating_sub(applied::NEAR)
                        && at <= self.end_ticks.saturating_add(applied::NEAR)
                })
            }
            Field::Match => self.value.is_empty() || uuid::Uuid::parse_str(&self.value).is_ok(),
            Field::Title | Field::Artist | Field::Album => true,
        };
        if is_sound {
            Ok(())
        } else {
            Err(format!(
                "`{}` is no value for `{}`",
                self.value,
                self.field.word()
            ))
        }
    }
}

/// The longest title, artist or album that a person says, in bytes. A guess: ten times the longest titles of works, and
/// lists of many such names are still small.
pub const LONGEST_TEXT: usize = 4096;

/// What was expected of a name, where it is none that can go into files and tables of others.
pub(crate) fn expected_text(text: &str) -> Option<String> {
    if text.len() > LONGEST_TEXT {
        Some(format!(
            "at most {LONGEST_TEXT} bytes, and there are {}",
            text.len()
        ))
    } else if text.chars().any(char::is_control) {
        Some("text without control characters".to_owned())
    } else {
        None
    }
}

/// An edit in the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Edit {
    /// Its number.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewEdit,
    /// The file it is about, if the library has that sound.
    pub path: Option<String>,
}

/// A person's cut of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonCut {
    /// The edit's number.
    pub(crate) edit: i64,
    /// The passages in order: start and end.
    pub(crate) spans: Vec<(Ticks, Ticks)>,
}

/// Cuts that are looked at, the latest first: one that does not fit its file gives way to the one before.
const MOST_CUTS: u32 = 8;

/// Where a person said that a file is to be cut, whose sound has these names; the one that counts first.
pub(crate) fn cuts_of(
    snapshot: &Snapshot<'_>,
    file: Option<&FileId>,
    path: &str,
    sound: &[&str],
) -> Result<Vec<PersonCut>> {
    let found = snapshot.query_all(
        &format!(
            "SELECT e.edit_id, e.value FROM accession_edits e WHERE e.sound IN (?1, ?2) AND e.field = 'cut' \
                AND e.undone_at IS NULL AND {} \
             ORDER BY {} LIMIT {MOST_CUTS}",
            edit_concerns("e", "?3", "?4"),
            first_counts("e", "?3", "?4")
        ),
        params![sound.first(), sound.last(), file, path],
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
    )?;
    let cut = |(edit, value): (i64, String)| {
        let spans = spans_of(&value)?;
        Some(PersonCut { edit, spans })
    };
    Ok(found.into_iter().filter_map(cut).collect())
}

/// The order of cuts of a file, the one that counts first.
fn first_counts(row: &str, file: &str, path: &str) -> String {
    format!(
        "coalesce({row}.file_id = {file}, {row}.file_id IS NULL AND {row}.file_path IS {path}) DESC, \
            {row}.made_at DESC, {row}.edit_id DESC"
    )
}

/// The number of the last edit, undone ones included: 0 without any.
pub(crate) fn last(snapshot: &Snapshot<'_>) -> Result<i64> {
    Ok(snapshot.query_row(
        "SELECT coalesce(max(edit_id), 0) FROM accession_edits",
        params![],
        |row| row.get(0),
    )?)
}

/// Passages as the value of a cut has them: in order, none empty, none before the end of the one before.
pub(crate) fn spans_of(value: &str) -> Option<Vec<(Ticks, Ticks)>> {
    let pairs: Vec<(i64, i64)> = serde_json::from_str(value).ok()?;
    let is_sound = !pairs.is_empty()
        && pairs.iter().all(|(start, end)| *start >= 0 && start < end)
        && pairs.windows(2).all(|two| two[0].1 <= two[1].0);
    is_sound.then(|| {
        pairs
            .into_iter()
            .map(|(start, end)| (Ticks(start), Ticks(end)))
            .collect()
    })
}

/// The value of a cut.
pub(crate) fn value_of(spans: &[(Ticks, Ticks)]) -> String {
    serde_json::to_string(spans).expect("ticks are numbers")
}

/// Keeps edits. Those that are in force already are not kept twice; one that was said earlier than what is in force does
/// not undo that.
pub(crate) fn write(tx: &Tx<'_>, edits: &[NewEdit]) -> Result<u64> {
    let kept = take_over(tx, edits, |_| true, |_| None)?;
    Ok(kept.into_iter().filter(|is_new| *is_new).count() as u64)
}

/// The same of edits from elsewhere, given which of the files that they name are there, taken in or not, and which id stands
/// for one that is not where several of its sound are told apart; which were new.
pub(crate) fn take_over(
    tx: &Tx<'_>,
    edits: &[NewEdit],
    is_there: impl Fn(&str) -> bool,
    gone: impl Fn(&NewEdit) -> Option<String>,
) -> Result<Vec<bool>> {
    edits
        .iter()
        .map(|edit| {
            let owner = Owner {
                is_there: edit.file.as_ref().is_some_and(|file| is_there(file)),
                gone: gone(edit),
            };
            insert(tx, edit, &owner, false)
        })
        .collect()
}

/// Where the file lies that an edit names.
struct Owner {
    /// On the disk, taken in or not.
    is_there: bool,
    /// Nowhere, and this stands for it: all files of its sound are its heirs, until one of them takes its place.
    gone: Option<String>,
}

/// Has what was said count as said now, even where it is in force already.
pub(crate) fn write_again(tx: &Tx<'_>, edits: &[NewEdit]) -> Result<()> {
    for edit in edits {
        let said_now = NewEdit {
            made_at: None,
            ..edit.clone()
        };
        let owner = Owner {
            is_there: true,
            gone: None,
        };
        insert(tx, &said_now, &owner, true)?;
    }
    Ok(())
}

/// Keeps an edit whose file is there or not; whether it is new, which it need not be to be kept `again`.
fn insert(tx: &Tx<'_>, edit: &NewEdit, owner: &Owner, again: bool) -> Result<bool> {
    // A file that is nowhere is known by its sound alone.
    // A clock that was wrong, here or elsewhere, must not let an edit count for ever: none is from the future, and
    // what is said now is never earlier than what was said before.
    let rows = tx.execute(
            "INSERT INTO accession_edits (sound, field, start_ticks, end_ticks, value, source, file_path, file_id, \
                                          made_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?9, file_id, coalesce(min(?8, CURRENT_TIMESTAMP), max(CURRENT_TIMESTAMP, \
                coalesce((SELECT max(made_at) FROM accession_edits WHERE sound = ?1 AND field = ?2), ''))) \
             FROM (SELECT coalesce((SELECT f.guid FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                WHERE f.path = ?7 AND f.status <> 'DUPLICATE HASH' AND (a.audio_md5 = ?1 OR f.hash = ?1)), ?11) AS file_id) n \
             WHERE ?10 OR NOT EXISTS (SELECT 1 FROM accession_edits WHERE sound = ?1 \
                AND field = ?2 AND start_ticks = ?3 AND end_ticks = ?4 AND value = ?5 AND undone_at IS NULL \
                AND (coalesce(file_id, file_path) IS coalesce(n.file_id, ?9) OR file_path IS ?7) \
                AND (made_at = ?8 OR edit_id = (SELECT d.edit_id FROM accession_edits d WHERE d.sound = ?1 \
                    AND d.field = ?2 AND d.start_ticks = ?3 AND d.end_ticks = ?4 AND d.undone_at IS NULL \
                    AND coalesce(d.file_id, d.file_path) IS coalesce(n.file_id, ?9) \
                    ORDER BY d.made_at DESC, d.edit_id DESC LIMIT 1)))",
            params![
                edit.sound,
                edit.field.word(),
                edit.start_ticks,
                edit.end_ticks,
                edit.value,
                edit.source,
                edit.file,
                edit.made_at,
                edit.file.as_ref().filter(|_| owner.is_there || owner.gone.is_some()),
                again,
                owner.gone,
            ],
        )?;
    Ok(rows > 0)
}

/// Takes edits back.
pub(crate) fn undo(tx: &Tx<'_>, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE accession_edits SET undone_at = CURRENT_TIMESTAMP WHERE edit_id = ?1 AND undone_at IS NULL",
            params![id],
        )?;
    }
    Ok(())
}

/// Has edits of files that are gone wait for those alone: nobody inherits them any more.
pub(crate) fn keep_for_owner(tx: &Tx<'_>, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE accession_edits SET undone_at = NULL, file_id = NULL WHERE edit_id = ?1 AND file_path IS NOT NULL",
            params![id],
        )?;
    }
    Ok(())
}

/// All edits in force, in the order in which they were made.
///
/// # Errors
///
/// When the database cannot be read.
pub fn list(db: &Db) -> Result<Vec<Edit>> {
    db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT e.edit_id, e.sound, e.field, e.start_ticks, e.end_ticks, e.value, e.source, \
                    coalesce((SELECT f.path FROM files f WHERE f.guid = e.file_id), e.file_path), e.made_at, \
                    (SELECT f.path FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                     WHERE f.status <> 'DUPLICATE HASH' AND (a.audio_md5 = e.sound OR f.hash = e.sound) \
                     ORDER BY f.guid IS e.file_id DESC, f.path LIMIT 1) \
             FROM accession_edits e WHERE e.undone_at IS NULL ORDER BY e.edit_id",
            params![],
            edit,
        )?)
    })
    .map(|edits| edits.into_iter().flatten().collect())
}

/// `None` for a field that only a newer program knows.
fn edit(row: &Row<'_>) -> RowResult<Option<Edit>> {
    let word: String = row.get(2)?;
    let Some(field) = Field::from_word(&word) else {
        return Ok(None);
    };
    Ok(Some(Edit {
        id: row.get(0)?,
        said: NewEdit {
            sound: row.get(1)?,
            field,
            start_ticks: row.get(3)?,
            end_ticks: row.get(4)?,
            value: row.get(5)?,
            source: row.get(6)?,
            file: row.get(7)?,
            made_at: row.get(8)?,
        },
        path: row.get(9)?,
    }))
}

/// What a person says now about a file: about a passage of it, or about all of it.
pub(crate) fn about(
    place: &Place,
    field: Field,
    (start, end): (Ticks, Ticks),
    value: String,
) -> NewEdit {
    NewEdit {
        sound: place.sound.clone(),
        field,
        start_ticks: start.0,
        end_ticks: end.0,
        value,
        source: PERSON.to_owned(),
        file: Some(place.path.clone()),
        made_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_back_as_written_and_nonsense_is_none() {
        let spans = vec![(Ticks(0), Ticks(5)), (Ticks(5), Ticks(9))];
        assert_eq!(spans_of(&value_of(&spans)), Some(spans));
        for wrong in ["", "[]", "[[5,5]]", "[[0,6],[5,9]]", "[[-1,2]]", "{}"] {
            assert_eq!(spans_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fields_are_known_by_their_words() {
        for field in [Field::Cut, Field::LeadIn, Field::Match, Field::Album] {
            assert_eq!(Field::from_word(field.word()), Some(field));
            assert_eq!(
                serde_json::to_string(&field).unwrap(),
                format!("\"{}\"", field.word())
            );
        }
        assert_eq!(Field::from_word("mood"), None);
    }
}
