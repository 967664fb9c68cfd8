//! Boundaries in album rips: a corpus with a known truth, the model that learns from it, and how right it is.

pub mod boost;
pub mod examples;
pub mod fit;
pub mod kinds;
pub mod measure;
pub mod medium;
mod pauses;
pub mod rips;
mod signals;
pub mod tracks;
pub mod truth;

use std::path::PathBuf;

use tracks::Split;

/// What is collected.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// A folder with the sources of `corpus/sources.tsv`.
    pub folder: PathBuf,
    /// Which sources.
    pub split: Split,
    /// Recordings of each kind.
    pub each: usize,
    /// The number that everything is a function of.
    pub seed: u64,
    /// Where to write; what is there stays.
    pub out: PathBuf,
    /// Only these kinds; all where it is empty.
    pub kinds: Vec<String>,
    /// Every song by itself instead.
    pub singles: bool,
}
