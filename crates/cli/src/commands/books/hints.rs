//! What a person may do about an error of books: the one place where an error of the library becomes flags and commands.

use anyhow::anyhow;
use books::page::PageError;
use books::{Error, Setting};

/// The error with its hint on a line of its own, where there is one.
pub(crate) fn with_hint(error: anyhow::Error) -> anyhow::Error {
    let hint = error.chain().find_map(|cause| hint(cause.downcast_ref()?));
    match hint {
        Some(hint) => anyhow!("{error:#}\nhint: {hint}"),
        None => error,
    }
}

/// What may help.
fn hint(error: &Error) -> Option<&'static str> {
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
