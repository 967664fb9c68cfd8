//! Opens a file for the first time: is it what its name says, and which content is it?

use run::Fault;

use crate::intake::hash::{self, ContentHash};
use crate::intake::scan::ScannedFile;
use audio::decode::{Kind, sniff};

/// Why a file did not get past its first bytes.
#[derive(Debug)]
pub struct NotAudio {
    /// The reason.
    pub fault: Fault,
    /// The name promised something else.
    pub misleading: bool,
}

/// Compares a file's first bytes with its extension, then hashes it.
///
/// # Errors
///
/// When it cannot be read, is empty, or its content contradicts its name.
pub fn recognise(file: &ScannedFile) -> Result<ContentHash, NotAudio> {
    let unreadable = |error: std::io::Error| NotAudio {
        fault: Fault::retry_later("hash", error),
        misleading: false,
    };
    let refuse = |reason: String, misleading| NotAudio {
        fault: Fault::in_item("scan", reason),
        misleading,
    };
    if file.size() == 0 {
        return Err(refuse("the file is empty".to_owned(), false));
    }
    let extension = file.extension();
    let head = hash::head(file.absolute()).map_err(unreadable)?;
    match sniff(&head) {
        Some(kind) if kind.matches_extension(&extension) => {}
        Some(kind) => {
            let reason = format!(
                "the content is {}, not what `.{extension}` promises",
                describe(kind)
            );
            return Err(refuse(reason, true));
        }
        // Some encoders pad the space before the first MP3 frame with zeros.
        None if extension == "mp3" && head.iter().all(|byte| *byte == 0) => {}
        None => {
            let reason = format!(
                "the content is no audio that is known, though the name ends in `.{extension}`"
            );
            return Err(refuse(reason, true));
        }
    }
    hash::hash(file.absolute()).map_err(unreadable)
}

const fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::Id3 => "tagged with ID3",
        Kind::Mpeg => "MPEG audio",
        Kind::Adts => "AAC",
        Kind::Flac => "FLAC",
        Kind::Ogg => "Ogg",
        Kind::Wav => "WAV",
        Kind::Aiff => "AIFF",
        Kind::Mp4 => "MP4",
    }
}
