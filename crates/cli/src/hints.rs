//! What a person may do about an error: the one place where an error of a library becomes flags and commands.

use std::fmt;
use std::path::Path;

use books::Setting;
use books::decrypt::DecryptError;
use books::page::PageError;

use crate::place::Place;
use crate::words::{command, quoted};

/// An error of this program's own that knows what may help.
#[derive(Debug)]
pub(crate) struct Advised {
    message: String,
    hint: String,
}

/// An error with advice, which is shown as a line of its own.
pub(crate) fn advised(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Advised {
        message: message.into(),
        hint: hint.into(),
    })
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Advised {}

/// What may help, by the first cause that something is known about. Commands in it name the library as `place` does.
pub(crate) fn hint(error: &anyhow::Error, place: &Place) -> Option<String> {
    error.chain().find_map(|cause| {
        let own = cause.downcast_ref::<Advised>();
        let in_books = || in_books(cause.downcast_ref()?).map(str::to_owned);
        let in_music = || in_music(cause.downcast_ref()?, place);
        own.map(|advised| advised.hint.clone())
            .or_else(in_music)
            .or_else(in_books)
    })
}

/// A command of `music` on the library that `place` names, as it would be typed.
pub(crate) fn music(place: &Place, words: &[&str]) -> String {
    let mut all = vec!["music"];
    all.extend(words);
    let paths = [
        ("--root-folder", &place.root_folder),
        ("--database", &place.database),
    ];
    let said: Vec<(&str, String)> = paths
        .into_iter()
        .filter_map(|(option, path)| Some((option, path.as_ref()?.display().to_string())))
        .collect();
    for (option, path) in &said {
        all.extend([option, path.as_str()]);
    }
    command(all)
}

/// How a folder gets a library of its own.
fn apart(folder: &Path) -> String {
    let folder = folder.display().to_string();
    let import = command(["music", "import", &folder]);
    format!("`{import}`, without this database, makes a library of its own")
}

/// What may help where so many files are gone that none was pruned.
fn unmounted(by_force: bool, place: &Place) -> String {
    if !by_force {
        return "is the disk mounted, and the source the one that was heard? without --prune all of them stay".to_owned();
    }
    let all_the_same = music(place, &["import", "--prune", "--force"]);
    format!("is the disk mounted? `{all_the_same}` prunes all the same")
}

/// What may help where a database cannot be opened, or not be written.
fn unwritable(path: &Path) -> String {
    of_another_user(path).unwrap_or_else(|| {
        "check that the folder exists and may be written; `--database FILE` keeps the database elsewhere".to_owned()
    })
}

/// What helps where a file is another user's and the system does not let this one at it.
#[cfg(unix)]
fn of_another_user(path: &Path) -> Option<String> {
    use std::io::ErrorKind;
    use std::os::unix::fs::MetadataExt;
    // The database is not open here any more, so that closing it takes no lock away.
    let refused = std::fs::File::options().read(true).append(true).open(path);
    if refused.err()?.kind() != ErrorKind::PermissionDenied {
        return None;
    }
    let owner = match std::fs::metadata(path).ok()?.uid() {
        0 => "root".to_owned(),
        number => format!("the user of number {number}"),
    };
    let file = quoted(&path.to_string_lossy()).into_owned();
    Some(format!(
        "it belongs to {owner}, who does not let this user at it; run the command as that user, or \
         `sudo chown \"$USER\" {file}*` makes it yours"
    ))
}

#[cfg(not(unix))]
fn of_another_user(_: &Path) -> Option<String> {
    None
}

/// What may help in music.
fn in_music(error: &music::Error, place: &Place) -> Option<String> {
    use music::Error;
    let music = |words: &[&str]| music(place, words);
    Some(match error {
        Error::NoLibrary { .. } if place.root_folder.is_none() && place.database.is_none() => {
            "no folder was named, and `accession config` tells why this one is meant; `accession music import FOLDER` makes \
             a library"
                .to_owned()
        }
        Error::NoLibrary { .. } => format!("`{}` makes one", music(&["import"])),
        Error::PruneEverything { by_force, .. } => unmounted(*by_force, place),
        Error::AnotherRoot { folder, .. } => apart(folder),
        Error::NothingToTakeIn { .. } => {
            "is the disk mounted? name the folder that holds the music".to_owned()
        }
        Error::LibraryAbove { folder, root } => {
            let [folder, root] = [folder, root].map(|path| path.display().to_string());
            let inside = command(["music", "import", &folder, "--root-folder", &root]);
            let apart = command(["music", "import", "--root-folder", &folder]);
            format!("`{inside}` takes it in there; `{apart}` makes a library of its own")
        }
        Error::LibraryBelow { folder, below } => {
            let [folder, below] = [folder, below].map(|path| path.display().to_string());
            let inside = command(["music", "import", &below]);
            let apart = command(["music", "import", "--root-folder", &folder]);
            format!(
                "`{inside}` goes on with that one; `{apart}` makes a library of the whole folder beside it"
            )
        }
        Error::NotOnePassage { name, .. } => {
            format!("`{}` lists their ids", music(&["show", name]))
        }
        Error::NotFound { like, .. } if !like.is_empty() => {
            let like: Vec<_> = like.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}?", like.join(" or "))
        }
        Error::NotFound { .. } => {
            "name a file by a part of its path or of a title, a passage by its id".to_owned()
        }
        Error::Ambiguous { .. } => "say more of its path, or the id".to_owned(),
        Error::Taken { path } if path.is_dir() => "name a new folder, or an empty one".to_owned(),
        Error::Taken { .. } => "`--replace` has it replaced".to_owned(),
        Error::Bundle { .. } => {
            "links need one file system for the music and the bundle; `--copy` does not".to_owned()
        }
        Error::InUse { .. } => {
            "stop the player or the import that has it open, and try again".to_owned()
        }
        Error::BuiltUpon { edit, later, .. } => {
            let ids = later.iter().chain([edit]).map(i64::to_string);
            let ids: Vec<_> = ids.collect();
            let words: Vec<_> = ["edits", "--undo"]
                .into_iter()
                .chain(ids.iter().map(String::as_str))
                .collect();
            format!("`{}` takes all of them back", music(&words))
        }
        Error::NoFlavor { .. } => format!("`{}` does it", music(&["import"])),
        Error::UnknownSetting {
            like: Some(key), ..
        } => format!("did you mean `{key}`?"),
        Error::UnknownSetting { .. } => {
            format!("`{}` names them all", music(&["settings", "list"]))
        }
        Error::NoCandidate { passage } => {
            format!(
                "`{}` says what it is",
                music(&["identify", "--set", passage, "MBID"])
            )
        }
        Error::Database(
            sqlite::Error::CannotOpen { path, .. } | sqlite::Error::ReadOnly { path },
        ) => unwritable(path),
        Error::Database(error) => error.hint()?.to_owned(),
        Error::Unprepared(error) => error.hint()?.to_owned(),
        _ => return None,
    })
}

/// What may help in books.
fn in_books(error: &books::Error) -> Option<&'static str> {
    use books::Error;
    Some(match error {
        Error::Missing(setting) => missing(*setting)?,
        Error::Setting { setting, .. } => invalid(*setting)?,
        Error::NoRun { .. } => "`accession books collect --run-name ..` starts one",
        Error::NoDatabase { .. } => "`accession books collect` makes it",
        Error::OtherSettings { .. } => {
            "leave these settings out to go on, or choose another --run-name for another collection"
        }
        Error::NotEmpty { .. } => {
            "a copy that was stopped leaves a part; `DROP SCHEMA` or removing the file clears it away"
        }
        Error::Server {
            fault: books::ServerFault::Lost,
            ..
        } => "is the server up, and may this machine reach it? `psql` with the same address tells",
        Error::Shared { .. } => {
            "`--output-dir` names the folder that has that run; what is left of a run that is gone lies in `full`, `meta` and \
             `staging` of the store"
        }
        Error::Emptied { .. } => {
            "if what was in it is gone for good, `accession books repair --allow-empty` puts its books back into the queue"
        }
        Error::SameName { .. } => {
            "collect under another --run-name or store in another folder; a run that is no more need only be removed"
        }
        Error::OtherRun { .. } => {
            "collect under another --run-name or store in other buckets; if that run is no more, `accession books sync --take-over` \
             stores in its place"
        }
        Error::NoPassphrase { .. } | Error::Passphrase(DecryptError::File { .. }) => {
            "archives are encrypted for your library: its passphrase belongs on the first line of that file, which only you can \
             read, or of the one that --passphrase-file names"
        }
        Error::Busy { .. } => "wait for it to end, or stop it",
        Error::StorageAway { .. } => {
            "is the path right, and its disk mounted? if both are, make that folder first"
        }
        Error::SignIn { .. } | Error::Page(PageError::SignIn) => {
            "`accession books auth setup` signs in, with --remote on a machine without a browser"
        }
        Error::Database(error) => error.hint()?,
        // GRIN has a page for each library that it knows.
        Error::Web(web::Error::Status { status: 404, .. }) => {
            "is the library's directory right? it is NAME in https://books.google.com/libraries/NAME/, and --library-directory says \
             another one, before the first book is collected"
        }
        Error::Web(web::Error::Status { status: 401, .. } | web::Error::SignIn { .. }) => {
            "`accession books auth setup --force` signs in anew"
        }
        Error::Web(error) => error.hint()?,
        _ => return None,
    })
}

fn missing(setting: Setting) -> Option<&'static str> {
    Some(match setting {
        Setting::LibraryDirectory => {
            "name the library's directory in GRIN: --library-directory NAME"
        }
        Setting::Storage => {
            "say where archives are to be stored: --storage local, s3, r2, minio or gcs"
        }
        Setting::StoragePath => "local storage needs a folder: --storage-path DIR",
        _ => return None,
    })
}

fn invalid(setting: Setting) -> Option<&'static str> {
    Some(match setting {
        Setting::LibraryDirectory => {
            "give the name alone, as in https://books.google.com/libraries/NAME/"
        }
        Setting::StorageSecret => {
            "keys belong to a credential file, they would end up in every copy of the run"
        }
        Setting::OtherStoragePath => {
            "give the folder once, by --storage-path or --storage-config base_path=.."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_grin_does_not_know_and_a_sign_in_that_ended_are_told_with_what_to_do() {
        let host = || "books.google.com".to_owned();
        let status = |status| web::Error::Status {
            host: host(),
            status,
            retry_after: None,
        };
        for (error, said) in [
            (status(404), "is the library's directory right?"),
            (status(401), "`accession books auth setup --force`"),
            (
                web::Error::SignIn { host: host() },
                "`accession books auth setup --force`",
            ),
        ] {
            let error = anyhow::Error::from(books::Error::Web(error));
            let hint = hint(&error, &Place::default()).unwrap_or_default();
            assert!(hint.contains(said), "{error}: {hint}");
        }
    }
}
