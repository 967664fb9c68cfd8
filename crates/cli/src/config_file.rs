//! The configuration files: our own, and the one that WKMP's ingest service has.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::hints::advised;
use crate::words::bare;

/// The files below the configuration folder, the first one that says something wins.
pub(crate) const FILES: [&str; 2] = ["accession/accession.toml", "wkmp/wkmp-ai.toml"];

pub(crate) const ROOT_FOLDER: &str = "root_folder";
pub(crate) const ACOUSTID_API_KEY: &str = "acoustid_api_key";

/// Every key that is read, and what it says.
pub(crate) const KEYS: [(&str, &str); 2] = [
    (ROOT_FOLDER, "the library's root folder"),
    (ACOUSTID_API_KEY, "the key for AcoustID"),
];

/// What a configuration file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) root_folder: Option<PathBuf>,
    pub(crate) acoustid_api_key: Option<String>,
    /// What is in it that means nothing to us.
    pub(crate) warnings: Vec<String>,
    /// The first of those that may have been meant to name the library.
    pub(crate) slip: Option<String>,
}

/// Reads a file; `None` where there is none.
///
/// # Errors
///
/// When it cannot be read or understood: what it says about the library is then not known, and no other library may be
/// taken instead.
pub(crate) fn read(path: &Path) -> anyhow::Result<Option<ConfigFile>> {
    let Some(text) = text(path)? else {
        return Ok(None);
    };
    let table = table(path, &text)?;
    let text_of = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(bare(text)),
        Some(_) => Err(broken(
            path,
            &format!("`{key}` should be text in quotes"),
            &format!("write {key} = \"..\""),
        )),
    };
    let root_folder = text_of(ROOT_FOLDER)?.map(PathBuf::from);
    if table.contains_key(ROOT_FOLDER)
        && !root_folder.as_deref().is_some_and(is_the_same_everywhere)
    {
        return Err(broken(
            path,
            &format!(
                "`{ROOT_FOLDER}` should be a whole path, and not one from the current folder on"
            ),
            "write it as in root_folder = \"/srv/music\" or root_folder = \"~/Music\"",
        ));
    }
    let (warnings, slip) = unknown_keys(path, &table);
    Ok(Some(ConfigFile {
        root_folder,
        acoustid_api_key: text_of(ACOUSTID_API_KEY)?,
        warnings,
        slip,
    }))
}

fn broken(path: &Path, reason: &str, hint: &str) -> anyhow::Error {
    let shown = path.display();
    advised(format!("cannot read `{shown}`: {reason}"), hint)
}

fn text(path: &Path) -> anyhow::Result<Option<String>> {
    let error = match run::read_small_text(path) {
        Ok(text) => return Ok(Some(text)),
        Err(error) => error,
    };
    let (reason, hint) = match error.kind() {
        ErrorKind::NotFound if path.is_symlink() => (
            "it is a link to a file that is not there".to_owned(),
            "mount what it leads to, or name the library with --root-folder",
        ),
        ErrorKind::NotFound => return Ok(None),
        ErrorKind::PermissionDenied => (
            error.to_string(),
            "make it readable, or name the library with --root-folder",
        ),
        _ => (
            error.to_string(),
            "it should be a short file of plain text in UTF-8; or name the library with --root-folder",
        ),
    };
    Err(broken(path, &reason, hint))
}

fn table(path: &Path, text: &str) -> anyhow::Result<toml::Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(before)
            .filter(|byte| *byte == b'\n')
            .count();
        let message = error.message();
        let is_of_windows = text
            .lines()
            .nth(line)
            .is_some_and(|line| line.contains('\\'));
        let hint = if is_of_windows {
            "a path with backslashes stands in single quotes, as in root_folder = 'D:\\Music'"
        } else if message.contains("duplicate") {
            "every key stands there once"
        } else {
            "text stands in quotes, as in root_folder = \"/srv/music\""
        };
        let reason = format!("line {}: {}", line + 1, message.replace('\n', " "));
        broken(path, &reason, hint)
    })
}

/// Whether a path is the same folder wherever the program is started.
fn is_the_same_everywhere(path: &Path) -> bool {
    path.is_absolute() || path.starts_with("~")
}

/// WKMP's file holds more than we know; in ours, and where a key is nearly one of ours, somebody made a slip. All of those,
/// and the first that is not nearly another key.
fn unknown_keys(path: &Path, table: &toml::Table) -> (Vec<String>, Option<String>) {
    let ours = path.ends_with(FILES[0]);
    let known = KEYS.map(|(key, _)| key);
    let mut told = Vec::new();
    let mut slip = None;
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        let meant = run::nearest(key, known);
        if !ours && meant.is_none() {
            continue;
        }
        let advice = meant.map_or_else(String::new, |meant| format!(" (is `{meant}` meant?)"));
        let text = format!(
            "`{key}` in `{}` is no key that is known{advice}",
            path.display()
        );
        if meant.is_none_or(|meant| meant == ROOT_FOLDER) {
            slip.get_or_insert_with(|| text.clone());
        }
        told.push(text);
    }
    (told, slip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> anyhow::Result<Option<ConfigFile>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILES[0]);
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn a_file_says_where_the_library_is_or_nothing_goes_on() {
        let said = written("root_folder = \"/music\"\nacoustid_key = \"x\"\ncolour = 1\n");
        let said = said.unwrap().unwrap();
        assert_eq!(said.root_folder, Some(PathBuf::from("/music")));
        assert!(
            said.warnings[0].contains("(is `acoustid_api_key` meant?)"),
            "{said:?}"
        );
        assert!(said.warnings[1].contains("`colour`"), "{said:?}");
        let broken = written("# mine\nroot_folder = /srv/music\n").unwrap_err();
        assert!(broken.to_string().contains("line 2: "), "{broken}");
        for root in ["5", "\"\"", "\"  \"", "\"Music\"", "\"$HOME/Music\""] {
            let said = written(&format!("root_folder = {root}"));
            assert!(said.is_err(), "{root}: {said:?}");
        }
        let windows = written("root_folder = \"C:\\Users\\x\"").unwrap_err();
        let advice = crate::hints::hint(&windows, &crate::place::Place::default());
        assert!(advice.is_some_and(|advice| advice.contains("single quotes")));
        assert_eq!(read(Path::new("/nonexistent/x.toml")).unwrap(), None);
    }
}
