//! `QuickTime`'s chapters: a text track that another one names in `tref.chap`, one sample a chapter.
//!
//! Source: Apple's `QuickTime` File Format, "Chapter lists" and "Text sample data": two bytes of length,
//! then UTF-8, or UTF-16 with a byte order mark. Apple's own tools write nothing else.

use super::timescale;
use crate::atoms::{Atom, children, descend, find};
use crate::decode::DecodeError;
use crate::input::Input;

/// Chapters believed.
const MAX_CHAPTERS: usize = 4096;
/// Bytes of a title that are read.
const MAX_TITLE: usize = 1024;

/// Starts in seconds and titles; none where there is no such track.
pub(super) fn read(input: &mut Input, moov: Atom) -> Result<Vec<(f64, String)>, DecodeError> {
    let mut tracks = children(input, moov.body, moov.end)?;
    tracks.retain(|atom| &atom.kind == b"trak");
    let mut named = Vec::new();
    for track in &tracks {
        if let Some(list) = descend(input, *track, &[*b"tref", *b"chap"])? {
            named.extend(words(input, list, 0)?);
        }
    }
    for track in &tracks {
        if track_id(input, *track)?.is_some_and(|id| named.contains(&id))
            && let Some(media) = descend(input, *track, &[*b"mdia"])?
            && is_text(input, media)?
        {
            return samples(input, media);
        }
    }
    Ok(Vec::new())
}

fn track_id(input: &mut Input, track: Atom) -> Result<Option<u32>, DecodeError> {
    let Some(header) = descend(input, track, &[*b"tkhd"])? else {
        return Ok(None);
    };
    let version = input.array_at::<1>(header.body)?.unwrap_or_default()[0];
    let at = header.body + if version == 1 { 20 } else { 12 };
    Ok(input.array_at::<4>(at)?.map(u32::from_be_bytes))
}

fn is_text(input: &mut Input, media: Atom) -> Result<bool, DecodeError> {
    let Some(handler) = descend(input, media, &[*b"hdlr"])? else {
        return Ok(false);
    };
    let kind = input.array_at::<4>(handler.body + 8)?;
    Ok(kind.is_some_and(|kind| &kind == b"text" || &kind == b"sbtl"))
}

fn samples(input: &mut Input, media: Atom) -> Result<Vec<(f64, String)>, DecodeError> {
    let scale = match descend(input, media, &[*b"mdhd"])? {
        Some(header) => timescale(input, header)?,
        None => 0,
    };
    let Some(table) = descend(input, media, &[*b"minf", *b"stbl"])? else {
        return Ok(Vec::new());
    };
    let tables = children(input, table.body, table.end)?;
    let mut list = |kind, skip| match find(&tables, kind) {
        Some(atom) => words(input, atom, skip),
        None => Ok(Vec::new()),
    };
    let runs = list(*b"stts", 8)?;
    let places = places(
        &list(*b"stsz", 4)?,
        &list(*b"stsc", 8)?,
        &list(*b"stco", 8)?,
    );
    let durations = runs
        .chunks_exact(2)
        .flat_map(|run| std::iter::repeat_n(run[1], (run[0] as usize).min(MAX_CHAPTERS)));
    let mut chapters = Vec::new();
    let mut ticks = 0_u64;
    for (place, duration) in places.into_iter().zip(durations) {
        let seconds = ticks as f64 / f64::from(scale.max(1));
        chapters.push((seconds, title(input, place)?));
        ticks += u64::from(duration);
    }
    Ok(chapters)
}

/// Where each sample begins, from the tables of sizes, of chunks' samples, and of chunks' offsets.
fn places(sizes: &[u32], runs: &[u32], chunks: &[u32]) -> Vec<u64> {
    let [constant, count, sizes @ ..] = sizes else {
        return Vec::new();
    };
    let count = (*count as usize).min(MAX_CHAPTERS);
    let size = |at: usize| match *constant {
        0 => sizes.get(at).copied().unwrap_or(0),
        constant => constant,
    };
    let mut places = Vec::new();
    for (chunk, offset) in (1_u32..).zip(chunks) {
        // The last run that begins at or before this chunk tells how many samples it has.
        let run = runs
            .chunks_exact(3)
            .take_while(|run| run[0] <= chunk)
            .last();
        let mut at = u64::from(*offset);
        for _ in 0..run.map_or(1, |run| run[1]) {
            if places.len() == count {
                return places;
            }
            places.push(at);
            at += u64::from(size(places.len() - 1));
        }
    }
    places
}

fn title(input: &mut Input, at: u64) -> Result<String, DecodeError> {
    let length = input.array_at::<2>(at)?.map_or(0, u16::from_be_bytes);
    let bytes = input.vec_at(at + 2, usize::from(length).min(MAX_TITLE))?;
    let text = match encoding_rs::Encoding::for_bom(&bytes) {
        Some((encoding, _)) => encoding.decode(&bytes).0.into_owned(),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Ok(text.trim_matches(['\0', ' ']).to_owned())
}

/// A box's big-endian words after `skip` bytes, as many as a list of chapters may have.
fn words(input: &mut Input, atom: Atom, skip: u64) -> Result<Vec<u32>, DecodeError> {
    let length = atom.end.saturating_sub(atom.body + skip);
    let limit = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(MAX_CHAPTERS * 12);
    let bytes = input.vec_at(atom.body + skip, limit)?;
    let words = bytes.chunks_exact(4);
    Ok(words
        .map(|word| u32::from_be_bytes(word.try_into().expect("a chunk is four bytes")))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_one_after_the_other_in_their_chunks() {
        // Two chunks of two samples, then one of one.
        let runs = [1, 2, 1, 3, 1, 1];
        let sizes = [0, 5, 10, 20, 30, 40, 50];
        assert_eq!(
            places(&sizes, &runs, &[100, 200, 300]),
            [100, 110, 200, 230, 300]
        );
        assert_eq!(places(&[7, 2], &[], &[100, 200]), [100, 200]);
        assert!(places(&[], &runs, &[100]).is_empty());
        assert!(places(&[0, u32::MAX], &[1, u32::MAX, 1], &[100]).len() <= MAX_CHAPTERS);
    }
}
