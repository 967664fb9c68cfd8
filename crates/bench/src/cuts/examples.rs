//! Recordings as they were heard: what the method sees, beside the truth.
//!
//! Hearing costs a thousand times as much as cutting, so what was heard is kept in a file, one JSON
//! object a line, and training and measuring read it as often as they like.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use audio::contour::Contour;
use audio::decode::{Block, Decoders, Listener, StreamInfo, decode};
use audio::fingerprint::Mono11k;
use audio::levels::Levels;
use audio::sound::Sound;
use audio::tags::Neighbours;
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::rips::{Label, Maker, Recording};
use super::tracks::{Nature, RATE, Stereo, find};
use crate::printer;

/// A recording, heard.
#[derive(Debug, Serialize, Deserialize)]
pub struct Example {
    /// How it was made.
    pub kind: Kind,
    /// Name and tags.
    pub label: Label,
    /// Where each gap begins and ends, in seconds.
    pub gaps: Vec<(f64, f64)>,
    /// Its length in seconds.
    pub seconds: f64,
    /// Its sample rate in Hz.
    pub rate: u32,
    /// Its frames.
    pub frames: u64,
    /// Plain levels every 20 ms, in hundredths of dBFS.
    pub levels: Vec<i16>,
    /// What boundaries are looked for in.
    pub contour: Contour,
}

impl Example {
    /// Hears a recording, through its codec if it has one.
    pub fn hear(recording: Recording) -> Result<Self> {
        let mut ear = Ear::default();
        if let Some(codec) = recording.codec {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("rip").with_extension(codec.2);
            encode(&recording.audio, codec, &path)?;
            decode(&path, &mut ear)?;
        } else {
            ear.begin(RATE, 2);
            let planes = recording
                .audio
                .left
                .chunks(4096)
                .zip(recording.audio.right.chunks(4096));
            for (left, right) in planes {
                let sixteen = |plane: &[f32]| -> Vec<f32> {
                    plane
                        .iter()
                        .map(|s| (s * 32_768.0).round() / 32_768.0)
                        .collect()
                };
                ear.hear(&[&sixteen(left), &sixteen(right)]);
            }
        }
        let (levels, sound) = ear.end();
        Ok(Self {
            kind: recording.kind,
            label: recording.label,
            gaps: recording.gaps,
            seconds: levels.frames() as f64 / f64::from(levels.sample_rate()),
            rate: levels.sample_rate(),
            frames: levels.frames(),
            levels: levels.dbfs().map(|dbfs| (dbfs * 100.0) as i16).collect(),
            contour: sound.contour().clone(),
        })
    }

    /// Hears a song as it lies in its folder.
    fn of_song(path: &Path) -> Result<Self> {
        let mut ear = Ear::default();
        decode(path, &mut ear)?;
        let (levels, sound) = ear.end();
        let read = audio::tags::read(path, &Neighbours::default(), &Decoders::default());
        let tags = read.unwrap_or_default().tags;
        let folder = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            kind: Kind::Single,
            label: Label {
                name: path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                neighbours: fs::read_dir(folder).map_or(1, Iterator::count),
                track: tags.track,
                track_total: tags.track_total,
            },
            gaps: Vec::new(),
            seconds: levels.frames() as f64 / f64::from(levels.sample_rate()),
            rate: levels.sample_rate(),
            frames: levels.frames(),
            levels: levels.dbfs().map(|dbfs| (dbfs * 100.0) as i16).collect(),
            contour: sound.contour().clone(),
        })
    }

    /// The plain levels.
    pub fn plain(&self) -> Levels {
        let squares = self
            .levels
            .iter()
            .map(|level| 10_f32.powf(f32::from(*level) / 1000.0));
        Levels::of(self.rate, self.frames, squares.collect())
    }
}

/// Encodes with ffmpeg.
fn encode(audio: &Stereo, codec: (&str, &str, &str), path: &Path) -> Result<()> {
    let mut child = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "s16le",
            "-ar",
            &RATE.to_string(),
            "-ac",
            "2",
            "-i",
            "-",
        ])
        .args(["-c:a", codec.0, "-b:a", codec.1, "-threads", "1", "-y"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start `ffmpeg`")?;
    {
        let mut out = BufWriter::new(child.stdin.take().context("ffmpeg has no input")?);
        let sixteen = |sample: &f32| ((sample * 32_768.0).round() as i16).to_le_bytes();
        for (left, right) in audio.left.iter().zip(&audio.right) {
            out.write_all(&sixteen(left))?;
            out.write_all(&sixteen(right))?;
        }
        out.flush()?;
    }
    let status = child.wait()?;
    ensure!(
        status.success(),
        "ffmpeg cannot encode with `{}`: {status}",
        codec.0
    );
    Ok(())
}

/// What is heard of a recording.
#[derive(Default)]
pub struct Ear(Option<(Levels, Sound, Mono11k, Vec<i16>)>);

impl Ear {
    /// Begins with audio of this rate.
    pub fn begin(&mut self, rate: u32, channels: u16) {
        self.0 = Some((
            Levels::new(rate),
            Sound::new(rate, channels),
            Mono11k::new(rate, channels),
            Vec::new(),
        ));
    }

    /// Takes in the next samples.
    pub fn hear(&mut self, planes: &[&[f32]]) {
        if let Some((levels, sound, mono, samples)) = &mut self.0 {
            levels.push(planes);
            sound.push(planes);
            samples.clear();
            mono.push(planes, samples);
            sound.push_mono(samples);
        }
    }

    /// What was heard.
    pub fn end(self) -> (Levels, Sound) {
        let (mut levels, mut sound) = match self.0 {
            Some((levels, sound, ..)) => (levels, sound),
            None => (Levels::new(RATE), Sound::new(RATE, 2)),
        };
        levels.finish();
        sound.finish();
        (levels, sound)
    }
}

impl Listener for Ear {
    fn start(&mut self, info: &StreamInfo) {
        self.begin(info.sample_rate, info.channels);
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        self.hear(block.planes);
        ControlFlow::Continue(())
    }
}

/// Makes and hears recordings of every kind and appends them to a file, or hears every song by itself.
pub fn collect(plan: &super::Corpus) -> Result<()> {
    let sources = find(&plan.folder, plan.split)?;
    let mut out = BufWriter::new(File::options().create(true).append(true).open(&plan.out)?);
    let mut keep = |example: &Example| -> Result<()> {
        writeln!(out, "{}", serde_json::to_string(example)?)?;
        out.flush()?;
        Ok(())
    };
    if plan.singles {
        let songs = sources
            .iter()
            .filter(|source| source.nature == Nature::Song);
        for song in songs {
            match Example::of_song(&song.path) {
                Ok(example) => keep(&example)?,
                // Some files are of a kind that is not decoded.
                Err(error) => printer::note(&format!("{}: {error:#}", song.path.display())),
            }
        }
        return Ok(());
    }
    let wanted =
        |kind: &Kind| plan.kinds.is_empty() || plan.kinds.iter().any(|one| *one == kind.word());
    for round in 0..plan.each as u64 {
        for kind in Kind::ALL.into_iter().filter(wanted) {
            // Every recording has a seed of its own, so that it does not depend on the others.
            let seed = plan.seed * 1_000_003 + round * 1009 + kind as u64;
            keep(&Example::hear(Maker::new(&sources, seed)?.make(kind)?)?)?;
            printer::note(&format!("{} of {}: {}", round + 1, plan.each, kind.name()));
        }
    }
    Ok(())
}

/// Reads what was collected, one recording at a time.
pub fn read(path: &Path, mut each: impl FnMut(Example)) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    for line in BufReader::new(file).lines() {
        each(serde_json::from_str(&line?).context("a line that `cuts hear` did not write")?);
    }
    Ok(())
}
