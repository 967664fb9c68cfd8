//! Reads a tar archive as it comes, packed or not.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes unpacked at once.
const PIECE: usize = 256 << 10;

/// The archive in `path` from byte `position` of it on, unpacked.
///
/// A packed one is unpacked up to there, which takes about a tenth of the time of reading it.
///
/// # Errors
///
/// When it cannot be read, is packed in a way that nobody knows here, or ends before `position`.
pub(super) fn open(path: &Path, position: u64) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(PIECE, run::regular_file(path)?);
    let begins = file.fill_buf()?;
    let mut reader: Box<dyn Read> = match begins {
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Box::new(Unpacked::new(file))
        }
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [b'B', b'Z', b'h', ..] => {
            return Err(io::Error::other(
                "it is packed with bzip2; `bunzip2` makes a .tar of it",
            ));
        }
        plain if plain.len() > 262 && &plain[257..262] == b"ustar" => {
            file.seek(SeekFrom::Start(position))?;
            return Ok(Box::new(file));
        }
        _ => return Err(io::Error::other("it is neither .tar.zst, .tar.gz nor .tar")),
    };
    let skipped = io::copy(&mut reader.by_ref().take(position), &mut io::sink())?;
    if skipped < position {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(reader)
}

/// Counts what is read.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// The reader, and the bytes that were read from it.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::<Cell<u64>>::default();
        let counted = Self {
            inner,
            count: Rc::clone(&count),
        };
        (counted, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// All frames of a Zstandard file, one after the other; memory is that of a frame's window, 100 MB at most.
struct Unpacked<R> {
    packed: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Unpacked<R> {
    fn new(packed: R) -> Self {
        Self {
            packed,
            decoder: FrameDecoder::new(),
            in_frame: false,
        }
    }

    /// Goes to the next frame; whether there is one.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(
                        &mut self.packed.by_ref().take(length.into()),
                        &mut io::sink(),
                    )?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.in_frame && !self.decoder.is_finished() {
                let piece = BlockDecodingStrategy::UptoBytes(PIECE);
                self.decoder
                    .decode_blocks(&mut self.packed, piece)
                    .map_err(io::Error::other)?;
            } else {
                self.in_frame = self.next_frame()?;
                if !self.in_frame {
                    return Ok(0);
                }
            }
        }
        Ok(0)
    }
}
