//! A folder of files becomes records: who is new, what it says about itself, what is heard in it.

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

/// Name and version of the ffmpeg at `named`, or of the one that the system finds; `None` where there is none.
pub fn ffmpeg_version(named: Option<&Path>) -> Option<String> {
    let ffmpeg = audio::decode::Ffmpeg::at(named);
    ffmpeg.version().map(str::to_owned)
}
