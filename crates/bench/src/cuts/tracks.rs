//! Single tracks of any folders, as what rips are made of.
//!
//! A source is a folder below the corpus, in practice an unpacked Debian package. Sources are split
//! into training, validation and test as a whole: two tracks of one game share composer, instruments
//! and encoder, and a model that has heard one has heard something of the other.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use audio::decode::{Block, Listener, StreamInfo, decode};

/// Sample rate of every rip, in Hz.
pub const RATE: u32 = 44_100;

/// A track is heard where 20 ms of it are louder than this RMS, in dBFS: what the quietest gap of a
/// record or tape covers, and 20 dB below the quietest music of the corpus.
const HEARD_DBFS: f32 = -60.0;

/// Frames of the 20 ms.
pub const WINDOW: usize = RATE as usize / 50;

/// Which part of the corpus a source belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Split {
    /// The model is fitted to it.
    Training,
    /// Its settings are chosen on it, and its confidence calibrated.
    Validation,
    /// Only reported on.
    Test,
}

impl Split {
    /// Its word in the list of sources.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The committed list: a source and its split a line.
const SOURCES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/sources.tsv"));

/// The sources of one split, in the order of the list.
pub fn sources(split: Split) -> impl Iterator<Item = &'static str> {
    SOURCES.lines().filter_map(move |line| {
        let (name, of) = line.split_once('\t')?;
        (of == split.word()).then_some(name)
    })
}

/// What a file of the corpus is, told by its length and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// At least [`SONG_SECONDS`] long.
    Song,
    /// Spoken words.
    Speech,
    /// A short sound.
    Effect,
}

/// The shortest song in seconds: below lie jingles, which no album has.
pub const SONG_SECONDS: f64 = 45.0;

/// No song is smaller, in bytes: 45 s at 40 kbit/s.
const SONG_BYTES: u64 = 225_000;

/// One file of the corpus.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub nature: Nature,
}

/// Files of spoken words lie in folders with one of these in their path.
const SPEECH_FOLDERS: [&str; 3] = ["asterisk-core-sounds", "fillets-ng-data", "ktuberling"];

/// Finds the files of a split below `corpus`, sorted by path. Their lengths are those of their headers.
///
/// They are remembered in the corpus, in `lengths.json`.
pub fn find(corpus: &Path, split: Split) -> Result<Vec<Source>> {
    let remembered = corpus.join("lengths.json");
    let mut lengths: BTreeMap<PathBuf, f64> = fs::read(&remembered)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let known = lengths.len();
    let mut found = Vec::new();
    for source in sources(split) {
        let folder = corpus.join(source);
        if !folder.is_dir() {
            continue;
        }
        for entry in walkdir::WalkDir::new(&folder) {
            let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()))?;
            if !entry.file_type().is_file() || !is_audio(entry.path()) {
                continue;
            }
            let size = entry.metadata()?.len();
            let path = entry.into_path();
            let text = path.to_string_lossy();
            let speech = SPEECH_FOLDERS.iter().any(|folder| text.contains(folder))
                && !text.contains("/music/");
            let nature = if speech {
                Nature::Speech
            } else if size < SONG_BYTES {
                Nature::Effect
            } else {
                let length = match lengths.get(&path) {
                    Some(length) => Some(*length),
                    None => header_seconds(&path),
                };
                lengths.extend(length.map(|length| (path.clone(), length)));
                match length {
                    Some(seconds) if seconds >= SONG_SECONDS => Nature::Song,
                    Some(_) => Nature::Effect,
                    None => continue,
                }
            };
            found.push(Source { path, nature });
        }
    }
    if lengths.len() > known {
        fs::write(&remembered, serde_json::to_vec(&lengths)?)?;
    }
    if found.is_empty() {
        bail!(
            "`{}` has none of the {} sources of corpus/sources.tsv",
            corpus.display(),
            split.word()
        );
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Whether it is audio by its name.
fn is_audio(path: &Path) -> bool {
    let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    extension.is_some_and(|extension| {
        ["ogg", "oga", "mp3", "wav", "flac", "opus", "m4a"]
            .iter()
            .any(|one| extension == **one)
    })
}

/// Its length by its header; `None` for what has no known header.
fn header_seconds(path: &Path) -> Option<f64> {
    use std::process::Command;
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Stereo audio at [`RATE`], full scale at 1.0.
#[derive(Debug, Clone, Default)]
pub struct Stereo {
    /// The left channel.
    pub left: Vec<f32>,
    /// The right channel, as long as the left one.
    pub right: Vec<f32>,
}

impl Stereo {
    /// Decodes a file, `speed` times as fast.
    pub fn decode(path: &Path, speed: f64) -> Result<Self> {
        let mut ear = Collector::default();
        decode(path, &mut ear).with_context(|| format!("cannot decode `{}`", path.display()))?;
        let step = f64::from(ear.rate) / f64::from(RATE) * speed;
        Ok(Self {
            left: resampled(ear.planes.left, step),
            right: resampled(ear.planes.right, step),
        })
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self.left.len()
    }

    /// Without what is too quiet to be heard at both ends, and at most `longest` seconds: the middle
    /// goes where a track is longer, so that it begins and ends as it does.
    #[must_use]
    pub fn heard(self, longest: f64) -> Self {
        let mut heard = self.trimmed();
        for plane in [&mut heard.left, &mut heard.right] {
            shorten(plane, (longest * f64::from(RATE)) as usize);
        }
        heard
    }

    /// Without what is too quiet to be heard at both ends.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let mut windows = (0..self.frames()).step_by(WINDOW);
        let Some(first) = windows.find(|at| self.is_heard(*at)) else {
            return Self::default();
        };
        let last = windows.rfind(|at| self.is_heard(*at)).unwrap_or(first);
        for plane in [&mut self.left, &mut self.right] {
            plane.truncate(last + WINDOW);
            plane.drain(..first);
        }
        self
    }

    /// Whether the [`WINDOW`] from `at` on is loud enough to be heard.
    pub fn is_heard(&self, at: usize) -> bool {
        let range = at..(at + WINDOW).min(self.frames());
        let count = range.len().max(1) as f32;
        let squares = |plane: &[f32]| plane[range.clone()].iter().map(|s| s * s).sum::<f32>();
        (squares(&self.left) + squares(&self.right)) / (2.0 * count)
            > 10_f32.powf(HEARD_DBFS / 10.0)
    }

    /// Multiplies every sample.
    pub fn gain(&mut self, decibels: f32) {
        let factor = 10_f32.powf(decibels / 20.0);
        for sample in self.left.iter_mut().chain(&mut self.right) {
            *sample *= factor;
        }
    }

    /// Fades the first and the last seconds. What the fade leaves too quiet to be heard is still there.
    pub fn fade(&mut self, fade_in: f64, fade_out: f64, fade: Fade) {
        let length = self.frames();
        for plane in [&mut self.left, &mut self.right] {
            for (seconds, is_end) in [(fade_in, false), (fade_out, true)] {
                let frames = ((seconds * f64::from(RATE)) as usize).min(length / 2);
                for at in 0..frames {
                    let index = if is_end { length - 1 - at } else { at };
                    plane[index] *= fade.factor(at as f32 / frames as f32);
                }
            }
        }
    }

    /// Cuts off and returns what lies from frame `at` on.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        Self {
            left: self.left.split_off(at),
            right: self.right.split_off(at),
        }
    }

    /// Appends another.
    pub fn append(&mut self, other: &Self) {
        self.left.extend_from_slice(&other.left);
        self.right.extend_from_slice(&other.right);
    }

    /// Appends silence.
    pub fn pause(&mut self, seconds: f64) {
        let to = self.frames() + (seconds * f64::from(RATE)) as usize;
        self.left.resize(to, 0.0);
        self.right.resize(to, 0.0);
    }
}

/// How a fade goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fade {
    /// Linear in decibels down to -60 dB, as a fader is moved.
    Decibels,
    /// Linear in amplitude, as editors of sound have it.
    Amplitude,
}

impl Fade {
    /// What a sample is multiplied with, where 0 is the silent end of the fade and 1 its other one.
    fn factor(self, share: f32) -> f32 {
        match self {
            Self::Decibels => 10_f32.powf(-60.0 * (1.0 - share) / 20.0),
            Self::Amplitude => share,
        }
    }
}

/// Cuts the middle out of a plane that is longer than `longest`, with 50 ms of one over the other.
fn shorten(plane: &mut Vec<f32>, longest: usize) {
    let over = RATE as usize / 20;
    if plane.len() <= longest || longest < 4 * over {
        return;
    }
    let half = longest / 2;
    let tail = plane.split_off(plane.len() - half);
    plane.truncate(half + over);
    for at in 0..over {
        let share = at as f32 / over as f32;
        let mixed = plane[half + at] * (1.0 - share) + tail[at] * share;
        plane[half + at] = mixed;
    }
    plane.extend_from_slice(&tail[over..]);
}

/// Cubic interpolation: what it folds back lies 40 dB down, and only above 15 kHz.
fn resampled(plane: Vec<f32>, step: f64) -> Vec<f32> {
    if (step - 1.0).abs() < 1e-9 || plane.len() < 4 {
        return plane;
    }
    let length = ((plane.len() - 3) as f64 / step) as usize;
    (0..length)
        .map(|at| {
            let place = at as f64 * step;
            let (index, past) = (place as usize, place.fract() as f32);
            let around: [f32; 4] = std::array::from_fn(|offset| {
                plane[(index + offset).saturating_sub(1).min(plane.len() - 1)]
            });
            let [first, second, third, fourth] = around;
            let cubic = 3.0 * (second - third) + fourth - first;
            let square = 2.0 * first - 5.0 * second + 4.0 * third - fourth;
            second + 0.5 * past * (third - first + past * (square + past * cubic))
        })
        .collect()
}

#[derive(Default)]
struct Collector {
    rate: u32,
    planes: Stereo,
}

impl Listener for Collector {
    fn start(&mut self, info: &StreamInfo) {
        self.rate = info.sample_rate;
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        let right = block.planes.len().min(2) - 1;
        self.planes.left.extend_from_slice(block.planes[0]);
        self.planes.right.extend_from_slice(block.planes[right]);
        ControlFlow::Continue(())
    }
}

/// Sources of noise, for the tests of what is made of them.
#[cfg(test)]
pub(super) mod made {
    use testkit::synth::{noise, wav};

    use super::{Nature, Path, RATE, Result, Source};

    /// Nine songs of so many seconds that are one file, and as much speech and effects of `others` seconds.
    pub(in crate::cuts) fn sources(folder: &Path, songs: f64, others: f64) -> Result<Vec<Source>> {
        let (song, other) = (folder.join("a.wav"), folder.join("b.wav"));
        for (path, seconds) in [(&song, songs), (&other, others)] {
            wav::write(path, &noise(7, -24.0, seconds, RATE, 2), wav::Depth::Int16)?;
        }
        let of = |path: &Path, nature| Source {
            path: path.to_owned(),
            nature,
        };
        let three = [
            of(&song, Nature::Song),
            of(&other, Nature::Speech),
            of(&other, Nature::Effect),
        ];
        Ok(vec![three; 9].concat())
    }
}
