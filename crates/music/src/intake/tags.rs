//! Reads what a file says about itself, under one set of names for all formats.
//!
//! A tag is a hint, not a fact: whatever is wrong with the tags of a file is a
//! warning, never a reason not to take the file in.

use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::{AudioFile, FileType, TaggedFileExt};
use lofty::ogg::OpusFile;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag};
use serde::{Deserialize, Serialize};

/// What the tags of a file say. A field that is missing, empty or unreadable is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// Title of the track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Artist of the track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Title of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Artist of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_artist: Option<String>,
    /// Number of the track on its disc, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u32>,
    /// Number of tracks on the disc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_total: Option<u32>,
    /// Number of the disc, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc: Option<u32>,
    /// Number of discs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_total: Option<u32>,
    /// Year of release or recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    /// International Standard Recording Code, without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// MusicBrainz recording id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording_mbid: Option<String>,
    /// MusicBrainz id of the track on its release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_mbid: Option<String>,
    /// MusicBrainz release id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_mbid: Option<String>,
    /// MusicBrainz release group id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_group_mbid: Option<String>,
    /// MusicBrainz ids of the track's artists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artist_mbids: Vec<String>,
    /// MusicBrainz id of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_mbid: Option<String>,
    /// ReplayGain of the track in dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_gain_db: Option<f64>,
    /// Peak of the track, 1.0 being full scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_peak: Option<f64>,
    /// ReplayGain of the album in dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_gain_db: Option<f64>,
    /// Peak of the album, 1.0 being full scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_peak: Option<f64>,
}

/// The tags of a file, or why they could not be read.
///
/// Pictures are passed over, and nothing larger than lofty's allocation limit
/// (16 MiB an item) is read into memory.
///
/// # Errors
///
/// A sentence to warn with; the file itself may be fine.
pub fn read(path: &Path) -> Result<Tags, String> {
    let guarded = std::panic::catch_unwind(|| read_unguarded(path));
    guarded.unwrap_or_else(|_| Err("the tag reader gave up on broken tags".to_owned()))
}

fn read_unguarded(path: &Path) -> Result<Tags, String> {
    let options = ParseOptions::new()
        .read_cover_art(false)
        .read_properties(false);
    let probe = Probe::open(path)
        .map_err(|error| error.to_string())?
        .options(options)
        .guess_file_type()
        .map_err(|error| error.to_string())?;
    let kind = probe.file_type();
    let tagged = probe.read().map_err(|error| error.to_string())?;
    let mut tags = Tags::default();
    let first = tagged.primary_tag();
    let others = tagged
        .tags()
        .iter()
        .filter(|tag| first.is_none_or(|first| first.tag_type() != tag.tag_type()));
    for tag in first.into_iter().chain(others) {
        tags.fill_from(tag);
    }
    if kind == Some(FileType::Opus) {
        tags.fill_from_opus(path, options);
    }
    Ok(tags)
}

impl Tags {
    /// Whether the tags say nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes from `tag` what is not known yet.
    fn fill_from(&mut self, tag: &Tag) {
        let text = |key| {
            tag.get_string(key)
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
        };
        fill(&mut self.title, || text(ItemKey::TrackTitle));
        fill(&mut self.artist, || text(ItemKey::TrackArtist));
        fill(&mut self.album, || text(ItemKey::AlbumTitle));
        fill(&mut self.album_artist, || text(ItemKey::AlbumArtist));
        let (track, track_total) = pair(
            text(ItemKey::TrackNumber).as_deref(),
            text(ItemKey::TrackTotal).as_deref(),
        );
        fill(&mut self.track, || track);
        fill(&mut self.track_total, || track_total);
        let (disc, disc_total) = pair(
            text(ItemKey::DiscNumber).as_deref(),
            text(ItemKey::DiscTotal).as_deref(),
        );
        fill(&mut self.disc, || disc);
        fill(&mut self.disc_total, || disc_total);
        for key in [
            ItemKey::Year,
            ItemKey::RecordingDate,
            ItemKey::ReleaseDate,
            ItemKey::OriginalReleaseDate,
        ] {
            fill(&mut self.year, || text(key).and_then(|date| year(&date)));
        }
        fill(&mut self.isrc, || {
            text(ItemKey::Isrc).map(|isrc| isrc.replace('-', "").to_uppercase())
        });
        let mbid = |key| text(key).and_then(|id| self::mbid(&id));
        fill(&mut self.recording_mbid, || {
            mbid(ItemKey::MusicBrainzRecordingId)
        });
        fill(&mut self.track_mbid, || mbid(ItemKey::MusicBrainzTrackId));
        fill(&mut self.release_mbid, || {
            mbid(ItemKey::MusicBrainzReleaseId)
        });
        fill(&mut self.release_group_mbid, || {
            mbid(ItemKey::MusicBrainzReleaseGroupId)
        });
        fill(&mut self.work_mbid, || mbid(ItemKey::MusicBrainzWorkId));
        if self.artist_mbids.is_empty() {
            self.artist_mbids = tag
                .get_strings(ItemKey::MusicBrainzArtistId)
                .flat_map(|ids| ids.split(['/', ';', '\0']))
                .filter_map(self::mbid)
                .collect();
        }
        let number = |key| text(key).and_then(|value| self::number(&value));
        fill(&mut self.track_gain_db, || {
            number(ItemKey::ReplayGainTrackGain)
        });
        fill(&mut self.track_peak, || {
            number(ItemKey::ReplayGainTrackPeak)
        });
        fill(&mut self.album_gain_db, || {
            number(ItemKey::ReplayGainAlbumGain)
        });
        fill(&mut self.album_peak, || {
            number(ItemKey::ReplayGainAlbumPeak)
        });
    }

    /// Opus has gains of its own (RFC 7845, section 5.2.1): 1/256 dB towards
    /// -23 LUFS, where ReplayGain 2 aims at -18 LUFS.
    fn fill_from_opus(&mut self, path: &Path, options: ParseOptions) {
        let Ok(mut file) = std::fs::File::open(path) else {
            return;
        };
        let Ok(opus) = OpusFile::read_from(&mut file, options) else {
            return;
        };
        let gain = |key| -> Option<f64> {
            let steps: i16 = opus.vorbis_comments().get(key)?.trim().parse().ok()?;
            Some(f64::from(steps) / 256.0 + 5.0)
        };
        fill(&mut self.track_gain_db, || gain("R128_TRACK_GAIN"));
        fill(&mut self.album_gain_db, || gain("R128_ALBUM_GAIN"));
    }
}

fn fill<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}

/// A number and its total, from `3`, `3/12`, or `3` and `12` apart.
fn pair(number: Option<&str>, total: Option<&str>) -> (Option<u32>, Option<u32>) {
    let positive = |text: &str| text.trim().parse().ok().filter(|n| *n > 0);
    let number = number.unwrap_or_default();
    let (first, rest) = number.split_once('/').unwrap_or((number, ""));
    let total = positive(rest).or_else(|| total.and_then(positive));
    (positive(first), total)
}

/// The year in a date such as `1971`, `1971-03-19` or `19/03/1971`.
fn year(date: &str) -> Option<i32> {
    date.split(|c: char| !c.is_ascii_digit())
        .find(|part| part.len() == 4)
        .and_then(|part| part.parse().ok())
        .filter(|year| *year > 0)
}

/// A MusicBrainz id in its one form, or nothing.
fn mbid(text: &str) -> Option<String> {
    let id = uuid::Uuid::try_parse(text.trim().trim_end_matches('\0')).ok()?;
    (!id.is_nil()).then(|| id.to_string())
}

/// The number in `-6.40 dB`, `+1,2 dB` or `0.988`.
fn number(text: &str) -> Option<f64> {
    let digits: String = text
        .trim()
        .trim_start_matches('+')
        .replace(',', ".")
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e' | 'E'))
        .collect();
    digits.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_totals_come_in_many_forms() {
        let pair = |a: &str, b: &str| pair(Some(a), (!b.is_empty()).then_some(b));
        assert_eq!(pair("3", ""), (Some(3), None));
        assert_eq!(pair("03/12", ""), (Some(3), Some(12)));
        assert_eq!(pair(" 3 ", "12"), (Some(3), Some(12)));
        assert_eq!(pair("0", "x"), (None, None));
        assert_eq!(pair("A1", ""), (None, None));
    }

    #[test]
    fn years_ids_and_gains_are_read_or_left_out() {
        assert_eq!(year("1971-03-19"), Some(1971));
        assert_eq!(year("19/03/1971"), Some(1971));
        assert_eq!(year("71"), None);
        assert_eq!(year("0000"), None);
        assert_eq!(
            mbid(" B10BBBFC-CF9E-42E0-BE17-E2C3E1D2600D ").as_deref(),
            Some("b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d")
        );
        assert_eq!(mbid("none"), None);
        assert_eq!(number("-6.40 dB"), Some(-6.4));
        assert_eq!(number("+1,2 dB"), Some(1.2));
        assert_eq!(number("loud"), None);
    }
}
