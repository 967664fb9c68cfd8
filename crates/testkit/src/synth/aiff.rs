//! AIFF files with 16-bit samples.

use std::io;
use std::path::Path;

use super::pcm::Pcm;
use super::wav::int16;

/// Writes `pcm` as one file.
pub fn write(path: &Path, pcm: &Pcm) -> io::Result<()> {
    let frames = u32::try_from(pcm.frames()).map_err(io::Error::other)?;
    let mut file = header(pcm.channels, frames, extended(pcm.rate));
    file.extend(
        pcm.samples
            .iter()
            .flat_map(|sample| int16(*sample).to_be_bytes()),
    );
    std::fs::write(path, file)
}

/// Returns the 54 bytes before the samples; the rate comes as an 80-bit float, so that a test can give a mad one.
pub fn header(channels: u16, frames: u32, rate: [u8; 10]) -> Vec<u8> {
    let data_bytes = frames.wrapping_mul(u32::from(channels)).wrapping_mul(2);
    let mut out = b"FORM".to_vec();
    out.extend_from_slice(&data_bytes.wrapping_add(46).to_be_bytes());
    out.extend_from_slice(b"AIFFCOMM");
    out.extend_from_slice(&18u32.to_be_bytes());
    out.extend_from_slice(&channels.to_be_bytes());
    out.extend_from_slice(&frames.to_be_bytes());
    out.extend_from_slice(&16u16.to_be_bytes());
    out.extend_from_slice(&rate);
    out.extend_from_slice(b"SSND");
    out.extend_from_slice(&data_bytes.wrapping_add(8).to_be_bytes());
    out.extend_from_slice(&[0; 8]);
    out
}

/// Returns a whole number as the 80-bit float that AIFF stores rates in.
pub fn extended(value: u32) -> [u8; 10] {
    let mut out = [0; 10];
    if value == 0 {
        return out;
    }
    let mantissa = u64::from(value) << value.leading_zeros() << 32;
    let exponent = 16_383 + 31 - value.leading_zeros() as u16;
    out[..2].copy_from_slice(&exponent.to_be_bytes());
    out[2..].copy_from_slice(&mantissa.to_be_bytes());
    out
}
