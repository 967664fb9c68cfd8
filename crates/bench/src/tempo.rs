//! Tempo and key against a known truth: songs that are made here, annotated files, and shifted copies of any tracks.

pub mod annotations;
pub mod fit;
pub mod measure;
pub mod midi;
pub mod render;
pub mod song;
pub mod styles;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::cuts::tracks::Split;
use crate::printer;
use annotations::Annotated;
use measure::{Heard, Shift, report};
use render::Renderer;
use song::Song;
use styles::STYLES;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A list of annotated files; songs are made without one.
    pub annotations: Option<PathBuf>,
    /// A folder of tracks of which nothing is known: only shifted copies of each are compared.
    pub folder: Option<PathBuf>,
    /// Made songs of each style.
    pub songs: usize,
    /// Whose patterns and sound font the made songs have.
    pub split: Split,
    /// The number that everything is a function of.
    pub seed: u64,
    /// Where made songs and their truth are kept.
    pub keep: Option<PathBuf>,
    /// The sound font, instead of the first that is found.
    pub font: Option<PathBuf>,
    /// Tell every file that is not all right.
    pub tell: bool,
}

/// A key: its tonic, 0 for C, and its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// 0 for C, 11 for B.
    pub tonic: u8,
    /// Minor instead of major.
    pub minor: bool,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// In beats a minute.
    pub bpm: Option<f64>,
    /// Its key.
    pub key: Option<Key>,
    /// What it is reported under.
    pub style: String,
}

/// Measures and prints a table.
pub fn run(plan: &Plan) -> Result<()> {
    let (heard, shifts) = if let Some(list) = &plan.annotations {
        annotated(plan, list)?
    } else if let Some(folder) = &plan.folder {
        (Vec::new(), of_folder(folder, plan.seed)?)
    } else {
        made(plan)?
    };
    if plan.tell {
        for one in heard.iter().filter(|one| !one.is_right()) {
            printer::result(&one.to_string());
        }
        for one in shifts.iter().filter(|one| !one.is_right()) {
            printer::result(&one.to_string());
        }
    }
    report(&heard, &shifts);
    Ok(())
}

/// Makes songs of every style, each once more some semitones away, and hears them.
fn made(plan: &Plan) -> Result<(Vec<Heard>, Vec<Shift>)> {
    let renderer = Renderer::find(plan.font.as_deref(), plan.split)?;
    let scratch = tempfile::tempdir()?;
    let folder = plan.keep.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(folder)?;
    let mut list = BufWriter::new(File::create(folder.join("truth.csv"))?);
    writeln!(list, "path,bpm,key,style")?;
    let (mut heard, mut shifts) = (Vec::new(), Vec::new());
    for (number, style) in STYLES.iter().enumerate() {
        for round in 0..plan.songs {
            let seed = plan.seed * 1_000_003 + round as u64 * 1009 + number as u64;
            let song = Song::make(style, plan.split, seed);
            let name = format!("{}-{seed}.mid", style.name);
            let path = folder.join(&name);
            std::fs::write(&path, song.midi(0))?;
            let truth = song.truth();
            writeln!(list, "{name},{}", annotations::line(&truth))?;
            let flavor = renderer.hear(&path, 1.0)?;
            let semitones = i32::from(seed.is_multiple_of(2)) * -6 + 1 + (seed % 5) as i32;
            let other = folder.join(format!("shifted-{name}"));
            std::fs::write(&other, song.midi(semitones))?;
            let there = renderer.hear(&other, 1.0)?;
            std::fs::remove_file(&other)?;
            shifts.push(Shift::of(name.clone(), semitones, 1.0, &flavor, &there));
            heard.push(Heard::of(name, truth, &flavor));
        }
    }
    Ok((heard, shifts))
}

/// Hears annotated files, and each once more played faster or slower.
fn annotated(plan: &Plan, list: &Path) -> Result<(Vec<Heard>, Vec<Shift>)> {
    let files = annotations::read(list)?;
    let renderer = Renderer::of(&files, plan.font.as_deref(), plan.split)?;
    let (mut heard, mut shifts) = (Vec::new(), Vec::new());
    for (number, Annotated { path, truth }) in files.into_iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let outcome = renderer.hear(&path, 1.0).and_then(|flavor| {
            let semitones = semitones(plan.seed + number as u64);
            let speed = 2_f64.powf(f64::from(semitones) / 12.0);
            let there = renderer.hear(&path, speed)?;
            Ok((
                Shift::of(name.to_string(), semitones, speed, &flavor, &there),
                flavor,
            ))
        });
        match outcome {
            Ok((shift, flavor)) => {
                shifts.push(shift);
                heard.push(Heard::of(name.to_string(), truth, &flavor));
            }
            Err(error) => printer::note(&format!("{}: {error:#}", path.display())),
        }
    }
    ensure!(
        !heard.is_empty(),
        "no file of `{}` was heard",
        list.display()
    );
    Ok((heard, shifts))
}

/// Hears every track of a folder as it is, and played faster or slower and out of tune.
fn of_folder(folder: &Path, seed: u64) -> Result<Vec<Shift>> {
    let renderer = Renderer::without();
    let mut shifts = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let semitones = semitones(seed + shifts.len() as u64);
        // Up to 40 cents away from the semitone: a tape or a turntable that runs a little too fast.
        let cents = fastrand::Rng::with_seed(seed + shifts.len() as u64).i32(-40..=40);
        let speed = 2_f64.powf((f64::from(semitones) + f64::from(cents) / 100.0) / 12.0);
        let Ok(flavor) = renderer.hear(entry.path(), 1.0) else {
            continue;
        };
        let there = renderer.hear(entry.path(), speed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        shifts.push(Shift::of(name, semitones, speed, &flavor, &there));
    }
    ensure!(!shifts.is_empty(), "`{}` has no tracks", folder.display());
    Ok(shifts)
}

/// How far a copy is shifted: one to three semitones up or down, never none.
fn semitones(seed: u64) -> i32 {
    let up = fastrand::Rng::with_seed(seed).i32(1..=3);
    if seed.is_multiple_of(2) { up } else { -up }
}
