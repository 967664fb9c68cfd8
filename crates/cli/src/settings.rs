//! Arguments, environment and configuration file become plain values, here and nowhere else.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::args::Place;
use crate::env;

/// The configuration files that may name the root folder, the first one that does wins:
/// our own, then WKMP's for its ingest service.
pub(crate) const CONFIG_FILES: [&str; 2] = ["accession/accession.toml", "wkmp/wkmp-ai.toml"];

/// Where a library is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The root folder, absolute.
    pub(crate) root: PathBuf,
    /// The database file, absolute.
    pub(crate) database: PathBuf,
    /// The root folder was not said, only assumed.
    pub(crate) assumed: bool,
    /// What was wrong with a configuration file.
    pub(crate) warnings: Vec<String>,
}

/// Finds the library: argument, environment, configuration file, the one that we are in, then `~/Music`.
pub(crate) fn locate(place: &Place) -> Result<Located> {
    let mut warnings = Vec::new();
    let variable = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let said = place
        .root_folder
        .clone()
        .or_else(|| variable(env::ROOT_FOLDER))
        .or_else(|| variable(env::ROOT))
        .or_else(|| configured(&mut warnings));
    let assumed = said.is_none();
    let root = match said.or_else(enclosing) {
        Some(root) => expand_home(&root),
        None => std::env::home_dir()
            .context("there is no home folder to look for `Music` in\nhint: name the root folder")?
            .join("Music"),
    };
    let root = absolute(&root)?;
    let database = match &place.database {
        Some(database) => absolute(database)?,
        None => root.join(music::DATABASE),
    };
    Ok(Located {
        root,
        database,
        assumed,
        warnings,
    })
}

/// An absolute path, without links where it exists, so that paths below it compare.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    match path.canonicalize() {
        Ok(path) => Ok(path),
        Err(_) => std::path::absolute(path)
            .with_context(|| format!("cannot make sense of the path `{}`", path.display())),
    }
}

/// The nearest folder with a library, from the current one upwards.
fn enclosing() -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?;
    let mut folders = current.ancestors();
    folders
        .find(|folder| folder.join(music::DATABASE).is_file())
        .map(Path::to_owned)
}

fn configured(warnings: &mut Vec<String>) -> Option<PathBuf> {
    let folder = config_folder()?;
    CONFIG_FILES
        .iter()
        .find_map(|name| root_in(&folder.join(name), warnings))
}

/// A missing file is no matter; a broken one is a warning, as in all of WKMP.
fn root_in(file: &Path, warnings: &mut Vec<String>) -> Option<PathBuf> {
    let read = match run::read_small_text(file) {
        Ok(text) => text
            .parse::<toml::Table>()
            .map_err(|error| error.message().replace('\n', " ")),
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => Err(error.to_string()),
    };
    let table = match read {
        Ok(table) => table,
        Err(reason) => {
            warnings.push(format!(
                "cannot read `{}`: {reason}; going on without it",
                file.display()
            ));
            return None;
        }
    };
    let root = table.get("root_folder")?;
    if let Some(root) = root.as_str().filter(|root| !root.is_empty()) {
        return Some(PathBuf::from(root));
    }
    warnings.push(format!(
        "`root_folder` in `{}` should be a path in quotes",
        file.display()
    ));
    None
}

pub(crate) fn config_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(env::XDG_CONFIG_HOME).filter(|v| !v.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    let home = std::env::home_dir()?;
    Some(if cfg!(windows) {
        home.join("AppData").join("Roaming")
    } else if cfg!(target_os = "macos") {
        home.join("Library").join("Application Support")
    } else {
        home.join(".config")
    })
}

fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Threads to use when nobody says: one per core.
pub(crate) fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_root_is_read_and_a_broken_file_only_warns() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        let mut warnings = Vec::new();
        assert_eq!(root_in(&file, &mut warnings), None);
        assert!(warnings.is_empty());
        std::fs::write(&file, "root_folder = \"/music\"\nother = 1\n").unwrap();
        assert_eq!(root_in(&file, &mut warnings), Some(PathBuf::from("/music")));
        std::fs::write(&file, "root_folder = [").unwrap();
        assert_eq!(root_in(&file, &mut warnings), None);
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn the_argument_wins_and_the_database_lies_in_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let place = Place {
            root_folder: Some(root.clone()),
            database: None,
        };
        let located = locate(&place).unwrap();
        assert_eq!(located.database, root.join("wkmp.db"));
        assert!(!located.assumed);
    }
}
