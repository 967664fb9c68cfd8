//! Arguments, environment and configuration file become plain values, here and nowhere else.

mod mistyped;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::hints::advised;
use crate::place::Place;
use crate::{config_file, env};

/// How it is known where a library is, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An argument.
    Argument,
    /// A variable of the environment.
    Variable(&'static str),
    /// A configuration file.
    File(PathBuf),
    /// The database that was named, which was last used with it.
    Database,
    /// It is around the current folder.
    Around,
    /// Nothing was said, and none is around.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("option"),
            Self::Variable(name) => write!(f, "environment: {name}"),
            Self::File(path) => write!(f, "file: {}", path.display()),
            Self::Database => f.write_str("the database"),
            Self::Around => f.write_str("the library around the current folder"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Where a library is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The root folder, absolute.
    pub(crate) root: PathBuf,
    /// The database file, absolute.
    pub(crate) database: PathBuf,
    /// How the root folder is known.
    pub(crate) origin: Origin,
    /// What a person should know about a configuration file.
    pub(crate) warnings: Vec<String>,
}

impl Located {
    /// Whether the root folder was not said, only assumed.
    pub(crate) fn assumed(&self) -> bool {
        matches!(self.origin, Origin::Around | Origin::Default)
    }
}

/// Finds the library: argument, environment, configuration file, the one that we are in, then `~/Music`.
///
/// # Errors
///
/// When the configuration file that may name it cannot be read, or nothing names one and there is no home folder.
pub(crate) fn locate(place: &Place) -> Result<Located> {
    let mut warnings = Vec::new();
    let variable = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(|path| (PathBuf::from(path), Origin::Variable(name)))
    };
    let argument = place.root_folder.clone();
    let said = argument
        .map(|path| (path, Origin::Argument))
        .or_else(|| variable(env::ROOT_FOLDER))
        .or_else(|| variable(env::ROOT));
    let mut slip = None;
    let said = match said {
        Some(said) => Some(said),
        None => configured(&mut warnings, &mut slip)?,
    };
    if let (None, Some(slip)) = (&said, slip) {
        // It may have been meant to say which library.
        return Err(advised(
            format!("{slip}, and nothing else says which library is meant"),
            "correct it, or name the library with --root-folder",
        ));
    }
    // A database that is named knows its root folder better than anything that is only assumed.
    let of_database = || {
        let database = absolute(place.database.as_deref()?).ok()?;
        let root = music::Library::last_root(&database)?;
        Some((root, Origin::Database))
    };
    let around = || enclosing().map(|path| (path, Origin::Around));
    let (root, origin) = match said.or_else(of_database).or_else(around) {
        Some(said) => said,
        None => (usual_root()?, Origin::Default),
    };
    let root = absolute(&root)?;
    let database = match &place.database {
        Some(database) => absolute(database)?,
        None => root.join(music::DATABASE),
    };
    Ok(Located {
        root,
        database,
        origin,
        warnings,
    })
}

fn usual_root() -> Result<PathBuf> {
    let home = std::env::home_dir().ok_or_else(|| {
        advised(
            "there is no home folder to look for `Music` in",
            "name the root folder",
        )
    })?;
    Ok(home.join("Music"))
}

/// An absolute path, without links where it exists, so that paths below it compare. On Windows it is `C:\..` wherever that
/// means the same as `\\?\C:\..`, which players, ffmpeg and people do not understand.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    mistyped::check(path)?;
    let path = &expand_home(path);
    match run::canonical_path(path) {
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

fn configured(
    warnings: &mut Vec<String>,
    slip: &mut Option<String>,
) -> Result<Option<(PathBuf, Origin)>> {
    let Some(folder) = config_folder() else {
        return Ok(None);
    };
    for name in config_file::FILES {
        let path = folder.join(name);
        let Some(said) = config_file::read(&path)? else {
            continue;
        };
        warnings.extend(said.warnings);
        *slip = slip.take().or(said.slip);
        if let Some(root) = said.root_folder {
            return Ok(Some((root, Origin::File(path))));
        }
    }
    Ok(None)
}

pub(crate) fn config_folder() -> Option<PathBuf> {
    // By its specification one that is not absolute is passed over.
    let named = std::env::var_os(env::XDG_CONFIG_HOME).map(PathBuf::from);
    if let Some(folder) = named.filter(|folder| folder.is_absolute()) {
        return Some(folder);
    }
    // Set by Windows for every session, and moved by those who keep profiles on a server.
    let roaming =
        std::env::var_os(env::APPDATA).filter(|folder| cfg!(windows) && !folder.is_empty());
    if let Some(folder) = roaming {
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

/// The home folder in place of `~`, which a shell puts in only where a word begins with it.
pub(crate) fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Which of many tasks this one is, as the engine that started it says.
pub(crate) fn shard() -> Option<u32> {
    env::TASK_NUMBERS
        .iter()
        .find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// Threads to use when nobody says: one per core.
pub(crate) fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!located.assumed());
    }
}
