//! The extremes of a file's sound for a drawing, as many a second as the drawing has room for.

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::query;

/// Bytes of a stored point, of which the first two are its extremes.
const STORED: usize = 4;

/// Least and greatest samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peaks {
    /// Points in ten seconds.
    pub in_ten_seconds: u32,
    /// Two bytes a point, each a number with a sign: the least and the greatest sample, 127 being full scale.
    pub bytes: Vec<u8>,
}

/// The peaks of the file named, or of the file of the passage named, each point made of `every` tenths of a second.
///
/// # Errors
///
/// When there is no such file, it was never heard, or the database cannot be read.
pub fn peaks(library: &Library, name: &str, every: u32) -> Result<Peaks> {
    let every = every.clamp(1, 100);
    let file = query::file_of(library, name)?;
    let points = query::overview(library.db(), &file.id, audio::overview::VERSION)?;
    let points = points.ok_or_else(|| Error::NoFlavor {
        name: name.to_owned(),
    })?;
    Ok(Peaks {
        in_ten_seconds: audio::overview::POINTS_PER_SECOND * 10 / every,
        bytes: reduced(&points, every as usize),
    })
}

fn reduced(points: &[u8], every: usize) -> Vec<u8> {
    points
        .chunks(STORED * every)
        .flat_map(|group| {
            let signed = |at: usize| {
                let points = group.chunks_exact(STORED);
                points.map(move |point| point[at].cast_signed())
            };
            let least = signed(0).min().unwrap_or(0);
            let greatest = signed(1).max().unwrap_or(0);
            [least.cast_unsigned(), greatest.cast_unsigned()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarser_drawing_keeps_the_extremes() {
        let byte = |sample: i8| sample.cast_unsigned();
        let points = [
            [byte(-3), byte(5), 0, 0],
            [byte(-9), byte(2), 0, 0],
            [byte(-1), byte(1), 0, 0],
        ];
        let points = points.concat();
        assert_eq!(reduced(&points, 2), [byte(-9), byte(5), byte(-1), byte(1)]);
        assert_eq!(reduced(&points, 1).len(), 6);
        assert_eq!(reduced(&[], 3), Vec::<u8>::new());
    }
}
