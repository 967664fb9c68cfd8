//! Sound from nothing: songs, tones, noise and silence, the same on every machine for the same seed.
//!
//! No sample of anybody's music is needed to test an importer of music, so none is here.

pub mod aiff;
mod pcm;
mod random;
mod song;
mod voice;
pub mod wav;
mod wave;

pub use pcm::{Pcm, concatenate, noise, silence, tone};
pub use random::Random;
pub use song::Song;
