//! Texts of a tag before it is known how they are encoded.
//!
//! A tag says how its texts are encoded, and is often wrong: taggers of the nineties wrote the code page
//! of their machine and called it Latin-1, or UTF-8, or nothing at all. So a reader hands on bytes where
//! the declaration proves nothing, and all bytes of a file are judged together ([`super::encoding`], [`super::wide`]).

use super::wide::Evidence;

/// One text of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    /// Certainly this: UTF-16, valid UTF-8, or plain ASCII.
    Unicode(String),
    /// Bytes whose encoding is to be found out.
    Bytes(Vec<u8>),
    /// UTF-16 that does not tell the order of its bytes.
    Wide(Vec<u8>),
}

impl Text {
    /// A text declared as Latin-1, or not declared at all.
    pub(super) fn legacy(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Self::Unicode(text.to_owned()),
            _ => Self::Bytes(bytes.to_vec()),
        }
    }

    /// A text in the encoding that its format states.
    pub(super) fn of(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> Self {
        match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => Self::Unicode(text.into_owned()),
            None => Self::legacy(bytes),
        }
    }

    /// A text declared as UTF-8.
    pub(super) fn utf8(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
            // One letter of two bytes may be one of another encoding by accident, as what stands beside it tells.
            Ok(text) if super::encoding::may_be_accident(text) => Self::Bytes(bytes.to_vec()),
            Ok(text) => Self::Unicode(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_vec()),
        }
    }

    /// A text declared as UTF-16, with a byte order mark, or in the order given.
    pub(super) fn utf16(bytes: &[u8], declared_big: Option<bool>) -> Self {
        let (bytes, order) = match bytes {
            [0xff, 0xfe, rest @ ..] => (rest, Some(false)),
            [0xfe, 0xff, rest @ ..] => (rest, Some(true)),
            _ => (bytes, declared_big),
        };
        match order {
            Some(is_big_endian) => Self::Unicode(from_utf16(bytes, is_big_endian)),
            // Letters without a zero between them are no UTF-16, whatever was declared.
            None if is_ascii_text(bytes) => Self::legacy(bytes),
            None => Self::Wide(bytes.to_vec()),
        }
    }

    /// Whether nothing but space is in it.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Unicode(text) => text.chars().all(is_padding),
            Self::Bytes(bytes) | Self::Wide(bytes) => {
                bytes.iter().all(|byte| matches!(byte, 0 | b' '))
            }
        }
    }

    /// The texts between NULs; ID3 and APE keep lists like that.
    pub(super) fn split(self) -> Vec<Self> {
        match self {
            Self::Unicode(text) if text.contains('\0') => text
                .split('\0')
                .map(|part| Self::Unicode(part.trim_start_matches('\u{feff}').to_owned()))
                .collect(),
            Self::Bytes(bytes) if bytes.contains(&0) => {
                bytes.split(|byte| *byte == 0).map(Self::legacy).collect()
            }
            Self::Wide(bytes) => {
                let words: Vec<[u8; 2]> =
                    bytes.chunks_exact(2).map(|two| [two[0], two[1]]).collect();
                words
                    .split(|word| *word == [0, 0])
                    .map(|part| Self::utf16(part.as_flattened(), None))
                    .collect()
            }
            whole => vec![whole],
        }
    }

    /// The text as it would be in Latin-1 at worst, for what is ASCII when it is right.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Unicode(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Wide(bytes) => from_utf16(bytes, Evidence::of(bytes).is_big_endian()),
        }
    }
}

/// UTF-16 in the order of bytes given.
pub(super) fn from_utf16(bytes: &[u8], is_big_endian: bool) -> String {
    let words = bytes.chunks_exact(2).map(|two| {
        let two = [two[0], two[1]];
        if is_big_endian {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        }
    });
    char::decode_utf16(words)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// What is cut off the ends of a text.
pub(super) fn is_padding(letter: char) -> bool {
    letter.is_whitespace() || letter == '\0' || letter == '\u{feff}'
}

/// A text whose line breaks and other control characters, which no title has, are blanks.
pub(super) fn on_one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let words: Vec<&str> = text
        .split(char::is_control)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn is_ascii_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| (0x20..0x7f).contains(byte) || matches!(byte, b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unicode(text: &str) -> Text {
        Text::Unicode(text.to_owned())
    }

    #[test]
    fn utf16_is_read_with_and_without_a_byte_order_mark() {
        let le: Vec<u8> = "Bare é".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "Bare é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(Text::utf16(&le, None).plain(), "Bare é");
        assert_eq!(Text::utf16(&be, None).plain(), "Bare é");
        assert_eq!(
            Text::utf16(&[b"\xfe\xff", &be[..]].concat(), None),
            unicode("Bare é")
        );
        let japanese: Vec<u8> = "夜空の星が見える"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Text::utf16(&japanese, None).plain(), "夜空の星が見える");
        assert_eq!(
            Text::utf16(b"plain letters", None),
            unicode("plain letters")
        );
    }

    #[test]
    fn a_title_has_one_line() {
        assert_eq!(
            on_one_line("Part one\r\nof two\u{7}".to_owned()),
            "Part one of two"
        );
        assert_eq!(on_one_line("Two  blanks".to_owned()), "Two  blanks");
    }

    #[test]
    fn lists_are_split_at_nuls_and_odd_bytes_stay_bytes() {
        assert_eq!(
            unicode("One\0Two").split(),
            [unicode("One"), unicode("Two")]
        );
        assert_eq!(
            Text::legacy(b"Caf\xe9\0Two").split(),
            [Text::Bytes(b"Caf\xe9".to_vec()), unicode("Two")]
        );
        assert_eq!(Text::utf8(b"Caf\xe9"), Text::Bytes(b"Caf\xe9".to_vec()));
        assert!(Text::legacy(b" \0 ").is_blank());
    }
}
