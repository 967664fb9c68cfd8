//! What a person calls a file or a passage: an id or its beginning, a path or a part of one, words of a title.
//!
//! The nearest reading wins: an exact path, then the end of one, then words in it or in a title, whatever their case,
//! accents and punctuation. What fits nothing gets the names that look most like it.

use sqlite::{Db, Row, params};

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::query::show;
use crate::library::values::name_of;

/// Names that are told where several fit, or none.
const TOLD: usize = 5;

/// How much alike two names are, from 0 to 1, where one may stand for the other. A guess: a slip of the finger in a word
/// of five letters still counts, another word does not.
const ALIKE: f64 = 0.75;

/// The id of something, and what it is shown as.
type Named = (String, String);

/// Ids that begin so, in the letters that their writer took. Ranges are found in the index; `LIKE` reads all ids. No id has
/// a character behind `g`.
const BEGINS: &str =
    "(guid >= ?1 AND guid < ?1 || 'g') OR (guid >= upper(?1) AND guid < upper(?1) || 'g') LIMIT 5";

/// What `select`, a statement up to its condition, finds where `name` looks like an id or its beginning.
pub(super) fn with_id(db: &Db, select: &str, name: &str) -> Result<Vec<Named>> {
    let is_id = name.len() >= 8 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !is_id {
        return Ok(Vec::new());
    }
    let prefix = name.to_ascii_lowercase();
    let sql = format!("{select} {BEGINS}");
    db.read(|snapshot| {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(snapshot.query_all(&sql, params![prefix], read)?)
    })
}

/// The ids of passages that begin with what was `typed` so far, at most so many, each with the path of its file.
///
/// # Errors
///
/// When the database cannot be read.
pub fn passages_beginning(
    library: &Library,
    typed: &str,
    most: u32,
) -> Result<Vec<(String, String)>> {
    let sql = "SELECT p.guid, f.path FROM passages p JOIN files f ON f.guid = p.file_id \
               WHERE (p.guid >= ?1 AND p.guid < ?1 || 'g') OR (p.guid >= upper(?1) AND p.guid < upper(?1) || 'g') \
               ORDER BY p.guid LIMIT ?2";
    let prefix = typed.to_ascii_lowercase();
    library.db().read(|snapshot| {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(snapshot.query_all(sql, params![prefix, most], read)?)
    })
}

/// What a person means by `name`, as [`show`] takes it: the name itself where it is exact, else the path of the only
/// file that the words fit. Programs say what they mean, and get no guesses.
///
/// # Errors
///
/// When nothing fits, or several files do, or the database cannot be read.
pub fn meant(library: &Library, name: &str) -> Result<String> {
    let name = match show(library, name) {
        // With these it is a path, and words would find another file.
        Err(error @ Error::NotFound { .. }) if name.split('/').any(|part| part == "..") => {
            return Err(error);
        }
        Err(Error::NotFound { name, .. }) => name,
        Err(error) => return Err(error),
        Ok(_) => return Ok(name.to_owned()),
    };
    let wanted = folded(&name);
    let all = everything(library.db())?;
    let mut fitting = paths_called(&all, &wanted);
    match (fitting.pop(), fitting.is_empty()) {
        (None, _) => Err(Error::NotFound {
            like: like(&all, &wanted),
            name,
        }),
        (Some(path), true) => Ok(path),
        (Some(last), false) => {
            fitting.push(last);
            Err(Error::Ambiguous {
                name,
                candidates: fitting,
            })
        }
    }
}

/// The files that these words fit.
fn paths_called(all: &[Called], wanted: &str) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let fitting = all
        .iter()
        .filter(|file| file.names.iter().any(|name| holds(name, wanted)));
    fitting.take(TOLD).map(|file| file.path.clone()).collect()
}

/// The files whose names look like these words, the likest first.
fn like(all: &[Called], wanted: &str) -> Vec<String> {
    let mut alike: Vec<(f64, &str)> = all
        .iter()
        .filter_map(|file| {
            let names = file.names.iter();
            let nearest = names.map(|name| strsim::jaro_winkler(name, wanted));
            let nearest = nearest.fold(0.0, f64::max);
            (nearest >= ALIKE).then_some((nearest, file.path.as_str()))
        })
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.truncate(3);
    alike.into_iter().map(|(_, path)| path.to_owned()).collect()
}

/// A file, and what it may be called, folded: its path, its name, its stem, the titles in it.
struct Called {
    path: String,
    names: Vec<String>,
}

/// The words of a name, whatever its case, accents, script and punctuation.
fn folded(name: impl AsRef<str>) -> String {
    let ascii = deunicode::deunicode(name.as_ref()).to_lowercase();
    let words = ascii.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether `wanted` stands in `name` from the beginning of a word on.
fn holds(name: &str, wanted: &str) -> bool {
    name.starts_with(wanted) || name.contains(&format!(" {wanted}"))
}

/// Every file with the names that it may be called by.
fn everything(db: &Db) -> Result<Vec<Called>> {
    let rows = db.read(|snapshot| {
        snapshot.query_all(
            "SELECT f.guid, f.path, COALESCE(p.user_title, p.title) FROM files f LEFT JOIN passages p ON p.file_id = f.guid ORDER BY f.path",
            [],
            |row| {
                let title: Option<String> = row.get(2)?;
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, title))
            },
        )
    })?;
    let (mut files, mut last) = (Vec::<Called>::new(), None);
    for (id, path, title) in rows {
        if last.as_ref() != Some(&id) {
            let file = name_of(&path);
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            let names = [&path, file, stem].map(folded).to_vec();
            files.push(Called { path, names });
            last = Some(id);
        }
        if let (Some(file), Some(title)) = (files.last_mut(), title) {
            file.names.push(folded(&title));
        }
    }
    Ok(files)
}

/// A path with `.` and `..` as one without, where it has any and stays below where it begins.
fn without_dots(name: &str) -> Option<String> {
    let mut names = Vec::new();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => drop(names.pop()?),
            part => names.push(part),
        }
    }
    let path = names.join("/");
    (path != name).then_some(path)
}

pub(super) fn paths_ending(library: &Library, name: &str) -> Result<Vec<Named>> {
    // As the disk has it, where links and `..` are resolved, and as it was written, for a file that is gone.
    let absolute = [
        run::canonical_path(name.as_ref()),
        std::path::absolute(name),
    ];
    let inside = absolute.iter().flatten().filter_map(|path| {
        let path = path.strip_prefix(library.root()).ok()?.to_str()?;
        Some(path.replace('\\', "/"))
    });
    let wanted: Vec<String> = inside
        .chain([name.to_owned()])
        .chain(without_dots(name))
        .collect();
    library.db().read(|snapshot| {
        for path in &wanted {
            let exact = snapshot.query_all(
                "SELECT guid, path FROM files WHERE path = ?1",
                params![path],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if !exact.is_empty() {
                return Ok(exact);
            }
        }
        Ok(snapshot.query_all(
            "SELECT guid, path FROM files WHERE substr(path, -length(?1)) = ?1 ORDER BY path LIMIT 5",
            params![name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    })
}
