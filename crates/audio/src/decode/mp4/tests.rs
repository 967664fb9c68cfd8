use super::*;

fn atom(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(body);
    bytes
}

fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

fn words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

fn input(bytes: &[u8]) -> Input {
    Input::holding(bytes)
}

fn audio_track_with(entry: [u8; 4], extra: &[u8]) -> Vec<u8> {
    let mut sound = vec![0; 28];
    sound.extend(extra);
    let stsd = atom(*b"stsd", &[words(&[0, 1]), atom(entry, &sound)].concat());
    let stts = atom(*b"stts", &words(&[0, 2, 10, 1024, 1, 500]));
    let sizes = atom(*b"stsz", &words(&[0, 0, 2, 300, 400]));
    let stbl = atom(*b"stbl", &join(&[stsd, stts, sizes]));
    let mdhd = atom(*b"mdhd", &words(&[0, 0, 0, 44_100, 10_740]));
    let hdlr = atom(*b"hdlr", &[words(&[0, 0]), b"soun".to_vec()].concat());
    let elst = atom(
        *b"elst",
        &words(&[0, 2, 5, u32::MAX, 0x1_0000, 220, 1024, 0x1_0000]),
    );
    let mdia = atom(*b"mdia", &join(&[mdhd, hdlr, atom(*b"minf", &stbl)]));
    atom(*b"trak", &join(&[atom(*b"edts", &elst), mdia]))
}

fn movie_with(parts: &[Vec<u8>]) -> Vec<u8> {
    let mvhd = atom(*b"mvhd", &words(&[0, 0, 0, 1000, 240]));
    let moov = atom(*b"moov", &[mvhd, parts.concat()].concat());
    join(&[
        atom(*b"ftyp", b"M4A \0\0\0\0"),
        atom(*b"mdat", &[0; 32]),
        moov,
    ])
}

fn tagged(text: &str) -> Vec<u8> {
    let item = join(&[
        atom(*b"mean", b"\0\0\0\0com.apple.iTunes"),
        atom(*b"name", b"\0\0\0\0iTunSMPB"),
        atom(*b"data", &[b"\0\0\0\x01\0\0\0\0", text.as_bytes()].concat()),
    ]);
    let ilst = atom(*b"ilst", &atom(*b"----", &item));
    atom(*b"udta", &atom(*b"meta", &[vec![0; 4], ilst].concat()))
}

const SMPB: &str = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";

#[test]
fn everything_about_the_audio_track_is_found() {
    let video = atom(
        *b"trak",
        &atom(*b"mdia", &atom(*b"hdlr", b"\0\0\0\0\0\0\0\0vide")),
    );
    let bytes = movie_with(&[video, audio_track_with(*b"mp4a", &[]), tagged(SMPB)]);
    let movie = walk(&mut input(&bytes), 0).unwrap();
    assert_eq!(&movie.entry, b"mp4a");
    assert_eq!((movie.timescale, movie.duration), (44_100, 10_740));
    assert_eq!(
        movie.edit,
        Some(Edit {
            start: 1024,
            length: 9702,
            slack: 45
        })
    );
    assert_eq!(
        movie.smpb,
        Some(Smpb {
            delay: 2112,
            frames: 0x3f_31f6
        })
    );
    let kinds: Vec<_> = movie
        .patches
        .iter()
        .map(|(at, with)| (&bytes[*at as usize..*at as usize + 4], with))
        .collect();
    assert_eq!(kinds, [(&b"trak"[..], b"free"), (&b"udta"[..], b"free")]);
}

#[test]
fn encrypted_tracks_are_seen() {
    let bytes = movie_with(&[audio_track_with(*b"enca", &atom(*b"sinf", &[]))]);
    assert_eq!(&walk(&mut input(&bytes), 0).unwrap().entry, b"drms");
}

#[test]
fn configuration_is_dug_out_of_the_descriptors() {
    let info = [5, 0x80, 0x80, 0x80, 2, 0x12, 0x10];
    let config = [
        &[4, 20][..],
        &[0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &info,
    ]
    .concat();
    let stream = [&[3, 25][..], &[0, 1, 0], &config].concat();
    let esds = atom(*b"esds", &[vec![0; 4], stream].concat());
    let bytes = movie_with(&[audio_track_with(*b"mp4a", &esds)]);
    assert_eq!(walk(&mut input(&bytes), 0).unwrap().config, [0x12, 0x10]);
}

#[test]
fn absurd_tables_are_refused() {
    let stsz = atom(*b"stsz", &words(&[0, 0x7fff_ffff, 1]));
    let atom = Atom {
        kind: *b"stsz",
        kind_at: 4,
        body: 8,
        end: stsz.len() as u64,
        is_cut: false,
    };
    let error = check_packet_sizes(&mut input(&stsz), atom).unwrap_err();
    assert!(error.to_string().contains("`2147483647` bytes"), "{error}");
    let stts = words(&[0, 100_000]);
    let atom = Atom {
        kind: *b"stts",
        kind_at: 0,
        body: 0,
        end: 8,
        is_cut: false,
    };
    assert!(total_duration(&mut input(&stts), atom).is_err());
}

#[test]
fn files_without_moov_or_sound_say_so() {
    let cut = atom(*b"ftyp", b"M4A ");
    let error = walk(&mut input(&cut), 0).unwrap_err();
    assert!(error.to_string().contains("no `moov` box"), "{error}");
    let error = walk(&mut input(&movie_with(&[])), 0).unwrap_err();
    assert!(error.to_string().contains("no audio track"), "{error}");
}

#[test]
fn a_box_that_is_cut_is_made_to_end_with_the_file() {
    let mut bytes = movie_with(&[audio_track_with(*b"mp4a", &[])]);
    let end = bytes.len() as u32;
    bytes.extend([0, 0, 1, 0]);
    bytes.extend(b"mdat1234");
    let movie = walk(&mut input(&bytes), 0).unwrap();
    assert_eq!(movie.patches, [(u64::from(end), [0, 0, 0, 12])]);
}

#[test]
fn gapless_text_is_read_with_care() {
    assert_eq!(
        parse_smpb(SMPB),
        Some(Smpb {
            delay: 2112,
            frames: 4_141_558
        })
    );
    assert_eq!(
        parse_smpb(" 00000000 FFFFFFFF 00000000 0000000000000001"),
        None
    );
    assert_eq!(parse_smpb("nonsense"), None);
}

proptest::proptest! {
    #[test]
    fn never_panics_on_any_bytes(
        junk in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        at in 0_usize..600,
    ) {
        let mut bytes = movie_with(&[audio_track_with(*b"mp4a", &[]), tagged(SMPB)]);
        let at = at.min(bytes.len());
        let end = (at + junk.len()).min(bytes.len());
        bytes.splice(at..end, junk);
        let _ = walk(&mut input(&bytes), 0);
    }
}

#[test]
fn a_montage_is_told_from_parts_that_go_on_where_the_last_one_ends() {
    let list = |edits: &[u32]| {
        let mut body = words(&[0, edits.len() as u32 / 3]);
        body.extend(words(edits));
        atom(*b"elst", &body)
    };
    for (edits, expected) in [
        (&[3000, 1024, 0x1_0000][..], false),
        (&[5, u32::MAX, 0x1_0000, 3000, 1024, 0x1_0000], false),
        (
            &[1000, 1024, 0x1_0000, 2000, 1024 + 44_100, 0x1_0000],
            false,
        ),
        (&[1000, 1024, 0x1_0000, 2000, 1024 + 88_200, 0x1_0000], true),
        (&[1000, 44_100, 0x1_0000, 1000, 0, 0x1_0000], true),
    ] {
        let bytes = list(edits);
        let mut file = input(&bytes);
        let end = file.length;
        let list = children(&mut file, 0, end).unwrap()[0];
        let (_, is_rearranged) = edit(&mut file, list, 1000, 44_100).unwrap();
        assert_eq!(is_rearranged, expected, "{edits:?}");
    }
}
