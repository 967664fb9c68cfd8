//! The Cover Art Archive: the front of a release.

use crate::services::{Patience, Service, Trouble};

/// The service.
#[derive(Debug)]
pub struct CoverArt {
    pub(super) service: Service,
}

/// A picture, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its file.
    pub bytes: Vec<u8>,
    /// How such files are called, without the dot.
    pub extension: &'static str,
    /// Its width in pixels, if its file says so where it should.
    pub width: Option<u32>,
    /// Its height in pixels, likewise.
    pub height: Option<u32>,
}

impl CoverArt {
    pub(super) fn new(service: Service) -> Self {
        Self { service }
    }

    /// A release's front cover, 500 pixels wide.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn front(&self, mbid: &str, patience: &Patience) -> Result<Option<Image>, Trouble> {
        let path = format!("release/{mbid}/front-500");
        self.service.get_as(&path, &[], patience, Image::of).await
    }
}

impl Image {
    /// The picture in a file; `None` if it is none that the archive has.
    pub fn of(bytes: Vec<u8>) -> Option<Self> {
        let (extension, size) = match bytes.as_slice() {
            [0xff, 0xd8, 0xff, ..] => ("jpg", jpeg_size(&bytes)),
            [0x89, b'P', b'N', b'G', ..] => ("png", png_size(&bytes)),
            [b'G', b'I', b'F', b'8', ..] => ("gif", gif_size(&bytes)),
            _ => return None,
        };
        Some(Self {
            bytes,
            extension,
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
        })
    }
}

/// Goes from segment to segment until one tells the frame's size.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let two =
            |at: usize| Some(u32::from(*bytes.get(at)?) << 8 | u32::from(*bytes.get(at + 1)?));
        if bytes.get(at) != Some(&0xff) {
            return None;
        }
        // Start of frame, but for the tables that share its range.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((two(at + 7)?, two(at + 5)?));
        }
        at += 2 + two(at + 2)?.max(2) as usize;
    }
}

fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let four = |at| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    Some((four(16)?, four(20)?))
}

fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let two = |at| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into());
    Some((two(6)?, two(8)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_its_size() {
        let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc2, 0, 11, 8];
        jpeg.extend([1, 0xf4, 1, 0xe0, 3]);
        let found = Image::of(jpeg.clone()).unwrap();
        assert_eq!((found.width, found.height), (Some(480), Some(500)));
        let cut = Image::of(jpeg[..15].to_vec()).unwrap();
        assert_eq!((cut.extension, cut.width), ("jpg", None));
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 9]);
        assert_eq!(Image::of(png).unwrap().width, Some(256));
        assert_eq!(Image::of(b"<html>sign in</html>".to_vec()), None);
    }
}
