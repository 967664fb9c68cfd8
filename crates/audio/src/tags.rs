//! Reads what a file says about itself, under one set of names for all formats.
//!
//! A tag is a hint, not a fact: whatever is wrong with the tags of a file is told, and never a reason not to
//! take the file in. Every tag of a file is read, each by a reader of its own that knows what real taggers do
//! against the standard (`id3v2`, `tail`, `comments`, `chunks`, `mp4`, `asf`): a broken frame costs
//! itself, not the tag, and pictures are passed over unread. Texts whose encoding is declared wrongly, or not
//! at all, are judged together (`encoding`). What had to be mended is returned, to be logged.
//!
//! Why this is not left to a library is told in `docs/adr/0005-our-own-tag-readers.md`.

mod asf;
mod chunks;
mod comments;
mod decoder;
pub(crate) mod encoding;
pub(crate) mod id3v2;
mod mp4;
mod names;
mod neighbours;
mod raw;
pub(crate) mod tail;
mod text;
mod wide;

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::decode::{self, Decoders, HEAD, Kind, Probed, sniff};
use crate::extents;
use crate::input::Input;
use crate::input::hex;
use decoder::Decoder;
use names::Name;
use neighbours::Reading;
use raw::{Raw, Source};
use text::Text;

pub use neighbours::{ASKED, Neighbours};

/// Tags that stand one behind another at the front of a file; two are common.
const MAX_TAGS: usize = 16;

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
    /// The track's artists one by one, where the tags list several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<String>,
    /// Title of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Artist of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_artist: Option<String>,
    /// The album's artists one by one, where the tags list several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub album_artists: Vec<String>,
    /// Composers, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composers: Vec<String>,
    /// Conductors, orchestras and ensembles, one by one, where they have fields of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub performers: Vec<String>,
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
    /// Year of the first release, where a field of its own says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_year: Option<i32>,
    /// What stands below the title: the version, more often than not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// Genre, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<String>,
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
    /// What an Opus stream's head adds to it in dB when it is decoded, if that is anything. Programs that even out
    /// loudness write it, and touch no packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_gain_db: Option<f64>,
}

/// A mark that stands in a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Where it starts, in seconds.
    pub start: f64,
    /// Where it ends, in seconds, if the tag says.
    pub end: Option<f64>,
    /// Its title.
    pub title: Option<String>,
    /// Its performer.
    pub performer: Option<String>,
}

/// Everything that a file has written in itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// What its tags say of the whole file.
    pub tags: Tags,
    /// A cue sheet.
    pub sheet: Option<String>,
    /// Chapters, in the order of the tag.
    pub chapters: Vec<Chapter>,
    /// What had to be mended to read this, a sentence each.
    pub mended: Vec<String>,
    /// A short name for a few stretches of the file: another one means that its content was replaced.
    pub sample: [u8; 8],
}

/// Stretches of a file that are looked at for its sample, and bytes of each.
const STRETCHES: u64 = 8;
const STRETCH: usize = 4096;

impl Written {
    /// A short name for all of it: another one means that the tags were edited, or the file replaced.
    pub fn digest(&self) -> String {
        let tags = serde_json::to_string(&self.tags).expect("tags are plain text and numbers");
        let mut sha256 = Sha256::new();
        sha256.update(tags);
        sha256.update([0]);
        sha256.update(self.sheet.as_deref().unwrap_or_default());
        for chapter in &self.chapters {
            sha256.update(chapter.start.to_le_bytes());
            sha256.update(chapter.end.unwrap_or(-1.0).to_le_bytes());
            sha256.update(chapter.title.as_deref().unwrap_or_default());
            sha256.update([0]);
        }
        sha256.update(self.sample);
        let digest = sha256.finalize();
        hex(&digest[..8])
    }
}

/// The tags of a file, or why they could not be read.
///
/// Pictures are passed over, and at most 4 MB of text are kept.
///
/// # Errors
///
/// A sentence to warn with; the file itself may be fine.
pub fn read(path: &Path, neighbours: &Neighbours, decoders: &Decoders) -> Result<Written, String> {
    let (mut raw, kind) = read_raw(path).map_err(|error| error.to_string())?;
    if let Some(Kind::Foreign(format)) = kind
        && let Some(probed) = decoders.probe(path, format)
    {
        add_probed(&mut raw, probed);
    }
    let reading = neighbours.judge(path, &raw);
    Ok(Written {
        sample: sample(path).map_err(|error| error.to_string())?,
        ..written(raw, kind, reading)
    })
}

/// Names the content of a file by stretches that lie evenly in it: songs differ in all of them but silence.
fn sample(path: &Path) -> io::Result<[u8; 8]> {
    let mut input = Input::open(path)?;
    let mut sha256 = Sha256::new();
    let last = input.length.saturating_sub(STRETCH as u64);
    for stretch in 0..STRETCHES {
        let at = u128::from(last) * u128::from(stretch) / u128::from(STRETCHES - 1);
        sha256.update(input.vec_at(at as u64, STRETCH)?);
    }
    let digest = sha256.finalize();
    Ok(*digest.first_chunk().expect("it has 32 bytes"))
}

/// Reads all tags of a file; those of the format first, then what stands in front of it and behind it.
fn read_raw(path: &Path) -> io::Result<(Raw, Option<Kind>)> {
    let mut input = Input::open(path)?;
    let length = input.length;
    let mut raw = Raw::default();
    let (mut at, mut fronts) = (0, Vec::new());
    while fronts.len() < MAX_TAGS {
        if let Some(end) = extents::id3v2_end(&mut input, at)? {
            fronts.push((at, false));
            at = end;
        } else if let Some(length) = extents::ape_at_front(&mut input, at)? {
            fronts.push((at, true));
            at += length;
        } else {
            break;
        }
    }
    let mut kind = sniff(&input.vec_at(at, HEAD)?);
    if kind.is_none()
        && let Some((start, found)) = decode::locate(&mut input)
    {
        // Junk stands in front, behind which decoding finds the audio, and its tags are.
        (at, kind) = (start, Some(found));
    }
    match kind {
        Some(Kind::Flac) => comments::read_flac(&mut input, at, &mut raw)?,
        Some(Kind::Ogg) => comments::read_ogg(&mut input, at, &mut raw)?,
        Some(Kind::Wav) => chunks::read_wav(&mut input, at, &mut raw)?,
        Some(Kind::Aiff) => chunks::read_aiff(&mut input, at, &mut raw)?,
        Some(Kind::Mp4) => mp4::read(&mut input, at, &mut raw)?,
        Some(Kind::Foreign(format)) if asf::is_read_here(format) => {
            asf::read(&mut input, at, &mut raw)?;
        }
        _ => {}
    }
    for (at, is_ape) in fronts {
        if is_ape {
            tail::read_ape_at_front(&mut input, at, &mut raw)?;
        } else {
            id3v2::read(&mut input, at, &mut raw)?;
        }
    }
    tail::read(&mut input, at.min(length), &mut raw)?;
    Ok((raw, kind))
}

/// Takes what ffprobe says, which knows the tags of formats that are not read here.
fn add_probed(raw: &mut Raw, probed: Probed) {
    raw.begin();
    for (key, value) in probed.tags {
        if let Some(name) = names::of_key(&key) {
            raw.keep(name, Text::Unicode(value));
        }
    }
    for chapter in probed.chapters {
        raw.keep_chapter(raw::Chapter {
            start: chapter.start,
            end: chapter.end,
            title: chapter.title.map(Text::Unicode),
        });
    }
}

/// Decodes the texts and sorts the fields out.
fn written(mut raw: Raw, kind: Option<Kind>, reading: Reading) -> Written {
    let mut decoder = Decoder::of(&mut raw, reading);
    let mut tags = Tags {
        output_gain_db: raw.output_gain_db,
        ..Tags::default()
    };
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut sheet = None;
    for source in &raw.sources {
        let fields = Fields::decoded(source, &mut decoder);
        tags.fill_from(&fields, kind);
        sheet = sheet.or_else(|| fields.first(Name::CueSheet));
        if chapters.is_empty() {
            chapters = fields.chapters(source, &mut decoder);
        }
    }
    Written {
        tags,
        sheet,
        chapters,
        mended: decoder.into_mended(),
        sample: [0; 8],
    }
}

/// The fields of one tag, decoded.
struct Fields(Vec<(Name, String)>);

impl Fields {
    fn decoded(source: &Source, decoder: &mut Decoder) -> Self {
        let fields = source.fields.iter();
        Self(
            fields
                .map(|(name, text)| (*name, decoder.decode(text)))
                .map(|(name, text)| match name {
                    Name::CueSheet => (name, text),
                    _ => (name, text::on_one_line(text)),
                })
                .filter(|(_, text)| !text.is_empty())
                .collect(),
        )
    }

    fn all(&self, name: Name) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for (_, text) in self.0.iter().filter(|(field, _)| *field == name) {
            if !all.contains(text) {
                all.push(text.clone());
            }
        }
        all
    }

    fn first(&self, name: Name) -> Option<String> {
        let mut fields = self.0.iter();
        fields
            .find(|(field, _)| *field == name)
            .map(|(_, text)| text.clone())
    }

    /// The line to show, of the first name that has one, and the single names where there are several.
    fn people(&self, lines: [Name; 2], list: Name) -> (Option<String>, Vec<String>) {
        let found = lines.map(|line| self.all(line));
        let lines = found.into_iter().find(|lines| !lines.is_empty());
        let (lines, mut singles) = (lines.unwrap_or_default(), self.all(list));
        // Formats that keep one text a field have the list in one line.
        if let [line] = singles.as_slice()
            && line.contains(';')
        {
            let parts = line.split(';').map(str::trim);
            singles = parts
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
        }
        let singles = if singles.len() > 1 {
            singles
        } else if lines.len() > 1 {
            lines.clone()
        } else {
            Vec::new()
        };
        let shown = match lines.as_slice() {
            [] => self.first(list).map(|_| self.all(list).join("; ")),
            lines => Some(lines.join("; ")),
        };
        (shown, singles)
    }

    fn chapters(&self, source: &Source, decoder: &mut Decoder) -> Vec<Chapter> {
        let mut chapters: Vec<Chapter> = source
            .chapters
            .iter()
            .map(|chapter| Chapter {
                start: chapter.start,
                end: chapter.end,
                title: chapter.title.as_ref().map(|title| decoder.decode(title)),
                performer: None,
            })
            .collect();
        for (name, time) in &self.0 {
            let (Name::ChapterStart(number), Some(start)) = (name, seconds(time)) else {
                continue;
            };
            chapters.push(Chapter {
                start,
                end: None,
                title: self.first(Name::ChapterTitle(*number)),
                performer: self.first(Name::ChapterPerformer(*number)),
            });
        }
        chapters
    }
}

/// `hh:mm:ss.mmm`.
fn seconds(time: &str) -> Option<f64> {
    let mut seconds = 0.0;
    for part in time.split(':') {
        let part: f64 = part.trim().parse().ok()?;
        seconds = seconds * 60.0 + part;
    }
    Some(seconds).filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

impl Tags {
    /// Whether the tags say nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes from `fields` what is not known yet.
    fn fill_from(&mut self, fields: &Fields, kind: Option<Kind>) {
        let text = |name| fields.first(name);
        let mbid = |name| fields.first(name).and_then(|id| self::mbid(&id));
        let number = |name| fields.first(name).and_then(|value| self::number(&value));
        fill(&mut self.title, text(Name::Title));
        let (artist, artists) = fields.people([Name::Artist, Name::Author], Name::Artists);
        if self.artist.is_none() {
            (self.artist, self.artists) = (artist, artists);
        }
        fill(&mut self.album, text(Name::Album));
        let (artist, artists) = fields.people([Name::AlbumArtist, Name::Band], Name::AlbumArtists);
        if self.album_artist.is_none() {
            (self.album_artist, self.album_artists) = (artist, artists);
        }
        if self.composers.is_empty() {
            self.composers = fields.all(Name::Composer);
        }
        if self.performers.is_empty() {
            self.performers = fields.all(Name::Performer);
        }
        let totals = |number, total| pair(text(number).as_deref(), text(total).as_deref());
        let (track, track_total) = totals(Name::Track, Name::TrackTotal);
        fill(&mut self.track, track);
        fill(&mut self.track_total, track_total);
        let (disc, disc_total) = totals(Name::Disc, Name::DiscTotal);
        fill(&mut self.disc, disc);
        fill(&mut self.disc_total, disc_total);
        fill(&mut self.subtitle, text(Name::Subtitle));
        fill(&mut self.genre, text(Name::Genre));
        let year_in = |name| fields.all(name).iter().find_map(|date| year(date));
        let original = year_in(Name::OriginalDate);
        fill(&mut self.original_year, original);
        fill(&mut self.year, year_in(Name::Date).or(original));
        fill(
            &mut self.isrc,
            text(Name::Isrc).map(|isrc| isrc.replace('-', "").to_uppercase()),
        );
        fill(&mut self.recording_mbid, mbid(Name::RecordingMbid));
        fill(&mut self.track_mbid, mbid(Name::TrackMbid));
        fill(&mut self.release_mbid, mbid(Name::ReleaseMbid));
        fill(&mut self.release_group_mbid, mbid(Name::ReleaseGroupMbid));
        fill(&mut self.work_mbid, mbid(Name::WorkMbid));
        if self.artist_mbids.is_empty() {
            let ids = fields.all(Name::ArtistMbid);
            let ids = ids.iter().flat_map(|ids| ids.split(['/', ';', ',']));
            self.artist_mbids = ids.filter_map(self::mbid).collect();
        }
        fill(&mut self.track_gain_db, number(Name::TrackGain));
        fill(&mut self.track_peak, number(Name::TrackPeak));
        fill(&mut self.album_gain_db, number(Name::AlbumGain));
        fill(&mut self.album_peak, number(Name::AlbumPeak));
        if kind == Some(Kind::Ogg) {
            // Opus has gains of its own (RFC 7845, section 5.2.1): 1/256 dB towards -23 LUFS, where
            // ReplayGain 2 aims at -18 LUFS.
            let steps = |name| text(name).and_then(|steps| steps.parse::<i16>().ok());
            let gain = |name| steps(name).map(|steps| f64::from(steps) / 256.0 + 5.0);
            fill(&mut self.track_gain_db, gain(Name::R128TrackGain));
            fill(&mut self.album_gain_db, gain(Name::R128AlbumGain));
        }
    }
}

fn fill<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// A number and its total, from `3`, `3/12`, or `3` and `12` apart.
fn pair(number: Option<&str>, total: Option<&str>) -> (Option<u32>, Option<u32>) {
    // `CD 2` and `Disc 2` are 2; `A1`, the first of a record's side, is no number of an album.
    let digits = |text: &str| {
        let text = text.trim();
        let word = text
            .split(|c: char| !c.is_alphabetic())
            .next()
            .unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "cd" | "disc" | "disk" | "track" | "no" => text[word.len()..].to_owned(),
            _ => text.to_owned(),
        }
    };
    let positive = |text: &str| {
        digits(text)
            .trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '#'))
            .parse()
            .ok()
            .filter(|n| *n > 0)
    };
    let number = number.unwrap_or_default();
    let parts = number.split_once('/').or_else(|| number.split_once(" of "));
    let (first, rest) = parts.unwrap_or((number, ""));
    let total = positive(rest).or_else(|| total.and_then(positive));
    (positive(first), total)
}

/// The year in a date such as `1971`, `1971-03-19`, `19/03/1971` or `19710319`.
fn year(date: &str) -> Option<i32> {
    date.split(|c: char| !c.is_ascii_digit())
        .find(|part| matches!(part.len(), 4 | 8))
        .and_then(|part| part[..4].parse().ok())
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
        assert_eq!(pair("1 of 12", ""), (Some(1), Some(12)));
        assert_eq!(pair("0", "x"), (None, None));
        assert_eq!(pair("A1", ""), (None, None));
    }

    #[test]
    fn other_names_of_a_field_are_asked_only_where_the_usual_one_is_missing() {
        let fields = |fields: &[(Name, &str)]| {
            let fields = fields
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned()));
            let mut tags = Tags::default();
            tags.fill_from(&Fields(fields.collect()), None);
            tags
        };
        let shop = fields(&[
            (Name::Author, "Singer; Writer; Arranger"),
            (Name::Artist, "Singer"),
            (Name::Band, "eastie Boys"),
            (Name::AlbumArtist, "Beastie Boys"),
            (Name::Artists, "Singer; Guest"),
        ]);
        assert_eq!(shop.artist.as_deref(), Some("Singer"));
        assert_eq!(shop.artists, ["Singer", "Guest"]);
        assert_eq!(shop.album_artist.as_deref(), Some("Beastie Boys"));
        let alone = fields(&[(Name::Author, "Writer"), (Name::Band, "Band")]);
        assert_eq!(alone.artist.as_deref(), Some("Writer"));
        assert_eq!(alone.album_artist.as_deref(), Some("Band"));
    }

    #[test]
    fn years_ids_and_gains_are_read_or_left_out() {
        assert_eq!(year("19710319"), Some(1971));
        assert_eq!(pair(Some("CD 2"), None), (Some(2), None));
        assert_eq!(pair(Some("A1"), None), (None, None));
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
