//! Keeps the words by which files are found, and finds files by them.
//!
//! Triggers only note which files have changed, whoever changed them; [`catch_up`] reads and folds their words. So no
//! program that writes to a library needs to know of this, and an import does not wait for it.

use std::time::Duration;

use sqlite::{Db, Snapshot, params};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::error::Result;

/// Files whose words are written in one transaction. A guess: some milliseconds, so that no import waits for long.
const AT_ONCE: u32 = 100;

/// Bytes of words that are kept of one file. A guess: the titles of 10,000 passages have a third of it.
const MOST_WORDS: usize = 1 << 20;

/// Terms that are looked for at once; what follows them is not. A guess: no title has as many words.
const MOST_TERMS: usize = 16;

/// Up to this many files are put in order once they are found; if there are more, files are walked in order until a
/// page is full, which is soon. A guess: at 200,000 files both take some 20 ms then.
const FEW: u32 = 2_000;

/// How long a search waits for other programs to write down the words of a few files first. A guess: nobody minds half a
/// second now and then.
const SOON: Duration = Duration::from_millis(500);

/// The letters in a term from which on the index can find it.
const INDEXED: usize = 3;

/// Small letters without accents, so that what people type meets what is written.
fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

/// What to look for: terms that all have to stand in what is written about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// All terms, as a JSON array.
    all: String,
    /// Those that are long enough for the index, as its language has them; `None` if none is.
    indexed: Option<String>,
}

impl Terms {
    /// `None` where nothing is asked for.
    pub(crate) fn of(words: &str) -> Option<Self> {
        let folded = fold(words);
        let terms: Vec<_> = folded.split_whitespace().take(MOST_TERMS).collect();
        if terms.is_empty() {
            return None;
        }
        let indexed: Vec<_> = terms
            .iter()
            .filter(|term| term.chars().count() >= INDEXED && !term.contains('\0'))
            .map(|term| format!("\"{}\"", term.replace('"', "\"\"")))
            .collect();
        Some(Self {
            all: serde_json::json!(terms).to_string(),
            indexed: (!indexed.is_empty()).then(|| indexed.join(" ")),
        })
    }

    /// All terms, as a JSON array.
    pub(crate) fn all(&self) -> &str {
        &self.all
    }
}

/// The ids of the files that all terms stand in, as a JSON array; `None` if there are many.
pub(crate) fn few(snapshot: &Snapshot<'_>, terms: &Terms) -> Result<Option<String>> {
    let most = FEW + 1;
    let id = |row: &sqlite::Row<'_>| row.get::<_, String>(0);
    let found = match &terms.indexed {
        Some(indexed) => snapshot.query_all(
            "SELECT w.file_id FROM accession_search s JOIN accession_words w ON w.word_id = s.rowid \
             WHERE s.words MATCH ?1 \
                AND NOT EXISTS (SELECT 1 FROM json_each(?2) t WHERE instr(w.words, t.value) = 0) LIMIT ?3",
            params![indexed, terms.all, most],
            id,
        )?,
        None => snapshot.query_all(
            "SELECT w.file_id FROM accession_words w \
             WHERE NOT EXISTS (SELECT 1 FROM json_each(?1) t WHERE instr(w.words, t.value) = 0) LIMIT ?2",
            params![terms.all, most],
            id,
        )?,
    };
    Ok((found.len() <= FEW as usize).then(|| serde_json::json!(found).to_string()))
}

/// A file whose words are due.
struct Due {
    file: String,
    stamp: i64,
    /// `None` for a file that is gone.
    words: Option<String>,
    known: Option<(i64, String)>,
}

/// Brings the words of all files up to date if that takes no longer than one transaction; returns the number of files whose
/// words are not known yet, or have changed since; those are told, too, where nothing can be written now.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn catch_up_soon(db: &Db) -> Result<u64> {
    let unread = unread(db)?;
    if unread == 0 || unread > u64::from(AT_ONCE) {
        return Ok(unread);
    }
    match catch_up(&db.with_patience(SOON), || true) {
        Ok(_) => Ok(0),
        // Whoever looks for something gets an answer also where nothing can be written now.
        Err(error) if error.trouble().is_some() => Ok(unread),
        Err(error) => Err(error),
    }
}

fn unread(db: &Db) -> Result<u64> {
    db.read(|snapshot| {
        Ok(snapshot.query_row(
            "SELECT count(*) FROM accession_words_due WHERE typeof(file_id) = 'text'",
            params![],
            |row| row.get(0),
        )?)
    })
}

/// Brings the words of all files up to date, a hundred files at a time, as long as `is_wanted`; returns of how many files.
///
/// # Errors
///
/// When the database cannot be read or written.
pub fn catch_up(db: &Db, is_wanted: impl Fn() -> bool) -> Result<u64> {
    let mut all = 0;
    loop {
        let due = due(db)?;
        if due.is_empty() || !is_wanted() {
            return Ok(all);
        }
        all += due.len() as u64;
        db.try_write("words of files", move |tx| -> Result<()> {
            for Due {
                file,
                stamp,
                words,
                known,
            } in &due
            {
                // What changes meanwhile has another stamp, and its turn comes again.
                tx.execute(
                    "DELETE FROM accession_words_due WHERE file_id = ?1 AND stamp = ?2",
                    params![file, stamp],
                )?;
                if known.as_ref().map(|(_, known)| known) == words.as_ref() {
                    continue;
                }
                if let Some((id, known)) = known {
                    // An index over words that are kept elsewhere is told what it has to forget.
                    tx.execute(
                        "INSERT INTO accession_search (accession_search, rowid, words) \
                         SELECT 'delete', word_id, words FROM accession_words WHERE word_id = ?1 AND words = ?2",
                        params![id, known],
                    )?;
                    tx.execute(
                        "DELETE FROM accession_words WHERE word_id = ?1 AND words = ?2",
                        params![id, known],
                    )?;
                }
                let Some(words) = words else { continue };
                let written = tx.execute(
                    "INSERT INTO accession_words (file_id, words) VALUES (?1, ?2) ON CONFLICT (file_id) DO NOTHING",
                    params![file, words],
                )?;
                if written > 0 {
                    tx.execute(
                        "INSERT INTO accession_search (rowid, words) \
                         SELECT word_id, words FROM accession_words WHERE file_id = ?1",
                        params![file],
                    )?;
                }
            }
            Ok(())
        })?;
    }
}

fn due(db: &Db) -> Result<Vec<Due>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            // What another program stored as something else is read as text.
            "SELECT d.file_id, d.stamp, CAST(f.path AS TEXT), w.word_id, w.words, \
                    (SELECT group_concat(coalesce(p.user_title || char(10), '') || coalesce(p.title || char(10), '') || \
                        coalesce(p.artist || char(10), '') || coalesce(p.album, ''), char(10)) \
                     FROM passages p WHERE p.file_id = d.file_id) \
             FROM accession_words_due d LEFT JOIN files f ON f.guid = d.file_id \
             LEFT JOIN accession_words w ON w.file_id = d.file_id WHERE typeof(d.file_id) = 'text' LIMIT ?1",
            params![AT_ONCE],
            |row| {
                let text = |at: usize| -> sqlite::RowResult<Option<String>> {
                    let value = row.get_ref(at)?.as_bytes_or_null()?;
                    Ok(value.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
                };
                let id: Option<i64> = row.get(3)?;
                let known = text(4)?;
                let told = text(5)?.unwrap_or_default();
                Ok(Due {
                    file: row.get(0)?,
                    stamp: row.get(1)?,
                    words: text(2)?.map(|path| words_of(&path, &told)),
                    known: id.zip(known),
                })
            },
        )?)
    })
}

/// The words of a file: its path and what is told of its passages, each line once.
fn words_of(path: &str, told: &str) -> String {
    let mut words = fold(path);
    let mut seen = std::collections::HashSet::new();
    for line in told.lines().filter(|line| !line.is_empty()) {
        if words.len() >= MOST_WORDS {
            break;
        }
        if seen.insert(line) {
            words.push('\n');
            words.push_str(&fold(line));
        }
    }
    words.replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_capitals_and_forms_of_letters_make_no_difference() {
        for text in ["Größe ÉTÉ", "GRÖSSE été", "Gro\u{308}ße e\u{301}te\u{301}"] {
            let folded = fold(text);
            assert!(folded.ends_with(" ete"), "{folded}");
            assert!(folded.starts_with("gro"), "{folded}");
        }
        assert_eq!(fold("ﬁne Ⅻ"), "fine xii");
    }

    #[test]
    fn what_is_typed_is_never_a_language() {
        let terms = Terms::of(" \"a\" OR NEAR(x* ").unwrap();
        assert_eq!(terms.all, r#"["\"a\"","or","near(x*"]"#);
        assert_eq!(terms.indexed.as_deref(), Some("\"\"\"a\"\"\" \"near(x*\""));
        assert_eq!(Terms::of(" \n"), None);
        assert_eq!(Terms::of("ab").unwrap().indexed, None);
    }
}
