//! Walks the boxes of an MP4 file for what Symphonia does not tell.
//!
//! Symphonia demultiplexes MP4 well, but it does not apply edit lists (so AAC's encoder delay of 1,024
//! to 2,112 samples stays in the audio), does not say that a track is encrypted, and loads cover
//! pictures into memory. This walker reads the few boxes that matter, by seeking, never more than a
//! few kilobytes at a time, and lists the boxes that the demultiplexer should not see.
//!
//! Sources: ISO/IEC 14496-12 (boxes, edit lists) and 14496-3 (`AudioSpecificConfig`); the text of
//! `iTunSMPB` is Apple's: hexadecimal words, of which the second is the delay, the third the padding
//! and the fourth the count of valid frames.

mod chapter_track;
mod chapters;
mod descriptors;

use std::io;

use super::DecodeError;
use super::packets::Trim;
use crate::input::Input;
pub(super) use chapters::chapters;

use crate::atoms::{Atom, children, descend, find};
use descriptors::specific_config;

/// Runs of equal sample durations; Symphonia's look-up is linear in them, for each packet.
const MAX_RUNS: u32 = 65_536;
/// The largest packet believed, in bytes; ALAC of 8 channels and 32 bits needs 131 kB.
const MAX_PACKET: u32 = 4 << 20;

/// What the boxes say about the first audio track.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Movie {
    /// Sample entry, such as `mp4a` or `alac`.
    pub entry: [u8; 4],
    /// Ticks per second of the track's media.
    pub timescale: u32,
    /// Sum of all sample durations, in ticks; 0 when the file is fragmented.
    pub duration: u64,
    /// The edit list's part that is played.
    pub edit: Option<Edit>,
    /// The edit list plays several parts, between which something is left out, repeated or put in another order.
    pub is_rearranged: bool,
    pub smpb: Option<Smpb>,
    /// `AudioSpecificConfig`, empty when there is none.
    pub config: Vec<u8>,
    /// Bytes to be read instead, by offset in the file: tags, pictures and other tracks as `free`
    /// boxes, and the size of a last box that is cut.
    pub patches: Vec<(u64, [u8; 4])>,
    /// Where the last box ends; what stands behind it is none.
    pub end: u64,
}

impl Movie {
    fn hide(&mut self, atom: Atom) {
        self.patches.push((atom.kind_at, *b"free"));
    }

    /// Makes a box that is cut end with the file: Symphonia opens no other.
    fn shorten(&mut self, atom: Atom) {
        let size = atom.end - (atom.kind_at - 4);
        let bytes = size.to_be_bytes();
        let (high, low) = bytes.split_at(4);
        let as_word = |half: &[u8]| half.try_into().expect("half of eight bytes");
        let is_wide = atom.body - atom.kind_at == 12;
        if is_wide {
            self.patches.push((atom.kind_at + 4, as_word(high)));
            self.patches.push((atom.kind_at + 8, as_word(low)));
        } else {
            self.patches.push((atom.kind_at - 4, as_word(low)));
        }
    }

    /// Which decoded frames are played, and how many, at this sample rate.
    ///
    /// The start is the edit list's, else Apple's tag; none means no trimming, as in ffmpeg. The end is
    /// exact here while ffmpeg (5.1) leaves up to one packet of padding: by Apple's tag, else by the
    /// edit or the sum of all durations, whichever is the finer.
    pub(super) fn trim(&self, sample_rate: u32) -> (Trim, Option<u64>) {
        let to_frames = |ticks: u64| match self.timescale {
            0 => 0,
            scale => (u128::from(ticks) * u128::from(sample_rate) / u128::from(scale)) as u64,
        };
        let edited = self
            .edit
            .filter(|edit| edit.start > 0 || self.smpb.is_none());
        let delay = edited
            .map(|edit| to_frames(edit.start))
            .or(self.smpb.map(|tag| tag.delay))
            .unwrap_or(0);
        let total = to_frames(self.duration);
        let mut end = if total > 0 { total } else { u64::MAX };
        if let Some(tag) = self.smpb.filter(|tag| tag.delay == delay) {
            end = end.min(delay.saturating_add(tag.frames));
        } else if let Some(edit) = edited.filter(|edit| edit.length > 0) {
            let edit_end = edit.start.saturating_add(edit.length);
            if edit_end.saturating_add(edit.slack) < self.duration || self.duration == 0 {
                end = end.min(to_frames(edit_end));
            }
        }
        let trim = Trim {
            delay,
            padding_from: end,
            padding_to: u64::MAX,
        };
        (trim, (end < u64::MAX).then(|| end.saturating_sub(delay)))
    }
}

/// An edit: both in ticks of the media; the length is rounded to the movie's (coarser) clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub start: u64,
    /// 0 when the edit has no stated length.
    pub length: u64,
    /// One tick of the movie's clock, that is how far `length` may be off.
    pub slack: u64,
}

/// Apple's gapless tag, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Smpb {
    pub delay: u64,
    pub frames: u64,
}

/// Reads the boxes of the file from `start` on.
pub(super) fn walk(input: &mut Input, start: u64) -> Result<Movie, DecodeError> {
    let top = children(input, start, input.length)?;
    let moov = top
        .iter()
        .find(|atom| &atom.kind == b"moov")
        .ok_or_else(|| {
            DecodeError::Malformed(
                "the MP4 file has no `moov` box, it is probably cut off".to_owned(),
            )
        })?;
    // Junk behind the boxes has no name, or no size that a box could have.
    let is_name = |atom: &&Atom| atom.kind.iter().all(|byte| (b' '..=b'~').contains(byte));
    let boxes = top.iter().take_while(is_name).map(|atom| atom.end);
    let mut movie = Movie {
        end: boxes.max().unwrap_or(moov.end).max(moov.end),
        ..Movie::default()
    };
    let inside = children(input, moov.body, moov.end)?;
    let movie_scale = match find(&inside, *b"mvhd") {
        Some(header) => timescale(input, header)?,
        None => 0,
    };
    let fragmented = find(&inside, *b"mvex").is_some();
    let mut found = false;
    for atom in &inside {
        match &atom.kind {
            b"udta" | b"meta" => {
                movie.smpb = movie.smpb.or(itunes_gapless(input, *atom)?);
                movie.hide(*atom);
            }
            b"trak" => {
                let is_audio = !found && audio_track(input, *atom, movie_scale, &mut movie)?;
                found |= is_audio;
                if !is_audio && !fragmented {
                    movie.hide(*atom);
                }
            }
            _ => {}
        }
    }
    for atom in &top {
        match &atom.kind {
            b"meta" => movie.hide(*atom),
            _ if atom.is_cut => movie.shorten(*atom),
            _ => {}
        }
    }
    if found {
        Ok(movie)
    } else {
        Err(DecodeError::NoAudio(
            "the MP4 file has no audio track".to_owned(),
        ))
    }
}

/// Of `mvhd` and `mdhd` alike: version 1 has dates of eight bytes each.
fn timescale(input: &mut Input, atom: Atom) -> io::Result<u32> {
    let version = input.array_at::<1>(atom.body)?.unwrap_or_default()[0];
    let at = atom.body + if version == 1 { 20 } else { 12 };
    Ok(input.array_at::<4>(at)?.map_or(0, u32::from_be_bytes))
}

/// Fills `movie` if this track is audio, and says whether it is.
fn audio_track(
    input: &mut Input,
    trak: Atom,
    movie_scale: u32,
    movie: &mut Movie,
) -> Result<bool, DecodeError> {
    let Some(mdia) = descend(input, trak, &[*b"mdia"])? else {
        return Ok(false);
    };
    let boxes = children(input, mdia.body, mdia.end)?;
    let handler = match find(&boxes, *b"hdlr") {
        Some(atom) => input.array_at::<4>(atom.body + 8)?,
        None => None,
    };
    if handler != Some(*b"soun") {
        return Ok(false);
    }
    if let Some(header) = find(&boxes, *b"mdhd") {
        movie.timescale = timescale(input, header)?;
    }
    let Some(table) = descend(input, mdia, &[*b"minf", *b"stbl"])? else {
        return Ok(false);
    };
    let tables = children(input, table.body, table.end)?;
    if let Some(stsd) = find(&tables, *b"stsd") {
        sample_entry(input, stsd, movie)?;
    }
    if let Some(stts) = find(&tables, *b"stts") {
        movie.duration = total_duration(input, stts)?;
    }
    if let Some(stsz) = find(&tables, *b"stsz") {
        check_packet_sizes(input, stsz)?;
    }
    if let Some(list) = descend(input, trak, &[*b"edts", *b"elst"])? {
        (movie.edit, movie.is_rearranged) = edit(input, list, movie_scale, movie.timescale)?;
    }
    // Tags may stand in the track as well.
    for atom in children(input, trak.body, trak.end)? {
        if matches!(&atom.kind, b"udta" | b"meta") {
            movie.hide(atom);
        }
    }
    Ok(true)
}

fn sample_entry(input: &mut Input, stsd: Atom, movie: &mut Movie) -> Result<(), DecodeError> {
    let Some(entry) = children(input, stsd.body + 8, stsd.end)?.first().copied() else {
        return Ok(());
    };
    movie.entry = entry.kind;
    // QuickTime sound descriptions of version 1 and 2 are longer before their boxes begin.
    let version = input
        .array_at::<2>(entry.body + 8)?
        .map_or(0, u16::from_be_bytes);
    let fixed = match version {
        1 => 44,
        2 => 64,
        _ => 28,
    };
    let mut inside = children(input, entry.body + fixed, entry.end)?;
    if let Some(wave) = find(&inside, *b"wave") {
        inside.extend(children(input, wave.body, wave.end)?);
    }
    if find(&inside, *b"sinf").is_some() {
        movie.entry = *b"drms";
    }
    if let Some(esds) = find(&inside, *b"esds") {
        if esds.end - esds.body > 1 << 16 {
            return Err(DecodeError::Malformed(
                "the `esds` box is larger than 64 kB".to_owned(),
            ));
        }
        let bytes = input.vec_at(esds.body + 4, (esds.end - esds.body) as usize)?;
        movie.config = specific_config(&bytes).unwrap_or_default().to_vec();
    }
    Ok(())
}

/// What a sample entry is called.
pub(super) fn codec_name(entry: [u8; 4]) -> String {
    let name = match &entry {
        b"Opus" => "Opus",
        b"ac-3" => "Dolby Digital (AC-3)",
        b"ec-3" => "Dolby Digital Plus (E-AC-3)",
        b"ac-4" => "Dolby AC-4",
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => "DTS",
        b"samr" | b"sawb" => "AMR",
        b"mlpa" => "TrueHD",
        b"alaw" | b"ulaw" => "companded PCM",
        b"ima4" => "IMA ADPCM",
        b"MAC3" | b"MAC6" => "MACE",
        b"QDM2" | b"QDMC" => "QDesign Music",
        b"spex" => "Speex",
        other => return String::from_utf8_lossy(other).trim().to_owned(),
    };
    name.to_owned()
}

fn total_duration(input: &mut Input, stts: Atom) -> Result<u64, DecodeError> {
    let runs = input
        .array_at::<4>(stts.body + 4)?
        .map_or(0, u32::from_be_bytes);
    if runs > MAX_RUNS {
        return Err(DecodeError::Malformed(format!(
            "`{runs}` runs of sample durations, expected a few"
        )));
    }
    let bytes = input.vec_at(stts.body + 8, runs as usize * 8)?;
    let total = bytes.chunks_exact(8).fold(0_u64, |total, run| {
        let word =
            |at: usize| u32::from_be_bytes(run[at..at + 4].try_into().expect("a run is two words"));
        total.saturating_add(u64::from(word(0)) * u64::from(word(4)))
    });
    Ok(total)
}

/// Refuses packets of absurd size before anything reserves memory for them.
fn check_packet_sizes(input: &mut Input, stsz: Atom) -> Result<(), DecodeError> {
    let constant = input
        .array_at::<4>(stsz.body + 4)?
        .map_or(0, u32::from_be_bytes);
    let mut largest = constant;
    let mut at = stsz.body + 12;
    while constant == 0 && at < stsz.end {
        let block = input.vec_at(at, (stsz.end - at).min(1 << 16) as usize)?;
        if block.is_empty() {
            break;
        }
        at += block.len() as u64;
        let sizes = block.chunks_exact(4);
        largest = sizes
            .map(|size| u32::from_be_bytes(size.try_into().expect("a chunk is four bytes")))
            .fold(largest, u32::max);
    }
    if largest > MAX_PACKET {
        return Err(DecodeError::Malformed(format!(
            "an audio packet of `{largest}` bytes, expected at most {MAX_PACKET}"
        )));
    }
    Ok(())
}

/// The first edit that plays media, and whether others follow that do not go on where it ends.
fn edit(
    input: &mut Input,
    list: Atom,
    movie_scale: u32,
    timescale: u32,
) -> Result<(Option<Edit>, bool), DecodeError> {
    let bytes = input.vec_at(list.body, (list.end - list.body).min(4096) as usize)?;
    let wide = bytes.first() == Some(&1);
    let size = if wide { 20 } else { 12 };
    let mut edits = Vec::new();
    for entry in bytes.get(8..).unwrap_or_default().chunks_exact(size) {
        let word = |at: usize| u32::from_be_bytes(entry[at..at + 4].try_into().expect("a word"));
        let long = |at: usize| u64::from_be_bytes(entry[at..at + 8].try_into().expect("two words"));
        let (length, start) = if wide {
            (long(0), long(8) as i64)
        } else {
            (u64::from(word(0)), i64::from(word(4) as i32))
        };
        if let Ok(start) = u64::try_from(start) {
            edits.push((start, length));
        }
    }
    let Some(&(start, length)) = edits.first() else {
        return Ok((None, false));
    };
    if movie_scale == 0 {
        let edit = Edit {
            start,
            length: 0,
            slack: 0,
        };
        return Ok((Some(edit), false));
    }
    let to_media = |ticks: u64| {
        let scaled = u128::from(ticks) * u128::from(timescale) / u128::from(movie_scale);
        u64::try_from(scaled).unwrap_or(0)
    };
    let length = if edits.len() == 1 {
        to_media(length)
    } else {
        0
    };
    let slack = u64::from(timescale.div_ceil(movie_scale));
    let is_rearranged = edits.windows(2).any(|two| {
        let end = two[0].0.saturating_add(to_media(two[0].1));
        end.abs_diff(two[1].0) > slack
    });
    let edit = Edit {
        start,
        length,
        slack,
    };
    Ok((Some(edit), is_rearranged))
}

fn itunes_gapless(input: &mut Input, from: Atom) -> Result<Option<Smpb>, DecodeError> {
    let meta = if &from.kind == b"meta" {
        Some(from)
    } else {
        descend(input, from, &[*b"meta"])?
    };
    let Some(meta) = meta else { return Ok(None) };
    // `meta` is a full box in ISO files and a plain one in QuickTime's.
    let mut list = None;
    for skip in [4, 0] {
        list = list.or(find(
            &children(input, meta.body + skip, meta.end)?,
            *b"ilst",
        ));
    }
    let Some(list) = list else { return Ok(None) };
    for item in children(input, list.body, list.end)? {
        if &item.kind != b"----" {
            continue;
        }
        let parts = children(input, item.body, item.end)?;
        let (Some(name), Some(data)) = (find(&parts, *b"name"), find(&parts, *b"data")) else {
            continue;
        };
        if input.vec_at(name.body + 4, 8)? == b"iTunSMPB" {
            let text = input.vec_at(data.body + 8, (data.end - data.body).min(256) as usize)?;
            return Ok(parse_smpb(&String::from_utf8_lossy(&text)));
        }
    }
    Ok(None)
}

fn parse_smpb(text: &str) -> Option<Smpb> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut word = || u64::from_str_radix(words.next()?, 16).ok();
    let (delay, _padding, frames) = (word()?, word()?, word()?);
    // A delay of more than 16,383 frames is nonsense that some taggers write.
    (delay < 16_384 && frames > 0).then_some(Smpb { delay, frames })
}

#[cfg(test)]
mod tests;
