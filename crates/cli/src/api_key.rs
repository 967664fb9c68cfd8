//! The key for `AcoustID`: in the library, in the environment, in a configuration file.
//!
//! The library wins. What only the environment or a file knows is written to the library, and what
//! only the environment knows to our configuration file as well, so that it is there next time.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use music::library::settings;
use sqlite::Db;
use web::Secret;

use crate::config_file::{self, ACOUSTID_API_KEY as KEY, FILES};
use crate::env;
use crate::hints;
use crate::place::Place;
use crate::printer::{Printer, Volume};
use crate::settings::{Origin, config_folder};
use crate::words::bare;

/// Tells somebody who has no key what that means, and how to get one.
pub(crate) fn tell_how_to_get_one(place: &Place, printer: Printer) {
    printer.note(
        Volume::Normal,
        "no key for AcoustID: fingerprints are not looked up",
    );
    let set = hints::music(place, &["settings", "set", KEY, "-"]);
    let hint = format!("get a key at https://acoustid.org/new-application, then `{set}`");
    printer.hint(Volume::Normal, &hint);
}

/// The key, and what a person should know about where it comes from.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) key: Option<Secret>,
    pub(crate) warnings: Vec<String>,
}

/// Looks for the key, and writes it to where it was not.
pub(crate) fn find(db: &Db) -> Result<Found> {
    let mut found = Found::default();
    let stored = settings::value(db, KEY)?.and_then(|key| bare(&key));
    let variable = in_environment();
    let folder = config_folder();
    let file = folder
        .as_deref()
        .and_then(|folder| in_files(folder, &mut found.warnings));
    let key = stored
        .clone()
        .or_else(|| variable.clone())
        .or_else(|| file.clone());
    let others = [&stored, &variable, &file];
    if others
        .into_iter()
        .flatten()
        .any(|one| Some(one) != key.as_ref())
    {
        let winner = if stored.is_some() {
            "the library"
        } else {
            "the environment"
        };
        found.warnings.push(format!(
            "there are different keys for AcoustID; the one of {winner} is used"
        ));
    }
    if let (None, Some(key)) = (&stored, &key) {
        settings::set(db, KEY, Some(key))?;
        if let (Some(folder), true) = (&folder, file.is_none())
            && let Err(error) = write(&folder.join(FILES[0]), key)
        {
            found
                .warnings
                .push(format!("cannot keep the key for AcoustID: {error:#}"));
        }
    }
    if key.is_some() {
        found.warnings.extend(others_can_read(db.path()));
    }
    found.key = key.map(Secret::new);
    Ok(found)
}

fn in_environment() -> Option<String> {
    bare(&std::env::var(env::ACOUSTID_API_KEY).ok()?)
}

/// Where the key comes from that an import would use, where the library has none; nothing is written.
pub(crate) fn beside_library() -> Option<Origin> {
    if in_environment().is_some() {
        return Some(Origin::Variable(env::ACOUSTID_API_KEY));
    }
    let folder = config_folder()?;
    let paths = FILES.iter().map(|name| folder.join(name));
    let has_key = |path: &std::path::PathBuf| {
        config_file::read(path)
            .ok()
            .flatten()
            .is_some_and(|said| said.acoustid_api_key.is_some())
    };
    paths.filter(|path| has_key(path)).map(Origin::File).next()
}

fn in_files(folder: &Path, warnings: &mut Vec<String>) -> Option<String> {
    FILES.iter().find_map(|name| {
        let path = folder.join(name);
        // Whoever named the library otherwise goes on; what cannot be read is told all the same.
        let read = config_file::read(&path).unwrap_or_else(|error| {
            warnings.push(error.to_string());
            None
        });
        let key = read?.acoustid_api_key?;
        warnings.extend(others_can_read(&path));
        Some(key)
    })
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "`{}` holds a key and other users can read it (chmod 600 keeps it yours)",
            path.display()
        )
    })
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> Option<String> {
    None
}

/// Adds the key to a configuration file, which is replaced as a whole and is then its owner's only.
fn write(path: &Path, key: &str) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(folder)?;
    let text = match run::read_small_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    document[KEY] = toml_edit::value(key);
    let mut file = tempfile::Builder::new()
        .prefix(".accession")
        .tempfile_in(folder)?;
    file.write_all(document.to_string().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_added_and_everything_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILES[0]);
        write(&path, "abc").unwrap();
        std::fs::write(
            &path,
            "# mine\nroot_folder = \"/music\"\nacoustid_api_key_old = \"z\"\n[other]\nx = 1\n",
        )
        .unwrap();
        write(&path, "k\"ey").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("# mine\nroot_folder = \"/music\""), "{text}");
        assert!(text.contains("acoustid_api_key_old = \"z\""), "{text}");
        let mut warnings = Vec::new();
        assert_eq!(
            in_files(folder.path(), &mut warnings).as_deref(),
            Some("k\"ey")
        );
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}
