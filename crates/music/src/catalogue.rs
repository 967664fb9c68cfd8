//! What the services know: recordings, releases and who made them.

use serde::{Deserialize, Serialize};

/// An artist as a recording or a release credits it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// MusicBrainz artist id.
    pub mbid: String,
    /// The artist's own name.
    pub name: String,
    /// As it is spelt here.
    pub credited_as: String,
    /// What joins it to the next one.
    #[serde(default)]
    pub join: String,
    /// The name that it is sorted by; empty if that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sort_name: String,
    /// Other names and spellings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// A work that a recording is a performance of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// MusicBrainz work id.
    pub mbid: String,
    /// Its title.
    pub title: String,
}

/// A recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// MusicBrainz recording id.
    pub mbid: String,
    /// Its title.
    pub title: String,
    /// What tells it from others of that title.
    pub remark: String,
    /// Who made it, in words.
    pub artist: String,
    /// Who made it.
    pub credits: Vec<Credit>,
    /// Its length in ms.
    pub length_ms: Option<u64>,
    /// International Standard Recording Codes.
    pub isrcs: Vec<String>,
    /// Works it is a performance of.
    pub works: Vec<Work>,
    /// Releases it is known to be on.
    pub releases: Vec<ReleaseName>,
}

/// A release by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseName {
    /// MusicBrainz release id.
    pub mbid: String,
    /// Its title.
    pub title: String,
    /// When it came out, as far as known.
    pub date: Option<String>,
    /// What tells it from others of that title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Secondary types of its release group, such as `Live`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<String>,
}

/// A release with its tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id, title and date.
    pub name: ReleaseName,
    /// Whose release it is, in words.
    pub artist: String,
    /// Tracks of all discs, in order.
    pub tracks: Vec<Track>,
}

/// A track of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// The disc it is on, from 1.
    pub disc: u32,
    /// Its number on the disc, from 1.
    pub number: u32,
    /// Its title on this release.
    pub title: String,
    /// Its length in ms.
    pub length_ms: Option<u64>,
    /// The recording on it.
    pub recording: Recording,
}

impl Release {
    /// Number of discs.
    pub fn discs(&self) -> u32 {
        self.tracks
            .iter()
            .map(|track| track.disc)
            .max()
            .unwrap_or(0)
    }
}

/// A question about a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Length of the whole recording in seconds.
    pub seconds: u64,
    /// As fpcalc prints it.
    pub text: String,
}

/// A cluster of fingerprints that is like the one asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Id of the cluster.
    pub id: String,
    /// How alike, 0 to 1.
    pub score: f64,
    /// Recordings that people said it is.
    pub recordings: Vec<Linked>,
}

/// A recording with the number of people who said so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// The recording as far as the service knows it.
    pub recording: Recording,
    /// How many said so.
    pub sources: u64,
}

/// A release as a search finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRelease {
    /// Its id, title and date.
    pub name: ReleaseName,
    /// Whose it is.
    pub artist: String,
    /// Number of tracks on all discs.
    pub tracks: u64,
}

/// Recordings that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The recordings, the best first.
    pub recordings: Vec<Recording>,
    /// The releases that they are on, with the tracks that were found of each.
    pub releases: Vec<Release>,
}
