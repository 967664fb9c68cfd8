//! A folder of files becomes records: who is new, what it says about itself, what is heard in it.

pub(crate) mod at_work;
pub(crate) mod chain;
pub mod founding;
pub mod hash;
pub(crate) mod hearing;
pub mod import;
pub mod only;
pub mod plan;
pub mod recognise;
pub mod scan;
pub(crate) mod take_in;

pub use audio::decode::extension_is_audio;

use std::path::Path;

pub use audio::decode::CODECS;

/// Name and version of the ffmpeg at `named`, or of the one that the system finds; `None` where there is none.
pub fn ffmpeg_version(named: Option<&Path>) -> Option<String> {
    let ffmpeg = audio::decode::Ffmpeg::at(named);
    ffmpeg.version().map(str::to_owned)
}

/// How the reason of a copy goes on: it is that of the file with the same content.
const AS_IN: &str = " (as in `";

fn copies_reason(reason: &str, original: &str) -> String {
    format!("{reason}{AS_IN}{original}`, which has the same content)")
}

/// A reason without the file that a copy shares it with, so that both have the same one.
pub fn reason_itself(reason: &str) -> &str {
    reason
        .split_once(AS_IN)
        .map_or(reason, |(itself, _)| itself)
}
