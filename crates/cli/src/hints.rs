//! What a person may do about an error: the one place where an error of a library becomes flags and commands.

use books::Setting;
use books::page::PageError;

/// What may help, by the first cause that something is known about.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let in_books = || in_books(cause.downcast_ref()?).map(str::to_owned);
        cause.downcast_ref().and_then(in_music).or_else(in_books)
    })
}

/// What may help in music.
fn in_music(error: &music::Error) -> Option<String> {
    use music::Error;
    Some(match error {
        Error::NoLibrary { .. } => "`accession music import` makes one".to_owned(),
        Error::PruneEverything { .. } => {
            "is the disk mounted? `--force` prunes all the same".to_owned()
        }
        Error::NotOnePassage { name, .. } => {
            format!("`accession music show {name}` lists their ids")
        }
        Error::Taken { path } if path.is_dir() => "name a new folder, or an empty one".to_owned(),
        Error::Taken { .. } => "`--replace` has it replaced".to_owned(),
        Error::Bundle { .. } => {
            "links need one file system for the music and the bundle; `--copy` does not".to_owned()
        }
        Error::InUse { .. } => {
            "stop the player or the import that has it open, and try again".to_owned()
        }
        Error::NoFlavor { .. } => "`accession music import` does it".to_owned(),
        Error::UnknownSetting { .. } => "`accession music settings list` names them all".to_owned(),
        Error::NoCandidate { passage } => {
            format!("`accession music identify --set {passage} MBID` says what it is")
        }
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
        Error::Busy { .. } => "wait for it to end, or stop it",
        Error::SignIn { .. } | Error::Page(PageError::SignIn) => {
            "`accession books auth setup` signs in anew"
        }
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
