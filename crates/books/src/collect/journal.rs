//! Pages that are fetched and not yet in the database, so that the next one can be asked for meanwhile.
//!
//! The last books of a page wait for their transaction, perhaps together with those of other small pages. A process
//! that is killed leaves them here, and the next one records them without asking for them again. The database decides:
//! a page that does not go on exactly where the database stands is forgotten, and so are a damaged one and what follows.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalogue::pass::{Pass, ReadPage};
use crate::error::Error;
use crate::listed::Books;
use crate::run::JOURNAL;

/// Bytes after which it is better to record what is in it.
const LONG: u64 = 4 << 20;

/// A page as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// What marks the pass.
    session_id: i64,
    /// The page's place among those of the pass, from 1.
    pub(crate) number: u64,
    pub(crate) page: ReadPage,
    /// Books of it that were in the database already.
    part: u64,
    sum: u64,
    /// The other ones.
    pub(crate) rest: Books,
}

impl Entry {
    /// The page that follows those of `pass`, of which `part` books are recorded.
    pub(crate) fn new(pass: &Pass, page: ReadPage, part: u64, rest: Books) -> Self {
        Self {
            session_id: pass.session_id,
            number: pass.pages + 1,
            page,
            part,
            sum: rest.sum(),
            rest,
        }
    }

    fn follows(&self, pass: &Pass) -> bool {
        self.session_id == pass.session_id
            && self.number == pass.pages + 1
            && self.part <= pass.part
            && pass
                .next_page
                .as_ref()
                .is_none_or(|next| *next == self.page.address)
            && self.rest.is_sound(self.sum)
    }
}

/// The file, written to as pages come.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    /// The last page in it.
    last: u64,
}

impl Journal {
    /// That of the run in `directory`. Nothing is written yet.
    pub(crate) fn of(directory: &Path) -> Self {
        Self {
            path: directory.join(JOURNAL),
            file: None,
            length: 0,
            last: 0,
        }
    }

    /// The pages that go on where `pass` stands; there are few.
    pub(crate) fn pages(&self, pass: &Pass) -> Result<Vec<Entry>, Error> {
        let file = match run::regular_file(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(Error::file("open", &self.path))?,
        };
        let mut pass = pass.clone();
        let mut entries = Vec::new();
        for line in BufReader::new(file).lines() {
            // What is not text was damaged.
            let Ok(line) = line else { break };
            let Ok(entry) = serde_json::from_str::<Entry>(&line) else {
                break;
            };
            if entry.follows(&pass) {
                pass.advance(&entry.page);
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Keeps a page. Those up to `recorded` are in the database.
    pub(crate) fn keep(&mut self, entry: &Entry, recorded: u64) -> Result<(), Error> {
        let failed = || Error::file("write", &self.path);
        let mut line = serde_json::to_vec(entry).map_err(|error| failed()(error.into()))?;
        line.push(b'\n');
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path).map_err(failed())?),
        };
        if self.last <= recorded {
            // In place of what it held: a file that is never cut costs the disk less. What is left of that behind this
            // page is no page, or one that the database has.
            self.length = 0;
            file.rewind().map_err(failed())?;
        }
        file.write_all(&line).map_err(failed())?;
        self.length += line.len() as u64;
        self.last = entry.number;
        Ok(())
    }

    /// Whether what is in it should be recorded before more is kept.
    pub(crate) fn is_long(&self) -> bool {
        self.length > LONG
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        self.file = None;
        self.length = 0;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listed::ListedBook;

    fn pass() -> Pass {
        Pass {
            id: 1,
            session_id: 5,
            ..Pass::default()
        }
    }

    fn page(number: u64) -> ReadPage {
        ReadPage {
            address: format!("page{number}"),
            books: 1,
            first_barcode: String::new(),
            last_barcode: String::new(),
            next: Some(format!("page{}", number + 1)),
        }
    }

    /// Keeps the pages from `first`, of which the database has those up to `recorded`.
    fn keep(journal: &mut Journal, pass: &mut Pass, last: u64, recorded: u64) {
        while pass.pages < last {
            let mut rest = Books::default();
            rest.push(&ListedBook {
                barcode: format!("B{}", pass.pages + 1),
                title: "long ".repeat(10 - pass.pages as usize),
                ..ListedBook::default()
            });
            let entry = Entry::new(pass, page(pass.pages + 1), 0, rest);
            journal.keep(&entry, recorded).unwrap();
            pass.advance(&entry.page);
        }
    }

    fn numbers(journal: &Journal, pass: &Pass) -> Vec<u64> {
        let entries = journal.pages(pass).unwrap();
        entries.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn pages_that_go_on_where_the_database_stands_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::of(folder.path());
        let mut now = pass();
        assert!(numbers(&journal, &now).is_empty());
        keep(&mut journal, &mut now, 3, 0);
        assert_eq!(numbers(&journal, &pass()), [1, 2, 3]);
        let mut later = pass();
        later.advance(&page(1));
        assert_eq!(numbers(&journal, &later), [2, 3]);
        // The database has all three: the file begins anew, over what it held.
        keep(&mut journal, &mut now, 4, 3);
        keep(&mut journal, &mut now, 5, 3);
        assert!(numbers(&journal, &pass()).is_empty());
        (2..=3).for_each(|number| later.advance(&page(number)));
        assert_eq!(numbers(&journal, &later), [4, 5]);
        later.session_id = 6;
        assert!(numbers(&journal, &later).is_empty());
        journal.clear().unwrap();
        journal.clear().unwrap();
    }

    #[test]
    fn what_is_damaged_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::of(folder.path());
        keep(&mut journal, &mut pass(), 2, 0);
        let whole = fs::read(&journal.path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in 0..whole.len() {
            fs::write(&journal.path, &whole[..cut]).unwrap();
            // The end of a line adds nothing.
            let found = usize::from(cut + 1 >= first) + usize::from(cut + 1 >= whole.len());
            assert_eq!(numbers(&journal, &pass()).len(), found, "{cut}");
        }
        let other = String::from_utf8(whole)
            .unwrap()
            .replacen("long", "lung", 1);
        fs::write(&journal.path, other).unwrap();
        assert!(numbers(&journal, &pass()).is_empty());
        // Books recorded before, which a power cut has undone.
        let entry = Entry::new(&pass(), page(1), 2_000, Books::default());
        journal.keep(&entry, 0).unwrap();
        assert!(numbers(&journal, &pass()).is_empty());
    }
}
