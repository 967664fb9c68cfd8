//! What a person may do about an error: the one place where an error of a library becomes flags and commands.

use std::fmt;

use books::Setting;
use books::decrypt::DecryptError;
use books::page::PageError;

use crate::args::Place;
use crate::words::command;

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
fn apart(folder: &std::path::Path) -> String {
    let folder = folder.display().to_string();
    let import = command(["music", "import", &folder]);
    format!("`{import}`, without this database, makes a library of its own")
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
        Error::PruneEverything { .. } => {
            "is the disk mounted? `--force` prunes all the same".to_owned()
        }
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
        Error::Database(sqlite::Error::CannotOpen { .. } | sqlite::Error::ReadOnly { .. }) => {
            "check that the folder exists and may be written; `--database FILE` keeps the database elsewhere".to_owned()
        }
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
        Error::SignIn { .. } | Error::Page(PageError::SignIn) => {
            "`accession books auth setup` signs in, with --remote on a machine without a browser"
        }
        Error::Database(error) => error.hint()?,
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
