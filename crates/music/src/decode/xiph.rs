//! Vorbis, Opus and FLAC in Ogg: headers, decoding, and what of it is played.
//!
//! The position of the end is the granule position of the last page; codec frames reach beyond it and
//! are cut there (Vorbis I specification, A.2; RFC 7845, section 4). Opus drops its pre-skip at the
//! beginning. In between, positions follow the pages, as in libvorbis: the stream is believed.
//!
//! A file may be a chain of streams. Those of equal codec, rate and channels are played on; at the first
//! that differs, reading stops and says so.

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::flow::{Planes, Source, Step};
use super::ogg::{Event, PacketInfo, Pages};
use super::opus::{self, Opus};
use super::{Codec, DecodeError};

/// Packets looked at before giving up on finding the headers of a stream.
const MAX_HEADERS: usize = 10_000;

/// What the headers of one link of the chain say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub codec: Codec,
    pub sample_rate: u32,
    pub channels: u16,
    /// Bits of an integer sample (FLAC).
    pub bits: Option<u8>,
    /// By the header (FLAC).
    pub declared: Option<u64>,
}

enum Engine {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<Opus>),
}

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

    /// Goes on with the next link of the chain, if it is of the same kind.
    fn chain(&mut self, first: PacketInfo) -> Result<Option<String>, DecodeError> {
        let first = PacketInfo {
            begins: true,
            ..first
        };
        let (link, engine, skip, held) = read_headers(&mut self.pages, Some(first))?;
        let same = (link.codec, link.sample_rate, link.channels);
        if same != (self.link.codec, self.link.sample_rate, self.link.channels) {
            return Ok(Some(format!(
                "a second stream follows, with {} Hz and {} channels; only the first is read",
                link.sample_rate, link.channels
            )));
        }
        (self.engine, self.skip, self.held) = (engine, skip, held);
        (self.position, self.positioned, self.ended) = (0, false, false);
        Ok(None)
    }

    /// Careless joining leaves Vorbis headers in the middle of a stream; what follows needs them.
    fn begins_again(&self) -> bool {
        self.link.codec == Codec::Vorbis && self.pages.packet().starts_with(b"\x01vorbis")
    }

    fn decode(&mut self, info: PacketInfo) -> Step<'_> {
        let packet = self.pages.packet();
        self.ended |= info.ends_stream && info.ends_page;
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
            Event::Damaged(count) => Ok(Step::Damaged(
                count,
                "Ogg pages are damaged or missing".to_owned(),
            )),
            Event::Packet(info) if info.begins || self.begins_again() => {
                Ok(match self.chain(info) {
                    Ok(None) => Step::Audio(Planes::new(std::iter::empty(), 0, 0..0)),
                    Ok(Some(text)) => Step::Stop(text),
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

type Headers = (Link, Engine, u64, Option<PacketInfo>);

/// Reads up to the end of the headers; `first` is the identification packet if it was read already.
fn read_headers(pages: &mut Pages, mut first: Option<PacketInfo>) -> Result<Headers, DecodeError> {
    let mut seen = None;
    for _ in 0..MAX_HEADERS {
        let info = match first.take() {
            Some(info) => info,
            None => match pages.next()? {
                Event::Packet(info) => info,
                Event::Damaged(_) => continue,
                Event::End => break,
            },
        };
        if !info.begins {
            break;
        }
        let packet = pages.packet();
        let found = match packet {
            [0x01, b'v', b'o', b'r', b'b', b'i', b's', ..] => Some(vorbis as fn(&mut Pages) -> _),
            [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => Some(opus_stream as _),
            [0x7f, b'F', b'L', b'A', b'C', ..] => Some(flac as _),
            _ => None,
        };
        if let Some(read) = found {
            pages.serial = Some(info.serial);
            return read(pages);
        }
        seen.get_or_insert_with(|| name(packet));
    }
    Err(match seen {
        Some(name) => DecodeError::Unsupported(format!(
            "Ogg with `{name}` is not supported, expected Vorbis, Opus or FLAC"
        )),
        None => DecodeError::Malformed("the Ogg file has no first page".to_owned()),
    })
}

/// The printable beginning of an identification packet.
fn name(packet: &[u8]) -> String {
    let letters = packet
        .iter()
        .map(|byte| char::from(*byte))
        .filter(char::is_ascii_alphanumeric);
    letters.take(8).collect()
}

/// The next packet of the stream in hand, without those of streams that begin beside it.
fn next_header(pages: &mut Pages) -> Result<PacketInfo, DecodeError> {
    for _ in 0..MAX_HEADERS {
        match pages.next()? {
            Event::Packet(info) if !info.begins => return Ok(info),
            Event::Packet(_) | Event::Damaged(_) => {}
            Event::End => break,
        }
    }
    Err(DecodeError::NoAudio(
        "the Ogg file ends within its headers".to_owned(),
    ))
}

fn vorbis(pages: &mut Pages) -> Result<Headers, DecodeError> {
    let mut setup = pages.packet().to_vec();
    let fixed: &[u8; 30] = setup.first_chunk().ok_or_else(short_header)?;
    let link = Link {
        codec: Codec::Vorbis,
        channels: u16::from(fixed[11]),
        sample_rate: u32::from_le_bytes([fixed[12], fixed[13], fixed[14], fixed[15]]),
        bits: None,
        declared: None,
    };
    if link.channels > 2 {
        // Symphonia undoes the coupling of channel pairs in the wrong order (0.6.1), which is right for
        // two channels only. Better no audio than a wrong one.
        return Err(DecodeError::Unsupported(format!(
            "Vorbis with `{}` channels is not supported, expected 1 or 2",
            link.channels
        )));
    }
    setup.truncate(30);
    loop {
        next_header(pages)?;
        match pages.packet().first() {
            Some(3) => {}
            Some(5) => break,
            _ => {
                return Err(DecodeError::Malformed(
                    "the Vorbis stream has no setup header".to_owned(),
                ));
            }
        }
    }
    setup.extend_from_slice(pages.packet());
    Ok((
        link,
        symphonia_engine(CODEC_ID_VORBIS, setup, link)?,
        0,
        None,
    ))
}

fn opus_stream(pages: &mut Pages) -> Result<Headers, DecodeError> {
    let header = opus::Header::parse(pages.packet())?;
    let link = Link {
        codec: Codec::Opus,
        channels: header.channels as u16,
        sample_rate: opus::RATE,
        bits: None,
        declared: None,
    };
    let skip = header.pre_skip;
    let engine = Engine::Opus(Box::new(Opus::new(header)?));
    let info = next_header(pages)?;
    // The second packet is the comment header; a careless muxer may have left it out.
    let held = (!pages.packet().starts_with(b"OpusTags")).then_some(info);
    Ok((link, engine, skip, held))
}

fn flac(pages: &mut Pages) -> Result<Headers, DecodeError> {
    let info: [u8; 34] = pages
        .packet()
        .get(17..51)
        .and_then(|info| info.try_into().ok())
        .ok_or_else(short_header)?;
    let packed = u64::from_be_bytes(info[10..18].try_into().expect("the slice is eight bytes"));
    let frames = packed & 0xf_ffff_ffff;
    let link = Link {
        codec: Codec::Flac,
        sample_rate: (packed >> 44) as u32,
        channels: (packed >> 41 & 7) as u16 + 1,
        bits: Some((packed >> 36 & 31) as u8 + 1),
        declared: (frames > 0).then_some(frames),
    };
    let engine = symphonia_engine(CODEC_ID_FLAC, info.to_vec(), link)?;
    // Metadata blocks follow until the first frame, which begins with its sync code.
    loop {
        let held = next_header(pages)?;
        if pages.packet().first() == Some(&0xff) {
            return Ok((link, engine, 0, Some(held)));
        }
    }
}

fn short_header() -> DecodeError {
    DecodeError::Malformed("the identification header is cut".to_owned())
}

fn symphonia_engine(
    codec: symphonia::core::codecs::audio::AudioCodecId,
    setup: Vec<u8>,
    link: Link,
) -> Result<Engine, DecodeError> {
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(codec)
        .with_sample_rate(link.sample_rate)
        .with_extra_data(setup.into());
    // With this option the Vorbis decoder drops its first packet, which has nothing to overlap with.
    let options = AudioDecoderOptions::default().gapless(true);
    let decoder = symphonia::default::get_codecs().make_audio_decoder(&params, &options);
    decoder
        .map(Engine::Symphonia)
        .map_err(|error| DecodeError::Malformed(error.to_string()))
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
        assert_eq!(kept(&[(packet(-1, true, true), 960)], 2000), [960..960]);
    }
}
