//! What a shell completes besides commands and options: keys of settings, names of runs, ids of passages.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap_complete::CompletionCandidate;
use music::Library;
use music::library::names::passages_beginning;

use crate::env;
use crate::place::Place;
use crate::settings::{expand_home, locate};

/// Passages offered at once. A shell asks before it lists more than a hundred.
const OFFERED: u32 = 100;

/// The settings of a library.
pub(crate) fn settings(typed: &OsStr) -> Vec<CompletionCandidate> {
    music::library::settings::every()
        .filter(|setting| begins(setting.key, typed))
        .map(|setting| CompletionCandidate::new(setting.key).help(Some(setting.meaning.into())))
        .collect()
}

/// The runs below the folder that holds them; one that `--output-dir` names is not known yet when a name is typed.
pub(crate) fn runs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let folder = std::env::var_os(env::OUTPUT_DIR).filter(|folder| !folder.is_empty());
    let folder = folder.unwrap_or_else(|| books::run::OUTPUT.into());
    let Ok(entries) = std::fs::read_dir(expand_home(Path::new(&folder))) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().join(books::run::CONFIG).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| begins(name, typed))
        .collect();
    names.sort();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The passages of the library that the rest of the line names, or that is meant without a word. A library that cannot be read
/// has none to offer.
pub(crate) fn passages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let found = || {
        let located = locate(&place(std::env::args_os())).ok()?;
        let library = Library::open_read_only(&located.database, &located.root).ok()?;
        passages_beginning(&library, typed.to_str()?, OFFERED).ok()
    };
    let found = found().unwrap_or_default().into_iter();
    found
        .map(|(id, path)| CompletionCandidate::new(id).help(Some(path.into())))
        .collect()
}

/// What the words that are typed already say of where the library is.
fn place(words: impl Iterator<Item = OsString>) -> Place {
    let words: Vec<OsString> = words.collect();
    let said = |names: &[&str]| {
        words.iter().enumerate().find_map(|(at, word)| {
            let word = word.to_str()?;
            let is_name = |name: &&&str| {
                word.strip_prefix(**name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            };
            let name = names.iter().find(is_name)?;
            match word[name.len()..].strip_prefix('=') {
                Some(value) => Some(PathBuf::from(value)),
                None => words.get(at + 1).map(PathBuf::from),
            }
        })
    };
    Place {
        root_folder: said(&["--root-folder", "--root"]),
        database: said(&["--database"]),
    }
}

fn begins(name: &str, typed: &OsStr) -> bool {
    typed.to_str().is_some_and(|typed| name.starts_with(typed))
}
