//! Opens a file for the first time: is it audio, and which content is it?

use run::Fault;

use crate::intake::hash::{self, ContentHash};
use crate::library::values::ScannedFile;
use audio::decode::{self, AudioXxh3, DecodeError};

/// Why a file did not get past its first bytes.
#[derive(Debug)]
pub struct Rejected {
    /// The reason.
    pub fault: Fault,
    /// The name promised something else.
    pub misleading: bool,
}

/// Looks what a file is, as decoding will, then hashes it. A wrong extension is told and keeps nothing out.
///
/// # Errors
///
/// When it cannot be read, is empty, or has nothing of audio in it.
pub fn recognise(file: &ScannedFile) -> Result<ContentHash, Rejected> {
    is_audio(file)?;
    hash::hash(file.absolute()).map_err(unreadable)
}

/// The same, and names its sound quickly where that costs no second reading.
///
/// # Errors
///
/// As of [`recognise`].
pub fn recognise_both(file: &ScannedFile) -> Result<(ContentHash, Option<AudioXxh3>), Rejected> {
    is_audio(file)?;
    hash::hash_both(file.absolute()).map_err(unreadable)
}

fn unreadable(error: std::io::Error) -> Rejected {
    Rejected {
        fault: Fault::retry_later("hash", error),
        misleading: false,
    }
}

/// Looks what a file is, by its first bytes.
///
/// # Errors
///
/// As of [`recognise`].
pub(crate) fn is_audio(file: &ScannedFile) -> Result<(), Rejected> {
    let refuse = |reason: String, misleading| Rejected {
        fault: Fault::in_item("scan", reason),
        misleading,
    };
    if file.size() == 0 {
        return Err(refuse("the file is empty".to_owned(), false));
    }
    match decode::recognise(file.absolute()) {
        Err(DecodeError::Io(error)) => Err(unreadable(error)),
        Err(DecodeError::Unrecognised(_)) => {
            if let Some(format) = decode::headerless(file.absolute()) {
                let reason = format!(
                    "a bare stream of {format} has no header by which it could be known; in a container such as Matroska it has"
                );
                return Err(refuse(reason, false));
            }
            let extension = file.extension();
            let reason = format!(
                "the content is no audio that is known, though the name ends in `.{extension}`"
            );
            Err(refuse(reason, true))
        }
        // What is audio and cannot be decoded is told by decoding, in its own words.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What the content of a file is, where its name promises something else.
pub fn misnamed(file: &ScannedFile) -> Option<String> {
    let kind = decode::recognise(file.absolute()).ok()?;
    let extension = file.extension();
    (!kind.matches_extension(&extension)).then(|| {
        if extension.is_empty() {
            format!(
                "the content is {}, and the name has no extension",
                kind.name()
            )
        } else {
            format!(
                "the content is {}, not what `.{extension}` promises",
                kind.name()
            )
        }
    })
}
