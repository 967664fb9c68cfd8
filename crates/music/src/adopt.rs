//! Takes a person's work over from another program's database: first as a proposal, then as edits with their source.
//!
//! The database is read from a copy and never written beside. Files are the same if their sound is, else if their
//! paths end alike and they are as long. What a person said in this library stands above what another one says. Ids that
//! another one found by itself are evidence, which identification weighs; where something else is known here, that is
//! told as a difference.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use audio::Ticks;
use serde::Serialize;
use sqlite::Foreign;

use crate::edit::{Imported, take_over};
use crate::error::{Error, Result};
use crate::library::Library;
pub use crate::library::adopt::Origin;
use crate::library::adopt::{self, MILLISECOND, OurFile, TheirFile, TheirPassage};
use crate::library::edits::{self, Field, NewEdit, PERSON};
use crate::library::values::{common_names, name_of};

/// How much two lengths of one file may differ. A guess: headers round to a second, and encoders add up to two tenths.
const SAME_LENGTH_SECONDS: f64 = 2.0;

/// What would be taken over from a database.
#[derive(Debug, Clone, Serialize)]
pub struct Proposal {
    /// Whose database it is.
    pub origin: Origin,
    /// Files in it.
    pub files: u64,
    /// Those known here by their sound or their content.
    pub by_sound: u64,
    /// Those known here by their path and length.
    pub by_path: u64,
    /// Those that are not known here.
    pub unknown: u64,
    /// What is to be taken over.
    pub edits: Vec<Adopted>,
    /// What is known otherwise here, and stays so.
    pub differences: Vec<Difference>,
    /// What the database said so far, by sound and field, be it news or not: its first word counts.
    #[serde(skip)]
    stated: HashMap<(String, Field), Vec<NewEdit>>,
}

/// An edit to be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// The file it is about, as its path is here.
    pub path: String,
    /// What it says.
    #[serde(flatten)]
    pub said: NewEdit,
}

/// Something that is said otherwise here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file.
    pub path: String,
    /// What it is about.
    pub field: Field,
    /// What is known here.
    pub here: String,
    /// What the other database says.
    pub there: String,
}

/// Finds out what the database at `path` says about the files of a library; nothing is written.
///
/// # Errors
///
/// When it is no database of a known program, is damaged, or is being written to all the time.
pub fn propose(library: &Library, path: &Path) -> Result<Proposal> {
    let folder = run::Scratch::new()?;
    let foreign = Foreign::open(path, folder.path()).map_err(Error::of_file)?;
    let origin = adopt::origin(foreign.db(), path)?;
    let theirs = adopt::theirs(foreign.db(), origin)?;
    let ours = adopt::ours(library.db())?;
    let said: Vec<NewEdit> = edits::list(library.db())?
        .into_iter()
        .map(|edit| edit.said)
        .collect();
    let mut proposal = Proposal {
        origin,
        files: theirs.len() as u64,
        by_sound: 0,
        by_path: 0,
        unknown: 0,
        edits: Vec::new(),
        differences: Vec::new(),
        stated: HashMap::new(),
    };
    let known = Known::new(&ours);
    for file in &theirs {
        let our = if let Some(our) = known.by_sound(file) {
            proposal.by_sound += 1;
            our
        } else if let Some(our) = known.by_path(file, library.root()) {
            proposal.by_path += 1;
            our
        } else {
            proposal.unknown += 1;
            continue;
        };
        about_file(&mut proposal, file, our, &said);
    }
    Ok(proposal)
}

/// Takes a proposal over.
///
/// # Errors
///
/// When the library cannot be written.
pub fn adopt(library: &Library, proposal: Proposal) -> Result<Imported> {
    let edits = proposal.edits.into_iter().map(|edit| edit.said).collect();
    take_over(library, edits)
}

/// Our files by everything that theirs may be known by.
struct Known<'o> {
    sounds: BTreeMap<&'o str, &'o OurFile>,
    names: BTreeMap<String, Vec<&'o OurFile>>,
}

impl<'o> Known<'o> {
    fn new(ours: &'o [OurFile]) -> Self {
        let mut known = Self {
            sounds: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for our in ours {
            known.sounds.insert(&our.hash, our);
            if let Some(sound) = &our.audio_md5 {
                known.sounds.insert(sound, our);
            }
            known
                .names
                .entry(name(&our.place.path))
                .or_default()
                .push(our);
        }
        known
    }

    fn by_sound(&self, file: &TheirFile) -> Option<&'o OurFile> {
        let names = [&file.audio_md5, &file.hash];
        names
            .into_iter()
            .flatten()
            .find_map(|sound| self.sounds.get(sound.as_str()).copied())
    }

    /// The one file whose path has most in common with theirs from the end on, of those that are as long.
    fn by_path(&self, file: &TheirFile, root: &Path) -> Option<&'o OurFile> {
        let theirs = Path::new(&file.path);
        let inside = theirs.strip_prefix(root).unwrap_or(theirs);
        let path = inside.to_string_lossy().replace('\\', "/");
        let length = file.length?.seconds();
        let candidates = self.names.get(&name(&path))?.iter().filter(|our| {
            let is_as_long = our
                .length
                .is_some_and(|our| (our.seconds() - length).abs() <= SAME_LENGTH_SECONDS);
            // Two digests of sound that differ are two sounds.
            is_as_long && (our.audio_md5.is_none() || file.audio_md5.is_none())
        });
        let mut ranked: Vec<_> = candidates
            .map(|our| {
                let common = common_names(&our.place.path, &path, str::eq_ignore_ascii_case);
                (common, *our)
            })
            .collect();
        ranked.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
        match ranked.as_slice() {
            [(_, only)] => Some(only),
            [(best, first), (second, _), ..] if best > second => Some(first),
            _ => None,
        }
    }
}

fn name(path: &str) -> String {
    name_of(path).to_lowercase()
}

fn about_file(proposal: &mut Proposal, file: &TheirFile, our: &OurFile, said: &[NewEdit]) {
    let end = our.length.unwrap_or_default();
    let bounds = |passage: &TheirPassage| {
        let last = passage.end.unwrap_or(end);
        // Where they count whole milliseconds, the end of the file is up to one away.
        let is_end = end.0 > 0 && last.0 > end.0 - MILLISECOND;
        (passage.start, if is_end { end } else { last })
    };
    if file.passages.iter().any(|passage| passage.is_manual) {
        let spans: Vec<_> = file.passages.iter().map(bounds).collect();
        let here: Vec<_> = our
            .passages
            .iter()
            .map(|(from, to, _)| (*from, *to))
            .collect();
        if spans != here {
            let value = edits::value_of(&spans);
            add(
                proposal,
                our,
                said,
                (Field::Cut, (Ticks(0), end), value),
                None,
            );
        }
    }
    for passage in &file.passages {
        let span = bounds(passage);
        for (field, point) in [
            (Field::LeadIn, passage.lead_in),
            (Field::LeadOut, passage.lead_out),
        ] {
            if let Some(point) = point {
                add(
                    proposal,
                    our,
                    said,
                    (field, span, point.0.to_string()),
                    None,
                );
            }
        }
        if let Some(title) = &passage.title {
            add(
                proposal,
                our,
                said,
                (Field::Title, span, title.clone()),
                None,
            );
        }
        if let Some((mbid, source)) = &passage.recording {
            let is_whole = passage.start.0 == 0 && passage.end.is_none();
            if is_whole && our.passages.len() > 1 {
                let here = format!("{} passages", our.passages.len());
                proposal.differ(our, Field::Match, here, mbid.clone());
            } else {
                identify(proposal, our, said, span, (mbid, source));
            }
        }
    }
}

/// An id of theirs: a person's word there is one here; what was computed there is evidence, whatever is known here, and
/// told where that is otherwise.
fn identify(
    proposal: &mut Proposal,
    our: &OurFile,
    said: &[NewEdit],
    span: (Ticks, Ticks),
    (mbid, source): (&str, &str),
) {
    let mbid = mbid.to_lowercase();
    let edit = proposal.said(our, (Field::Match, span, mbid.clone()), Some(source));
    let here = our
        .passages
        .iter()
        .find(|(start, end, _)| edit.is_about(*start, *end))
        .and_then(|(_, _, recording)| recording.as_ref());
    let is_new = add(
        proposal,
        our,
        said,
        (Field::Match, span, mbid.clone()),
        Some(source),
    );
    if let Some(here) = here.filter(|here| is_new && edit.is_evidence() && **here != mbid) {
        proposal.differ(our, Field::Match, here.clone(), mbid);
    }
}

/// Whether two edits of one sound contradict or repeat each other.
fn is_about_the_same(before: &NewEdit, edit: &NewEdit) -> bool {
    before.sound == edit.sound
        && (before.file.is_none() || before.file == edit.file)
        && before.field == edit.field
        && (!edit.is_evidence() || before.source == PERSON || before.source == edit.source)
        && (edit.field == Field::Cut
            || before.is_about(Ticks(edit.start_ticks), Ticks(edit.end_ticks)))
}

impl Proposal {
    /// What the database says, as an edit.
    fn said(
        &self,
        our: &OurFile,
        (field, span, value): (Field, (Ticks, Ticks), String),
        source: Option<&str>,
    ) -> NewEdit {
        let origin = self.origin.word();
        let by = source.map_or_else(|| origin.to_owned(), |source| format!("{origin}:{source}"));
        NewEdit {
            source: by,
            ..edits::about(&our.place, field, span, value)
        }
        .on_one_line()
    }

    /// Tells what is said otherwise here.
    fn differ(&mut self, our: &OurFile, field: Field, here: String, there: String) {
        self.differences.push(Difference {
            path: our.place.path.clone(),
            field,
            here,
            there,
        });
    }

    /// Keeps what the database says; whether it is its first word about that. Where it said something else before, that is
    /// told.
    fn state(&mut self, our: &OurFile, edit: &NewEdit) -> bool {
        let stated = self
            .stated
            .entry((edit.sound.clone(), edit.field))
            .or_default();
        let Some(first) = stated.iter().find(|first| is_about_the_same(first, edit)) else {
            stated.push(edit.clone());
            return true;
        };
        if first.value != edit.value {
            let here = format!("{} (said by the same database)", first.value);
            self.differ(our, edit.field, here, edit.value.clone());
        }
        false
    }
}

/// Proposes an edit, unless it is in force already, a person said otherwise here, or it is none; whether it is proposed.
fn add(
    proposal: &mut Proposal,
    our: &OurFile,
    said: &[NewEdit],
    (field, span, value): (Field, (Ticks, Ticks), String),
    source: Option<&str>,
) -> bool {
    let edit = proposal.said(our, (field, span, value), source);
    if !proposal.state(our, &edit) {
        return false;
    }
    let before = said
        .iter()
        .rev()
        .find(|before| is_about_the_same(before, &edit));
    match before {
        Some(before) if before.value == edit.value => return false,
        Some(before) if before.source == PERSON => {
            proposal.differ(our, field, before.value.clone(), edit.value);
            return false;
        }
        _ => {}
    }
    match edit.check() {
        Ok(()) => {
            proposal.edits.push(Adopted {
                path: our.place.path.clone(),
                said: edit,
            });
            true
        }
        Err(reason) => {
            proposal.differ(our, field, reason, edit.value);
            false
        }
    }
}
