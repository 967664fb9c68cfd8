//! A folder of files becomes records: who is new, what it says about itself, what is heard in it.

pub mod hash;
pub mod import;
pub mod plan;
pub mod recognise;
pub mod scan;
mod take_in;

pub use audio::decode::extension_is_audio;
