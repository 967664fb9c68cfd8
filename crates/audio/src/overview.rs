//! The waveform of a file at ten points a second: small enough to keep, enough to draw.
//!
//! A point is four bytes: least and greatest sample (127 is full scale), then
//! RMS and A-weighted RMS in steps of half a decibel below full scale (0 is
//! full scale, 255 is silence). Four minutes take 10 KB.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::levels::{Levels, PER_SECOND};
use crate::sound::{COARSE_PER_SECOND, Sound};

/// The form of the stored bytes.
pub const VERSION: u32 = 1;

/// Points in a second.
pub const POINTS_PER_SECOND: u32 = COARSE_PER_SECOND;

const BYTES: usize = 4;

/// A tenth of a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Least sample, -1 to 0.
    pub least: f32,
    /// Greatest sample, 0 to 1.
    pub greatest: f32,
    /// RMS in dBFS, never below -127.5.
    pub dbfs: f32,
    /// A-weighted RMS in dBFS, never below -127.5.
    pub weighted_dbfs: f32,
}

/// The overview of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    bytes: Vec<u8>,
}

/// As bytes, not as a list of numbers.
impl Serialize for Overview {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

impl<'de> Deserialize<'de> for Overview {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Overview;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the bytes of an overview")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Overview, E> {
                Ok(Overview::from_bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Overview, E> {
                Ok(Overview::from_bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

impl Overview {
    /// Draws up the overview of a file.
    pub fn of(levels: &Levels, sound: &Sound) -> Self {
        let fine = (PER_SECOND / POINTS_PER_SECOND) as usize;
        let mean = |squares: &[f32]| squares.iter().sum::<f32>() / squares.len().max(1) as f32;
        let mut bytes = Vec::with_capacity(sound.moments().len() * BYTES);
        let plain = levels.mean_squares().chunks(fine);
        let weighted = sound.weighted().chunks(fine);
        for ((moment, plain), weighted) in sound.moments().iter().zip(plain).zip(weighted) {
            bytes.push(to_byte(moment.least));
            bytes.push(to_byte(moment.greatest));
            bytes.push(to_steps(mean(plain)));
            bytes.push(to_steps(mean(weighted)));
        }
        Self { bytes }
    }

    /// An overview as it was stored; bytes that are no whole point are left out.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Self {
        bytes.truncate(bytes.len() / BYTES * BYTES);
        Self { bytes }
    }

    /// What is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its points, in order.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.bytes.chunks_exact(BYTES).map(|point| Point {
            least: from_byte(point[0]),
            greatest: from_byte(point[1]),
            dbfs: -f32::from(point[2]) / 2.0,
            weighted_dbfs: -f32::from(point[3]) / 2.0,
        })
    }
}

fn to_byte(sample: f32) -> u8 {
    ((sample * 127.0).round().clamp(-127.0, 127.0) as i8).cast_unsigned()
}

fn from_byte(byte: u8) -> f32 {
    f32::from(byte.cast_signed()) / 127.0
}

fn to_steps(mean_square: f32) -> u8 {
    if mean_square > 0.0 {
        (-20.0 * mean_square.log10()).round().clamp(0.0, 255.0) as u8
    } else {
        255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_reads_back_as_it_was_heard() {
        let mut levels = Levels::new(44_100);
        let mut sound = Sound::new(44_100, 1);
        let square: Vec<f32> = (0..44_100)
            .map(|i| if i % 44 < 22 { 0.5 } else { -0.25 })
            .collect();
        levels.push(&[&square]);
        sound.push(&[&square]);
        levels.finish();
        sound.finish();
        let overview = Overview::of(&levels, &sound);
        assert_eq!(overview.as_bytes().len(), 40);
        let again = Overview::from_bytes(overview.as_bytes().to_vec());
        assert_eq!(again, overview);
        let point = again.points().nth(5).unwrap();
        assert!((point.least + 0.25).abs() < 0.005 && (point.greatest - 0.5).abs() < 0.005);
        // A mean square of 0.156, of which the constant of an eighth is no sound.
        assert!((point.dbfs + 8.52).abs() < 0.3, "{}", point.dbfs);
    }

    #[test]
    fn silence_is_the_lowest_step() {
        assert_eq!(to_steps(0.0), 255);
        assert_eq!(to_steps(1.0), 0);
        assert_eq!(to_steps(f32::INFINITY), 0);
    }
}
