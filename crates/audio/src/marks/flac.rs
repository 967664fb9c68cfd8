//! The `CUESHEET` block of FLAC (RFC 9639, 8.7), as `metaflac --import-cuesheet-from` writes it.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::Mark;

const STREAMINFO: u8 = 0;
const CUESHEET: u8 = 5;

/// Bytes of a block before its tracks.
const HEAD: usize = 396;
/// Bytes of a track before its indexes, and of an index.
const TRACK: usize = 36;
const INDEX: usize = 12;

/// The tracks of the block; none where there is no such block, or it is broken.
pub(super) fn marks(path: &Path) -> Vec<Mark> {
    run::listed_file(path)
        .and_then(|file| blocks(&mut BufReader::new(file)))
        .ok()
        .flatten()
        .and_then(|(rate, block)| tracks(rate, &block))
        .unwrap_or_default()
}

/// The sample rate and the cue sheet's bytes.
fn blocks(file: &mut (impl Read + Seek)) -> io::Result<Option<(u32, Vec<u8>)>> {
    let mut magic = [0; 10];
    file.read_exact(&mut magic)?;
    if magic.starts_with(b"ID3") {
        // Four bytes of seven bits each: the tag without these ten.
        let size = magic[6..]
            .iter()
            .fold(0, |size, byte| size << 7 | i64::from(byte & 0x7f));
        file.seek(SeekFrom::Current(size))?;
        file.read_exact(&mut magic[..4])?;
    } else {
        file.seek(SeekFrom::Start(4))?;
    }
    if !magic.starts_with(b"fLaC") {
        return Ok(None);
    }
    let mut rate = 0;
    loop {
        let mut head = [0; 4];
        file.read_exact(&mut head)?;
        let [kind, sizes @ ..] = head;
        let size = sizes
            .iter()
            .fold(0_u32, |size, byte| size << 8 | u32::from(*byte));
        match kind & 0x7f {
            STREAMINFO => {
                let mut block = vec![0; size as usize];
                file.read_exact(&mut block)?;
                if let Some([a, b, c]) = block.get(10..13) {
                    rate = u32::from_be_bytes([0, *a, *b, *c]) >> 4;
                }
            }
            CUESHEET => {
                let mut block = vec![0; size as usize];
                file.read_exact(&mut block)?;
                return Ok(Some((rate, block)));
            }
            _ => {
                file.seek(SeekFrom::Current(i64::from(size)))?;
            }
        }
        if kind & 0x80 != 0 {
            return Ok(None);
        }
    }
}

fn tracks(rate: u32, block: &[u8]) -> Option<Vec<Mark>> {
    let seconds = |samples: u64| samples as f64 / f64::from(rate.max(1));
    let offset = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?));
    let count = *block.get(HEAD - 1)?;
    let mut rest = &block[HEAD..];
    let mut marks: Vec<Mark> = Vec::new();
    for _ in 0..count {
        let (track, indexes) = (rest.get(..TRACK)?, usize::from(rest[TRACK - 1]));
        let start = offset(track)?;
        let points = rest.get(TRACK..TRACK + indexes * INDEX)?;
        // Index 1 is where the track begins; index 0 is the silence before it.
        let first = points.chunks_exact(INDEX).find(|index| index[8] == 1);
        let start = start.saturating_add(first.and_then(offset).unwrap_or(0));
        rest = &rest[TRACK + indexes * INDEX..];
        if indexes == 0 {
            // The lead-out: the last track ends here.
            if let Some(last) = marks.last_mut() {
                last.end = Some(seconds(start));
            }
            continue;
        }
        let is_audio = track[21] & 0x80 == 0;
        let isrc = String::from_utf8_lossy(&track[9..21])
            .trim_matches('\0')
            .to_owned();
        marks.push(Mark {
            start: if is_audio { seconds(start) } else { f64::NAN },
            number: Some(track[8].into()),
            isrc: Some(isrc).filter(|isrc| !isrc.is_empty()),
            ..Mark::default()
        });
    }
    Some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(at: u64, number: u8, indexes: &[(u64, u8)]) -> Vec<u8> {
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.push(number);
        bytes.extend(b"DEABC0100001");
        bytes.extend([0; 14]);
        bytes.push(indexes.len() as u8);
        for (at, number) in indexes {
            bytes.extend(at.to_be_bytes());
            bytes.extend([*number, 0, 0, 0]);
        }
        bytes
    }

    fn block() -> Vec<u8> {
        let mut block = vec![0; HEAD];
        block[HEAD - 1] = 3;
        block.extend(track(0, 1, &[(0, 1)]));
        block.extend(track(441_000, 2, &[(0, 0), (88_200, 1)]));
        block.extend(track(1_323_000, 170, &[]));
        block
    }

    #[test]
    fn tracks_begin_at_index_one_and_the_last_ends_at_the_lead_out() {
        let marks = tracks(44_100, &block()).unwrap();
        let found: Vec<_> = marks.iter().map(|mark| (mark.start, mark.end)).collect();
        assert_eq!(found, [(0.0, None), (12.0, Some(30.0))]);
        assert_eq!(marks[1].isrc.as_deref(), Some("DEABC0100001"));
        assert_eq!(tracks(44_100, &block()[..500]), None);
    }

    #[test]
    fn the_block_is_found_behind_others_and_a_tag() {
        let mut file = b"ID3\x04\0\0\0\0\0\x05aaaaafLaC".to_vec();
        let mut info = vec![0; 34];
        info[10..13].copy_from_slice(&(44_100_u32 << 4).to_be_bytes()[1..]);
        for (kind, body) in [(0, info), (1, vec![0; 100]), (0x85, block())] {
            file.push(kind);
            file.extend(&(body.len() as u32).to_be_bytes()[1..]);
            file.extend(body);
        }
        let (rate, found) = blocks(&mut io::Cursor::new(&file)).unwrap().unwrap();
        assert_eq!((rate, found), (44_100, block()));
        assert!(blocks(&mut io::Cursor::new(&file[..200])).is_err());
        assert!(matches!(
            blocks(&mut io::Cursor::new(&file[15..60])),
            Ok(None) | Err(_)
        ));
    }
}
