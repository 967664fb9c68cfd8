//! Native FLAC files: one stream, or several that somebody has joined without a tool that knows the format.
//!
//! The header that Symphonia sees is made up ([`super::headers`]). Where a second stream begins is found by searching for its
//! marker; that takes reading the whole file once more, so it is done only where the last frame of the file
//! is not the one that the first header promises.

mod frame;

use super::DecodeError;
use super::headers::Plan;
use crate::input::Input;
use frame::FrameHeader;

/// Blocks of metadata passed over before giving up; real files have about ten.
const MAX_CHUNKS: usize = 10_000;

/// Streams in one file; a rip of a box set joined by hand has some dozens.
const MAX_STREAMS: usize = 1_000;

/// How a stream begins: its marker, and the head of the block that must be first.
const MARKER: &[u8] = b"fLaC\0\0\0\x22";

/// Bytes at the end of a stream in which the last frame's header lies: frames have up to 65,535 samples, and packed music
/// takes less than this for them.
const TAIL: u64 = 256 << 10;

/// How far samples and bytes may be apart in one stream, as a share of the whole: loud parts take more bytes than quiet ones.
/// A guess; a stream that goes further is searched through, and nothing else comes of it.
const UNEVEN: f64 = 0.25;

/// Bytes searched at once.
const WINDOW: usize = 1 << 20;

/// Plans the streams of a FLAC file between two offsets, of which the first is readable.
pub(super) fn streams(input: &mut Input, start: u64, end: u64) -> Result<Vec<Plan>, DecodeError> {
    let mut whole = plan(input, start, end)?;
    if let Some(end) = end_of_last_frame(input, &whole)? {
        (whole.end, whole.data_end) = (end, end);
        if goes_evenly(input, &whole)? {
            return Ok(vec![whole]);
        }
    }
    let starts = markers(input, whole.start, end)?;
    let mut bounds = vec![start];
    bounds.extend(starts);
    let ends = bounds[1..].iter().copied().chain([end]);
    let mut plans = Vec::new();
    for (start, end) in bounds.iter().zip(ends) {
        match plan(input, *start, end) {
            Ok(plan) => plans.push(plan),
            // Something else that looks like a marker belongs to the stream before it.
            Err(DecodeError::Io(error)) => return Err(error.into()),
            Err(_) => {
                if let Some(last) = plans.last_mut() {
                    last.end = end;
                }
            }
        }
    }
    Ok(plans)
}

/// Where the frame ends that is the last one by the header, if it lies near the end and no other stream follows. What stands
/// behind it is no audio, and would spoil it: a decoder knows the end of a frame by what begins there.
fn end_of_last_frame(input: &mut Input, plan: &Plan) -> Result<Option<u64>, DecodeError> {
    let Some(declared) = plan.declared else {
        return Ok(None);
    };
    let from = plan.end.saturating_sub(TAIL).max(plan.start);
    let tail = input.vec_at(from, (plan.end - from) as usize)?;
    let last = (0..tail.len())
        .rev()
        .filter(|at| tail[*at] == 0xff)
        .find(|at| {
            FrameHeader::at(&tail[*at..])
                .is_some_and(|header| header.ends(declared, block_of(plan)))
        });
    let Some(last) = last else { return Ok(None) };
    let frame = &tail[last..];
    if memchr::memmem::find(frame, MARKER).is_some() {
        return Ok(None);
    }
    let least = u32::from_be_bytes([0, plan.header[12], plan.header[13], plan.header[14]]);
    let length = frame::length(frame, least as usize).unwrap_or(frame.len());
    Ok(Some(from + (last + length) as u64))
}

/// Samples of a block, by a plan's header.
fn block_of(plan: &Plan) -> u32 {
    u32::from(u16::from_be_bytes([plan.header[10], plan.header[11]]))
}

/// Whether on the way through the bytes the samples have gone as far: streams of equal length, joined, end alike.
fn goes_evenly(input: &mut Input, plan: &Plan) -> Result<bool, DecodeError> {
    let Some(declared) = plan.declared else {
        return Ok(false);
    };
    let block = block_of(plan);
    for part in [3, 2] {
        let at = plan.start + (plan.end - plan.start) / part;
        let bytes = input.vec_at(at, (TAIL / 4) as usize)?;
        let first = (0..bytes.len())
            .filter(|at| bytes[*at] == 0xff)
            .find_map(|at| FrameHeader::at(&bytes[at..]));
        let gone = first.map_or(0.0, |header| header.start(block) as f64 / declared as f64);
        if (gone - 1.0 / part as f64).abs() > UNEVEN && plan.end - plan.start > TAIL {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where further streams begin between two offsets.
fn markers(input: &mut Input, mut at: u64, end: u64) -> Result<Vec<u64>, DecodeError> {
    let mut found = Vec::new();
    while at < end && found.len() < MAX_STREAMS {
        let window = input.vec_at(at, WINDOW.min((end - at) as usize))?;
        if window.len() < MARKER.len() {
            break;
        }
        let starts = memchr::memmem::find_iter(&window, MARKER);
        found.extend(starts.map(|offset| at + offset as u64));
        at += (window.len() - MARKER.len() + 1) as u64;
    }
    Ok(found)
}

/// Plans one FLAC stream that begins at `start` and ends at `end`.
fn plan(input: &mut Input, start: u64, end: u64) -> Result<Plan, DecodeError> {
    let mut at = start + 4;
    let mut info = None;
    for _ in 0..MAX_CHUNKS {
        let Some([kind, size @ ..]) = input.array_at::<4>(at)? else {
            break;
        };
        let length = u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
        if matches!(kind, 0 | 0x80) && info.is_none() {
            if length != 34 {
                let text = format!("a STREAMINFO block of `{length}` bytes, expected 34");
                return Err(DecodeError::Malformed(text));
            }
            info = input.array_at::<34>(at + 4)?;
        }
        at += 4 + length;
        if kind & 0x80 != 0 {
            break;
        }
    }
    let mut info = info.ok_or_else(|| {
        DecodeError::Malformed("the FLAC file has no STREAMINFO block".to_owned())
    })?;
    let packed = u64::from_be_bytes(info[10..18].try_into().expect("the slice is eight bytes"));
    let frames = packed & 0xf_ffff_ffff;
    // A block whose length is wrong leads past the audio: let the decoder look for the first frame.
    let audio = if at < end { at } else { start + 42 };
    if packed >> 44 == 0 {
        let first = input.vec_at(audio, frame::LONGEST_HEADER)?;
        info = with_rate(
            info,
            FrameHeader::at(&first).map_or(0, |header| header.sample_rate),
        );
    }
    let mut header = b"fLaC\x80\0\0\x22".to_vec();
    let first = input.vec_at(audio, frame::LONGEST_HEADER)?;
    header.extend(forgiving(info, FrameHeader::at(&first)));
    Ok(Plan {
        header,
        start: audio,
        end,
        more: Vec::new(),
        data_end: end,
        declared: (frames > 0).then_some(frames),
        bits: Some((packed >> 36 & 31) as u8 + 1),
    })
}

/// In Hz, by a plan's header.
pub(super) fn rate_of(plan: &Plan) -> u32 {
    match plan.header.get(18..21) {
        Some([a, b, c]) => u32::from_be_bytes([0, *a, *b, *c]) >> 4,
        _ => 0,
    }
}

fn with_rate(mut info: [u8; 34], rate: u32) -> [u8; 34] {
    let packed = u64::from_be_bytes(info[10..18].try_into().expect("the slice is eight bytes"));
    let packed = packed & 0xfff_ffff_ffff | u64::from(rate) << 44;
    info[10..18].copy_from_slice(&packed.to_be_bytes());
    info
}

/// What Symphonia is to believe: no length (it would stop there, and headers lie) and block sizes that are within the
/// limits of the format, where encoders left zeros.
fn forgiving(mut info: [u8; 34], first: Option<FrameHeader>) -> [u8; 34] {
    let size = |at: usize| u16::from_be_bytes([info[at], info[at + 1]]);
    let (least, most) = (size(0), size(2));
    if least < 16 || most < 16 || least > most {
        // Blocks of one size are told from others by the two being equal.
        let (least, most) = first.map_or((16, u16::MAX), FrameHeader::block_sizes);
        info[0..2].copy_from_slice(&least.to_be_bytes());
        info[2..4].copy_from_slice(&most.to_be_bytes());
        // Sizes of frames in bytes are as doubtful then.
        info[4..10].fill(0);
    }
    info[13] &= 0xf0;
    info[14..18].fill(0);
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(parts: &[&[u8]]) -> Input {
        Input::holding(&parts.concat())
    }

    fn info(frames: u64) -> [u8; 34] {
        let mut info = [0; 34];
        let packed = (44_100_u64 << 44) + (1 << 41) + (15 << 36) + frames;
        info[10..18].copy_from_slice(&packed.to_be_bytes());
        info
    }

    #[test]
    fn blocks_are_passed_over() {
        let picture = [&b"\x86\0\x04\0"[..], &[7; 1024]].concat();
        let mut file = input(&[b"fLaC\0\0\0\x22", &info(1000), &picture, b"audio"]);
        let end = file.length;
        let plan = plan(&mut file, 0, end).unwrap();
        assert_eq!(
            (plan.start, plan.declared, plan.bits),
            (42 + 1028, Some(1000), Some(16))
        );
        assert_eq!(plan.header.len(), 42);
        assert_eq!(
            plan.header[8..12],
            [0, 16, 0xff, 0xff],
            "block sizes of zero are made possible ones"
        );
    }

    #[test]
    fn joined_streams_are_found_by_their_markers() {
        let stream = [&b"fLaC\x80\0\0\x22"[..], &info(1000), b"audio"].concat();
        let second = [&b"fLaC\0\0\0\x22"[..], &info(500), b"\x81\0\0\0", b"sound"].concat();
        let mut file = input(&[&stream, &second]);
        let end = file.length;
        let plans = streams(&mut file, 0, end).unwrap();
        let ranges: Vec<_> = plans.iter().map(|plan| (plan.start, plan.end)).collect();
        assert_eq!(ranges, [(42, 47), (47 + 46, 47 + 51)]);
    }

    #[test]
    fn a_missing_block_is_named() {
        let mut file = input(&[b"fLaC\x84\0\0\0"]);
        let error = streams(&mut file, 0, 8)
            .err()
            .expect("the header is incomplete")
            .to_string();
        assert!(error.contains("STREAMINFO"), "{error}");
    }
}
