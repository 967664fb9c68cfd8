//! Vorbis comments: in FLAC, and in Ogg with Vorbis, Opus, Speex or FLAC.
//!
//! Layout: <https://xiph.org/vorbis/doc/v-comment.html>. The comments are read as a stream, and a field that
//! is not wanted (a picture of 13 MB) is passed over, so that what stands behind it is read as well.

use std::io::{self, Read};

use super::names;
use super::raw::{MAX_VALUE, Raw};
use super::text::Text;
use crate::input::Input;

/// Fields of one comment block; more than anybody writes.
const MAX_FIELDS: u32 = 100_000;

/// Letters of a key that are looked at.
const MAX_KEY: u64 = 128;

/// Blocks of metadata in one FLAC file.
const MAX_BLOCKS: usize = 10_000;

/// Bytes of headers passed on the way to an Ogg file's comments, and of the comments themselves with their
/// pictures.
const MAX_OGG: u64 = 64 << 20;

/// Reads the comments that `stream` begins with.
fn read_stream(stream: &mut impl Read, raw: &mut Raw) -> io::Result<()> {
    raw.begin();
    let vendor = u64::from(word(stream)?);
    skip(stream, vendor)?;
    let count = word(stream)?;
    for _ in 0..count.min(MAX_FIELDS) {
        let length = u64::from(word(stream)?);
        let mut start = Vec::new();
        stream.take(length.min(MAX_KEY)).read_to_end(&mut start)?;
        let rest = length - start.len() as u64;
        let key = start.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = (key.len() < start.len())
            .then(|| names::of_key(&String::from_utf8_lossy(key)))
            .flatten();
        let (Some(name), true) = (name, length <= MAX_VALUE as u64) else {
            skip(stream, rest)?;
            continue;
        };
        let value_at = key.len() + 1;
        stream.take(rest).read_to_end(&mut start)?;
        raw.keep(name, Text::utf8(&start[value_at..]));
    }
    Ok(())
}

fn word(stream: &mut impl Read) -> io::Result<u32> {
    let mut four = [0; 4];
    stream.read_exact(&mut four)?;
    Ok(u32::from_le_bytes(four))
}

fn skip(stream: &mut impl Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut stream.take(count), &mut io::sink())?;
    if skipped < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Notes comments that end too early; what was read of them stays.
fn forgive(result: io::Result<()>, raw: &mut Raw) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            raw.mend("the comments end before their time");
            Ok(())
        }
        other => other,
    }
}

/// Reads all comment blocks of a FLAC file that begins at `start`.
pub(super) fn read_flac(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    let mut at = start + 4;
    for _ in 0..MAX_BLOCKS {
        let Some([kind, size @ ..]) = input.array_at::<4>(at)? else {
            break;
        };
        let length = u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
        if kind & 0x7f == 4 {
            let mut block = Part {
                input,
                at: at + 4,
                end: at + 4 + length,
            };
            let read = read_stream(&mut io::BufReader::new(&mut block), raw);
            forgive(read, raw)?;
        }
        at += 4 + length;
        let is_last = kind & 0x80 != 0 && !is_block(input, at)?;
        if is_last || kind == 0x7f {
            break;
        }
    }
    Ok(())
}

/// Whether another block of metadata begins here although the last one said that it is the last: it has a known kind, and
/// another block or a frame follows.
fn is_block(input: &mut Input, at: u64) -> io::Result<bool> {
    let Some([kind, size @ ..]) = input.array_at::<4>(at)? else {
        return Ok(false);
    };
    let next = at + 4 + u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
    let follows = input.array_at::<2>(next)?;
    let is_known = |kind: u8| (1..=6).contains(&(kind & 0x7f));
    Ok(is_known(kind)
        && follows.is_some_and(|[first, second]| {
            is_known(first) || (first == 0xff && second & 0xfe == 0xf8)
        }))
}

/// The stream of an Ogg file that is audio; pictures and an index may be announced before it.
fn audio_stream(input: &mut Input, mut at: u64) -> io::Result<Option<u32>> {
    const AUDIO: [&[u8]; 4] = [b"\x7fFLAC", b"\x01vorbis", b"OpusHead", b"Speex   "];
    // Every stream announces itself on a page of its own, before any other page.
    for _ in 0..MAX_BLOCKS {
        let head = input.vec_at(at, 27 + 255 + 8)?;
        let is_first = head.starts_with(b"OggS") && head.get(5).is_some_and(|flags| flags & 2 != 0);
        let Some(lacing) = head
            .get(26)
            .and_then(|count| head.get(27..27 + usize::from(*count)))
        else {
            return Ok(None);
        };
        let body = 27 + lacing.len();
        if !is_first {
            return Ok(None);
        }
        if AUDIO.iter().any(|magic| head[body..].starts_with(magic)) {
            return Ok(Some(u32::from_le_bytes([
                head[14], head[15], head[16], head[17],
            ])));
        }
        at += body as u64 + lacing.iter().map(|size| u64::from(*size)).sum::<u64>();
    }
    Ok(None)
}

/// Reads the comments of an Ogg file that begins at `start`: the second packet of its first stream of audio.
pub(super) fn read_ogg(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    let end = input.length.min(start + MAX_OGG);
    let serial = audio_stream(input, start)?;
    let mut pages = io::BufReader::with_capacity(
        16 << 10,
        Part {
            input,
            at: start,
            end,
        },
    );
    let mut packet = Packet::of(&mut pages, serial);
    let mut first = Vec::new();
    packet.by_ref().take(64).read_to_end(&mut first)?;
    packet.finish()?;
    let read = match first.as_slice() {
        [0x7f, b'F', b'L', b'A', b'C', ..] => read_flac_packets(&mut packet, raw),
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => {
            skip(&mut packet, 7).and_then(|()| read_stream(&mut packet, raw))
        }
        [b'O', b'p', b'u', b's', ..] => {
            raw.output_gain_db = output_gain_db(&first);
            skip(&mut packet, 8).and_then(|()| read_stream(&mut packet, raw))
        }
        [b'S', b'p', b'e', b'e', b'x', ..] => read_stream(&mut packet, raw),
        _ => Ok(()),
    };
    forgive(read, raw)
}

/// What the head of an Opus stream adds: 1/256 dB, signed, in bytes 16 and 17 (RFC 7845, section 5.1). `None` for 0.
fn output_gain_db(head: &[u8]) -> Option<f64> {
    let steps = i16::from_le_bytes(*head.get(16..)?.first_chunk()?);
    (steps != 0).then(|| f64::from(steps) / 256.0)
}

/// Each packet is a block of FLAC's metadata, until one says that it is the last.
fn read_flac_packets<R: Read>(packet: &mut Packet<'_, R>, raw: &mut Raw) -> io::Result<()> {
    for _ in 0..MAX_BLOCKS {
        let mut head = [0; 4];
        packet.read_exact(&mut head)?;
        if head[0] & 0x7f == 4 {
            read_stream(packet, raw)?;
        }
        packet.finish()?;
        if head[0] & 0x80 != 0 || head[0] == 0xff {
            break;
        }
    }
    Ok(())
}

/// A stretch of a file as a stream.
struct Part<'a> {
    input: &'a mut Input,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.input.read_at(self.at, &mut buffer[..wanted])?;
        self.at += count as u64;
        Ok(count)
    }
}

/// One packet after the other of a stream of an Ogg file, its first unless told, as a stream that ends with each packet.
struct Packet<'a, R> {
    pages: &'a mut R,
    serial: Option<u32>,
    /// Sizes of this page's segments, and which of them comes next.
    lacing: Vec<u8>,
    next: usize,
    /// Bytes left of the segment in hand; a full segment says that the packet goes on.
    left: usize,
    goes_on: bool,
    /// The packet in hand has ended; nothing of the next one is read before it is asked for.
    ended: bool,
}

impl<'a, R: Read> Packet<'a, R> {
    fn of(pages: &'a mut R, serial: Option<u32>) -> Self {
        Self {
            pages,
            serial,
            lacing: Vec::new(),
            next: 0,
            left: 0,
            goes_on: true,
            ended: false,
        }
    }
}

impl<R: Read> Packet<'_, R> {
    /// Goes to the end of the packet in hand; the next one can be read then.
    fn finish(&mut self) -> io::Result<()> {
        if !self.ended {
            io::copy(self, &mut io::sink())?;
        }
        (self.ended, self.goes_on) = (false, true);
        Ok(())
    }

    /// The next page of the stream; pages of others are passed over.
    fn page(&mut self) -> io::Result<()> {
        loop {
            let mut head = [0; 27];
            self.pages.read_exact(&mut head)?;
            if !head.starts_with(b"OggS") {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut lacing = vec![0; usize::from(head[26])];
            self.pages.read_exact(&mut lacing)?;
            let serial = u32::from_le_bytes([head[14], head[15], head[16], head[17]]);
            if *self.serial.get_or_insert(serial) == serial {
                (self.lacing, self.next) = (lacing, 0);
                return Ok(());
            }
            let body = lacing.iter().map(|size| u64::from(*size)).sum();
            skip(self.pages, body)?;
        }
    }
}

impl<R: Read> Read for Packet<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        while self.left == 0 {
            if !self.goes_on {
                self.ended = true;
                return Ok(0);
            }
            match self.lacing.get(self.next) {
                Some(size) => {
                    self.left = usize::from(*size);
                    self.goes_on = *size == 255;
                    self.next += 1;
                }
                None => self.page()?,
            }
        }
        let wanted = buffer.len().min(self.left);
        let count = self.pages.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::names::Name;
    use super::*;

    fn comments(fields: &[(&str, usize)]) -> Vec<u8> {
        let mut bytes = b"\x04\0\0\0test".to_vec();
        bytes.extend((fields.len() as u32).to_le_bytes());
        for (text, padding) in fields {
            bytes.extend(((text.len() + padding) as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.extend(vec![b'A'; *padding]);
        }
        bytes
    }

    fn ogg(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        let lacing = packets.iter().flat_map(|packet| {
            let full = vec![255; packet.len() / 255];
            full.into_iter().chain([(packet.len() % 255) as u8])
        });
        let lacing: Vec<u8> = lacing.collect();
        let content = packets.concat();
        let mut at = 0;
        for page in lacing.chunks(255) {
            out.extend(b"OggS\0\0");
            out.extend([0; 20]);
            out.push(page.len() as u8);
            out.extend(page);
            let length: usize = page.iter().map(|size| usize::from(*size)).sum();
            out.extend(&content[at..at + length]);
            at += length;
        }
        out
    }

    fn read(bytes: &[u8]) -> Raw {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut raw = Raw::default();
        let mut input = Input {
            file,
            length: bytes.len() as u64,
        };
        read_ogg(&mut input, 0, &mut raw).unwrap();
        raw
    }

    #[test]
    fn what_stands_behind_a_large_picture_is_read() {
        let packet = comments(&[("METADATA_BLOCK_PICTURE=", 13 << 20), ("TITLE=Covered", 0)]);
        let raw = read(&ogg(&[
            b"OpusHead".to_vec(),
            [b"OpusTags".to_vec(), packet].concat(),
        ]));
        assert_eq!(
            raw.sources[0].fields,
            [(Name::Title, Text::Unicode("Covered".to_owned()))]
        );
        assert!(raw.mended.is_empty());
    }

    #[test]
    fn flac_in_ogg_has_its_comments_in_a_packet_of_their_own() {
        let block = comments(&[("title=Inside", 0), ("ARTIST=A", 0), ("ARTIST=B", 0)]);
        let head = [4 | 0x80, 0, 0, block.len() as u8].to_vec();
        let first = [b"\x7fFLAC".to_vec(), vec![0; 46]].concat();
        let raw = read(&ogg(&[first, [head, block].concat()]));
        assert_eq!(raw.sources[0].fields.len(), 3);
    }

    #[test]
    fn comments_behind_a_block_that_says_it_is_the_last_are_read() {
        let comments = comments(&[("TITLE=Kept", 0)]);
        let block =
            |kind: u8, content: &[u8]| [&[kind, 0, 0, content.len() as u8], content].concat();
        let info = block(0x80, &[0; 34]);
        let file = [
            &b"fLaC"[..],
            &info,
            &block(4, &comments),
            &block(0x81, &[0; 9]),
            b"\xff\xf8audio",
        ]
        .concat();
        let mut raw = Raw::default();
        read_flac(&mut Input::holding(&file), 0, &mut raw).unwrap();
        assert_eq!(raw.sources[0].fields.len(), 1);
    }

    #[test]
    fn comments_are_those_of_the_audio_behind_a_stream_of_pictures() {
        let mut pictures = ogg(&[b"\x80theora".to_vec()]);
        (pictures[5], pictures[14]) = (2, 1);
        let packets = [
            b"OpusHead".to_vec(),
            [b"OpusTags".to_vec(), comments(&[("TITLE=Clip", 0)])].concat(),
        ];
        let mut sound: Vec<u8> = packets
            .iter()
            .flat_map(|packet| ogg(std::slice::from_ref(packet)))
            .collect();
        sound[5] = 2;
        let raw = read(&[pictures, sound].concat());
        assert_eq!(
            raw.sources[0].fields,
            [(Name::Title, Text::Unicode("Clip".to_owned()))]
        );
    }

    #[test]
    fn comments_that_are_cut_keep_what_is_there() {
        let mut packet = comments(&[("TITLE=Kept", 0), ("ARTIST=Lost", 0)]);
        packet.truncate(packet.len() - 5);
        let raw = read(&ogg(&[
            b"OpusHead".to_vec(),
            [b"OpusTags".to_vec(), packet].concat(),
        ]));
        assert_eq!(raw.sources[0].fields.len(), 1);
        assert_eq!(raw.mended.len(), 1);
    }
}
