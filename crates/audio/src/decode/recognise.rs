//! Finds out what a file is and where its audio begins: the one door through which every file comes.
//!
//! Names lie, and so do first bytes: tags of any kind, zeros and junk stand before the audio of files that every player
//! plays. What decoding can find is found here, and nowhere else is a file refused for how it begins.

use std::io;

use memchr::memmem;

use super::DecodeError;
use super::mpeg::{find_first_frame, is_free_format};
use super::sniff::{self, HEAD, Kind};
use crate::extents;
use crate::input::Input;

/// How far into a file the first MPEG frame is looked for, in bytes. Pictures that a broken tag leaves in front of
/// the music have a few megabytes.
const SEARCH: u64 = 16 << 20;

/// How far into a file another beginning (FLAC, Ogg) is looked for behind junk.
const MAGIC_SEARCH: usize = 1 << 20;

/// Bytes searched at once, and how far one such stretch reaches into the next: a frame has up to 2,881 bytes, and
/// four of them in a row are looked at.
const WINDOW: u64 = 1 << 20;
const OVERLAP: u64 = 12 << 10;

/// Bytes of a file that are looked at before a whole window is.
const FIRST: usize = 4096;

/// Zeros passed over in front of anything: what a download that never came to its data holds is not searched
/// to its end.
const MAX_ZEROS: u64 = 64 << 20;

/// Tags that stand one behind another; two are common.
const MAX_TAGS: usize = 16;

/// Finds out where the audio begins, and of which kind it is.
pub(super) fn recognise(input: &mut Input) -> Result<(u64, Kind), DecodeError> {
    if input.length == 0 {
        return Err(DecodeError::Unrecognised("it is empty".to_owned()));
    }
    let mut start = skip_tags(input, 0)?;
    if let Some(kind) = sniff::sniff(&input.vec_at(start, HEAD)?).filter(|kind| !is_doubtful(*kind))
    {
        return Ok((start, kind));
    }
    // Zeros may stand before anything, even tags, and junk of any kind before frames.
    let zeros = zeros(input, start)?;
    start = skip_tags(input, start + zeros)?;
    let first = sniff::sniff(&input.vec_at(start, HEAD)?);
    if let Some(kind) = first.filter(|kind| !is_doubtful(*kind)) {
        return Ok((start, kind));
    }
    let end = extents::audio_end(input, start.min(input.length))?;
    if let Some(at) = find_mpeg(input, start, end)? {
        return Ok((at, Kind::Mpeg));
    }
    if let Some(kind) = first.filter(|kind| *kind != Kind::Mpeg) {
        return Ok((start, kind));
    }
    let search = input.vec_at(start, MAGIC_SEARCH)?;
    if let Some((at, kind)) = find_magic(&search) {
        return Ok((start + at as u64, kind));
    }
    if is_free_format(&search) {
        return Err(DecodeError::Unsupported(
            "`MP3 in the free format`".to_owned(),
        ));
    }
    Err(DecodeError::Unrecognised(if start >= end {
        "it holds nothing but tags".to_owned()
    } else {
        "nothing in it looks like audio".to_owned()
    }))
}

/// Kinds that two bytes make: text and pictures begin like them, too, and MPEG frames are looked for first.
fn is_doubtful(kind: Kind) -> bool {
    match kind {
        Kind::Mpeg | Kind::Id3 => true,
        Kind::Foreign(format) => !format.is_certain(),
        _ => false,
    }
}

/// Where the tags end that begin at `start`.
fn skip_tags(input: &mut Input, mut start: u64) -> io::Result<u64> {
    for _ in 0..MAX_TAGS {
        if let Some(end) = extents::id3v2_end(input, start)? {
            start = end;
        } else if let Some(length) = extents::ape_at_front(input, start)? {
            start += length;
        } else {
            break;
        }
    }
    Ok(start)
}

fn zeros(input: &mut Input, start: u64) -> io::Result<u64> {
    let mut count = 0;
    while count < MAX_ZEROS {
        let length = if count == 0 { FIRST } else { WINDOW as usize };
        let block = input.vec_at(start + count, length)?;
        let zeros = block.iter().take_while(|byte| **byte == 0).count();
        count += zeros as u64;
        if zeros < block.len() || block.is_empty() {
            break;
        }
    }
    Ok(count)
}

/// Where the first MPEG frame begins between two offsets.
pub(super) fn find_mpeg(input: &mut Input, start: u64, end: u64) -> io::Result<Option<u64>> {
    let first = input.vec_at(start, OVERLAP.min(end.saturating_sub(start)) as usize)?;
    if find_first_frame(&first, false) == Some(0) {
        return Ok(Some(start));
    }
    let mut at = start;
    while at < end && at - start < SEARCH {
        let length = (WINDOW + OVERLAP).min(end - at);
        let window = input.vec_at(at, length as usize)?;
        let is_last = at + length >= end;
        if let Some(found) = find_first_frame(&window, is_last) {
            return Ok(Some(at + found as u64));
        }
        at += WINDOW;
    }
    Ok(None)
}

/// The beginning of a FLAC or Ogg stream behind junk.
fn find_magic(bytes: &[u8]) -> Option<(usize, Kind)> {
    let flac = memmem::find(bytes, b"fLaC\0\0\0\x22").map(|at| (at, Kind::Flac));
    let ogg = memmem::find(bytes, b"OggS\0\x02").map(|at| (at, Kind::Ogg));
    flac.into_iter().chain(ogg).min_by_key(|(at, _)| *at)
}
