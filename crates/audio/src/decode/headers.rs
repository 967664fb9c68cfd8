//! Reads the headers of WAV, AIFF and FLAC files and makes up a short one with only what decodes.
//!
//! These three begin with chunks in any number: pictures, cue sheets, broadcast notes, padding. The
//! audio needs two of them. Passing over the rest by seeking bounds memory, survives damaged tags,
//! accepts RF64 (whose header Symphonia does not read) and files cut short (Symphonia wants to see the
//! end of an AIFF), and gives the length that the header declares.

use super::DecodeError;
use super::flow::{check_channels, check_shape};
use super::view::Input;

/// Chunks passed over before giving up; real files have about ten.
const MAX_CHUNKS: usize = 10_000;
/// Lengths from here on in a 32-bit field are what recorders write while they do not know better.
const UNKNOWN_FROM: u64 = 0x7fff_f000;

/// The made-up header, the range of audio that follows it, and what was declared.
pub(super) struct Plan {
    pub header: Vec<u8>,
    pub start: u64,
    pub end: u64,
    /// Frames (samples per channel) by the header, if it says.
    pub declared: Option<u64>,
    /// Bits of an integer sample, `None` for floats and companded samples.
    pub bits: Option<u8>,
}

fn malformed(text: &str) -> DecodeError {
    DecodeError::Malformed(text.to_owned())
}

fn u16_at(bytes: &[u8], at: usize, from: fn([u8; 2]) -> u16) -> Option<u16> {
    bytes
        .get(at..at + 2)
        .map(|two| from(two.try_into().expect("the slice is two bytes")))
}

/// Finds chunks by name from `at` on, in file order, and gives body offset and length.
fn find_chunks(
    input: &mut Input,
    mut at: u64,
    from: fn([u8; 4]) -> u32,
    mut found: impl FnMut(&mut Input, [u8; 4], u64, u64) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    for _ in 0..MAX_CHUNKS {
        let Some([k0, k1, k2, k3, size @ ..]) = input.array_at::<8>(at)? else {
            return Ok(());
        };
        let length = u64::from(from(size));
        if found(input, [k0, k1, k2, k3], at + 8, length)? {
            return Ok(());
        }
        // Chunks are padded to an even length.
        at += 8 + length + length % 2;
    }
    Ok(())
}

/// Plans a WAV (RIFF, RF64, BW64) file that begins at `start`.
pub(super) fn wav(input: &mut Input, start: u64) -> Result<Plan, DecodeError> {
    let (mut format, mut data, mut long) = (None, None, None);
    find_chunks(
        input,
        start + 12,
        u32::from_le_bytes,
        |input, name, body, length| {
            match &name {
                b"fmt " => format = Some(input.vec_at(body, length.min(256) as usize)?),
                b"ds64" => long = input.array_at::<8>(body + 8)?.map(u64::from_le_bytes),
                b"data" => data = Some((body, length)),
                _ => {}
            }
            Ok(data.is_some())
        },
    )?;
    let format =
        format.ok_or_else(|| malformed("the WAV file has no `fmt ` chunk before its data"))?;
    let (body, length) = data.ok_or_else(|| malformed("the WAV file has no `data` chunk"))?;
    let (format, frame, bits) = wav_format(format)?;
    let declared = match (length, long) {
        (0xffff_ffff, Some(long)) => Some(long),
        (0, _) => None,
        (length, _) => (length < UNKNOWN_FROM || body + length <= input.length).then_some(length),
    };
    let there = input.length.saturating_sub(body);
    let length = declared.unwrap_or(there).min(there);
    let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
    header.extend((format.len() as u32).to_le_bytes());
    header.extend(&format);
    if format.len() % 2 == 1 {
        header.push(0);
    }
    header.extend(b"data\xff\xff\xff\xff");
    Ok(Plan {
        header,
        start: body,
        end: body + length / frame * frame,
        declared: declared.map(|bytes| bytes / frame),
        bits,
    })
}

/// Checks the content of a `fmt ` chunk. Gives what to show of it, the bytes of a frame, and the bits of
/// an integer sample.
fn wav_format(mut format: Vec<u8>) -> Result<(Vec<u8>, u64, Option<u8>), DecodeError> {
    const EXTENSIBLE: u16 = 0xfffe;
    let word = |at| u16_at(&format, at, u16::from_le_bytes).unwrap_or(0);
    let is_extensible = word(0) == EXTENSIBLE;
    let tag = if is_extensible { word(24) } else { word(0) };
    if !matches!(tag, 1 | 3 | 6 | 7) {
        return Err(DecodeError::Unsupported(format!(
            "WAV with codec `{tag:#x}` is not supported, expected PCM, float, A-law or mu-law"
        )));
    }
    check_shape(u32::from(word(4)) | u32::from(word(6)) << 16, word(2))?;
    let (frame, bits) = (u64::from(word(12)), word(14));
    if frame == 0 || bits > 64 {
        return Err(DecodeError::Malformed(format!(
            "WAV frames of `{frame}` bytes with samples of `{bits}` bits"
        )));
    }
    // Of the speaker mask, the bits that have no meaning confuse Symphonia.
    if let Some(mask) = format.get_mut(22..24).filter(|_| is_extensible) {
        mask[0] &= 0x03;
        mask[1] = 0;
    }
    Ok((format, frame, (tag == 1).then_some(bits as u8)))
}

/// Plans an AIFF or AIFC file that begins at `start`.
pub(super) fn aiff(input: &mut Input, start: u64) -> Result<Plan, DecodeError> {
    let (mut common, mut sound) = (None, None);
    find_chunks(
        input,
        start + 12,
        u32::from_be_bytes,
        |input, name, body, length| {
            match &name {
                b"COMM" => common = Some(input.vec_at(body, length.min(512) as usize)?),
                b"SSND" => sound = Some((body, length)),
                _ => {}
            }
            Ok(common.is_some() && sound.is_some())
        },
    )?;
    let common = common.ok_or_else(|| malformed("the AIFF file has no `COMM` chunk"))?;
    let (body, length) = sound.ok_or_else(|| malformed("the AIFF file has no `SSND` chunk"))?;
    let offset = u64::from(input.array_at::<4>(body)?.map_or(0, u32::from_be_bytes));
    let word = |at| u16_at(&common, at, u16::from_be_bytes).unwrap_or(0);
    check_channels(word(0))?;
    let frame = u64::from(word(0)) * u64::from(word(6).div_ceil(8));
    if frame == 0 || word(6) > 64 {
        let text = format!("AIFF samples of `{}` bits, expected 8 to 64", word(6));
        return Err(DecodeError::Malformed(text));
    }
    let data = body + 8 + offset;
    let declared = length.saturating_sub(8 + offset);
    let bytes = declared.min(input.length.saturating_sub(data)) / frame * frame;
    let is_integer = matches!(
        common.get(18..22),
        None | Some(b"NONE" | b"sowt" | b"twos" | b"in24")
    );
    let form = input.array_at::<4>(start + 8)?.unwrap_or(*b"AIFF");
    let mut header = Vec::from(*b"FORM");
    let size = 4 + 8 + common.len().next_multiple_of(2) as u64 + 16 + bytes;
    let size = u32::try_from(size).map_err(|_| malformed("an AIFF file of more than 4 GB"))?;
    header.extend(size.to_be_bytes());
    header.extend(form);
    header.extend(b"COMM");
    header.extend((common.len() as u32).to_be_bytes());
    header.extend(&common);
    if common.len() % 2 == 1 {
        header.push(0);
    }
    header.extend(b"SSND");
    header.extend((8 + bytes as u32).to_be_bytes());
    header.extend([0; 8]);
    Ok(Plan {
        header,
        start: data,
        end: data + bytes,
        declared: Some(declared / frame),
        bits: is_integer.then_some(word(6) as u8),
    })
}

/// Plans a native FLAC file that begins at `start`.
pub(super) fn flac(input: &mut Input, start: u64) -> Result<Plan, DecodeError> {
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
    let info = info.ok_or_else(|| malformed("the FLAC file has no STREAMINFO block"))?;
    let packed = u64::from_be_bytes(info[10..18].try_into().expect("the slice is eight bytes"));
    let frames = packed & 0xf_ffff_ffff;
    // A block whose length is wrong leads past the audio: let the decoder look for the first frame.
    let audio = if at < input.length { at } else { start + 42 };
    let mut header = b"fLaC\x80\0\0\x22".to_vec();
    header.extend(info);
    Ok(Plan {
        header,
        start: audio,
        end: input.length,
        declared: (frames > 0).then_some(frames),
        bits: Some((packed >> 36 & 31) as u8 + 1),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn input(parts: &[&[u8]]) -> Input {
        let bytes = parts.concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        Input {
            file,
            length: bytes.len() as u64,
        }
    }

    const STEREO_16: &[u8] = b"fmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0";

    #[test]
    fn wav_chunks_before_the_data_are_passed_over() {
        let mut file = input(&[
            b"RIFF\0\0\0\0WAVE",
            b"LIST\x03\0\0\0abc\0",
            STEREO_16,
            b"data\x09\0\0\0",
            &[0; 9],
        ]);
        let plan = wav(&mut file, 0).unwrap();
        assert_eq!(
            (plan.start, plan.end, plan.declared, plan.bits),
            (56, 64, Some(2), Some(16))
        );
        assert_eq!(plan.header.len(), 12 + 24 + 8);
    }

    #[test]
    fn wav_cut_streamed_and_large() {
        let mut cut = input(&[b"RIFF\0\0\0\0WAVE", STEREO_16, b"data\0\x10\0\0", &[0; 40]]);
        let plan = wav(&mut cut, 0).unwrap();
        assert_eq!((plan.end - plan.start, plan.declared), (40, Some(1024)));
        let mut streamed = input(&[
            b"RIFF\0\0\0\0WAVE",
            STEREO_16,
            b"data\xff\xff\xff\xff",
            &[0; 40],
        ]);
        let plan = wav(&mut streamed, 0).unwrap();
        assert_eq!((plan.end - plan.start, plan.declared), (40, None));
        let ds64 = [
            &b"ds64\x18\0\0\0"[..],
            &[0; 8],
            &44_u64.to_le_bytes(),
            &[0; 8],
        ]
        .concat();
        let mut large = input(&[
            b"RF64\xff\xff\xff\xffWAVE",
            &ds64,
            STEREO_16,
            b"data\xff\xff\xff\xff",
            &[0; 40],
        ]);
        let plan = wav(&mut large, 0).unwrap();
        assert_eq!((plan.end - plan.start, plan.declared), (40, Some(11)));
    }

    #[test]
    fn flac_blocks_are_passed_over() {
        let mut info = [0; 34];
        info[10..18]
            .copy_from_slice(&((44_100_u64 << 44) + (1 << 41) + (15 << 36) + 1000).to_be_bytes());
        let picture = [&b"\x86\0\x04\0"[..], &[7; 1024]].concat();
        let mut file = input(&[b"fLaC\0\0\0\x22", &info, &picture, b"audio"]);
        let plan = flac(&mut file, 0).unwrap();
        assert_eq!(
            (plan.start, plan.declared, plan.bits),
            (42 + 1028, Some(1000), Some(16))
        );
        assert_eq!(plan.header.len(), 42);
    }

    #[test]
    fn missing_chunks_are_named() {
        for (text, result) in [
            (
                "`fmt `",
                wav(
                    &mut input(&[b"RIFF\0\0\0\0WAVE", b"data\x04\0\0\0\0\0\0\0"]),
                    0,
                ),
            ),
            (
                "`data`",
                wav(&mut input(&[b"RIFF\0\0\0\0WAVE", STEREO_16]), 0),
            ),
            ("`COMM`", aiff(&mut input(&[b"FORM\0\0\0\0AIFF"]), 0)),
            ("STREAMINFO", flac(&mut input(&[b"fLaC\x84\0\0\0"]), 0)),
        ] {
            let error = result.err().expect("the header is incomplete").to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
