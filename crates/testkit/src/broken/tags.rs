//! Wrong names, copy protection, and tags of enormous size.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use super::{Broken, Expect, Maker, broken, find, good};
use crate::synth::Random;

/// A valid picture of one grey pixel.
const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\
    \x00\x00\x00\x0aIDATx\x9cch\x00\x00\x00\x82\x00\x81w\xcdr\xb6\x00\x00\x00\x00IEND\xaeB`\x82";

pub(super) fn misnamed(maker: &Maker) -> io::Result<Vec<Broken>> {
    let text = "Not a sound, only words.\n".repeat(200);
    Ok(vec![
        maker.file(
            "flac inside.mp3",
            &good("flac")?,
            Expect::Sound,
            "is FLAC under the extension of MP3",
        )?,
        maker.file(
            "wav inside.ogg",
            &good("wav")?,
            Expect::Sound,
            "is WAV under the extension of Ogg",
        )?,
        maker.file(
            "mp3 inside.m4a",
            &good("mp3")?,
            Expect::Sound,
            "is MP3 under the extension of MP4",
        )?,
        maker.file("picture.flac", PNG, Expect::Nothing, "is a PNG picture")?,
        maker.file(
            "words.ogg",
            text.as_bytes(),
            Expect::Nothing,
            "is plain text",
        )?,
        maker.file(
            "song without extension",
            &good("mp3")?,
            Expect::Either,
            "is MP3 without an extension",
        )?,
        protected(maker)?,
    ])
}

/// What the old iTunes store sold: an MP4 whose sample entry says `drms`.
fn protected(maker: &Maker) -> io::Result<Broken> {
    let mut bytes = good("m4a")?;
    let table = find(&bytes, b"stsd")?;
    let entry = table + find(&bytes[table..], b"mp4a")?;
    bytes[entry..entry + 4].copy_from_slice(b"drms");
    // Whoever does not mind the word finds no sound either, as in a real one.
    let data = find(&bytes, b"mdat")?;
    let size = u32::from_be_bytes([
        bytes[data - 4],
        bytes[data - 3],
        bytes[data - 2],
        bytes[data - 1],
    ]) as usize;
    Random::new(1).fill(&mut bytes[data + 4..data - 4 + size]);
    maker.file(
        "protected.m4a",
        &bytes,
        Expect::Nothing,
        "is copy protected: its sample entry is `drms`",
    )
}

const MEGABYTE: usize = 1 << 20;

pub(super) fn tags(maker: &Maker) -> io::Result<Vec<Broken>> {
    let audio = good("mp3")?;
    let audio = &audio[after_tag(&audio)..];
    let claim = [id3(200 * MEGABYTE), audio.to_vec()].concat();
    let cut = [id3(200 * MEGABYTE), b"TIT2".to_vec()].concat();
    let zero = [id3(0), audio.to_vec()].concat();
    Ok(vec![
        huge(maker, audio)?,
        maker.file(
            "tag claims 200 MB.mp3",
            &claim,
            Expect::Either,
            "its ID3v2 tag claims 200 MB, but the file is 96 kB",
        )?,
        maker.file(
            "only a tag header.mp3",
            &cut,
            Expect::Nothing,
            "its ID3v2 tag claims 200 MB, but the file ends at once",
        )?,
        maker.file(
            "empty tag.mp3",
            &zero,
            Expect::Sound,
            "its ID3v2 tag is empty, which is odd but allowed",
        )?,
    ])
}

/// A valid tag of 50 MB (one private frame, a hole on disk) and valid audio behind it.
fn huge(maker: &Maker, audio: &[u8]) -> io::Result<Broken> {
    let path = maker.path("tag of 50 MB.mp3");
    let mut file = File::create(&path)?;
    let size = 50 * MEGABYTE;
    file.write_all(&id3(size))?;
    file.write_all(b"PRIV")?;
    file.write_all(&synchsafe(size - 10))?;
    file.write_all(&[0, 0])?;
    file.write_all(b"testkit\0")?;
    file.seek(SeekFrom::Start(10 + size as u64))?;
    file.write_all(audio)?;
    Ok(broken(
        path,
        Expect::Sound,
        "has a valid ID3v2 tag of 50 MB before the audio",
    ))
}

/// Returns the ten bytes that begin an ID3v2.4 tag of `size` bytes.
fn id3(size: usize) -> Vec<u8> {
    let mut out = b"ID3\x04\0\0".to_vec();
    out.extend_from_slice(&synchsafe(size));
    out
}

fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8)
}

/// Returns where the audio begins behind the tag that opens a file.
fn after_tag(file: &[u8]) -> usize {
    10 + file[6..10]
        .iter()
        .fold(0, |size, byte| size << 7 | usize::from(*byte))
}
