//! Tags where real taggers put them, as the library holds them after an import.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::synth::noise;
use testkit::synth::wav::{Depth, write};

use crate::real::has_ffmpeg;
use crate::support::Root;

fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}

/// A frame of `ID3v2.3`, or of 2.4 where it is short.
fn frame(id: &[u8], text: &[u8]) -> Vec<u8> {
    let size = (text.len() as u32 + 1).to_be_bytes();
    [id, &size, &[0, 0, 0], text].concat()
}

fn id3(version: u8, flags: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let body = frames.concat();
    let size = synchsafe(body.len());
    [b"ID3", &[version, 0, flags][..], &size, &body].concat()
}

fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u32).to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [name, &size, content, &padding].concat()
}

/// The sample collection's file whose name ends so, with everything cut off that an `ID3v2` tag in front says.
fn sample(name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let files = testkit::corpus::collection_into(folder.path()).unwrap();
    let path = files.iter().find(|path| path.ends_with(name)).unwrap();
    let bytes = fs::read(path).unwrap();
    match bytes.as_slice() {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            let size = [a, b, c, d]
                .iter()
                .fold(0, |sum, byte| sum << 7 | usize::from(**byte));
            bytes[10 + size..].to_vec()
        }
        _ => bytes,
    }
}

fn titles(root: &Root) -> Vec<String> {
    root.column("SELECT path || ': ' || coalesce(title, '-') || ' | ' || coalesce(artist, '-') FROM files ORDER BY path")
}

#[test]
fn id3_is_read_with_the_sizes_names_and_places_that_taggers_gave_it() {
    let root = Root::empty();
    let mp3 = sample("01 Slow Water.mp3");
    // A few seconds are enough.
    let mp3 = &mp3[..mp3.len() / 6];
    let put = |name: &str, parts: &[&[u8]]| fs::write(root.join(name), parts.concat()).unwrap();
    let artist = || frame(b"TPE1", b"Singer");
    // Version 2.3 with the sizes of 2.4: 300 is written in seven bits a byte.
    let long = "l".repeat(300);
    let mut sized = frame(b"TIT2", long.as_bytes());
    sized[4..8].copy_from_slice(&synchsafe(301));
    put("a sizes of 2.4.mp3", &[&id3(3, 0, &[sized, artist()]), mp3]);
    // The names of 2.2, each with a blank or a NUL.
    let short = [frame(b"TT2 ", b"Short"), frame(b"TP1\0", b"Singer")];
    put("b names of 2.2.mp3", &[&id3(3, 0, &short), mp3]);
    // Everything unsynchronised, so that no byte of it looks like a frame of audio.
    let wide = [
        b"TIT2\0\0\0\x0b\0\0\x01\xff\x00\xfeW\0i\0d\0e\0".to_vec(),
        artist(),
    ];
    put("c unsynchronised.mp3", &[&id3(3, 0x80, &wide), mp3]);
    let footer = id3(4, 0x10, &[frame(b"TIT2", b"Footer"), artist()]);
    let behind = [b"3DI", &footer[3..10]].concat();
    let id3v1 = [b"TAG".to_vec(), vec![0; 125]].concat();
    put("d at the end.mp3", &[mp3, &footer, &behind]);
    put(
        "e at the end, and more.mp3",
        &[mp3, &footer, &behind, &id3v1],
    );
    // Each is told to be cut off.
    root.import(&[]).ended(1);
    let expected = [
        &*format!("a sizes of 2.4.mp3: {long} | Singer"),
        "b names of 2.2.mp3: Short | Singer",
        "c unsynchronised.mp3: Wide | Singer",
        "d at the end.mp3: Footer | Singer",
        "e at the end, and more.mp3: Footer | Singer",
    ];
    assert_eq!(titles(&root), expected);
}

#[test]
fn tags_of_wav_and_flac_are_found_behind_the_last_chunk_and_behind_junk() {
    let root = Root::empty();
    let tag = id3(
        3,
        0,
        &[frame(b"TIT2", b"Behind"), frame(b"TPE1", b"Singer")],
    );
    let info = |title: &str| {
        let title = [title.as_bytes(), b"\0"].concat();
        let texts = [
            b"INFO".to_vec(),
            chunk(b"INAM", &title),
            chunk(b"IART", b"Singer\0"),
        ];
        chunk(b"LIST", &texts.concat())
    };
    let wav = |seed: u64| {
        let path = root.join("made.wav");
        write(&path, &noise(seed, -20.0, 3.0, 8_000, 1), Depth::Int16).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        bytes
    };
    let put = |name: &str, parts: &[&[u8]]| fs::write(root.join(name), parts.concat()).unwrap();
    put("a bare tag behind.wav", &[&wav(1), &tag]);
    put("b tag in a chunk.wav", &[&wav(2), &chunk(b"id3 ", &tag)]);
    // A recorder that did not know the length, and a tagger that came later.
    for (name, seed, length) in [
        ("c length zero.wav", 3, 0_u32),
        ("d length of all ones.wav", 4, u32::MAX),
    ] {
        let mut bytes = wav(seed);
        let data = bytes.windows(4).position(|four| four == b"data").unwrap();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[data + 4..data + 8].copy_from_slice(&length.to_le_bytes());
        put(name, &[&bytes, &info("Later"), &chunk(b"id3 ", &tag)]);
    }
    put(
        "e junk in front.flac",
        &[b"junk of a download", &sample("02 Northern Pier.flac")],
    );
    root.import(&[]).ended(0);
    let mut found = titles(&root);
    let flac = found.pop().unwrap();
    let behind = |name: &str| format!("{name}: Behind | Singer");
    let names = [
        "a bare tag behind.wav",
        "b tag in a chunk.wav",
        "c length zero.wav",
        "d length of all ones.wav",
    ];
    assert_eq!(found, names.map(behind));
    assert!(flac.contains(": Northern Pier | "), "{flac}");
    let longer =
        "SELECT path FROM files WHERE path LIKE '%.wav' AND duration_ticks <> 3 * 28224000";
    assert_eq!(
        root.column(longer),
        Vec::<String>::new(),
        "tags are no audio"
    );
}

#[test]
fn frames_of_mpeg_and_aac_are_audio_whatever_their_name_and_text_is_none() {
    let root = Root::empty();
    fs::write(root.join("no extension"), sample("01 Slow Water.mp3")).unwrap();
    fs::write(root.join("track.unknown"), sample("07 Tiny Room.aac")).unwrap();
    // As a file of text in UTF-16, and as one frame by accident.
    fs::write(root.join("notes"), b"\xff\xfbW\0o\0r\0d\0s\0".repeat(2_000)).unwrap();
    fs::write(
        root.join("more notes"),
        b"\xff\xfe\xff\xf1\x50\x80\x2e\x7f\xfc words".repeat(2_000),
    )
    .unwrap();
    let ran = root.import(&[]).ended(0);
    let taken = root.column("SELECT path FROM files ORDER BY path");
    assert_eq!(taken, ["no extension", "track.unknown"], "{}", ran.out);
}

/// An object of a Windows Media file: its GUID, its size, its body.
fn object(guid: &[u8; 16], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64 + 24).to_le_bytes();
    [guid.as_slice(), &size, body].concat()
}

/// The object that has the second and later values of names.
fn library(values: &[(&str, &str)]) -> Vec<u8> {
    let wide = |text: &str| -> Vec<u8> {
        text.encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    let mut body = (values.len() as u16).to_le_bytes().to_vec();
    for (name, value) in values {
        let (name, value) = (wide(name), wide(value));
        body.extend([0; 4]);
        body.extend((name.len() as u16).to_le_bytes());
        body.extend([0, 0]);
        body.extend((value.len() as u32).to_le_bytes());
        body.extend([name, value].concat());
    }
    let library = object(
        b"\x94\x1c\x23\x44\x98\x94\xd1\x49\xa1\x41\x1d\x13\x4e\x45\x70\x54",
        &body,
    );
    let size = (library.len() as u32).to_le_bytes();
    let extension = b"\xb5\x03\xbf\x5f\x2e\xa9\xcf\x11\x8e\xe3\x00\xc0\x0c\x20\x53\x65";
    object(extension, &[&[0; 18], &size[..], &library].concat())
}

/// Adds an object to the header of a Windows Media file.
fn add_object(path: &Path, object: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let size = u64::from_le_bytes(bytes[16..24].try_into().unwrap()) as usize;
    bytes[16..24].copy_from_slice(&((size + object.len()) as u64).to_le_bytes());
    bytes[24] += 1;
    bytes.splice(size..size, object.iter().copied());
    fs::write(path, bytes).unwrap();
}

#[test]
fn windows_media_keeps_all_artists_and_composers() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::empty();
    let wav = root.home().join("source.wav");
    write(&wav, &noise(98, -20.0, 4.0, 44_100, 2), Depth::Int16).unwrap();
    let path = root.join("a.wma");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(&wav)
        .args([
            "-c:a",
            "wmav2",
            "-metadata",
            "title=Duet",
            "-metadata",
            "artist=First Singer",
        ])
        .args(["-metadata", "WM/Composer=First Composer"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    add_object(
        &path,
        &library(&[
            ("Author", "Second Singer"),
            ("WM/Composer", "Second Composer"),
        ]),
    );
    root.import(&[]).ended(0);
    let tags = root.column("SELECT json_extract(tags, '$.artists') || json_extract(tags, '$.composers') FROM accession_files");
    assert_eq!(
        tags,
        [r#"["First Singer","Second Singer"]["First Composer","Second Composer"]"#]
    );
    assert_eq!(titles(&root), ["a.wma: Duet | First Singer; Second Singer"]);
}
