//! Decodes files that are cut, damaged, joined, padded, or lie about themselves.
//!
//! The rules: what can be heard is heard, what is missing is noted, and nothing panics, hangs or takes
//! memory because a header says so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use audio::decode::{Block, DecodeError, Decoded, Decoders, Listener, StreamInfo, decode};
use audio::marks::{Beside, Known};
use audio::tags::Neighbours;
use proptest::prelude::*;
use testkit::broken::{self, Expect};

const MP3: &str = "Harbour Lights/Tides/03 Mono Radio.mp3";
const FLAC: &str = "Harbour Lights/Tides/02 Northern Pier.flac";
const VORBIS: &str = "Ночной Трамвай/Кольцо/01 Последняя остановка.ogg";
const OPUS: &str = "Ночной Трамвай/Кольцо/02 Снег на рельсах.opus";
const AAC_MP4: &str = "雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a";
const ALAC: &str = "雨の駅/Ästhetik & Übermut/2-02 Señal Perdida.m4a";
const ADTS: &str = "Various Artists/Café Sessions/07 Tiny Room.aac";
const WAV: &str = "Various Artists/Café Sessions/08 Espresso.wav";
const AIFF: &str = "Various Artists/Café Sessions/09 Last Orders.aiff";
const ALL: [&str; 9] = [MP3, FLAC, VORBIS, OPUS, AAC_MP4, ALAC, ADTS, WAV, AIFF];

struct Counter(u64);

impl Listener for Counter {
    fn start(&mut self, info: &StreamInfo) {
        assert!((1..=8).contains(&info.channels));
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        assert_eq!(block.start, self.0);
        assert!(
            block
                .planes
                .iter()
                .all(|plane| plane.len() == block.frames())
        );
        self.0 += block.frames() as u64;
        ControlFlow::Continue(())
    }
}

fn decode_path(path: &Path) -> Result<Decoded, DecodeError> {
    let mut counter = Counter(0);
    let decoded = decode(path, &mut counter)?;
    assert_eq!(decoded.frames, counter.0);
    Ok(decoded)
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(testkit::corpus::audio().join("music").join(name)).unwrap()
}

fn decode_bytes(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    decode_path(file.path())
}

fn whole(name: &str) -> u64 {
    decode_bytes(&sample(name)).unwrap().frames
}

#[test]
fn a_cut_file_is_heard_up_to_the_cut_and_noted() {
    for name in [MP3, FLAC, VORBIS, OPUS, WAV, AIFF] {
        let bytes = sample(name);
        let decoded = decode_bytes(&bytes[..bytes.len() / 2]).unwrap();
        let part = decoded.frames as f64 / whole(name) as f64;
        assert!((0.35..0.65).contains(&part), "{name}: {part} of the file");
        let truncated = decoded.truncated.unwrap_or_else(|| panic!("{name} is cut"));
        assert_eq!(truncated.decoded_frames, decoded.frames);
        let declares = !matches!(name, VORBIS | OPUS);
        assert_eq!(truncated.declared_frames.is_some(), declares, "{name}");
    }
}

#[test]
fn an_mp4_file_with_its_tables_in_front_is_heard_up_to_the_cut() {
    let bytes = tables_first(&sample(ALAC));
    assert_eq!(decode_bytes(&bytes).unwrap().frames, whole(ALAC));
    let decoded = decode_bytes(&bytes[..bytes.len() * 3 / 4]).unwrap();
    assert!(
        decoded.truncated.is_some() && decoded.frames > whole(ALAC) / 2,
        "{decoded:?}"
    );
}

/// Moves `moov` before `mdat` and corrects the chunk offsets, as for streaming.
fn tables_first(bytes: &[u8]) -> Vec<u8> {
    let (mut at, mut boxes) = (0, Vec::new());
    while at < bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        boxes.push((
            bytes[at + 4..at + 8].to_vec(),
            bytes[at..at + size].to_vec(),
        ));
        at += size;
    }
    boxes.sort_by_key(|(kind, _)| {
        ["ftyp", "moov"]
            .iter()
            .position(|first| kind == first.as_bytes())
            .unwrap_or(9)
    });
    let moov = &mut boxes[1].1;
    let shift = moov.len() as u32;
    let table = moov.windows(4).position(|four| four == b"stco").unwrap();
    let count = u32::from_be_bytes(moov[table + 8..table + 12].try_into().unwrap()) as usize;
    for entry in 0..count {
        let place = table + 12 + 4 * entry;
        let offset = u32::from_be_bytes(moov[place..place + 4].try_into().unwrap()) + shift;
        moov[place..place + 4].copy_from_slice(&offset.to_be_bytes());
    }
    boxes.into_iter().flat_map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_hole_is_passed_over_and_counted() {
    for name in [MP3, FLAC, VORBIS, OPUS, AAC_MP4, ALAC, ADTS] {
        let mut bytes = sample(name);
        let (from, to) = (bytes.len() / 2, bytes.len() * 6 / 10);
        bytes[from..to].fill(0);
        let decoded = decode_bytes(&bytes).unwrap();
        assert!(
            decoded.damaged_frames > 0 && decoded.first_damage.is_some(),
            "{name}: {decoded:?}"
        );
        let part = decoded.frames as f64 / whole(name) as f64;
        assert!((0.7..0.99).contains(&part), "{name}: {part} of the file");
    }
}

#[test]
fn what_stands_around_the_audio_does_not_matter() {
    let id3 = [
        &b"ID3\x04\0\0\0\x02\0\0"[..],
        &[0xff, 0xfb, 0x90, 0x64].repeat(1 << 13),
    ]
    .concat();
    let id3v1 = [&b"TAG"[..], &[b' '; 125]].concat();
    for name in ALL {
        let (bytes, frames) = (sample(name), whole(name));
        let mut around = vec![
            [&id3[..], &id3, &bytes].concat(),
            [&bytes[..], &id3v1].concat(),
        ];
        if !matches!(name, AAC_MP4 | ALAC) {
            around.push([&[0; 5000][..], &bytes].concat());
        }
        for bytes in around {
            let decoded = decode_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                (decoded.frames, decoded.damaged_frames),
                (frames, 0),
                "{name}: {decoded:?}"
            );
        }
    }
}

#[test]
fn joined_files_are_played_one_after_the_other() {
    for name in [MP3, VORBIS, OPUS, ADTS] {
        let decoded = decode_bytes(&sample(name).repeat(2)).unwrap();
        let frames = 2 * whole(name);
        assert!(
            (frames..frames + 3000).contains(&decoded.frames),
            "{name}: {decoded:?}"
        );
    }
    for name in [AAC_MP4, ALAC, WAV, AIFF] {
        assert_eq!(
            decode_bytes(&sample(name).repeat(2)).unwrap().frames,
            whole(name),
            "{name}"
        );
    }
}

#[test]
fn a_chain_of_different_streams_is_heard_whole_in_the_form_of_the_first() {
    let decoded = decode_bytes(&[sample(VORBIS), sample(OPUS)].concat()).unwrap();
    let second = decode_bytes(&sample(OPUS)).unwrap();
    let rate = u64::from(decoded.info.sample_rate);
    let frames = whole(VORBIS) + second.frames * rate / u64::from(second.info.sample_rate);
    assert!(
        decoded.frames.abs_diff(frames) <= 1,
        "{decoded:?}, expected {frames} frames"
    );
    assert_eq!((decoded.damaged_frames, decoded.changes), (0, 1));
}

#[test]
fn mp3_that_changes_its_channels_and_joined_flac_are_heard_whole() {
    let flac = sample(FLAC);
    let joined = decode_bytes(&flac.repeat(3)).unwrap();
    assert_eq!((joined.frames, joined.damaged_frames), (3 * whole(FLAC), 0));
}

#[test]
fn broken_files_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    for file in broken::all(folder.path()).unwrap() {
        if file.expect == Expect::NoFile {
            continue;
        }
        let why = format!("{}: {}", file.path.display(), file.why);
        match (file.expect, decode_path(&file.path)) {
            (Expect::Nothing, Ok(decoded)) => panic!("{why}, gave {decoded:?}"),
            (Expect::Sound | Expect::Silence, Err(error)) => panic!("{why}: {error}"),
            (_, Err(DecodeError::Library(text))) => panic!("{why}: {text}"),
            (_, Err(error)) => assert!(error.to_string().len() > 10, "{why}: {error}"),
            _ => {}
        }
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let error = |bytes: &[u8]| decode_bytes(bytes).unwrap_err().to_string();
    assert_eq!(error(b""), "not a known audio file: it is empty");
    assert_eq!(
        error(&[b'x'; 5000]),
        "not a known audio file: nothing in it looks like audio"
    );
    assert_eq!(error(b"wvpk\0\0\0\0\0\0\0\0"), "`WavPack` is not supported");
    assert_eq!(
        error(b"\0\0\0\x14ftypM4A \0\0\0\0isom"),
        "malformed: the MP4 file has no `moov` box, it is probably cut off"
    );
    let directory = decode_path(folder.path()).unwrap_err();
    assert!(matches!(directory, DecodeError::Io(_)), "{directory}");
    assert_eq!(
        directory.to_string(),
        "cannot read the file: expected a regular file, found a folder"
    );
    let missing = decode_path(&folder.path().join("nothing")).unwrap_err();
    assert!(matches!(missing, DecodeError::Io(_)), "{missing}");
}

#[test]
fn absurd_headers_are_refused() {
    let patched = |name: &str, at: usize, with: &[u8]| {
        let mut bytes = sample(name);
        bytes[at..at + with.len()].copy_from_slice(with);
        decode_bytes(&bytes)
    };
    // No channels, and 4 GHz, in `fmt `, whose content begins at byte 20.
    let error = patched(WAV, 22, &[0, 0]).unwrap_err().to_string();
    assert!(error.starts_with("malformed"), "{error}");
    let error = patched(WAV, 24, &u32::MAX.to_le_bytes())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "malformed: a sample rate of `4294967295` Hz, expected 1000 to 768000"
    );
    // The 36 bits of FLAC's length, all set: only a truncation, and no memory reserved.
    let mut bytes = sample(FLAC);
    bytes[21] |= 0x0f;
    bytes[22..26].fill(0xff);
    let decoded = decode_bytes(&bytes).unwrap();
    assert_eq!(decoded.frames, whole(FLAC));
    assert_eq!(
        decoded.truncated.unwrap().declared_frames,
        Some((1 << 36) - 1)
    );
}

#[test]
fn encrypted_and_unsupported_mp4_is_named() {
    let renamed = |name: &str, from: &[u8], to: &[u8]| {
        let mut bytes = sample(name);
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter(|(_, four)| *four == from)
            .map(|(at, _)| at)
            .collect();
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        decode_bytes(&bytes).unwrap_err()
    };
    let protected = renamed(AAC_MP4, b"mp4a", b"drms");
    assert!(
        matches!(protected, DecodeError::Protected(_)),
        "{protected}"
    );
    let unsupported = renamed(AAC_MP4, b"mp4a", b"ac-3");
    assert_eq!(
        unsupported.to_string(),
        "`Dolby Digital (AC-3)` in MP4 is not supported"
    );
    // AAC-LC turned into HE-AAC by its object type: the five highest bits of the configuration.
    let high_efficiency = renamed(
        AAC_MP4,
        &[0x05, 0x80, 0x80, 0x80, 0x05, 0x12],
        &[0x05, 0x80, 0x80, 0x80, 0x05, 0x2a],
    );
    assert_eq!(high_efficiency.to_string(), "`HE-AAC` is not supported");
    // A configuration of half the rate that the container states: HE-AAC of which only the packets say so.
    let unannounced = renamed(
        AAC_MP4,
        &[0x05, 0x80, 0x80, 0x80, 0x05, 0x12, 0x10],
        &[0x05, 0x80, 0x80, 0x80, 0x05, 0x13, 0x90],
    );
    assert_eq!(unannounced.to_string(), "`HE-AAC` is not supported");
}

/// A few kilobytes of each sample, so that thousands of variations can be tried.
fn seeds() -> Vec<Vec<u8>> {
    let short = |name: &str| sample(name).into_iter().take(12_000).collect();
    let mut seeds: Vec<Vec<u8>> = ALL.map(short).to_vec();
    seeds.push(
        tables_first(&sample(ALAC))
            .into_iter()
            .take(12_000)
            .collect(),
    );
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn never_panics_on_any_bytes(
        seed in 0_usize..10,
        at in 0_usize..12_000,
        junk in prop::collection::vec(any::<u8>(), 0..40),
        insert in any::<bool>(),
        length in 0_usize..12_000,
    ) {
        let mut bytes = seeds().swap_remove(seed);
        let at = at.min(bytes.len());
        let end = if insert { at } else { (at + junk.len()).min(bytes.len()) };
        bytes.splice(at..end, junk);
        bytes.truncate(length.max(100));
        let _ = decode_bytes(&bytes);
    }
}

/// What fuzzing has found; see `script/fuzz`.
#[test]
fn what_once_broke_a_decoder_is_a_fault_of_the_file() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/found");
    let mut seen = 0;
    for entry in fs::read_dir(found).unwrap() {
        let path = entry.unwrap().path();
        let failed = decode_path(&path).unwrap_err();
        assert!(!failed.to_string().is_empty(), "{}", path.display());
        // Neither may the readers of tags and marks give up with a panic.
        let written = audio::tags::read(&path, &Neighbours::default(), &Decoders::default());
        let written = written.unwrap_or_default();
        let known = Known {
            seconds: 60.0,
            ..Known::default()
        };
        let _ = audio::marks::find(&path, &written, &Beside::of(&path), &known);
        seen += 1;
    }
    assert!(seen > 0);
}
