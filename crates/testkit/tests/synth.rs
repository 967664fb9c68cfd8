//! The generated sound is what it says it is.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;

use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::Accessor;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::corpus;
use testkit::synth::wav::{Depth, Writer, write};
use testkit::synth::{Pcm, Song, aiff, concatenate, noise, silence, tone};

fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    (sum / samples.len() as f64).sqrt()
}

fn dbfs(value: f64) -> f64 {
    20.0 * value.log10()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_song_is_its_seed() {
    let song = |seed| Song::new(seed, 5.0, 8_000, 2).render();
    let first = song(1);
    assert_eq!(first, song(1));
    assert_ne!(first, song(2));
    assert_eq!((first.frames(), first.samples.len()), (40_000, 80_000));
    let peak = first
        .samples
        .iter()
        .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert!((0.1..0.71).contains(&peak), "peak {peak}");
    let middle = dbfs(rms(&first.samples[20_000..40_000]));
    assert!((-30.0..-6.0).contains(&middle), "level {middle}");
    let (left, right): (Vec<f32>, Vec<f32>) = first
        .samples
        .chunks(2)
        .map(|frame| (frame[0], frame[1]))
        .unzip();
    assert_ne!(left, right);
}

/// When this fails on some machine only, the sound is not the same everywhere, and golden files are worth nothing.
#[test]
fn a_song_never_changes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("song.wav");
    write(&path, &Song::new(7, 6.0, 11_025, 2).render(), Depth::Int16).unwrap();
    let found = hash(&std::fs::read(path).unwrap());
    assert_eq!(
        found,
        "dd1765f618069d71a791f2cfbc1511f7c56e3f323e92cd3d244cae0469f33d8b"
    );
}

#[test]
fn levels_are_exact() {
    assert!((dbfs(rms(&noise(3, -40.0, 2.0, 8_000, 1).samples)) + 40.0).abs() < 0.1);
    let sine = tone(440.0, -6.0, 1.0, 44_100, 2);
    assert!((dbfs(rms(&sine.samples)) + 9.01).abs() < 0.05);
    let crossings = sine.samples.chunks(2).zip(sine.samples.chunks(2).skip(1));
    let crossings = crossings
        .filter(|(before, after)| before[0] < 0.0 && after[0] >= 0.0)
        .count();
    assert!((439..=440).contains(&crossings), "{crossings} Hz");
    assert!(
        silence(1.0, 8_000, 1)
            .samples
            .iter()
            .all(|sample| *sample == 0.0)
    );
}

#[test]
fn gaps_lie_between_pieces_only() {
    let piece = |hertz| tone(hertz, -6.0, 1.0, 1_000, 1);
    let whole = concatenate(&[piece(100.0), piece(50.0), piece(100.0)], 0.5);
    assert_eq!(whole.frames(), 4_000);
    assert!(
        whole.samples[1_000..1_500]
            .iter()
            .all(|sample| *sample == 0.0)
    );
    assert!(rms(&whole.samples[1_500..2_500]) > 0.3);
}

fn length_and_rate(path: &Path) -> (u128, Option<u32>, Option<u8>, Option<u8>) {
    let file = lofty::read_from_path(path).unwrap();
    let facts = file.properties();
    (
        facts.duration().as_millis(),
        facts.sample_rate(),
        facts.channels(),
        facts.bit_depth(),
    )
}

#[test]
fn another_reader_understands_the_files() {
    let folder = TempDir::new().unwrap();
    let pcm = Song::new(4, 1.5, 22_050, 2).render();
    for (depth, bits) in [(Depth::Int16, 16), (Depth::Int24, 24), (Depth::Float32, 32)] {
        let path = folder.path().join("song.wav");
        write(&path, &pcm, depth).unwrap();
        assert_eq!(
            length_and_rate(&path),
            (1_500, Some(22_050), Some(2), Some(bits))
        );
    }
    let path = folder.path().join("song.aiff");
    aiff::write(&path, &pcm).unwrap();
    assert_eq!(
        length_and_rate(&path),
        (1_500, Some(22_050), Some(2), Some(16))
    );
}

#[test]
fn silence_in_a_stream_is_a_hole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.wav");
    let second = tone(200.0, -6.0, 1.0, 8_000, 1);
    let mut writer = Writer::create(&path, 8_000, 1, Depth::Int16).unwrap();
    writer.repeat(&second, 2.5).unwrap();
    writer.write_silence(8_000 * 3_600).unwrap();
    writer.write(&second.samples).unwrap();
    assert_eq!(writer.finish().unwrap(), 8_000 * 3_603 + 4_000);
    assert_eq!(length_and_rate(&path).0, 3_603_500);
    let bytes = std::fs::read(&path).unwrap();
    assert!(
        bytes[44 + 40_000..44 + 40_000 + 57_600_000]
            .iter()
            .all(|byte| *byte == 0)
    );
    assert_eq!(bytes[44..16_044], bytes[bytes.len() - 16_000..]);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        assert!(
            path.metadata().unwrap().blocks() * 512 < 10_000_000,
            "the silence takes disk space"
        );
    }
}

#[test]
fn many_files_are_all_different() {
    let folder = TempDir::new().unwrap();
    let files = corpus::many(folder.path(), 200, 1.0).unwrap();
    let hashes: BTreeSet<String> = files
        .iter()
        .map(|path| hash(&std::fs::read(path).unwrap()))
        .collect();
    assert_eq!((files.len(), hashes.len()), (200, 200));
    let again = TempDir::new().unwrap();
    let same = corpus::many(again.path(), 3, 1.0).unwrap();
    assert_eq!(
        std::fs::read(&same[2]).unwrap(),
        std::fs::read(&files[2]).unwrap()
    );
    let tagged = lofty::read_from_path(&files[13]).unwrap();
    let tag = tagged.first_tag().unwrap();
    assert_eq!(
        (tag.title().as_deref(), tag.artist().as_deref()),
        (Some("Song 13"), Some("Artist 1"))
    );
    assert_eq!(
        (tag.album().as_deref(), tag.track()),
        (Some("Album 2"), Some(2))
    );
}

#[test]
fn a_long_file_is_as_long_as_asked() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.wav");
    corpus::long_wav(&path, 5, 0.25, 8_000).unwrap();
    assert_eq!(
        length_and_rate(&path),
        (900_000, Some(8_000), Some(1), Some(16))
    );
}

#[test]
fn the_clip_ends_at_full_scale() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("loud.wav");
    let loud = Pcm {
        rate: 8_000,
        channels: 1,
        samples: vec![2.0, -2.0],
    };
    write(&path, &loud, Depth::Int16).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap()[44..],
        [0xff, 0x7f, 0x00, 0x80]
    );
}
