use std::io::Write;

use super::*;

fn synchsafe_bytes(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}

fn frame(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &(content.len() as u32).to_be_bytes(), &[0, 0], content].concat()
}

fn tag(version: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let body = frames.concat();
    [
        b"ID3",
        &[version, 0, 0][..],
        &synchsafe_bytes(body.len()),
        &body,
    ]
    .concat()
}

fn read_bytes(bytes: &[u8]) -> Raw {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let mut raw = Raw::default();
    let mut input = Input {
        file,
        length: bytes.len() as u64,
    };
    read(&mut input, 0, &mut raw).unwrap();
    raw
}

fn titles(raw: &Raw) -> Vec<String> {
    let fields = raw.sources.iter().flat_map(|source| &source.fields);
    fields
        .filter(|(name, _)| *name == Name::Title)
        .map(|(_, text)| text.plain())
        .collect()
}

#[test]
fn a_frame_that_is_longer_than_the_tag_costs_itself_alone() {
    let mut broken = frame(b"TXXX", b"\0abc");
    broken[4..8].copy_from_slice(&9999_u32.to_be_bytes());
    let raw = read_bytes(&tag(3, &[broken, frame(b"TIT2", b"\0Behind")]));
    assert_eq!(titles(&raw), ["Behind"]);
    assert_eq!(
        raw.mended,
        ["the ID3v2 frame `TXXX` is longer than its tag"]
    );
}

#[test]
fn sizes_that_are_not_synchsafe_are_seen_by_what_follows() {
    let long = [b"\x03".as_slice(), &[b'x'; 300]].concat();
    let raw = read_bytes(&tag(
        4,
        &[frame(b"APIC", &long), frame(b"TIT2", b"\x03Title")],
    ));
    assert_eq!(titles(&raw), ["Title"]);
    assert_eq!(raw.mended.len(), 1);
}

#[test]
fn packed_frames_unpack_to_a_text_and_to_no_more() {
    let pack = |content: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        let size = (content.len() as u32).to_be_bytes();
        let mut frame = frame(b"TIT2", &[&size[..], &packed].concat());
        frame[9] = 0x80;
        frame
    };
    assert_eq!(
        titles(&read_bytes(&tag(3, &[pack(b"\0Packed")]))),
        ["Packed"]
    );
    let bomb = read_bytes(&tag(
        3,
        &[pack(&vec![b'x'; 64 << 20]), frame(b"TIT2", b"\0Good")],
    ));
    assert_eq!(titles(&bomb), ["Good"]);
}

#[test]
fn an_unsynchronised_tag_is_read_through() {
    let body = [frame(b"APIC", &[0xff; 100]), frame(b"TIT2", b"\0\xff\xfe")].concat();
    let mut written = Vec::new();
    for byte in &body {
        written.push(*byte);
        if *byte == 0xff {
            written.push(0);
        }
    }
    let bytes = [
        b"ID3\x03\0\x80".as_slice(),
        &synchsafe_bytes(written.len()),
        &written,
    ]
    .concat();
    assert_eq!(titles(&read_bytes(&bytes)), ["\u{ff}\u{fe}"]);
}

#[test]
fn sizes_that_count_the_bytes_of_unsynchronisation_are_understood() {
    let stuffed = |id: &[u8], content: &[u8]| {
        let mut written = Vec::new();
        for byte in content {
            written.push(*byte);
            if *byte == 0xff {
                written.push(0);
            }
        }
        frame(id, &written)
    };
    let frames = [
        stuffed(b"TIT2", b"\x01\xff\xfeO\0n\0e\0"),
        stuffed(b"TIT2", b"\x01\xff\xfeT\0w\0o\0"),
        frame(b"TIT2", b"\0Three"),
    ];
    let mut bytes = tag(3, &frames);
    bytes[5] = 0x80;
    let raw = read_bytes(&bytes);
    assert_eq!(titles(&raw), ["One", "Two", "Three"]);
    assert_eq!(raw.mended.len(), 1);
}

#[test]
fn chapters_have_times_and_titles() {
    let content = |start: u32, end: u32, title: &[u8]| {
        let frames = frame(b"TIT2", &[b"\x03", title].concat());
        let times = [start, end, u32::MAX, u32::MAX]
            .map(u32::to_be_bytes)
            .concat();
        frame(b"CHAP", &[b"c1\0".as_slice(), &times, &frames].concat())
    };
    let raw = read_bytes(&tag(
        4,
        &[content(0, 1500, b"One"), content(1500, 1500, b"")],
    ));
    let chapters = &raw.sources[0].chapters;
    assert_eq!(chapters[0].title, Some(Text::Unicode("One".to_owned())));
    assert_eq!((chapters[0].end, chapters[1].end), (Some(1.5), None));
    assert_eq!(chapters[1].title, None);
}

#[test]
fn fifty_thousand_chapters_are_read_in_part_and_at_once() {
    let times = [0_u32, 1, 2, 3].map(u32::to_be_bytes).concat();
    let chapter = frame(b"CHAP", &[b"c\0".as_slice(), &times].concat());
    let raw = read_bytes(&tag(3, &vec![chapter; 50_000]));
    assert_eq!(raw.sources[0].chapters.len(), MAX_FRAMES);
}

#[test]
fn a_list_of_artists_is_kept_whole() {
    let raw = read_bytes(&tag(
        4,
        &[
            frame(b"TPE1", b"\x03First\0Second"),
            frame(b"TIT2", b"\x03"),
        ],
    ));
    assert_eq!(raw.sources[0].fields.len(), 2);
}
