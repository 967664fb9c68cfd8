//! Headers of FLAC frames (RFC 9639, section 9.1), as far as to tell where a stream ends.

use crc::{CRC_8_SMBUS, CRC_16_UMTS, Crc, Table};

/// With the polynomial `x^8 + x^2 + x + 1`, from zero.
static CRC: Crc<u8, Table<1>> = Crc::<u8, Table<1>>::new(&CRC_8_SMBUS);

/// With the polynomial `x^16 + x^15 + x^2 + 1`, from zero, most significant bit first.
static CRC_OF_FRAME: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_UMTS);

/// Bytes of the frame that `bytes` begin with, of which there are at least so many: all of them where its check sum says
/// so, else as many as make a check sum right. `None` where none is.
pub(super) fn length(bytes: &[u8], least: usize) -> Option<usize> {
    if CRC_OF_FRAME.checksum(bytes) == 0 {
        return Some(bytes.len());
    }
    // Over a frame with its check sum behind it the sum is zero.
    let mut digest = CRC_OF_FRAME.digest();
    for (at, byte) in bytes.iter().enumerate() {
        digest.update(&[*byte]);
        let length = at + 1;
        if length >= least.max(LONGEST_HEADER) && digest.clone().finalize() == 0 {
            return Some(length);
        }
    }
    None
}

/// Bytes of the longest header.
pub(super) const LONGEST_HEADER: usize = 16;

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// In Hz; 0 where the header leaves it to the stream.
    pub sample_rate: u32,
    /// Number of the frame, or of its first sample.
    number: u64,
    /// Whether frames are numbered by their first sample.
    is_variable: bool,
    /// Samples in each channel.
    size: u32,
}

impl FrameHeader {
    /// Reads the header at the beginning of `bytes`, whose check sum must be right.
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        const RATES: [u32; 12] = [
            0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
            96_000,
        ];
        let [0xff, second, third, fourth, ..] = *bytes else {
            return None;
        };
        if second & 0xfe != 0xf8
            || fourth & 1 != 0
            || third >> 4 == 0
            || third & 15 == 15
            || fourth >> 4 > 10
        {
            return None;
        }
        let (number, mut at) = coded_number(bytes, 4)?;
        let mut take = |count: usize| {
            let part = bytes.get(at..at + count)?;
            at += count;
            Some(
                part.iter()
                    .fold(0_u32, |value, byte| value << 8 | u32::from(*byte)),
            )
        };
        let size = match third >> 4 {
            1 => 192,
            code @ 2..=5 => 576 << (code - 2),
            6 => take(1)? + 1,
            7 => take(2)? + 1,
            code => 256 << (code - 8),
        };
        let sample_rate = match third & 15 {
            12 => take(1)? * 1000,
            13 => take(2)?,
            14 => take(2)? * 10,
            code => RATES[usize::from(code)],
        };
        (*bytes.get(at)? == CRC.checksum(&bytes[..at])).then_some(Self {
            sample_rate,
            number,
            is_variable: second & 1 == 1,
            size,
        })
    }

    /// The least and the greatest size of blocks in the stream of which this is the first frame.
    pub(super) fn block_sizes(self) -> (u16, u16) {
        match u16::try_from(self.size) {
            Ok(size) if !self.is_variable => (size, size),
            _ => (16, u16::MAX),
        }
    }

    /// Its first sample, in a stream whose blocks have `block` samples.
    pub(super) fn start(self, block: u32) -> u64 {
        self.number
            * if self.is_variable {
                1
            } else {
                u64::from(block)
            }
    }

    /// Whether this can be the last frame of a stream of `total` samples whose blocks have `block` samples.
    pub(super) fn ends(self, total: u64, block: u32) -> bool {
        self.start(block) + u64::from(self.size) == total
    }
}

/// A number coded like UTF-8, up to seven bytes.
fn coded_number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let more = match first.leading_ones() {
        0 => return Some((u64::from(first), at + 1)),
        ones @ 2..=7 => ones as usize - 1,
        _ => return None,
    };
    let mut number = u64::from(first) & ((1 << (6 - more)) - 1);
    for byte in bytes.get(at + 1..at + 1 + more)? {
        if byte >> 6 != 2 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3f);
    }
    Some((number, at + 1 + more))
}
