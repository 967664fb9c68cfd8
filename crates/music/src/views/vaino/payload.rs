//! The payload of a bundle, field by field.

use audio::Ticks;
use audio::loudness::REPLAY_GAIN_LUFS;
use audio::overview::{Overview, POINTS_PER_SECOND};
use serde::Serialize;

use super::flavor::{Flavor, flavors};
use crate::library::bundle::{BundleFile, BundlePassage, BundleRecording};
use crate::library::values::name_of;

/// The version of the form; the receiver looks at the fields and not at it.
const VERSION: u32 = 1;

/// Who made a payload.
const GENERATOR: &str = concat!("accession@", env!("CARGO_PKG_VERSION"));

/// The source of what a service knows.
const MUSICBRAINZ: &str = "musicbrainz";

/// The source of what only this library knows.
const LOCAL: &str = "local:ingest";

/// The source of a person's word, which the receiver never replaces.
const MANUAL: &str = "manual";

/// All that the receiver reads.
#[derive(Debug, Serialize)]
pub(super) struct Payload {
    #[serde(rename = "payload_version")]
    version: u32,
    generator: &'static str,
    pub(super) encodings: Vec<Encoding>,
    pub(super) recordings: Vec<Recording>,
}

impl Payload {
    pub(super) fn new(encodings: Vec<Encoding>, recordings: Vec<Recording>) -> Self {
        Self {
            version: VERSION,
            generator: GENERATOR,
            encodings,
            recordings,
        }
    }
}

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct Encoding {
    pub(super) audio_md5: String,
    pub(super) bundle_path: String,
    pub(super) format: String,
    pub(super) duration_ms: i64,
    tags: FileTags,
    pub(super) passages: Vec<Passage>,
}

#[derive(Debug, Serialize)]
struct FileTags {
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    track_no: Option<u32>,
    disc_no: Option<u32>,
}

/// A passage, once for whole albums and once for the radio.
#[derive(Debug, Serialize)]
pub(super) struct Passage {
    pub(super) kind: Kind,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    lead_in_ms: Option<i64>,
    lead_out_ms: Option<i64>,
    gain_db: Option<f64>,
    boundary_src: String,
    pub(super) recordings: Vec<Credit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Album,
    Radio,
}

/// Which recording a passage is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Credit {
    pub(super) mbid: String,
    weight: f64,
    source: String,
}

/// A recording.
#[derive(Debug, Serialize)]
pub(super) struct Recording {
    pub(super) mbid: String,
    title: String,
    length_ms: Option<i64>,
    source: &'static str,
    artists: Vec<Artist>,
    releases: Vec<Release>,
    pub(super) flavor: Vec<Flavor>,
}

#[derive(Debug, Serialize)]
struct Artist {
    mbid: Option<String>,
    name: String,
    weight: f64,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Release {
    mbid: Option<String>,
    title: String,
    #[serde(rename = "release_date")]
    date: Option<String>,
    source: &'static str,
}

/// The id of a passage's recording: its MBID, or one of ours for what is not identified. Where a file has several
/// passages, where each starts is part of ours, or all would be one recording.
pub(super) fn recording_id(file: &BundleFile, passage: &BundlePassage) -> String {
    if let Some(mbid) = &passage.recording {
        return mbid.clone();
    }
    let sound = file.audio_md5.as_deref().unwrap_or_default();
    match file.passages.as_slice() {
        [_] => format!("local:audio:{sound}"),
        _ => format!("local:audio:{sound}:{}", milliseconds(passage.start)),
    }
}

fn milliseconds(ticks: Ticks) -> i64 {
    (ticks.seconds() * 1000.0).round() as i64
}

impl Encoding {
    /// A file with two passages for each of its own; the reason if the receiver would refuse it.
    pub(super) fn of(file: &BundleFile, audio_md5: &str, silent_dbfs: f64) -> Result<Self, String> {
        let duration_ms = file.length.map(milliseconds).unwrap_or_default();
        if duration_ms <= 0 {
            return Err("it has no length".to_owned());
        }
        if file.passages.is_empty() {
            return Err("it has no passages".to_owned());
        }
        let overview = Overview::from_bytes(file.overview.clone().unwrap_or_default());
        let mut passages = Vec::new();
        for passage in &file.passages {
            let full = (
                milliseconds(passage.start),
                milliseconds(passage.end).min(duration_ms),
            );
            if full.0 >= full.1 {
                return Err(format!(
                    "its passage `{}` is shorter than a millisecond",
                    passage.id
                ));
            }
            let credit = Credit {
                mbid: recording_id(file, passage),
                weight: 1.0,
                source: match (&passage.recording, &passage.found_by) {
                    (None, _) => LOCAL,
                    (Some(_), Some(program)) => program,
                    (Some(_), None) if passage.is_chosen => MANUAL,
                    (Some(_), None) => MUSICBRAINZ,
                }
                .to_owned(),
            };
            let boundary_src = boundary_source(file);
            passages.push(Passage {
                kind: Kind::Album,
                start_ms: full.0,
                end_ms: full.1,
                lead_in_ms: None,
                lead_out_ms: None,
                gain_db: None,
                boundary_src: boundary_src.clone(),
                recordings: vec![credit.clone()],
            });
            passages.push(radio(
                passage,
                full,
                &overview,
                silent_dbfs,
                boundary_src,
                credit,
            ));
        }
        Ok(Self {
            audio_md5: audio_md5.to_owned(),
            bundle_path: file.path.clone(),
            format: file.format.clone().unwrap_or_default().to_lowercase(),
            duration_ms,
            tags: FileTags {
                title: file.tags.title.clone(),
                artist: file.tags.artist.clone(),
                album: file.tags.album.clone(),
                track_no: file.tags.track,
                disc_no: file.tags.disc,
            },
            passages,
        })
    }
}

/// A passage from its first sound to its last, with durations instead of points.
fn radio(
    passage: &BundlePassage,
    full: (i64, i64),
    overview: &Overview,
    silent_dbfs: f64,
    boundary_src: String,
    credit: Credit,
) -> Passage {
    let (start, end) = sounding(overview, full, silent_dbfs);
    let lead_in = passage.lead_in.map(milliseconds);
    let lead_out = passage.lead_out.map(milliseconds);
    Passage {
        kind: Kind::Radio,
        start_ms: start,
        end_ms: end,
        lead_in_ms: lead_in.map(|at| (at - start).clamp(0, end - start)),
        lead_out_ms: lead_out.map(|at| (end - at).clamp(0, end - start)),
        gain_db: passage
            .lufs
            .map(|lufs| ((REPLAY_GAIN_LUFS - lufs) * 100.0).round() / 100.0),
        boundary_src,
        recordings: vec![credit],
    }
}

/// What of a stretch is louder than silence, to a tenth of a second; all of it where nothing is, or nothing is known.
fn sounding(overview: &Overview, (start, end): (i64, i64), silent_dbfs: f64) -> (i64, i64) {
    let step = 1000 / i64::from(POINTS_PER_SECOND);
    let loud: Vec<i64> = overview
        .points()
        .zip(0..)
        .filter(|(point, _)| f64::from(point.dbfs) > silent_dbfs)
        .map(|(_, at)| at * step)
        .filter(|at| *at + step > start && *at < end)
        .collect();
    match (loud.first(), loud.last()) {
        (Some(first), Some(last)) => ((*first).max(start), (*last + step).min(end)),
        _ => (start, end),
    }
}

/// Who decided where a file is cut, in the receiver's words.
fn boundary_source(file: &BundleFile) -> String {
    match (file.cut_by.as_deref(), file.cut_source.as_deref()) {
        (Some("person"), None | Some("person")) => MANUAL.to_owned(),
        (Some("person"), Some(source)) => format!("imported:{source}"),
        (cut_by, _) => format!(
            "computed:accession-{}@{}",
            cut_by.unwrap_or("whole"),
            env!("CARGO_PKG_VERSION")
        ),
    }
}

impl Recording {
    pub(super) fn of(
        mbid: String,
        file: &BundleFile,
        passage: &BundlePassage,
        known: Option<&BundleRecording>,
    ) -> Self {
        let name = name_of(&file.path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let title = known
            .and_then(|known| said(&known.title))
            .or_else(|| said(&passage.title))
            .unwrap_or_else(|| stem.to_owned());
        let flavor = flavors(
            known.and_then(|known| known.flavor.as_deref()),
            passage.heard.as_deref(),
        );
        let length = milliseconds(passage.end) - milliseconds(passage.start);
        match known {
            Some(known) => Self {
                mbid,
                title,
                // What MusicBrainz says is not kept, and the passage may have more or less silence.
                length_ms: None,
                source: MUSICBRAINZ,
                artists: known
                    .artists
                    .iter()
                    .map(|(mbid, name, weight)| Artist {
                        mbid: Some(mbid.clone()),
                        name: name.clone(),
                        weight: *weight,
                        source: MUSICBRAINZ,
                    })
                    .collect(),
                releases: known
                    .releases
                    .iter()
                    .map(|(mbid, title, date)| Release {
                        mbid: Some(mbid.clone()),
                        title: title.clone(),
                        date: date.clone(),
                        source: MUSICBRAINZ,
                    })
                    .collect(),
                flavor,
            },
            None => Self {
                mbid,
                title,
                length_ms: Some(length),
                source: LOCAL,
                artists: said(&passage.artist)
                    .map(|name| Artist {
                        mbid: None,
                        name,
                        weight: 1.0,
                        source: LOCAL,
                    })
                    .into_iter()
                    .collect(),
                releases: said(&passage.album)
                    .map(|title| Release {
                        mbid: None,
                        title,
                        date: None,
                        source: LOCAL,
                    })
                    .into_iter()
                    .collect(),
                flavor,
            },
        }
    }
}
