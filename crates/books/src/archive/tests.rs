use std::io::Write as _;

use super::*;

/// A tar file with these files, ended as it should be.
fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<Contents, Broken> {
    read_from(bytes, bytes.len() as u64, &Limits::default())
}

fn lines(contents: Contents) -> String {
    let mut lines = Vec::new();
    contents.text.unwrap().write(&mut lines).unwrap();
    String::from_utf8(lines).unwrap()
}

const PAGES: [(&str, &[u8]); 3] = [
    ("00000004.txt", b"four"),
    ("deep/in/00000002.txt", b"two"),
    ("00000001.txt", b"one"),
];

#[test]
fn pages_come_in_order_whatever_the_order_of_the_archive() {
    let contents = read_bytes(&gzip(&tar_of(&PAGES))).unwrap();
    assert_eq!(contents.files, 3);
    assert_eq!(contents.oddities, ["1 of 4 pages have no text"]);
    assert_eq!(lines(contents), "\"one\"\n\"two\"\n\"\"\n\"four\"\n");
}

#[test]
fn a_page_that_comes_again_at_its_place_takes_it() {
    let again: [(&str, &[u8]); 5] = [
        ("00000001.txt", b"first"),
        ("00000002.txt", b"two"),
        ("./00000001.txt", b"second"),
        ("deep/00000002.txt", b"other"),
        ("deep//00000003.txt", b"three"),
    ];
    let contents = read_bytes(&gzip(&tar_of(&again))).unwrap();
    assert_eq!(
        contents.oddities,
        [
            "1 pages are there twice",
            "1 pages came again at the same path, where the last one counts"
        ]
    );
    // Two files are two lines, as other tools have them.
    assert_eq!(
        lines(contents),
        "\"second\"\n\"two\"\n\"other\"\n\"three\"\n"
    );
}

#[test]
fn the_digests_are_those_of_the_whole_file() {
    let bytes = [gzip(&tar_of(&PAGES)), vec![0; 700]].concat();
    let contents = read_bytes(&bytes).unwrap();
    assert_eq!(contents.digests, Digests::of(&bytes));
    // Of nothing: the check value of CRC-64/NVME is computed over "123456789".
    let mut hashing = Hashing::new(&b"123456789"[..]);
    io::copy(&mut hashing, &mut io::sink()).unwrap();
    assert_eq!(hashing.finish().1, "ae8b14860a799888");
}

#[test]
fn several_members_are_one_file() {
    let whole = tar_of(&PAGES);
    let (one, two) = whole.split_at(700);
    let contents = read_bytes(&[gzip(one), gzip(two)].concat()).unwrap();
    assert_eq!(contents.files, 3);
    let strange = read_bytes(&[gzip(&whole), b"garbage".to_vec()].concat()).unwrap();
    assert!(
        strange
            .oddities
            .contains(&"7 bytes after the end of the gzip file".to_owned())
    );
}

/// Cut at every byte, an archive is never taken for whole.
#[test]
fn whatever_is_cut_off_is_missed() {
    let whole = gzip(&tar_of(&PAGES));
    for end in 0..whole.len() {
        let cut = read_bytes(&whole[..end]);
        assert!(
            matches!(cut, Err(Broken::Gzip(_))),
            "{end} of {}: {cut:?}",
            whole.len()
        );
    }
    let tar = tar_of(&PAGES);
    for end in (0..tar.len() - 1024).step_by(100) {
        let cut = read_bytes(&gzip(&tar[..end]));
        assert!(
            matches!(cut, Err(Broken::Tar(_))),
            "{end} of {}: {cut:?}",
            tar.len()
        );
    }
}

#[test]
fn a_changed_bit_is_noticed_wherever_it_is() {
    let whole = gzip(&tar_of(&PAGES));
    // The head of a gzip file (times, flags, system) is not covered by its checksum.
    for at in 10..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        // Another code for the same bytes is no change of what is in it.
        let mut unpacked = Vec::new();
        let same = flate2::read::GzDecoder::new(&*changed).read_to_end(&mut unpacked);
        let same = same.is_ok() && unpacked == tar_of(&PAGES);
        assert_eq!(read_bytes(&changed).is_ok(), same, "byte {at}");
    }
}

#[test]
fn checksums_are_compared_where_they_are_there() {
    let sum = hex(&Md5::digest(b"one"));
    let list = |sum: &str, name: &str| format!("{sum}  {name}\n").into_bytes();
    let with = |list: &[u8]| {
        let mut files = PAGES.to_vec();
        files.insert(1, ("CHECKSUM.md5", list));
        read_bytes(&gzip(&tar_of(&files)))
    };
    assert!(!read_bytes(&gzip(&tar_of(&PAGES))).unwrap().checksums);
    assert!(with(&list(&sum, "00000001.txt")).unwrap().checksums);
    assert!(with(&list(&sum, "*./x/00000001.txt")).unwrap().checksums);
    for (sum, name) in [
        (&*sum, "00000002.txt"),
        (&*sum, "00000009.txt"),
        (&*"0".repeat(32), "00000001.txt"),
    ] {
        let wrong = with(&list(sum, name));
        assert!(
            matches!(wrong, Err(Broken::Checksum(_))),
            "{name}: {wrong:?}"
        );
    }
}

fn header(kind: u8, name: &[u8], size: u64) -> Vec<u8> {
    let mut header = ::tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn what_no_book_holds_is_refused_by_name() {
    let end = vec![0; 1024];
    let one = |kind, name: &[u8]| [header(kind, name, 0), end.clone()].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a hard link", one(b'1', b"a")),
        ("a symbolic link", one(b'2', b"a")),
        ("a device", one(b'3', b"a")),
        ("a pipe", one(b'6', b"a")),
        ("a sparse file", one(b'S', b"a")),
        ("leads out", one(b'0', b"../../etc/passwd")),
        ("leads out", one(b'0', b"/etc/passwd")),
        ("leads out", one(b'0', b"a/../../b")),
        ("leads out", one(b'5', b"..")),
        ("leads out", one(b'0', b"..\\b")),
        (
            "name or header of",
            [header(b'L', b"x", 1 << 40), end.clone()].concat(),
        ),
        (
            "name or header of",
            [header(b'x', b"x", 1 << 20), vec![0; 1 << 20]].concat(),
        ),
    ];
    for (expected, tar) in cases {
        let error = read_bytes(&gzip(&tar)).unwrap_err();
        assert!(matches!(error, Broken::Hostile(_)), "{expected}: {error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let long = [&b"../"[..], &[b'a'; 200]].concat();
    let mut by_long_name = [header(b'L', b"x", long.len() as u64), long].concat();
    by_long_name.resize(1024, 0);
    let by_long_name = [by_long_name, header(b'0', b"innocent", 0), end].concat();
    assert!(
        read_bytes(&gzip(&by_long_name))
            .unwrap_err()
            .to_string()
            .contains("leads out")
    );
}

#[test]
fn a_bomb_costs_no_more_than_its_budget() {
    let limits = Limits {
        least_growth: 10 << 20,
        growth: 2,
        ..Limits::default()
    };
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&header(b'0', b"a.jp2", 1 << 33)).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..40 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let error = read_from(&*bomb, bomb.len() as u64, &limits).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unpacks to more than 10485760 bytes"),
        "{error}"
    );

    let many: Vec<u8> = (0..300).flat_map(|_| header(b'0', b"a", 0)).collect();
    let few = Limits {
        files: 200,
        ..Limits::default()
    };
    let bytes = gzip(&many);
    let error = read_from(&*bytes, bytes.len() as u64, &few).unwrap_err();
    assert!(error.to_string().contains("more than 200 files"), "{error}");

    let page = vec![b'x'; 2000];
    let small = Limits {
        page_bytes: 1000,
        ..Limits::default()
    };
    let bytes = gzip(&tar_of(&[("00000001.txt", &page)]));
    let error = read_from(&*bytes, bytes.len() as u64, &small).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the page `00000001.txt` has 2000 bytes"),
        "{error}"
    );
}

#[test]
fn what_is_missing_has_a_reason() {
    let contents = read_bytes(&gzip(&tar_of(&[
        ("x.jp2", b"picture"),
        ("a.txt", b"notes"),
    ])))
    .unwrap();
    assert_eq!(contents.text.unwrap_err(), "no page of text in the archive");
    assert_eq!(contents.marc.unwrap_err(), "no METS file in the archive");
    assert_eq!(
        contents.oddities,
        ["`a.txt` is not named as a page, and is left out"]
    );
}

#[test]
fn a_header_of_any_bytes_is_refused_or_read_and_never_breaks_the_reader() {
    let end = vec![0; 1024];
    let sound = header(b'0', b"00000001.txt", 0);
    let mut refused = 0;
    for at in 0..sound.len() {
        for byte in [0, b'7', b'~', 0x80, 0xff] {
            let mut changed = sound.clone();
            changed[at] = byte;
            let mut summed = changed.clone();
            let sum: u32 = summed.iter().map(|byte| u32::from(*byte)).sum();
            let of_sum: u32 = summed[148..156].iter().map(|byte| u32::from(*byte)).sum();
            let digits = format!("{:06o}\0 ", sum - of_sum + 8 * 32);
            summed[148..156].copy_from_slice(digits.as_bytes());
            for header in [changed, summed] {
                let read = read_bytes(&gzip(&[header, end.clone()].concat()));
                refused += u32::from(read.is_err());
            }
        }
    }
    // Blocks of one byte have no field that makes sense.
    for byte in 1..=u8::MAX {
        assert!(read_bytes(&gzip(&vec![byte; 4096])).is_err(), "{byte}");
    }
    assert!(refused > 2_000, "{refused}");
}

#[test]
fn of_many_oddities_the_first_are_told_and_the_others_counted() {
    let long = [b'n'; 90];
    let many: Vec<u8> = (0..200_u32)
        .flat_map(|at| {
            header(
                b'0',
                &[&long[..], format!("{at}.txt").as_bytes()].concat(),
                0,
            )
        })
        .chain(vec![0; 1024])
        .collect();
    let oddities = read_bytes(&gzip(&many)).unwrap().oddities;
    assert_eq!(oddities.len(), 51);
    assert_eq!(oddities.last().unwrap(), "and 150 more like these");
}

/// A description of which a reason would tell megabytes.
#[test]
fn a_reason_is_a_sentence() {
    let end = [&b"<a></"[..], &[b'b'; 10_000], b">"].concat();
    let contents = read_bytes(&gzip(&tar_of(&[("H.xml", &end)]))).unwrap();
    let reason = contents.marc.unwrap_err();
    assert!(reason.contains("the XML is damaged"), "{reason}");
    assert!(reason.len() < 1_000, "{}", reason.len());
    let list = [&[b'0'; 32][..], b"  ", &[b'z'; 10_000]].concat();
    let error = read_bytes(&gzip(&tar_of(&[("checksum.md5", &list)]))).unwrap_err();
    assert!(
        error.to_string().len() < 1_000,
        "{}",
        error.to_string().len()
    );
}

/// Of what is larger than it may be, nothing is kept, and of the rest everything counts.
#[test]
fn large_files_are_read_one_at_a_time_and_right() {
    let page = vec![b'x'; 5 << 20];
    let list = format!("{}  00000001.txt\n", hex(&Md5::digest(&page)));
    let large = vec![b' '; 33 << 20];
    let bytes = gzip(&tar_of(&[
        ("large.xml", &large),
        ("00000001.txt", &page),
        ("checksum.md5", list.as_bytes()),
        ("00000002.txt", b"two"),
    ]));
    let reading: Vec<_> = (0..3)
        .map(|_| {
            let bytes = bytes.clone();
            std::thread::spawn(move || read_bytes(&bytes).unwrap())
        })
        .collect();
    for contents in reading {
        let contents = contents.join().unwrap();
        assert!(contents.checksums);
        let reason = contents.marc.as_ref().unwrap_err();
        assert!(reason.contains("is larger than 33554432 bytes"), "{reason}");
        let lines = lines(contents);
        assert_eq!(lines.len(), (5 << 20) + 3 + 6);
        assert!(lines.ends_with("x\"\n\"two\"\n"));
    }
}
