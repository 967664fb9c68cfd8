//! Where the CPU time of an import goes: every stage called by itself, one file after the other.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use audio::Ticks;
use audio::analyse::Analysis;
use audio::decode::{Block, Decoders, Listener, StreamInfo, decode};
use audio::fingerprint::Mono11k;
use audio::levels::Levels;
use audio::marks::Known;
use audio::segment::{Clues, Segmentation, segment};
use audio::sound::Sound;
use audio::spool::Spool;
use audio::tags::Neighbours;
use music::intake::recognise::recognise;
use music::library::known::FileStatus;
use music::library::record::{AudioRecord, CutBy, FileRecord, PassageRecord, record_file};
use music::library::values::ScannedFile;
use music::{FileId, Library, PassageId, SessionId};
use run::Cancel;
use serde::{Deserialize, Serialize};

use crate::import::child::decode_alone;

/// The stages, in the order of a file's way.
pub(crate) const STAGES: [&str; 10] = [
    "hash",
    "tags",
    "decode",
    "levels",
    "weighting",
    "mono 11k",
    "segment",
    "fingerprint",
    "describe",
    "record",
];
const HASH: usize = 0;
const TAGS: usize = 1;
pub(crate) const DECODE: usize = 2;
const LEVELS: usize = 3;
const WEIGHTING: usize = 4;
const MONO: usize = 5;
const SEGMENT: usize = 6;
const FINGERPRINT: usize = 7;
const DESCRIBE: usize = 8;
const RECORD: usize = 9;

/// CPU seconds of each stage.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Split {
    pub files: u64,
    pub audio_seconds: f64,
    pub cpu_seconds: [f64; STAGES.len()],
}

impl Split {
    pub(crate) fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.audio_seconds += other.audio_seconds;
        for (sum, seconds) in self.cpu_seconds.iter_mut().zip(other.cpu_seconds) {
            *sum += seconds;
        }
    }

    /// CPU seconds per hour of audio.
    pub(crate) fn per_hour(&self, stage: usize) -> f64 {
        self.cpu_seconds[stage] * 3600.0 / self.audio_seconds.max(1e-9)
    }

    /// All stages by decoding alone.
    pub(crate) fn ratio(&self) -> f64 {
        self.cpu_seconds.iter().sum::<f64>() / self.cpu_seconds[DECODE].max(1e-9)
    }

    /// Runs `work` and counts its CPU time for `stage`.
    fn time<T>(&mut self, stage: usize, work: impl FnOnce() -> T) -> T {
        let started = cpu_seconds();
        let value = work();
        self.cpu_seconds[stage] += cpu_seconds() - started;
        value
    }
}

/// CPU time of this process. There is one thread but for the database's writer, whose time belongs to the stage that
/// waits for it.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    run::Usage::since(std::time::Instant::now()).cpu_seconds
}

/// Measures every file of `folder`, by extension; files that fail are passed over.
pub(crate) fn measure(folder: &Path) -> Result<BTreeMap<String, Split>> {
    let scratch = tempfile::tempdir()?;
    let library = Library::open(&scratch.path().join(music::DATABASE), folder)?;
    let scan = music::intake::scan::scan(folder, folder, &Cancel::new())?;
    let session = SessionId::random();
    let mut splits: BTreeMap<String, Split> = BTreeMap::new();
    for file in &scan.files {
        if let Some(split) = one(file, &library, &session)? {
            splits.entry(file.extension()).or_default().add(&split);
        }
    }
    library.close()?;
    Ok(splits)
}

fn one(file: &ScannedFile, library: &Library, session: &SessionId) -> Result<Option<Split>> {
    let mut split = Split::default();
    let Ok(hash) = split.time(HASH, || recognise(file)) else {
        return Ok(None);
    };
    let neighbours = Neighbours::default();
    let written = split
        .time(TAGS, || {
            audio::tags::read(file.absolute(), &neighbours, &Decoders::default())
        })
        .unwrap_or_default();
    let tags = &written.tags;
    let Some(audio_seconds) = split.time(DECODE, || decode_alone(file.absolute())) else {
        return Ok(None);
    };
    let mut ears = AnalysisListener::new(&mut split);
    let decoded = decode(file.absolute(), &mut ears)?;
    ears.batch();
    let AnalysisListener {
        mut levels,
        mut sound,
        mono,
        ..
    } = ears;
    levels.finish();
    sound.finish();
    let mut spool = Spool::new();
    spool.write(&mono)?;
    let mut analysis = Analysis::of(decoded, levels, sound, spool);
    let clues = Clues {
        name: file.path(),
        neighbours: 8,
        track: tags.track,
        track_total: tags.track_total,
        ..Clues::default()
    };
    let segmentation = split.time(SEGMENT, || {
        let known = Known {
            seconds: audio_seconds,
            ..Known::default()
        };
        let found = audio::marks::find(file.absolute(), &written, file.beside(), &known);
        segment(
            &analysis.levels,
            analysis.sound.contour(),
            &clues,
            found.marks.as_ref(),
            &library.settings().silence,
        )
    });
    let passages = passages(&mut split, &segmentation, &mut analysis, library)?;
    let record = FileRecord {
        id: FileId::random(),
        file: file.clone(),
        hash: hash.as_str().to_owned(),
        audio_md5: None,
        audio_xxh3: None,
        status: FileStatus::Complete,
        audio: Some(audio(&analysis)),
        tags: written.tags,
        passages,
        misnamed: None,
        tags_digest: None,
        cut_by: CutBy::Silence,
        marks: None,
        is_same_sound: false,
        known_edit: i64::MAX,
        takes_place_of: None,
        session: session.clone(),
    };
    split.time(RECORD, || record_file(library.db(), record, None))?;
    split.files = 1;
    split.audio_seconds = audio_seconds;
    Ok(Some(split))
}

fn audio(analysis: &Analysis) -> AudioRecord {
    let info = &analysis.decoded.info;
    AudioRecord {
        format: info.format().to_owned(),
        container: info.container().to_owned(),
        codec: info.codec().to_owned(),
        decoder: None,
        sample_rate: info.sample_rate,
        channels: info.channels,
        frames: analysis.decoded.frames,
        damaged_frames: 0,
        damage: None,
        is_cut_off: false,
        segmentation: "{}".to_owned(),
        overview: analysis.overview(),
        boundaries: Vec::new(),
    }
}

fn passages(
    split: &mut Split,
    segmentation: &Segmentation,
    analysis: &mut Analysis,
    library: &Library,
) -> Result<Vec<PassageRecord>> {
    let rate = analysis.levels.sample_rate();
    let lead_settings = library.settings().leads;
    segmentation
        .spans
        .iter()
        .map(|span| {
            let print = split.time(FINGERPRINT, || analysis.fingerprint(*span))?;
            let sound = split.time(DESCRIBE, || analysis.describe(*span, &lead_settings))?;
            Ok(PassageRecord {
                id: PassageId::random(),
                start: Ticks::from_frames(span.start, rate),
                end: Ticks::from_frames(span.end, rate),
                fingerprint: print.map(|print| (print.algorithm(), print.encode())),
                sound,
                lead_settings,
                label: None,
                album: None,
            })
        })
        .collect()
}

/// Listens in batches, so that reading the clock costs nothing beside what is timed.
struct AnalysisListener<'a> {
    split: &'a mut Split,
    levels: Levels,
    sound: Sound,
    converter: Option<Mono11k>,
    mono: Vec<i16>,
    planes: Vec<Vec<f32>>,
}

/// Frames heard at once: few enough for the cache.
const BATCH: usize = 1 << 14;

impl<'a> AnalysisListener<'a> {
    fn new(split: &'a mut Split) -> Self {
        Self {
            split,
            levels: Levels::new(1),
            sound: Sound::new(1, 0),
            converter: None,
            mono: Vec::new(),
            planes: Vec::new(),
        }
    }

    fn batch(&mut self) {
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let (levels, sound, mono) = (&mut self.levels, &mut self.sound, &mut self.mono);
        self.split.time(LEVELS, || levels.push(&planes));
        self.split.time(WEIGHTING, || sound.push(&planes));
        if let Some(converter) = &mut self.converter {
            let from = mono.len();
            self.split.time(MONO, || converter.push(&planes, mono));
            self.split
                .time(WEIGHTING, || sound.push_mono(&mono[from..]));
        }
        self.planes.iter_mut().for_each(Vec::clear);
    }
}

impl Listener for AnalysisListener<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.levels = Levels::new(info.sample_rate);
        self.sound = Sound::new(info.sample_rate, info.channels);
        self.converter = Some(Mono11k::new(info.sample_rate, info.channels));
        self.planes = vec![Vec::new(); usize::from(info.channels)];
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        for (kept, plane) in self.planes.iter_mut().zip(block.planes) {
            kept.extend_from_slice(plane);
        }
        if self
            .planes
            .first()
            .is_some_and(|plane| plane.len() >= BATCH)
        {
            self.batch();
        }
        ControlFlow::Continue(())
    }
}
