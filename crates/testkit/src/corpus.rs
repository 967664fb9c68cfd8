//! Folders full of audio: the fixture collection, and generated ones of any size.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::synth::wav::{Depth, Writer, write_tagged};
use crate::synth::{Pcm, Random, Song};

/// Returns the folder with the sample audio, its README and `golden.json`.
pub fn audio() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("audio")
}

/// Copies the sample collection into a new temporary folder, which goes when the value is dropped.
pub fn collection() -> io::Result<TempDir> {
    let folder = TempDir::new()?;
    copy(&audio().join("music"), folder.path())?;
    Ok(folder)
}

/// Copies the sample collection into `folder`, as `Artist/Album/NN Title.ext`, and returns the files' paths.
pub fn collection_into(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = copy(&audio().join("music"), folder)?;
    files.sort();
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(to)?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // Whoever tried the README's first command has a library in there.
        if entry.file_name().to_string_lossy().starts_with("wkmp.db") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(copy(&entry.path(), &target)?);
        } else {
            std::fs::copy(entry.path(), &target)?;
            files.push(target);
        }
    }
    Ok(files)
}

const RATE: u32 = 8_000;

/// Writes `count` different songs of `seconds` each as tagged WAV files (8 kHz, mono), twelve to an album.
///
/// Fast because the songs are cut from a few that are rendered once: every file has its own order of bars, hence its
/// own content and fingerprint, at the cost of a copy. The same `count` and `seconds` give the same files.
pub fn many(folder: &Path, count: usize, seconds: f64) -> io::Result<Vec<PathBuf>> {
    let bars = bars();
    (0..count)
        .map(|number| tiny(folder, number, seconds, &bars))
        .collect()
}

/// Returns some forty pieces of one second, out of five songs.
fn bars() -> Vec<Vec<f32>> {
    let songs = (0..5).map(|seed| Song::new(9_000 + seed, 10.0, RATE, 1).render());
    let second = RATE as usize;
    songs
        .flat_map(|song| {
            song.samples[second..9 * second]
                .chunks(second)
                .map(<[f32]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn tiny(folder: &Path, number: usize, seconds: f64, bars: &[Vec<f32>]) -> io::Result<PathBuf> {
    let (artist, album, track) = (number / 60 + 1, number / 12 + 1, number % 12 + 1);
    let folder = folder
        .join(format!("Artist {artist:03}"))
        .join(format!("Album {album:04}"));
    std::fs::create_dir_all(&folder)?;
    let mut random = Random::new(number as u64);
    let length = (seconds * f64::from(RATE)).round() as usize;
    let mut samples: Vec<f32> = Vec::with_capacity(length + RATE as usize);
    while samples.len() < length {
        samples.extend_from_slice(random.pick::<Vec<f32>>(bars));
    }
    samples.truncate(length);
    // A file of one bar would often equal another; its number in the first samples keeps them apart.
    for (bit, sample) in samples.iter_mut().take(24).enumerate() {
        *sample = f32::from((number >> bit & 1) as u8) / 8_192.0;
    }
    let path = folder.join(format!("{track:02} Song {number}.wav"));
    let pcm = Pcm {
        rate: RATE,
        channels: 1,
        samples,
    };
    let (title, artist, album) = (
        format!("Song {number}"),
        format!("Artist {artist}"),
        format!("Album {album}"),
    );
    let track = track.to_string();
    let info = [
        ("INAM", &*title),
        ("IART", &*artist),
        ("IPRD", &*album),
        ("IPRT", &*track),
        ("IFRM", "12"),
    ];
    write_tagged(&path, &pcm, Depth::Int16, &info)?;
    Ok(path)
}

/// Writes a WAV file (16 bits, mono) of any length by repeating one rendered minute: ten hours at 11,025 Hz are 794 MB.
pub fn long_wav(path: &Path, seed: u64, hours: f64, rate: u32) -> io::Result<()> {
    let minute = Song::new(seed, 60.0, rate, 1).render();
    let mut writer = Writer::create(path, rate, 1, Depth::Int16)?;
    writer.repeat(&minute, hours * 3600.0)?;
    writer.finish().map(drop)
}
