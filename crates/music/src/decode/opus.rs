//! Opus in Ogg (RFC 7845): the header, and the decoder.

use opus_decoder::{OpusDecoder, OpusMultistreamDecoder};

use super::DecodeError;
use super::MAX_CHANNELS;

/// Opus always decodes to this rate, in Hz.
pub(super) const RATE: u32 = 48_000;
/// 120 ms, the longest packet, in frames.
const MAX_FRAMES: usize = 5760;

/// The identification header.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub channels: usize,
    /// Frames to drop at the beginning.
    pub pre_skip: u64,
    /// Factor for all samples.
    pub gain: f32,
    family: u8,
    streams: usize,
    coupled: usize,
    mapping: Vec<u8>,
}

impl Header {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        let short = || DecodeError::Malformed("the Opus header is cut".to_owned());
        let fixed: &[u8; 19] = packet.first_chunk().ok_or_else(short)?;
        if fixed[8] >> 4 != 0 {
            return Err(DecodeError::Unsupported(format!("Opus version `{}`, expected 1", fixed[8])));
        }
        let channels = usize::from(fixed[9]);
        let family = fixed[18];
        if channels == 0 || channels > MAX_CHANNELS {
            let text = format!("`{channels}` channels, expected 1 to {MAX_CHANNELS}");
            return Err(DecodeError::Malformed(text));
        }
        let (streams, coupled, mapping) = match family {
            0 if channels <= 2 => (1, channels - 1, (0..channels as u8).collect()),
            1 | 255 => {
                let table = packet.get(19..21 + channels).ok_or_else(short)?;
                (usize::from(table[0]), usize::from(table[1]), table[2..].to_vec())
            }
            other => {
                return Err(DecodeError::Unsupported(format!(
                    "Opus channel mapping `{other}` is not supported, expected 0, 1 or 255"
                )));
            }
        };
        let decibels = f32::from(i16::from_le_bytes([fixed[16], fixed[17]])) / 256.0;
        Ok(Self {
            channels,
            pre_skip: u64::from(u16::from_le_bytes([fixed[10], fixed[11]])),
            gain: 10_f32.powf(decibels / 20.0),
            family,
            streams,
            coupled,
            mapping,
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
        if self.family == 1 { ORDERS[self.channels] } else { &AS_IS[..self.channels] }
    }
}

enum Engine {
    Simple(Box<OpusDecoder>),
    Multi(Box<OpusMultistreamDecoder>),
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
        let failed = |error: opus_decoder::OpusError| DecodeError::Malformed(error.to_string());
        let channels = header.channels;
        let engine = if header.family == 0 {
            Engine::Simple(Box::new(OpusDecoder::new(RATE, channels).map_err(failed)?))
        } else {
            Engine::Multi(Box::new(
                OpusMultistreamDecoder::new(RATE, channels, header.streams, header.coupled, &header.mapping)
                    .map_err(failed)?,
            ))
        };
        Ok(Self {
            engine,
            interleaved: vec![0.0; MAX_FRAMES * channels],
            planes: vec![Vec::with_capacity(MAX_FRAMES); channels],
            header,
        })
    }

    /// Gives one plane per channel, in WAVE order.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<&[Vec<f32>], String> {
        let channels = self.header.channels;
        let frames = match &mut self.engine {
            Engine::Simple(decoder) => decoder.decode_float(packet, &mut self.interleaved, false),
            Engine::Multi(decoder) => decoder.decode_float(packet, &mut self.interleaved, false),
        }
        .map_err(|error| error.to_string())?;
        let gain = self.header.gain;
        let audio = self.interleaved.get(..frames * channels).unwrap_or_default();
        for (plane, from) in self.planes.iter_mut().zip(self.header.order()) {
            plane.clear();
            plane.extend(audio.chunks_exact(channels).map(|frame| frame[*from] * gain));
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
        assert!((stereo.gain - 0.501_187).abs() < 1e-5, "-6 dB, got {}", stereo.gain);
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
            (header(6, 1, &[4, 2]), "cut"),
        ] {
            let error = Header::parse(&bytes).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        let impossible = Header::parse(&header(2, 1, &[1, 1, 0, 9])).unwrap();
        assert!(Opus::new(impossible).is_err(), "a channel that no stream has");
    }
}
