//! Vorbis, Opus and FLAC in Ogg: headers, decoding, and what of it is played.
//!
//! The position of the end is the granule position of the last page; codec frames reach beyond it and
//! are cut there (Vorbis I specification, A.2; RFC 7845, section 4). Opus drops its pre-skip at the
//! beginning. In between, positions follow the pages, as in libvorbis: the stream is believed.
//!
//! A file may be a chain of streams, of different rates and channels, even of different codecs; they are heard one
//! after the other.

mod links;

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::flow::{Planes, Source, Step};
use super::ogg::{Event, PacketInfo, Pages};
use super::{Codec, DecodeError};
use links::{Engine, Link, read_headers};

/// The audio of an Ogg file.
pub(super) struct Ogg {
    pages: Pages,
    link: Link,
    engine: Engine,
    /// Frames still to be dropped at the beginning.
    skip: u64,
    /// Granule position after the latest packet, as far as known: relative to the first page until
    /// its position is read.
    position: i64,
    positioned: bool,
    ended: bool,
    /// A packet that was read while looking for the end of the headers.
    held: Option<PacketInfo>,
    planes: Vec<Vec<f32>>,
}

impl Ogg {
    pub(super) fn open(mut pages: Pages) -> Result<(Self, Link), DecodeError> {
        let (link, engine, skip, held) = read_headers(&mut pages, None)?;
        let ogg = Self {
            pages,
            link,
            engine,
            skip,
            position: 0,
            positioned: false,
            ended: false,
            held,
            planes: Vec::new(),
        };
        Ok((ogg, link))
    }

    /// Goes on with the next link of the chain.
    fn chain(&mut self, first: PacketInfo) -> Result<(), DecodeError> {
        let first = PacketInfo {
            begins: true,
            ..first
        };
        let (link, engine, skip, held) = read_headers(&mut self.pages, Some(first))?;
        self.link = link;
        (self.engine, self.skip, self.held) = (engine, skip, held);
        (self.position, self.positioned, self.ended) = (0, false, false);
        Ok(())
    }

    /// Careless joining leaves Vorbis headers in the middle of a stream; what follows needs them.
    fn begins_again(&self) -> bool {
        self.link.codec == Codec::Vorbis && self.pages.packet().starts_with(b"\x01vorbis")
    }

    fn decode(&mut self, info: PacketInfo) -> Step<'_> {
        let packet = self.pages.packet();
        self.ended |= info.ends_stream && info.ends_page;
        if packet.is_empty() {
            // Some muxers end a stream with a packet of nothing.
            return Step::Audio(Planes::NONE);
        }
        let rate = self.link.sample_rate;
        let failed = |text: String| Step::Damaged(1, text);
        match &mut self.engine {
            Engine::Opus(opus) => match opus.decode(packet) {
                Ok(planes) => {
                    let count = planes.first().map_or(0, Vec::len);
                    let keep = keep(
                        info,
                        count,
                        &mut self.position,
                        &mut self.positioned,
                        &mut self.skip,
                    );
                    Step::Audio(Planes::new(planes.iter().map(Vec::as_slice), rate, keep))
                }
                Err(text) => failed(format!("opus: {text}")),
            },
            Engine::Symphonia(decoder) => {
                let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
                let buffer = match decoder.decode_ref(&packet) {
                    Ok(buffer) => buffer,
                    Err(error) => return failed(error.to_string()),
                };
                let count = buffer.frames();
                let mut keep = keep(
                    info,
                    count,
                    &mut self.position,
                    &mut self.positioned,
                    &mut self.skip,
                );
                if self.link.codec == Codec::Flac {
                    // Every FLAC frame knows its own length; muxers are careless with granules.
                    keep = 0..count;
                }
                let rate = buffer.spec().rate();
                match buffer {
                    GenericAudioBufferRef::F32(buffer) => {
                        Step::Audio(Planes::new(buffer.iter_planes(), rate, keep))
                    }
                    other => {
                        other.copy_to_vecs_planar(&mut self.planes);
                        Step::Audio(Planes::new(
                            self.planes.iter().map(Vec::as_slice),
                            rate,
                            keep,
                        ))
                    }
                }
            }
        }
    }
}

/// Which of `count` decoded frames are played; moves the position on.
fn keep(
    info: PacketInfo,
    count: usize,
    position: &mut i64,
    positioned: &mut bool,
    skip: &mut u64,
) -> std::ops::Range<usize> {
    let from = usize::try_from(*skip).unwrap_or(count).min(count);
    *skip -= from as u64;
    let mut to = count;
    if info.ends_stream && info.granule >= 0 {
        let left = info.granule.saturating_sub(*position);
        to = usize::try_from(left.max(0)).unwrap_or(count).min(count);
    }
    *position = position.saturating_add(count as i64);
    if info.ends_page && info.granule >= 0 {
        // A first page whose position is too small was cut at its beginning; the count stays as it is.
        if *positioned || info.granule > *position {
            *position = info.granule;
        }
        *positioned = true;
    }
    from..to.max(from)
}

impl Source for Ogg {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        if let Some(info) = self.held.take() {
            return Ok(self.decode(info));
        }
        match self.pages.next()? {
            Event::End => Ok(Step::End),
            // Whatever stands behind the last page is no music.
            Event::Damaged(_) if self.ended => Ok(Step::Audio(Planes::NONE)),
            Event::Damaged(count) => Ok(Step::Damaged(
                count,
                "Ogg pages are damaged or missing".to_owned(),
            )),
            Event::Packet(info) if info.begins || self.begins_again() => {
                Ok(match self.chain(info) {
                    Ok(()) => Step::Audio(Planes::NONE),
                    Err(DecodeError::Io(error)) => return Err(DecodeError::Io(error)),
                    Err(error) => Step::Stop(format!(
                        "a second stream follows that cannot be read: {error}"
                    )),
                })
            }
            Event::Packet(info) => Ok(self.decode(info)),
        }
    }

    fn ended_properly(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(granule: i64, ends_page: bool, ends_stream: bool) -> PacketInfo {
        PacketInfo {
            serial: 1,
            begins: false,
            granule,
            ends_page,
            ends_stream,
        }
    }

    fn kept(packets: &[(PacketInfo, usize)], skip: u64) -> Vec<std::ops::Range<usize>> {
        let (mut position, mut positioned, mut skip) = (0, false, skip);
        packets
            .iter()
            .map(|(info, count)| keep(*info, *count, &mut position, &mut positioned, &mut skip))
            .collect()
    }

    #[test]
    fn the_last_page_cuts_the_end() {
        let first = packet(1920, false, false);
        let last_of_first = packet(1920, true, false);
        let end = packet(2500, false, true);
        let last = packet(2500, true, true);
        let packets = [(first, 960), (last_of_first, 960), (end, 960), (last, 960)];
        assert_eq!(kept(&packets, 312), [312..960, 0..960, 0..580, 0..0]);
    }

    #[test]
    fn a_stream_cut_from_a_broadcast_begins_late() {
        let packets = [
            (packet(1_000_960, true, false), 960),
            (packet(1_001_500, true, true), 960),
        ];
        assert_eq!(kept(&packets, 0), [0..960, 0..540]);
    }

    #[test]
    fn one_page_is_first_and_last() {
        let packets = [
            (packet(1000, false, true), 960),
            (packet(1000, true, true), 960),
        ];
        assert_eq!(kept(&packets, 312), [312..960, 0..40]);
        assert_eq!(kept(&[(packet(-1, true, true), 960)], 2000), vec![960..960]);
    }
}
