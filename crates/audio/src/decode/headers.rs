//! Reads the headers of WAV, AIFF and FLAC files and makes up a short one with only what decodes.
//!
//! These three begin with chunks in any number: pictures, cue sheets, broadcast notes, padding. The
//! audio needs two of them. Passing over the rest by seeking bounds memory, survives damaged tags,
//! accepts RF64 (whose header Symphonia does not read) and files cut short (Symphonia wants to see the
//! end of an AIFF), and gives the length that the header declares.

use super::DecodeError;
use super::flow::{check_channels, check_shape};
use crate::extents;
use crate::input::Input;

/// Chunks passed over before giving up; real files have about ten.
const MAX_CHUNKS: usize = 10_000;

/// The made-up header, the range of audio that follows it, and what was declared.
pub(super) struct Plan {
    pub header: Vec<u8>,
    pub start: u64,
    pub end: u64,
    /// Ranges of audio that follow the first one.
    pub more: Vec<(u64, u64)>,
    /// Where the first range of data ends, bytes of a frame that is not whole included.
    pub data_end: u64,
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

/// What is in a WAV file.
pub(super) enum Wav {
    /// Samples, plain or companded.
    Pcm(Plan),
    /// Frames of MPEG audio between two offsets.
    Mpeg { start: u64, end: u64 },
}

/// Plans a WAV (RIFF, RF64, BW64, RIFX) file that begins at `start`.
pub(super) fn wav(input: &mut Input, start: u64) -> Result<Wav, DecodeError> {
    let is_big = input.array_at::<4>(start)? == Some(*b"RIFX");
    let size = if is_big {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let (mut format, mut data, mut long) = (None, Vec::new(), None);
    find_chunks(input, start + 12, size, |input, name, body, length| {
        match &name {
            b"fmt " if format.is_none() => {
                format = Some(input.vec_at(body, length.min(256) as usize)?);
            }
            b"ds64" => long = input.array_at::<8>(body + 8)?.map(u64::from_le_bytes),
            b"data" => data.push((body, length)),
            _ => {}
        }
        // What stands behind data of unknown length, or of one that stands elsewhere, is not looked at.
        Ok(data.last().is_some_and(|(body, length)| {
            *length == 0xffff_ffff || extents::is_open_ended(input, *body, *length)
        }))
    })?;
    let format = format.ok_or_else(|| malformed("the WAV file has no `fmt ` chunk"))?;
    let &(body, length) = data
        .first()
        .ok_or_else(|| malformed("the WAV file has no `data` chunk"))?;
    let format = Format::read(format, is_big)?;
    let declared = match (length, long) {
        (0xffff_ffff, Some(long)) => Some(long),
        (length, _) => (!extents::is_open_ended(input, body, length)).then_some(length),
    };
    let end = match declared {
        Some(_) => input.length,
        None => extents::open_end(input, body, size)?,
    };
    let there = end.saturating_sub(body);
    let length = declared.unwrap_or(there).min(there);
    if format.is_mpeg() {
        return Ok(Wav::Mpeg {
            start: body,
            end: body + length,
        });
    }
    format.check()?;
    let frame = format.frame;
    // A recorder that was stopped and went on begins another chunk.
    let more: Vec<(u64, u64)> = data[1..]
        .iter()
        .map(|(body, length)| {
            (
                *body,
                body + (*length).min(input.length.saturating_sub(*body)) / frame * frame,
            )
        })
        .filter(|(from, to)| from < to)
        .collect();
    let more_frames: u64 = data[1..].iter().map(|(_, length)| length / frame).sum();
    let bits = format.integer_bits();
    Ok(Wav::Pcm(Plan {
        header: format.header(is_big),
        start: body,
        end: body + length / frame * frame,
        more,
        data_end: body + length,
        declared: declared.map(|bytes| bytes / frame + more_frames),
        bits,
    }))
}

/// The content of a `fmt ` chunk, in little-endian order.
struct Format {
    bytes: Vec<u8>,
    /// The codec, also where it stands in the extension.
    tag: u16,
    is_extensible: bool,
    /// Bytes of a frame.
    frame: u64,
}

/// The plain codecs of `fmt ` chunks.
const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

impl Format {
    fn read(mut bytes: Vec<u8>, is_big: bool) -> Result<Self, DecodeError> {
        if bytes.len() < 16 {
            return Err(malformed("the `fmt ` chunk of the WAV file is too short"));
        }
        if is_big {
            // Two words, two of double length, two words: all that is needed.
            bytes.truncate(16);
            for field in [0..2, 2..4, 4..8, 8..12, 12..14, 14..16] {
                bytes[field].reverse();
            }
        }
        let word = |at| u16_at(&bytes, at, u16::from_le_bytes).unwrap_or(0);
        let is_extensible = word(0) == EXTENSIBLE;
        let tag = if is_extensible { word(24) } else { word(0) };
        let is_packed = matches!(tag, PCM | FLOAT | A_LAW | MU_LAW);
        let frame = match packed_frame(word(2), word(14), word(12)) {
            Some(frame) if is_packed => frame,
            _ => u64::from(word(12)),
        };
        Ok(Self {
            bytes,
            tag,
            is_extensible,
            frame,
        })
    }

    fn word(&self, at: usize) -> u16 {
        u16_at(&self.bytes, at, u16::from_le_bytes).unwrap_or(0)
    }

    fn channels(&self) -> u16 {
        self.word(2)
    }

    fn sample_rate(&self) -> u32 {
        u32::from(self.word(4)) | u32::from(self.word(6)) << 16
    }

    fn is_mpeg(&self) -> bool {
        matches!(self.tag, 0x50 | 0x55)
    }

    fn check(&self) -> Result<(), DecodeError> {
        if !matches!(self.tag, PCM | FLOAT | A_LAW | MU_LAW) {
            return Err(DecodeError::Unsupported(format!(
                "`{}` in a WAV file",
                codec_name(self.tag)
            )));
        }
        check_shape(self.sample_rate(), self.channels())?;
        let (frame, bits) = (self.frame, self.word(14));
        if frame == 0 || bits == 0 || bits > 64 {
            return Err(DecodeError::Malformed(format!(
                "WAV frames of `{frame}` bytes with samples of `{bits}` bits"
            )));
        }
        Ok(())
    }

    /// Bits that a sample takes in the file: samples of 12 or 20 bits lie in the upper ones of two or three bytes.
    fn container_bits(&self) -> u16 {
        let bytes = self.frame / u64::from(self.channels().max(1));
        match bytes {
            1..=8 => 8 * bytes as u16,
            _ => self.word(14),
        }
    }

    fn integer_bits(&self) -> Option<u8> {
        (self.tag == PCM).then_some(self.word(14) as u8)
    }

    /// A header with nothing in it but this.
    fn header(mut self, is_big: bool) -> Vec<u8> {
        if is_big && self.tag == PCM {
            return aiff_header(self.channels(), self.container_bits(), self.sample_rate());
        }
        if self.tag == PCM {
            let bits = self.container_bits().to_le_bytes();
            self.bytes[14..16].copy_from_slice(&bits);
            if self.is_extensible {
                self.bytes[18..20].copy_from_slice(&bits);
            }
        }
        if let Ok(frame) = u16::try_from(self.frame) {
            self.bytes[12..14].copy_from_slice(&frame.to_le_bytes());
        }
        // Of the speaker mask, the bits that have no meaning confuse Symphonia.
        if let Some(mask) = self.bytes.get_mut(22..24).filter(|_| self.is_extensible) {
            mask[0] &= 0x03;
            mask[1] = 0;
        }
        let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
        header.extend((self.bytes.len() as u32).to_le_bytes());
        header.extend(&self.bytes);
        if self.bytes.len() % 2 == 1 {
            header.push(0);
        }
        header.extend(b"data\xff\xff\xff\xff");
        header
    }
}

/// Bytes of a frame of so many channels and bits, whatever the header states: recorders write nonsense there, and others
/// go by the bits, too. Only samples of 17 to 24 bits may lie in four bytes. `None` where there are no bits to go by.
fn packed_frame(channels: u16, bits: u16, stated: u16) -> Option<u64> {
    let bytes = u64::from(bits.div_ceil(8));
    let channels = u64::from(channels);
    let is_padded = bytes == 3 && u64::from(stated) == 4 * channels;
    let frame = if is_padded {
        u64::from(stated)
    } else {
        bytes * channels
    };
    (frame > 0 && bits <= 64).then_some(frame)
}

/// What a codec's number in a `fmt ` chunk means
/// (<https://www.rfc-editor.org/rfc/rfc2361>, and Microsoft's `mmreg.h`).
fn codec_name(tag: u16) -> String {
    let name = match tag {
        0x02 => "Microsoft ADPCM",
        0x11 => "IMA ADPCM",
        0x22 => "TrueSpeech",
        0x31 => "GSM 6.10",
        0x45 | 0x64 => "G.726 ADPCM",
        0x92 => "AC-3 over S/PDIF",
        0xff | 0x1600..=0x1610 | 0x706d => "AAC",
        0x160..=0x163 => "Windows Media Audio",
        0x270 => "ATRAC3",
        0x2000 => "AC-3",
        0x2001 => "DTS",
        0x566f | 0x674f..=0x6771 => "Vorbis",
        0x704f => "Opus",
        0xf1ac => "FLAC",
        other => return format!("codec {other:#06x}"),
    };
    name.to_owned()
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
    let kind = common.get(18..22).unwrap_or(b"NONE");
    if !is_plain(kind) {
        return Err(DecodeError::Unsupported(format!(
            "`{}` in an AIFF file",
            String::from_utf8_lossy(kind).trim()
        )));
    }
    check_channels(word(0))?;
    let frame = u64::from(word(0)) * u64::from(word(6).div_ceil(8));
    if frame == 0 || word(6) > 64 {
        let text = format!("AIFF samples of `{}` bits, expected 8 to 64", word(6));
        return Err(DecodeError::Malformed(text));
    }
    let data = body + 8 + offset;
    let there = input.length.saturating_sub(data);
    let declared = aiff_length(&common, length, 8 + offset, frame, there);
    let there = match declared {
        Some(_) => there,
        None => extents::open_end(input, data, u32::from_be_bytes)?.saturating_sub(data),
    };
    let there = declared.unwrap_or(there).min(there);
    let bytes = there / frame * frame;
    let is_integer = matches!(kind, b"NONE" | b"sowt" | b"twos" | b"in24" | b"in32");
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
        more: Vec::new(),
        data_end: data + there,
        declared: declared.map(|bytes| bytes / frame),
        bits: is_integer.then_some(word(6) as u8),
    })
}

/// Kinds of AIFC whose samples are decoded here.
fn is_plain(kind: &[u8]) -> bool {
    const PLAIN: [&[u8; 4]; 16] = [
        b"NONE", b"sowt", b"twos", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64", b"alaw",
        b"ALAW", b"ulaw", b"ULAW", b"raw ", b"23ni", b"42ni",
    ];
    PLAIN.iter().any(|plain| plain.as_slice() == kind)
}

/// Bytes of sound by the header; `None` where a program wrote to a pipe and never learned how many.
///
/// The chunk's size is asked first, then the count of frames; either may be a placeholder.
fn aiff_length(common: &[u8], length: u64, before: u64, frame: u64, there: u64) -> Option<u64> {
    let by_chunk = length.checked_sub(before).filter(|bytes| *bytes > 0);
    let is_placeholder = |bytes: u64| bytes > there && bytes >= extents::PLACEHOLDER;
    let frames = common.get(2..6).map_or(0, |four| {
        u32::from_be_bytes([four[0], four[1], four[2], four[3]])
    });
    let by_count = (frames > 0).then_some(u64::from(frames) * frame);
    by_chunk
        .filter(|bytes| !is_placeholder(*bytes))
        .or(by_count.filter(|bytes| *bytes <= there))
}

/// The header of an AIFF file of integers that goes on to its end, for samples in big-endian order.
fn aiff_header(channels: u16, bits: u16, sample_rate: u32) -> Vec<u8> {
    let mut header = b"FORM\x7f\xff\xff\xffAIFFCOMM\0\0\0\x12".to_vec();
    header.extend(channels.to_be_bytes());
    header.extend([0; 4]);
    header.extend(bits.to_be_bytes());
    // The rate is a float of eighty bits: an exponent, and a mantissa whose first bit is one.
    let shift = sample_rate.leading_zeros();
    header.extend((16_383 + 31 - shift as u16).to_be_bytes());
    header.extend((u64::from(sample_rate) << (32 + shift)).to_be_bytes());
    header.extend(b"SSND\x7f\xff\xff\0\0\0\0\0\0\0\0\0");
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(parts: &[&[u8]]) -> Input {
        Input::holding(&parts.concat())
    }

    fn pcm(file: &mut Input) -> Plan {
        match wav(file, 0).unwrap() {
            Wav::Pcm(plan) => plan,
            Wav::Mpeg { .. } => panic!("expected samples"),
        }
    }

    const STEREO_16: &[u8] = b"fmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0";

    #[test]
    fn chunks_behind_audio_of_unknown_length_are_no_audio() {
        let info = b"LIST\x11\0\0\0INFOINAM\x05\0\0\0Title";
        // The samples spell a name whose size leads nowhere.
        let samples = [&[1; 20][..], b"LIST\0\0\0\0", &[1; 12]].concat();
        for length in [[0; 4], [0xff; 4], [0, 0, 0, 0x80]] {
            for behind in [
                &info[..],
                b"id3 \x0b\0\0\0ID3\x03\0\0\0\0\0\x01\0",
                b"ID3\x03\0\0\0\0\0\x01\0",
            ] {
                let data = [b"data", &length[..], &samples].concat();
                let plan = pcm(&mut input(&[b"RIFF\0\0\0\0WAVE", STEREO_16, &data, behind]));
                assert_eq!(
                    (plan.end - plan.start, plan.declared),
                    (40, None),
                    "{behind:?}"
                );
            }
        }
    }

    #[test]
    fn a_frame_is_as_long_as_its_samples_whatever_the_header_states() {
        for (channels, bits, stated, frame) in [
            (2_u8, 16_u8, 4_u8, 4),
            (1, 16, 1, 2),
            (1, 16, 4, 2),
            (2, 16, 2, 4),
            (2, 16, 8, 4),
            (2, 16, 0, 4),
            (2, 24, 6, 6),
            // Of 24 bits in four bytes there are files.
            (2, 24, 8, 8),
            (2, 12, 4, 4),
        ] {
            let mut format = STEREO_16.to_vec();
            (format[10], format[20], format[22]) = (channels, stated, bits);
            let data = [&b"data\x30\0\0\0"[..], &[1; 48]].concat();
            let plan = pcm(&mut input(&[b"RIFF\0\0\0\0WAVE", &format, &data]));
            let case = (channels, bits, stated);
            assert_eq!(plan.declared, Some(48 / frame), "{case:?}");
            assert_eq!(plan.header[20 + 12], frame as u8, "{case:?}");
        }
    }

    #[test]
    fn wav_chunks_before_the_data_are_passed_over() {
        let mut file = input(&[
            b"RIFF\0\0\0\0WAVE",
            b"LIST\x03\0\0\0abc\0",
            STEREO_16,
            b"data\x09\0\0\0",
            &[0; 9],
        ]);
        let plan = pcm(&mut file);
        assert_eq!(
            (plan.start, plan.end, plan.declared, plan.bits),
            (56, 64, Some(2), Some(16))
        );
        assert_eq!(plan.header.len(), 12 + 24 + 8);
    }

    #[test]
    fn wav_cut_streamed_and_large() {
        let mut cut = input(&[b"RIFF\0\0\0\0WAVE", STEREO_16, b"data\0\x10\0\0", &[0; 40]]);
        let plan = pcm(&mut cut);
        assert_eq!((plan.end - plan.start, plan.declared), (40, Some(1024)));
        let mut streamed = input(&[
            b"RIFF\0\0\0\0WAVE",
            STEREO_16,
            b"data\xff\xff\xff\xff",
            &[0; 40],
        ]);
        let plan = pcm(&mut streamed);
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
        let plan = pcm(&mut large);
        assert_eq!((plan.end - plan.start, plan.declared), (40, Some(11)));
    }

    fn planned(wav: Result<Wav, DecodeError>) -> Result<Plan, DecodeError> {
        wav.map(|wav| match wav {
            Wav::Pcm(plan) => plan,
            Wav::Mpeg { .. } => panic!("expected samples"),
        })
    }

    #[test]
    fn a_second_data_chunk_goes_on_with_the_first() {
        let mut file = input(&[
            b"RIFF\0\0\0\0WAVE",
            STEREO_16,
            b"data\x08\0\0\0",
            &[0; 8],
            b"junk\x02\0\0\0ab",
            b"data\x04\0\0\0",
            &[0; 4],
        ]);
        let plan = pcm(&mut file);
        assert_eq!((plan.declared, plan.more), (Some(3), vec![(70, 74)]));
    }

    #[test]
    fn missing_chunks_are_named() {
        for (text, result) in [
            (
                "`fmt `",
                planned(wav(
                    &mut input(&[b"RIFF\0\0\0\0WAVE", b"data\x04\0\0\0\0\0\0\0"]),
                    0,
                )),
            ),
            (
                "`data`",
                planned(wav(&mut input(&[b"RIFF\0\0\0\0WAVE", STEREO_16]), 0)),
            ),
            ("`COMM`", aiff(&mut input(&[b"FORM\0\0\0\0AIFF"]), 0)),
        ] {
            let error = result.err().expect("the header is incomplete").to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
