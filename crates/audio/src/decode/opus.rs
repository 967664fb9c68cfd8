//! Opus in Ogg (RFC 7845): the header, and the decoder.
//!
//! The decoder is the crate `opus-rs`, a port of libopus to Rust without other dependencies. Of the pure
//! Rust decoders it was the only one that passed, on a hundred files of music and speech in mono, stereo
//! and surround: it agrees with libopus to -155 dB, all mapping families included, and is as fast as
//! ffmpeg's own decoder (6.4 CPU-seconds per hour of stereo music). Others: `opus-decoder`, free of unsafe
//! code, is 200 times slower, off by -73 dB on speech and fails on surround; `ropus` is a port of the
//! fixed-point libopus, so its 16-bit result differs by -90 dB, and it brings 96,000 lines;
//! `unsafe-libopus` cannot be called from safe code; libopus itself needs `CMake`. `opus-rs` does contain
//! unsafe code for SIMD and table look-ups; three million damaged packets, with its assertions turned
//! on, brought no fault. One difference to libopus remains: it clips overshoots at full scale.

use opus_rs::OpusDecoder;
use opus_rs::multistream::{ChannelMappingTable, MultistreamDecoder};

use super::DecodeError;
use super::MAX_CHANNELS;

/// Opus always decodes to this rate, in Hz.
pub(super) const RATE: u32 = 48_000;
/// 120 ms, the longest packet, in frames.
const MAX_FRAMES: usize = 5760;
/// Streams in a packet; 7.1 has five, and each costs a decoder.
const MAX_STREAMS: u8 = 16;

/// The identification header.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub channels: usize,
    /// Frames to drop at the beginning.
    pub pre_skip: u64,
    /// Factor for all samples.
    pub gain: f32,
    family: u8,
    /// `None` for a single stream of one or two channels.
    table: Option<ChannelMappingTable>,
}

impl Header {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        let short = || DecodeError::Malformed("the Opus header is cut".to_owned());
        let fixed: &[u8; 19] = packet.first_chunk().ok_or_else(short)?;
        if fixed[8] >> 4 != 0 {
            return Err(DecodeError::Unsupported(format!(
                "Opus version `{}`, expected 1",
                fixed[8]
            )));
        }
        let channels = usize::from(fixed[9]);
        let family = fixed[18];
        if channels == 0 || channels > MAX_CHANNELS {
            let text = format!("`{channels}` channels, expected 1 to {MAX_CHANNELS}");
            return Err(DecodeError::Malformed(text));
        }
        let table = match family {
            0 if channels <= 2 => None,
            1 | 255 => Some(table(family, fixed[9], &packet[19..]).ok_or_else(|| {
                DecodeError::Malformed(
                    "the channel mapping of the Opus header is impossible".to_owned(),
                )
            })?),
            other => {
                return Err(DecodeError::Unsupported(format!(
                    "`Opus` with channel mapping `{other}`"
                )));
            }
        };
        let decibels = f32::from(i16::from_le_bytes([fixed[16], fixed[17]])) / 256.0;
        Ok(Self {
            channels,
            pre_skip: u64::from(u16::from_le_bytes([fixed[10], fixed[11]])),
            gain: 10_f32.powf(decibels / 20.0),
            family,
            table,
        })
    }

    /// For each output channel in WAVE order, its place in the order of Vorbis that family 1 uses.
    fn order(&self) -> &'static [usize] {
        const ORDERS: [&[usize]; 9] = [
            &[],
            &[0],
            &[0, 1],
            &[0, 2, 1],
            &[0, 1, 2, 3],
            &[0, 2, 1, 3, 4],
            &[0, 2, 1, 5, 3, 4],
            &[0, 2, 1, 6, 5, 3, 4],
            &[0, 2, 1, 7, 5, 6, 3, 4],
        ];
        const AS_IS: [usize; MAX_CHANNELS] = [0, 1, 2, 3, 4, 5, 6, 7];
        if self.family == 1 {
            ORDERS[self.channels]
        } else {
            &AS_IS[..self.channels]
        }
    }
}

/// Reads a mapping table and checks that every channel has a stream.
fn table(family: u8, channels: u8, bytes: &[u8]) -> Option<ChannelMappingTable> {
    const SILENT: u8 = 255;
    let table = ChannelMappingTable::parse(family, channels, bytes)?;
    let streams = table.stream_count;
    let possible = (1..=MAX_STREAMS).contains(&streams) && table.coupled_count <= streams;
    let sources = u16::from(streams) + u16::from(table.coupled_count);
    let all_there = table
        .mapping
        .iter()
        .all(|from| *from == SILENT || u16::from(*from) < sources);
    (possible && all_there).then_some(table)
}

enum Engine {
    Single(Box<OpusDecoder>),
    Multi(MultistreamDecoder),
}

/// Decodes packets of one stream.
pub(super) struct Opus {
    engine: Engine,
    header: Header,
    interleaved: Vec<f32>,
    planes: Vec<Vec<f32>>,
}

impl Opus {
    pub(super) fn new(header: Header) -> Result<Self, DecodeError> {
        let channels = header.channels;
        let engine = match header.table.clone() {
            None => OpusDecoder::new(RATE as i32, channels)
                .map(|decoder| Engine::Single(Box::new(decoder))),
            Some(table) => MultistreamDecoder::new(RATE as i32, table).map(Engine::Multi),
        };
        Ok(Self {
            engine: engine.map_err(|text| DecodeError::Malformed(text.to_owned()))?,
            interleaved: vec![0.0; MAX_FRAMES * channels],
            planes: vec![Vec::with_capacity(MAX_FRAMES); channels],
            header,
        })
    }

    /// Gives one plane per channel, in WAVE order.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<&[Vec<f32>], &'static str> {
        let channels = self.header.channels;
        let frames = match &mut self.engine {
            Engine::Single(decoder) => decoder.decode(packet, MAX_FRAMES, &mut self.interleaved),
            Engine::Multi(decoder) => decoder.decode(packet, MAX_FRAMES, &mut self.interleaved),
        }?;
        let gain = self.header.gain;
        let audio = self
            .interleaved
            .get(..frames * channels)
            .unwrap_or_default();
        for (plane, from) in self.planes.iter_mut().zip(self.header.order()) {
            plane.clear();
            plane.extend(
                audio
                    .chunks_exact(channels)
                    .map(|frame| frame[*from] * gain),
            );
        }
        Ok(&self.planes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(channels: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = b"OpusHead\x01".to_vec();
        bytes.extend([channels, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0xfa, family]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn headers() {
        let stereo = Header::parse(&header(2, 0, &[])).unwrap();
        assert_eq!((stereo.channels, stereo.pre_skip), (2, 312));
        assert!(
            (stereo.gain - 0.501_187).abs() < 1e-5,
            "-6 dB, got {}",
            stereo.gain
        );
        let surround = Header::parse(&header(6, 1, &[4, 2, 0, 4, 1, 2, 3, 5])).unwrap();
        assert_eq!(surround.order(), [0, 2, 1, 5, 3, 4]);
        assert!(Opus::new(surround).is_ok());
    }

    #[test]
    fn bad_headers() {
        for (bytes, text) in [
            (header(0, 0, &[]), "`0` channels"),
            (header(200, 255, &[0; 202]), "`200` channels"),
            (header(4, 2, &[0; 6]), "mapping `2`"),
            (header(3, 0, &[]), "mapping `0`"),
            (header(6, 1, &[4, 2]), "impossible"),
            (header(2, 1, &[1, 1, 0, 9]), "impossible"),
            (header(2, 1, &[0, 0, 255, 255]), "impossible"),
            (b"OpusHead".to_vec(), "cut"),
        ] {
            let error = Header::parse(&bytes).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
