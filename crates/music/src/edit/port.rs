//! Carries edits from library to library, as lines of JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead, Write};

use crate::error::{Error, Result};
use crate::id::FileId;
use crate::identify::decide;
use crate::library::Library;
use crate::library::edits::{self, Field, NewEdit, list};
use crate::library::values::common_names;

/// Writes all edits in force as lines of JSON; returns how many.
///
/// # Errors
///
/// When the database cannot be read or `out` not be written.
pub fn export(library: &Library, out: &mut dyn Write) -> Result<u64> {
    let mut count = 0;
    for edit in list(library.db())? {
        serde_json::to_writer(&mut *out, &edit.said).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// What became of edits that were taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Edits read.
    pub read: u64,
    /// Edits that were not there yet.
    pub new: u64,
    /// Files that the next import cuts anew.
    pub to_cut: u64,
    /// Edits about sounds or passages that the library does not have.
    pub waiting: u64,
}

/// The longest line that is read, in bytes: a cut of a file into 10,000 passages takes a third of it.
const MAX_LINE: usize = 1 << 20;

/// Reads edits from lines of JSON and takes them over. What is about sounds that the library does not have waits
/// until it has them; what is there already stays as it is.
///
/// # Errors
///
/// When a line is no edit (then nothing of it is taken over), or the database cannot be written.
pub fn import(library: &Library, lines: &mut dyn BufRead) -> Result<Imported> {
    let edits = read(lines)?;
    take_over(library, edits)
}

fn read(lines: &mut dyn BufRead) -> Result<Vec<NewEdit>> {
    let mut edits = Vec::new();
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        std::io::Read::take(&mut *lines, limit).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(edits);
        }
        number += 1;
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(behind_mark) if number == 1 => behind_mark,
            _ => &line,
        };
        let bad = |reason: String| Error::BadEdit {
            line: number,
            reason,
        };
        if line.len() > MAX_LINE {
            return Err(bad(format!("expected at most {MAX_LINE} bytes")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let edit: NewEdit = serde_json::from_slice(line).map_err(|error| bad(error.to_string()))?;
        let edit = edit.on_one_line();
        edit.check().map_err(bad)?;
        edits.push(edit);
    }
}

/// Where several files of one sound are named that are not there, such as those of another person's folders, each is taken
/// for the one of that sound that is called most like it. Those that are left over, by sound and path: each of them is a file
/// that is gone, with words of its own.
fn find_files(library: &Library, edits: &mut [NewEdit]) -> Result<HashSet<(String, String)>> {
    let is_there = |file: &str| library.place(file).is_some_and(|path| path.exists());
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for edit in edits.iter() {
        let files = named.entry(edit.sound.clone()).or_default();
        files.extend(edit.file.clone().filter(|file| !is_there(file)));
    }
    named.retain(|_, files| files.len() > 1);
    let mut said: HashMap<String, Vec<&mut NewEdit>> = HashMap::new();
    for edit in edits {
        if named.contains_key(&edit.sound) {
            said.entry(edit.sound.clone()).or_default().push(edit);
        }
    }
    let mut gone = HashSet::new();
    for (sound, mut files) in named {
        let mut said = said.remove(&sound).unwrap_or_default();
        let mut ours = library
            .db()
            .read(|snapshot| edits::paths_of(snapshot, &sound))?;
        let taken: HashSet<_> = said.iter().filter_map(|edit| edit.file.clone()).collect();
        ours.retain(|path| !taken.contains(path));
        let like = |one: &str, other: &str| common_names(one, other, str::eq);
        while let Some((theirs, path)) = files
            .iter()
            .flat_map(|file| ours.iter().map(move |path| (file.clone(), path.clone())))
            .rev()
            .max_by_key(|(file, path)| like(file, path))
        {
            files.remove(&theirs);
            ours.retain(|other| *other != path);
            let about = said.iter_mut();
            for edit in about.filter(|edit| edit.file.as_ref() == Some(&theirs)) {
                edit.file = Some(path.clone());
            }
        }
        gone.extend(files.into_iter().map(|file| (sound.clone(), file)));
    }
    Ok(gone)
}

/// Takes edits over, whoever made them.
pub(crate) fn take_over(library: &Library, mut edits: Vec<NewEdit>) -> Result<Imported> {
    let read = edits.len() as u64;
    let gone = find_files(library, &mut edits)?;
    let kept = edits.clone();
    let there: HashSet<String> = edits
        .iter()
        .filter_map(|edit| edit.file.clone())
        .filter(|file| library.place(file).is_some_and(|path| path.exists()))
        .collect();
    let known = there.clone();
    let new = library.db().try_write("take edits over", move |tx| {
        edits::take_over(
            tx,
            &kept,
            |file| known.contains(file),
            |edit| {
                let file = edit.file.clone()?;
                let is_gone = gone.contains(&(edit.sound.clone(), file.clone()));
                is_gone.then(|| format!("elsewhere/{}/{file}", edit.sound))
            },
        )
    })?;
    let written = new.iter().filter(|is_new| **is_new).count() as u64;
    let mut placed = Vec::new();
    for (mut edit, is_new) in edits.into_iter().zip(new) {
        // One that is nowhere is known by its sound alone, as it was written.
        edit.file = edit.file.filter(|file| there.contains(file));
        let mut about = edits::places_about(library.db(), &edit)?;
        if let Some(file) = &edit.file {
            // One that is there and not taken in yet has no heirs.
            about.retain(|(_, place)| place.path == *file);
        }
        placed.push((edit, is_new, about));
    }
    let cuts = placed.iter().filter(|(edit, ..)| edit.field == Field::Cut);
    let to_cut: HashMap<FileId, String> = cuts
        .flat_map(|(_, _, about)| about)
        .map(|(_, place)| (place.file.clone(), place.path.clone()))
        .collect();
    let mut waiting = 0;
    for (edit, is_new, about) in placed {
        let is_of_cut = (edit.file.iter()).any(|file| to_cut.values().any(|path| path == file));
        waiting += u64::from(about.is_empty() && !is_of_cut);
        let no_song = edit.field == Field::Match && edit.value.is_empty();
        for (passage, place) in about {
            let file = place.file;
            if to_cut.contains_key(&file) {
                // What is said of its passages is put over those that it will have.
                library.db().try_write("take edits over", move |tx| {
                    edits::cut_anew(tx, &file, false)
                })?;
                continue;
            }
            if no_song && is_new {
                decide::reject_as(library, &passage, edit.clone())?;
            }
            let is_new_evidence = is_new && edit.is_evidence();
            library.db().try_write("take edits over", move |tx| {
                if is_new_evidence {
                    edits::reconsider(tx, &passage, false)?;
                }
                edits::apply(tx, &file)
            })?;
        }
    }
    Ok(Imported {
        read,
        new: written,
        to_cut: to_cut.len() as u64,
        waiting,
    })
}
