//! What a shell completes besides commands and options: keys of settings, names of runs.

use std::ffi::OsStr;
use std::path::Path;

use clap_complete::CompletionCandidate;

use crate::env;

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
    let Ok(entries) = std::fs::read_dir(Path::new(&folder)) else {
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

fn begins(name: &str, typed: &OsStr) -> bool {
    typed.to_str().is_some_and(|typed| name.starts_with(typed))
}
