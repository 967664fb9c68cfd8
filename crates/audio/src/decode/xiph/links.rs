//! The headers of one stream in an Ogg file: which codec, and the decoder for it.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};

use crate::decode::ogg::{Event, PacketInfo, Pages};
use crate::decode::opus::{self, Opus};
use crate::decode::{Codec, DecodeError};

/// Packets looked at before giving up on finding the headers of a stream.
const MAX_HEADERS: usize = 10_000;

/// What the headers of one link of the chain say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) struct Link {
    pub codec: Codec,
    pub sample_rate: u32,
    pub channels: u16,
    /// Bits of an integer sample (FLAC).
    pub bits: Option<u8>,
    /// By the header (FLAC).
    pub declared: Option<u64>,
}

pub(super) enum Engine {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<Opus>),
}

pub(super) type Headers = (Link, Engine, u64, Option<PacketInfo>);

/// Reads up to the end of the headers; `first` is the identification packet if it was read already.
pub(super) fn read_headers(
    pages: &mut Pages,
    mut first: Option<PacketInfo>,
) -> Result<Headers, DecodeError> {
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
        Some(name) => DecodeError::Unsupported(format!("`{name}` in Ogg")),
        None => DecodeError::Malformed("the Ogg file has no first page".to_owned()),
    })
}

/// The printable beginning of an identification packet.
fn name(packet: &[u8]) -> String {
    if packet.starts_with(b"Speex") {
        return "Speex".to_owned();
    }
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
            "`Vorbis` with `{}` channels",
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
    codec: AudioCodecId,
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
