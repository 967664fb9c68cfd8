//! Writes the raw songs that `audio/make.sh` encodes, and adds the tags that ffmpeg cannot write.
//!
//! `raw_audio songs DIR` makes the WAV files; `raw_audio ids FILE ID..` adds MusicBrainz ids and an ISRC in the way taggers store
//! them (`UFID` in ID3, free-form atoms in MP4).

use std::path::Path;

use lofty::config::WriteOptions;
use lofty::file::TaggedFileExt;
use lofty::tag::{ItemKey, TagExt};
use testkit::synth::wav::{Depth, write};
use testkit::synth::{Song, concatenate};

/// Name, seed, seconds, rate, channels.
const SONGS: [(&str, u64, f64, u32, u16); 10] = [
    ("mp3-vbr", 101, 26.0, 44_100, 2),
    ("mp3-cbr", 102, 24.0, 32_000, 1),
    ("flac", 103, 25.0, 11_025, 1),
    ("vorbis", 104, 26.0, 22_050, 2),
    ("opus", 105, 24.0, 48_000, 2),
    ("aac", 106, 25.0, 44_100, 2),
    ("alac", 107, 18.0, 8_000, 1),
    ("adts", 108, 24.0, 44_100, 1),
    ("wav", 109, 11.0, 11_025, 1),
    ("aiff", 110, 11.0, 8_000, 1),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((word, [folder])) if word == "songs" => songs(Path::new(folder)),
        Some((word, [file, texts @ ..])) if word == "ids" => ids(Path::new(file), texts),
        _ => Err(
            "usage: raw_audio songs DIR | raw_audio ids FILE RECORDING RELEASE ARTIST ISRC".into(),
        ),
    }
}

fn songs(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for (name, seed, seconds, rate, channels) in SONGS {
        // Half the level saves a bit of every sample that is stored without loss.
        let pcm = Song::new(seed, seconds, rate, channels)
            .render()
            .scaled(0.5);
        write(&folder.join(name).with_extension("wav"), &pcm, Depth::Int16)?;
    }
    let tracks: Vec<_> = [(201, 26.0), (202, 23.0), (203, 24.5)]
        .map(|(seed, seconds)| Song::new(seed, seconds, 11_025, 1).render())
        .into();
    write(
        &folder.join("album.wav"),
        &concatenate(&tracks, 2.0),
        Depth::Int16,
    )?;
    Ok(())
}

/// Adds ids that nobody has: the make script invented them, and the ISRC's country code is given to no country.
fn ids(file: &Path, texts: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [recording, release, artist, isrc] = texts else {
        return Err("usage: raw_audio ids FILE RECORDING RELEASE ARTIST ISRC".into());
    };
    let mut tagged = lofty::read_from_path(file)?;
    let tag = tagged
        .primary_tag_mut()
        .ok_or("the file has no tag to add to")?;
    for (key, value) in [
        (ItemKey::MusicBrainzRecordingId, recording),
        (ItemKey::MusicBrainzReleaseId, release),
        (ItemKey::MusicBrainzArtistId, artist),
        (ItemKey::Isrc, isrc),
    ] {
        tag.insert_text(key, value.clone());
    }
    tag.save_to_path(file, WriteOptions::default())?;
    Ok(())
}
