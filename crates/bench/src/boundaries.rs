//! How right files are cut: real tracks joined to album rips, and the same tracks by themselves.
//!
//! A rip is six tracks of one sample rate, mixed to mono, each without the digital
//! silence around it, two seconds apart. What lies over everything is the medium:
//! nothing, a record's noise at -55 dBFS, or a tape's hiss at -50 dBFS. A boundary
//! is right where the next passage begins within half a second of its track.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use audio::contour::Contour;
use audio::decode::Decoders;
use audio::decode::{Block, Listener, StreamInfo, decode};
use audio::levels::Levels;
use audio::segment::{Clues, SilenceSettings, segment};
use audio::tags::Neighbours;
use fastrand::Rng;
use music::intake::scan::scan;
use music::library::values::ScannedFile;
use run::Cancel;

use crate::cuts::examples::Ear;
use crate::cuts::measure::NEAR_SECONDS;
use crate::printer;
use crate::table::Table;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A folder of tracks, each a file.
    pub folder: PathBuf,
    /// Rips of each medium.
    pub rips: usize,
    /// The number that the choice of tracks, and the noise, is a function of.
    pub seed: u64,
}

/// Tracks of a rip.
const TRACKS: usize = 6;

/// Silence between two tracks, in seconds.
const GAP_SECONDS: f64 = 2.0;

/// Only tracks this long are joined, in seconds.
const TRACK_SECONDS: std::ops::RangeInclusive<f64> = 60.0..=400.0;

/// What lies over a rip.
#[derive(Debug, Clone, Copy)]
enum Medium {
    Digital,
    Vinyl,
    Tape,
}

impl Medium {
    const ALL: [Self; 3] = [Self::Digital, Self::Vinyl, Self::Tape];

    const fn name(self) -> &'static str {
        match self {
            Self::Digital => "digital silence",
            Self::Vinyl => "vinyl, noise at -55 dBFS",
            Self::Tape => "tape, hiss at -50 dBFS",
        }
    }
}

/// The noise of a medium, sample by sample.
struct Noise {
    medium: Medium,
    rng: Rng,
    last: f32,
}

impl Noise {
    fn next(&mut self) -> f32 {
        // Three uniform numbers make a bell; each has a variance of a twelfth.
        let white = (0..3).map(|_| self.rng.f32() - 0.5).sum::<f32>() * 2.0;
        match self.medium {
            Medium::Digital => 0.0,
            Medium::Vinyl => {
                let tick = self.rng.u32(..44_100) == 0;
                white * 0.001_778 + if tick { 0.01 } else { 0.0 }
            }
            Medium::Tape => {
                // The highest octave is lost on the way.
                self.last += 0.6 * (white - self.last);
                self.last * 0.003_162 * 1.53
            }
        }
    }
}

/// What came out of the rips of one medium.
#[derive(Debug, Default)]
struct Score {
    boundaries: usize,
    near: usize,
    invented: usize,
    worst_seconds: f64,
}

/// Measures and prints.
pub fn run(plan: &Plan) -> Result<()> {
    let files = scan(&plan.folder, &plan.folder, &Cancel::new())?.files;
    let tracks: Vec<_> = files.iter().filter_map(Track::of).collect();
    let rate = usual_rate(&tracks);
    let songs: Vec<_> = tracks
        .iter()
        .filter(|track| track.rate == rate && TRACK_SECONDS.contains(&track.seconds()))
        .collect();
    ensure!(
        songs.len() >= TRACKS,
        "{} has no {TRACKS} tracks of {} to {} s of one sample rate",
        plan.folder.display(),
        TRACK_SECONDS.start(),
        TRACK_SECONDS.end()
    );
    let mut table = Table::new(&[
        "rips over",
        "boundaries",
        "within 0.5 s",
        "invented",
        "worst s",
    ]);
    let mut rng = Rng::with_seed(plan.seed);
    for medium in Medium::ALL {
        let mut score = Score::default();
        for _ in 0..plan.rips {
            let chosen = rng.choose_multiple(songs.iter(), TRACKS);
            rip(&chosen, medium, rng.fork(), &mut score);
        }
        table.row([
            medium.name().to_owned(),
            score.boundaries.to_string(),
            share(score.near, score.boundaries),
            share(score.invented, score.boundaries),
            format!("{:.2}", score.worst_seconds),
        ]);
    }
    printer::result(&table.to_string());
    let counts: Vec<_> = tracks.iter().map(Track::passages).collect();
    let with_sound = counts.iter().filter(|count| **count > 0).count();
    let whole = counts.iter().filter(|count| **count == 1).count();
    printer::result(&format!(
        "{whole} of {with_sound} tracks by themselves are one passage each"
    ));
    Ok(())
}

fn share(part: usize, whole: usize) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    format!("{part} ({percent:.1} %)")
}

/// A track, measured once.
struct Track {
    path: PathBuf,
    name: String,
    neighbours: usize,
    rate: u32,
    levels: Levels,
    contour: Contour,
}

impl Track {
    /// `None` when it cannot be decoded.
    fn of(file: &ScannedFile) -> Option<Self> {
        let mut ear = Ear::default();
        let decoded = decode(file.absolute(), &mut ear).ok()?;
        let (levels, sound) = ear.end();
        let path = file.absolute().to_owned();
        let folder = path.parent().unwrap_or(Path::new("."));
        Some(Self {
            name: path.file_stem()?.to_string_lossy().into_owned(),
            neighbours: fs::read_dir(folder).map_or(1, Iterator::count),
            rate: decoded.info.sample_rate,
            contour: sound.contour().clone(),
            levels,
            path,
        })
    }

    fn seconds(&self) -> f64 {
        self.levels.frames() as f64 / f64::from(self.rate)
    }

    /// Passages of the file by itself; none of a moment's noise.
    fn passages(&self) -> usize {
        let read = audio::tags::read(&self.path, &Neighbours::default(), &Decoders::default());
        let tags = read.unwrap_or_default().tags;
        let clues = Clues {
            name: &self.name,
            neighbours: self.neighbours,
            track: tags.track,
            track_total: tags.track_total,
            ..Clues::default()
        };
        let found = segment(
            &self.levels,
            &self.contour,
            &clues,
            None,
            &SilenceSettings::default(),
        );
        let count = found.spans.len();
        if count > 1 {
            printer::note(&format!("{}: {count} passages", self.path.display()));
        }
        count
    }

    /// Its samples, mixed to mono, without digital silence around them.
    fn samples(&self) -> Vec<f32> {
        let mut mixer = Mixer(Vec::new());
        // It was decoded before; what fails now is a shorter track.
        let _ = decode(&self.path, &mut mixer);
        let heard = |sample: &f32| sample.abs() >= 1e-3;
        let samples = mixer.0;
        let from = samples.iter().position(heard).unwrap_or(0);
        let to = samples.iter().rposition(heard).map_or(0, |last| last + 1);
        samples[from..to.max(from)].to_vec()
    }
}

/// The sample rate that most tracks have.
fn usual_rate(tracks: &[Track]) -> u32 {
    let count = |rate: u32| tracks.iter().filter(|track| track.rate == rate).count();
    let rates = tracks.iter().map(|track| track.rate);
    rates.max_by_key(|rate| count(*rate)).unwrap_or(44_100)
}

/// Joins tracks, cuts them again and adds to the score.
fn rip(tracks: &[&&Track], medium: Medium, rng: Rng, score: &mut Score) {
    let rate = tracks[0].rate;
    let mut noise = Noise {
        medium,
        rng,
        last: 0.0,
    };
    let mut ear = Ear::default();
    ear.begin(rate, 1);
    let mut frames = 0;
    let mut starts = Vec::new();
    for (at, track) in tracks.iter().enumerate() {
        if at > 0 {
            let gap: Vec<f32> = (0..(GAP_SECONDS * f64::from(rate)) as usize)
                .map(|_| noise.next())
                .collect();
            ear.hear(&[&gap]);
            frames += gap.len() as u64;
            starts.push(frames);
        }
        let mut samples = track.samples();
        for sample in &mut samples {
            *sample += noise.next();
        }
        ear.hear(&[&samples]);
        frames += samples.len() as u64;
    }
    let (levels, sound) = ear.end();
    let clues = Clues {
        name: "Side A",
        neighbours: 1,
        ..Clues::default()
    };
    let found = segment(
        &levels,
        sound.contour(),
        &clues,
        None,
        &SilenceSettings::default(),
    );
    let cuts: Vec<_> = found.spans.iter().skip(1).map(|span| span.start).collect();
    let nearest = |to: u64, among: &[u64]| {
        let distances = among.iter().map(|one| one.abs_diff(to));
        distances
            .min()
            .map_or(f64::INFINITY, |frames| frames as f64 / f64::from(rate))
    };
    let off: Vec<_> = starts.iter().map(|start| nearest(*start, &cuts)).collect();
    score.boundaries += starts.len();
    score.near += off.iter().filter(|off| **off <= NEAR_SECONDS).count();
    score.worst_seconds = off.iter().copied().fold(score.worst_seconds, f64::max);
    for (at, off) in off
        .iter()
        .enumerate()
        .filter(|(_, off)| **off > NEAR_SECONDS)
    {
        printer::note(&format!(
            "{}: {} begins {off:.2} s off",
            medium.name(),
            tracks[at + 1].name
        ));
    }
    // What is near a gap is that gap's cut, if a poor one.
    let invented = cuts.iter().filter(|cut| nearest(**cut, &starts) > 5.0);
    for cut in invented {
        let seconds = *cut as f64 / f64::from(rate);
        let begun = starts.iter().filter(|start| **start < *cut).count();
        printer::note(&format!(
            "{}: {} is cut at {seconds:.1} s of the rip",
            medium.name(),
            tracks[begun].name
        ));
        score.invented += 1;
    }
}

struct Mixer(Vec<f32>);

impl Listener for Mixer {
    fn start(&mut self, _info: &StreamInfo) {}

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        let share = 1.0 / block.planes.len().max(1) as f32;
        self.0.extend((0..block.frames()).map(|at| {
            let sum: f32 = block.planes.iter().map(|plane| plane[at]).sum();
            sum * share
        }));
        ControlFlow::Continue(())
    }
}
