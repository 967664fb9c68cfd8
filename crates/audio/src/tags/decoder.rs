//! Makes text of what the tags of a file hold, when it is known how it is encoded.

use encoding_rs::{Encoding, UTF_8};

use super::encoding;
use super::neighbours::Reading;
use super::raw::Raw;
use super::text::{self, Text};

/// What the texts are together that somebody made of a code page's bytes as if they were Latin-1.
fn misread(raw: &Raw) -> Option<&'static Encoding> {
    let bytes: Vec<Vec<u8>> = raw
        .texts()
        .filter_map(|text| match text {
            Text::Unicode(text) if encoding::mend(text).is_none() => encoding::misread(text),
            _ => None,
        })
        .collect();
    let judged = encoding::judge(&bytes.iter().map(Vec::as_slice))?;
    (!encoding::is_western(judged)).then_some(judged)
}

/// Makes text of bytes.
pub(super) struct Decoder {
    reading: Reading,
    /// How texts are encoded that were declared as Unicode and are none.
    misread: Option<&'static Encoding>,
    mended: Vec<String>,
}

impl Decoder {
    /// For the texts of one file.
    pub(super) fn of(raw: &mut Raw, reading: Reading) -> Self {
        let mut decoder = Self {
            reading,
            misread: misread(raw),
            mended: std::mem::take(&mut raw.mended),
        };
        if let Some(encoding) = reading
            .encoding
            .filter(|encoding| *encoding != encoding_rs::WINDOWS_1252)
        {
            decoder.mend(format!(
                "texts that do not tell their encoding were read as {}",
                encoding.name()
            ));
        }
        decoder
    }

    /// What had to be mended.
    pub(super) fn into_mended(self) -> Vec<String> {
        self.mended
    }

    fn mend(&mut self, note: String) {
        if !self.mended.contains(&note) {
            self.mended.push(note);
        }
    }

    pub(super) fn decode(&mut self, text: &Text) -> String {
        let decoded = match text {
            Text::Bytes(bytes) => encoding::decode(bytes, self.reading.encoding.unwrap_or(UTF_8)),
            Text::Wide(bytes) => text::from_utf16(bytes, self.reading.is_big_endian),
            Text::Unicode(text) => match encoding::mend(text) {
                Some(mended) => {
                    self.mend("texts that were encoded twice were decoded twice".to_owned());
                    mended
                }
                None => self.reread(text),
            },
        };
        decoded.trim_matches(text::is_padding).to_owned()
    }

    /// Unicode that somebody made of a code page's bytes as if they were Latin-1.
    fn reread(&mut self, text: &str) -> String {
        let (Some(encoding), Some(bytes)) = (self.misread, encoding::misread(text)) else {
            return text.to_owned();
        };
        if !encoding::fits(std::iter::once(bytes.as_slice()), encoding) {
            return text.to_owned();
        }
        self.mend(format!(
            "texts in {} were declared as Unicode",
            encoding.name()
        ));
        encoding::decode(&bytes, encoding)
    }
}
