//! Nero's chapter list, `moov.udta.chpl`, which ffmpeg and most others read and write; or else a chapter track.

use super::chapter_track;
use crate::atoms::{children, descend, find};
use crate::decode::DecodeError;
use crate::input::Input;

/// Times are in units of 100 ns.
const PER_SECOND: f64 = 10_000_000.0;

/// Starts in seconds and titles; none where there is no list.
pub(in crate::decode) fn chapters(input: &mut Input) -> Result<Vec<(f64, String)>, DecodeError> {
    let length = input.length;
    let top = children(input, 0, length)?;
    let Some(moov) = find(&top, *b"moov") else {
        return Ok(Vec::new());
    };
    // The list holds 255 chapters at most, and may leave the rest to the track.
    let track = chapter_track::read(input, moov)?;
    let Some(list) = descend(input, moov, &[*b"udta", *b"chpl"])? else {
        return Ok(track);
    };
    let limit = usize::try_from(list.end - list.body)
        .unwrap_or(usize::MAX)
        .min(1 << 20);
    let bytes = input.vec_at(list.body, limit)?;
    let listed = entries(&bytes).unwrap_or_default();
    Ok(if track.len() > listed.len() {
        track
    } else {
        listed
    })
}

fn entries(bytes: &[u8]) -> Option<Vec<(f64, String)>> {
    // Version and flags; from version 1 on, four bytes more.
    let version = *bytes.first()?;
    let mut rest = bytes.get(if version == 0 { 4 } else { 8 }..)?;
    let count = *rest.first()?;
    rest = &rest[1..];
    let mut chapters = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let start = u64::from_be_bytes(rest.get(..8)?.try_into().ok()?);
        let length = usize::from(*rest.get(8)?);
        let title = rest.get(9..9 + length)?;
        chapters.push((
            start as f64 / PER_SECOND,
            String::from_utf8_lossy(title).into_owned(),
        ));
        rest = &rest[9 + length..];
    }
    Some(chapters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_a_cut_one_is_none() {
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
        for (start, title) in [(0_u64, "One"), (2_005_000_000, "Zwei")] {
            bytes.extend(start.to_be_bytes());
            bytes.push(title.len() as u8);
            bytes.extend(title.as_bytes());
        }
        let found = entries(&bytes).unwrap();
        assert_eq!(found, [(0.0, "One".to_owned()), (200.5, "Zwei".to_owned())]);
        assert_eq!(entries(&bytes[..bytes.len() - 1]), None);
        assert_eq!(entries(&[]), None);
    }
}
