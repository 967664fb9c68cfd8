//! Decodes with Symphonia: its container readers, its codecs, and the trimming it leaves to us.
//!
//! Encoder delay and padding are cut here, by counting decoded frames, and not by Symphonia, because
//! its MP3 reader drops everything after the length that the `Xing` header declares; like ffmpeg, this
//! drops the padding only, so that joined or wrongly labelled files keep their music.

use std::collections::VecDeque;
use std::io;

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;

use super::DecodeError;
use super::flow::{Planes, Source, Step};
use super::mpeg::FrameHeader;
use super::open::plain;

/// Which decoded frames are encoder delay or padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trim {
    /// Frames dropped at the beginning.
    pub delay: u64,
    /// Decoded frame (delay included) where dropping begins again..
    pub padding_from: u64,
    /// ..and where it ends.
    pub padding_to: u64,
}

impl Trim {
    pub(super) const NONE: Self = Self {
        delay: 0,
        padding_from: u64::MAX,
        padding_to: u64::MAX,
    };

    /// What is kept of `count` frames that begin at decoded frame `at`.
    fn keep(self, at: u64, count: usize) -> std::ops::Range<usize> {
        let within = |frame: u64| {
            usize::try_from(frame.saturating_sub(at))
                .unwrap_or(count)
                .min(count)
        };
        let body = within(self.delay)..within(self.padding_from);
        if body.is_empty() {
            within(self.padding_to)..count
        } else {
            body
        }
    }
}

/// What Symphonia reports when a sound could still follow.
pub(super) fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Whether a frame of FLAC has a channel that is the difference of two (RFC 9639, 9.1.3).
fn has_difference(frame: &[u8]) -> bool {
    frame
        .get(3)
        .is_some_and(|byte| (8..=10).contains(&(byte >> 4)))
}

/// Packets that are read ahead where padding is cut at the end: so many of the shortest MPEG frames, of 576, hold the
/// most padding that can be declared, 4095.
const AHEAD: usize = 8;

/// Padding that ends with the stream, which is known to end only some packets ahead.
struct PaddingAtEnd {
    padding: u64,
    ahead: VecDeque<Packet>,
    ended: bool,
}

/// One track of a container.
pub(super) struct Packets {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    /// Symphonia (0.6.1) takes the difference of two channels of 32 bits for one of 32 bits as well, and decodes noise.
    is_wide_flac: bool,
    track: u32,
    trim: Trim,
    /// Frames decoded so far, delay and padding included.
    decoded: u64,
    /// Bytes of audio in the file, for MPEG streams: what the packets do not account for is junk.
    bytes: Option<u64>,
    bytes_decoded: u64,
    /// Packets given to the decoder.
    count: u64,
    /// Timestamp expected next, for FLAC: a gap means that frames were lost.
    next_timestamp: Option<i64>,
    pending: Option<Packet>,
    /// What a new decoder is made of when MPEG frames change their rate or channels, and those of the last frame.
    changing: Option<(AudioCodecParameters, Option<(u32, bool)>)>,
    planes: Vec<Vec<f32>>,
    padding_at_end: Option<PaddingAtEnd>,
}

/// Makes a decoder, or says plainly that there is none.
pub(super) fn make_decoder(
    params: &AudioCodecParameters,
) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let options = AudioDecoderOptions::default().gapless(false);
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &options)
        .map_err(|error| match error {
            Error::Unsupported(text) => DecodeError::Unsupported(format!("`{text}`")),
            other => DecodeError::Malformed(plain(&other)),
        })
}

impl Packets {
    pub(super) fn new(
        reader: Box<dyn FormatReader>,
        decoder: Box<dyn AudioDecoder>,
        track: u32,
        trim: Trim,
    ) -> Self {
        let params = decoder.codec_params();
        let is_wide_flac = params.codec == CODEC_ID_FLAC && params.bits_per_sample == Some(32);
        Self {
            reader,
            decoder,
            is_wide_flac,
            track,
            trim,
            decoded: 0,
            bytes: None,
            bytes_decoded: 0,
            count: 0,
            next_timestamp: None,
            pending: None,
            changing: None,
            planes: Vec::new(),
            padding_at_end: None,
        }
    }

    /// Makes a new decoder where MPEG frames change their rate or their number of channels: Symphonia's decodes only what
    /// is like its first frame.
    pub(super) fn with_changing_mpeg(mut self, params: AudioCodecParameters) -> Self {
        self.changing = Some((params, None));
        self
    }

    /// Cuts so many frames (samples per channel) off the end of an MPEG stream, wherever that is.
    pub(super) fn with_padding_at_end(mut self, padding: u64) -> Self {
        self.padding_at_end = (padding > 0).then(|| PaddingAtEnd {
            padding,
            ahead: VecDeque::with_capacity(AHEAD + 1),
            ended: false,
        });
        self
    }

    /// The next packet of the track; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        let Some(end) = &mut self.padding_at_end else {
            return self.reader.next_packet();
        };
        while !end.ended && end.ahead.len() <= AHEAD {
            match self.reader.next_packet() {
                Ok(Some(packet)) => end.ahead.push_back(packet),
                Ok(None) => end.ended = true,
                Err(Error::IoError(error)) if is_end(&error) => end.ended = true,
                Err(error) => return Err(error),
            }
            if end.ended {
                let samples = |packet: &Packet| {
                    FrameHeader::at(&packet.data).map_or(0, |header| u64::from(header.samples))
                };
                let total = self.decoded + end.ahead.iter().map(samples).sum::<u64>();
                self.trim.padding_from = total.saturating_sub(end.padding);
                self.trim.padding_to = total;
            }
        }
        Ok(end.ahead.pop_front())
    }

    fn follow_change(&mut self, packet: &Packet) {
        let Some((params, shape)) = &mut self.changing else {
            return;
        };
        let Some(header) = FrameHeader::at(&packet.data) else {
            return;
        };
        let now = (header.sample_rate, header.mono);
        if shape.replace(now).is_some_and(|before| before != now)
            && let Ok(decoder) = make_decoder(params)
        {
            self.decoder = decoder;
        }
    }

    /// Counts bytes that belong to no packet: `bytes` is what the packets should add up to.
    pub(super) fn with_junk_count(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Counts frames that are missing between packets, by their timestamps.
    pub(super) fn with_gap_count(mut self) -> Self {
        self.next_timestamp = Some(0);
        self
    }

    fn end(&mut self) -> Step<'static> {
        // Tags of unknown kinds are smaller than this; audio that lost its headers is larger.
        const JUNK: u64 = 2048;
        let junk = self
            .bytes
            .take()
            .map_or(0, |bytes| bytes.saturating_sub(self.bytes_decoded));
        if junk <= JUNK {
            return Step::End;
        }
        let frame = (self.bytes_decoded / self.count.max(1)).max(1);
        let text = format!("`{junk}` bytes between the frames are not MPEG audio");
        Step::Damaged(junk / frame, text)
    }

    /// The number of codec frames missing before `packet`, if any.
    fn gap(&mut self, packet: &Packet) -> Option<u64> {
        let expected = self.next_timestamp?;
        let begin = packet.pts.get();
        let length = packet.dur.get().max(1);
        self.next_timestamp = Some(begin.saturating_add_unsigned(length));
        let missing = u64::try_from(begin.saturating_sub(expected))
            .ok()
            .filter(|missing| *missing > 0)?;
        Some(missing.div_ceil(length))
    }

    fn decode(&mut self, packet: &Packet) -> Step<'_> {
        self.bytes_decoded += packet.data.len() as u64;
        self.count += 1;
        self.follow_change(packet);
        let buffer = match self.decoder.decode(packet) {
            Ok(buffer) => buffer,
            Err(Error::ResetRequired) => {
                return Step::Stop("the stream changes its codec".to_owned());
            }
            Err(error) => return Step::Damaged(1, plain(&error)),
        };
        let count = buffer.frames();
        let keep = self.trim.keep(self.decoded, count);
        self.decoded += count as u64;
        let rate = buffer.spec().rate();
        Step::Audio(match buffer {
            GenericAudioBufferRef::F32(buffer) => Planes::new(buffer.iter_planes(), rate, keep),
            other => {
                other.copy_to_vecs_planar(&mut self.planes);
                Planes::new(self.planes.iter().map(Vec::as_slice), rate, keep)
            }
        })
    }
}

impl Source for Packets {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        if let Some(packet) = self.pending.take() {
            return Ok(self.decode(&packet));
        }
        let packet = match self.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(self.end()),
            Err(Error::IoError(error)) if is_end(&error) => return Ok(self.end()),
            Err(Error::IoError(error)) => return Err(DecodeError::Io(error)),
            Err(Error::ResetRequired) => {
                return Ok(Step::Stop("a second stream follows".to_owned()));
            }
            Err(error) => return Ok(Step::Failed(plain(&error))),
        };
        if packet.track_id != self.track {
            return Ok(Step::Audio(Planes::NONE));
        }
        if self.is_wide_flac && has_difference(&packet.data) {
            let fault = "FLAC of 32 bits whose channels differ by 33".to_owned();
            return Err(DecodeError::Library(fault));
        }
        if let Some(frames) = self.gap(&packet) {
            let text = format!(
                "`{frames}` FLAC frames are missing before frame `{}`",
                packet.pts.get()
            );
            self.pending = Some(packet);
            return Ok(Step::Damaged(frames, text));
        }
        Ok(self.decode(&packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trim_keeps_what_lies_between_delay_and_padding() {
        let trim = Trim {
            delay: 1105,
            padding_from: 3000,
            padding_to: 3456,
        };
        assert!(trim.keep(0, 1105).is_empty());
        assert_eq!(trim.keep(0, 1152), 1105..1152);
        assert_eq!(trim.keep(1152, 1152), 0..1152);
        assert_eq!(trim.keep(2304, 1152), 0..696);
        assert_eq!(
            trim.keep(3456, 1152),
            0..1152,
            "a second part that was joined on is kept"
        );
        assert!(trim.keep(3100, 300).is_empty());
        assert_eq!(trim.keep(3100, 400), 356..400);
        assert_eq!(Trim::NONE.keep(1 << 40, 1152), 0..1152);
    }
}
