//! The configuration files: our own, and the one that WKMP's ingest service has.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::hints::advised;

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
}

/// Reads a file; `None` where there is none.
///
/// # Errors
///
/// When it cannot be read or understood: what it says about the library is then not known, and no other library may be
/// taken instead.
pub(crate) fn read(path: &Path) -> anyhow::Result<Option<ConfigFile>> {
    let shown = path.display();
    let broken = |reason: &str, hint: &str| {
        advised(format!("cannot read `{shown}`: {reason}"), hint.to_owned())
    };
    let text = match run::read_small_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(broken(
                &error.to_string(),
                "make it readable, or name the library with --root-folder",
            ));
        }
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| {
            text.as_bytes()
                .iter()
                .take(span.start)
                .filter(|byte| **byte == b'\n')
                .count()
        });
        broken(
            &format!("line {}: {}", line + 1, error.message().replace('\n', " ")),
            "text stands in quotes, as in root_folder = \"/srv/music\"",
        )
    })?;
    let text_of = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => {
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(broken(
            &format!("`{key}` should be text in quotes"),
            &format!("write {key} = \"..\""),
        )),
    };
    Ok(Some(ConfigFile {
        root_folder: text_of(ROOT_FOLDER)?.map(PathBuf::from),
        acoustid_api_key: text_of(ACOUSTID_API_KEY)?,
        warnings: unknown_keys(path, &table),
    }))
}

/// WKMP's file holds more than we know; in ours, and where a key is nearly one of ours, somebody made a slip.
fn unknown_keys(path: &Path, table: &toml::Table) -> Vec<String> {
    let ours = path.ends_with(FILES[0]);
    let known = KEYS.map(|(key, _)| key);
    table
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .filter_map(|key| {
            let meant = run::nearest(key, known);
            let advice = meant.map_or_else(String::new, |meant| format!(" (is `{meant}` meant?)"));
            (ours || meant.is_some()).then(|| {
                format!(
                    "`{key}` in `{}` is no key that is known{advice}",
                    path.display()
                )
            })
        })
        .collect()
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
        assert!(written("root_folder = 5").is_err());
        assert_eq!(read(Path::new("/nonexistent/x.toml")).unwrap(), None);
    }
}
