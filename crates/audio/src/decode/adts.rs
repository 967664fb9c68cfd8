//! Bare AAC frames (ADTS, ISO/IEC 13818-7, section 6.2), whose rate and channels may change on the way.
//!
//! Recordings of internet radio change both where a programme does. Symphonia's reader decodes all that follows with
//! the shape of the first frame, so frames are found here, and a new decoder is made where they change.

use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_MONO, CHANNEL_LAYOUT_STEREO};
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::aac::RATES;
use super::flow::{Planes, Source, Step};
use super::open::plain;
use super::packets::make_decoder;
use super::{Codec, Container, DecodeError, StreamInfo};
use crate::input::Input;

/// Bytes read at once; a frame has up to 8,191.
const WINDOW: usize = 64 << 10;

/// Bytes between frames that are passed over without a word: tags of unknown kinds have less.
const JUNK: u64 = 2048;

/// What a decoder must be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// In Hz.
    rate: u32,
    /// Channel configuration: the number of channels where it is 1 or 2.
    channels: u8,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    shape: Shape,
    /// Bytes of the header.
    before: usize,
    /// Bytes of the frame, the header included.
    length: usize,
    /// Packets of AAC in it.
    blocks: u8,
}

impl Header {
    fn at(bytes: &[u8]) -> Option<Self> {
        let [0xff, second, third, fourth, fifth, sixth, seventh, ..] = bytes else {
            return None;
        };
        let rate = *RATES.get(usize::from(third >> 2 & 15))?;
        let before = if second & 1 == 0 { 9 } else { 7 };
        let length =
            usize::from(fourth & 3) << 11 | usize::from(*fifth) << 3 | usize::from(sixth >> 5);
        (second & 0xf6 == 0xf0 && length > before).then_some(Self {
            shape: Shape {
                rate,
                channels: (third & 1) << 2 | fourth >> 6,
            },
            before,
            length,
            blocks: (seventh & 3) + 1,
        })
    }
}

/// The frames of a file, wherever they lie.
struct Frames {
    input: Input,
    end: u64,
    /// Bytes of the file that were read last, from `read_at` on.
    window: Vec<u8>,
    read_at: u64,
}

impl Frames {
    /// Up to `count` bytes at `at`; fewer at the end of the stream.
    fn bytes(&mut self, at: u64, count: usize) -> Result<&[u8], DecodeError> {
        let count = count.min(usize::try_from(self.end.saturating_sub(at)).unwrap_or(count));
        let is_held =
            at >= self.read_at && at + count as u64 <= self.read_at + self.window.len() as u64;
        if !is_held {
            let wanted = WINDOW.min((self.end - at.min(self.end)) as usize);
            self.window = self.input.vec_at(at, wanted)?;
            self.read_at = at;
        }
        let from = (at - self.read_at) as usize;
        let to = (from + count).min(self.window.len());
        Ok(&self.window[from..to])
    }

    fn header(&mut self, at: u64) -> Result<Option<Header>, DecodeError> {
        Ok(Header::at(self.bytes(at, 9)?))
    }

    /// Whether another frame follows one, or nothing does.
    fn is_followed(&mut self, at: u64, header: Header) -> Result<bool, DecodeError> {
        let next = at + header.length as u64;
        if next + 7 > self.end {
            // What goes beyond the end is no frame.
            return Ok(next <= self.end);
        }
        let next = self.header(next)?;
        Ok(next.is_some_and(|next| next.shape == header.shape))
    }

    /// The first frame from `at` on behind which another follows.
    fn next_from(&mut self, mut at: u64) -> Result<Option<(u64, Header)>, DecodeError> {
        while at + 7 <= self.end {
            let bytes = self.bytes(at, WINDOW / 2)?;
            match memchr::memchr(0xff, bytes) {
                Some(0) => {}
                Some(ahead) => {
                    at += ahead as u64;
                    continue;
                }
                None => {
                    at += bytes.len().max(1) as u64;
                    continue;
                }
            }
            if let Some(header) = self.header(at)?
                && self.is_followed(at, header)?
            {
                return Ok(Some((at, header)));
            }
            at += 1;
        }
        Ok(None)
    }
}

/// The decoder of a stream of frames.
struct Adts {
    frames: Frames,
    /// Where the next frame is expected.
    at: u64,
    shape: Shape,
    decoder: Box<dyn AudioDecoder>,
    junk: u64,
    /// At the end, where they are no junk.
    zeros: u64,
    planes: Vec<Vec<f32>>,
}

/// Opens the frames between two offsets, at the end of which are so many zeros.
pub(super) fn open(
    input: Input,
    start: u64,
    end: u64,
    zeros: u64,
) -> Result<(Box<dyn Source>, StreamInfo), DecodeError> {
    let mut frames = Frames {
        input,
        end,
        window: Vec::new(),
        read_at: start,
    };
    let (at, header) = frames
        .next_from(start)?
        .ok_or_else(|| DecodeError::NoAudio("the AAC file holds no frame".to_owned()))?;
    let decoder = decoder_of(header.shape)?;
    let info = StreamInfo {
        container: Container::Adts,
        codec: Codec::Aac,
        sample_rate: header.shape.rate,
        channels: u16::from(header.shape.channels),
        expected_frames: None,
        integer_bits: None,
    };
    let source = Adts {
        frames,
        at,
        shape: header.shape,
        decoder,
        junk: 0,
        zeros,
        planes: Vec::new(),
    };
    Ok((Box::new(source), info))
}

fn decoder_of(shape: Shape) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let channels = match shape.channels {
        1 => CHANNEL_LAYOUT_MONO,
        2 => CHANNEL_LAYOUT_STEREO,
        other => {
            return Err(DecodeError::Unsupported(format!(
                "`AAC` with channel configuration `{other}`"
            )));
        }
    };
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_AAC)
        .with_sample_rate(shape.rate)
        .with_channels(channels);
    make_decoder(&params)
}

impl Adts {
    /// The frame at hand, or the next one that can be found; `None` at the end.
    fn frame(&mut self) -> Result<Option<Header>, DecodeError> {
        let header = self.frames.header(self.at)?;
        if let Some(header) = header
            && (header.shape == self.shape || self.frames.is_followed(self.at, header)?)
        {
            return Ok(Some(header));
        }
        let found = self.frames.next_from(self.at)?;
        let (at, header) = match found {
            Some((at, header)) => (at, Some(header)),
            None => (self.frames.end.max(self.at), None),
        };
        self.junk += at - self.at;
        self.at = at;
        Ok(header)
    }

    fn decode(&mut self, header: Header) -> Result<Step<'_>, DecodeError> {
        let packet = self.frames.bytes(self.at, header.length)?;
        self.at += header.length as u64;
        if packet.len() < header.length {
            return Ok(Step::End);
        }
        if header.blocks > 1 {
            return Ok(Step::Damaged(
                1,
                "several packets of AAC in one frame".to_owned(),
            ));
        }
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &packet[header.before..]);
        let buffer = match self.decoder.decode_ref(&packet) {
            Ok(buffer) => buffer,
            Err(error) => return Ok(Step::Damaged(1, plain(&error))),
        };
        let (rate, keep) = (buffer.spec().rate(), 0..buffer.frames());
        Ok(Step::Audio(match buffer {
            GenericAudioBufferRef::F32(buffer) => Planes::new(buffer.iter_planes(), rate, keep),
            other => {
                other.copy_to_vecs_planar(&mut self.planes);
                Planes::new(self.planes.iter().map(Vec::as_slice), rate, keep)
            }
        }))
    }
}

impl Source for Adts {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        let Some(header) = self.frame()? else {
            let junk = std::mem::take(&mut self.junk).saturating_sub(self.zeros);
            return Ok(if junk > JUNK {
                Step::Damaged(1, format!("`{junk}` bytes between the frames are not AAC"))
            } else {
                Step::End
            });
        };
        if header.shape != self.shape {
            self.decoder = match decoder_of(header.shape) {
                Ok(decoder) => decoder,
                Err(error) => return Ok(Step::Stop(format!("the stream changes: {error}"))),
            };
            self.shape = header.shape;
        }
        self.decode(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mono (1) or stereo (2) at 44.1 kHz, with a body of zeros.
    fn frame(channels: u8, body: usize) -> Vec<u8> {
        let length = body + 7;
        let head = [
            0xff,
            0xf1,
            0x50 | channels >> 2,
            channels << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length << 5) as u8 | 0x1f,
            0xfc,
        ];
        [&head[..], &vec![0; body]].concat()
    }

    #[test]
    fn frames_are_found_behind_junk_and_a_single_sync_word_is_none() {
        let bytes = [
            b"junk \xff\xf1\x50\x80 more".to_vec(),
            frame(2, 20),
            frame(2, 30),
        ]
        .concat();
        let input = Input::holding(&bytes);
        let end = input.length;
        let mut frames = Frames {
            input,
            end,
            window: Vec::new(),
            read_at: 0,
        };
        let (at, header) = frames.next_from(0).unwrap().unwrap();
        assert_eq!((at, header.length, header.shape.channels), (14, 27, 2));
        assert_eq!(frames.next_from(at + 27).unwrap().unwrap().0, 41);
        assert_eq!(frames.next_from(at + 28).unwrap(), None);
    }
}
