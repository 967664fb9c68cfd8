use std::io::Write;

use super::*;
use crate::decode::view::View;
use crate::input::Input;

/// Builds one page; `flags`: 1 continued, 2 begins, 4 ends.
pub(in crate::decode) fn page(
    flags: u8,
    granule: i64,
    sequence: u32,
    lacing: &[u8],
    body: &[u8],
) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(77_u32.to_le_bytes());
    page.extend(sequence.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(body);
    let sum = crc::page_check_sum(&page).to_le_bytes();
    page[22..26].copy_from_slice(&sum);
    page
}

fn pages(parts: &[Vec<u8>]) -> Pages {
    let bytes = parts.concat();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let length = bytes.len() as u64;
    let mut pages = Pages::new(View::new(Input { file, length }, Vec::new(), 0, length));
    pages.serial = Some(77);
    pages
}

/// Every event as text: a packet's bytes, or the loss.
fn all(pages: &mut Pages) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match pages.next().unwrap() {
            Event::Packet(info) => seen.push(format!(
                "{} {}{}{}",
                String::from_utf8_lossy(pages.packet()),
                info.granule,
                if info.ends_page { " page" } else { "" },
                if info.ends_stream { " eos" } else { "" }
            )),
            Event::Damaged(count) => seen.push(format!("lost {count}")),
            Event::End => return seen,
        }
    }
}

#[test]
fn packets_are_joined_across_pages() {
    let long = [b'x'; 300];
    let mut pages = pages(&[
        page(2, 0, 0, &[4], b"head"),
        page(
            0,
            5,
            1,
            &[1, 255],
            &[b"a".as_slice(), &long[..255]].concat(),
        ),
        page(5, 9, 2, &[45, 2, 0], &[&long[255..], b"bc"].concat()),
    ]);
    let seen = all(&mut pages);
    assert_eq!(seen[0], "head 0 page");
    assert_eq!(seen[1], "a 5 page");
    assert_eq!(seen[2], format!("{} 9 eos", "x".repeat(300)));
    assert_eq!(seen[3..], ["bc 9 eos", " 9 page eos"]);
}

#[test]
fn a_lost_page_loses_its_packets_only() {
    let mut pages = pages(&[
        page(2, 0, 0, &[1], b"h"),
        page(0, 5, 1, &[1, 255], &[b'a'; 256]),
        page(1, 9, 3, &[1, 1], b"bc"),
        page(4, 11, 4, &[1], b"d"),
    ]);
    assert_eq!(
        all(&mut pages),
        [
            "h 0 page",
            "a 5 page",
            "lost 1",
            "c 9 page",
            "d 11 page eos"
        ]
    );
}

#[test]
fn junk_and_wrong_check_sums_are_passed_over() {
    let mut broken = page(0, 5, 1, &[1], b"x");
    broken[28] ^= 1;
    let mut pages = pages(&[
        page(2, 0, 0, &[1], b"h"),
        broken,
        b"OggS junk".to_vec(),
        page(4, 9, 2, &[1], b"b"),
        b"trailing junk that is long enough for a header".to_vec(),
    ]);
    assert_eq!(
        all(&mut pages),
        ["h 0 page", "lost 1", "lost 1", "b 9 page eos", "lost 1"]
    );
}

#[test]
fn a_huge_packet_is_cut_not_stored() {
    let mut parts = vec![page(2, 0, 0, &[1], b"h")];
    for sequence in 0..100 {
        parts.push(page(
            u8::from(sequence > 0),
            -1,
            sequence + 1,
            &[255; 255],
            &vec![b'p'; 65_025],
        ));
    }
    parts.push(page(1, 0, 101, &[3, 4], b"endnext"));
    let mut pages = pages(&parts);
    assert!(matches!(pages.next().unwrap(), Event::Packet(_)));
    assert!(matches!(pages.next().unwrap(), Event::Packet(_)));
    assert_eq!(pages.packet().len(), MAX_PACKET);
    assert!(matches!(pages.next().unwrap(), Event::Packet(_)));
    assert_eq!(pages.packet(), b"next");
}

proptest::proptest! {
    #[test]
    fn never_panics_on_any_bytes(
        junk in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        at in 0_usize..400,
    ) {
        let mut bytes = [page(2, 0, 0, &[1], b"h"), page(0, 1, 1, &[255, 9], &[1; 264])].concat();
        let at = at.min(bytes.len());
        let end = (at + junk.len()).min(bytes.len());
        bytes.splice(at..end, junk);
        all(&mut pages(&[bytes]));
    }
}
