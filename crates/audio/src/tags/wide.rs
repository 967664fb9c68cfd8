//! Finds out the order of the bytes of UTF-16 that does not tell it, from all such texts of a file together.
//!
//! In the wrong order Latin letters become rare ideographs, and so on. A text of two ideographs may be one in either order;
//! a title, an artist and an album are not.

/// What texts say about the order of their bytes; positive figures speak for the smaller byte first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    little: i64,
    is_there: bool,
}

/// What a byte order mark of another text in the same tag is worth: two letters.
const MARK: i64 = 12;

/// The most that the rest of a folder is worth: one letter.
const NEIGHBOURS: i64 = 6;

/// With so much a file's own texts decide. A guess: five letters that are of a script in one order only.
const CERTAIN: i64 = 30;

impl Evidence {
    /// A text without a mark.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let words = || bytes.chunks_exact(2).map(|two| [two[0], two[1]]);
        let little: i64 = words()
            .map(|word| plausible(u16::from_le_bytes(word)) - plausible(u16::from_be_bytes(word)))
            .sum();
        // A text stays within its script, so that its high bytes are fewer.
        let kinds = |at: usize| {
            let mut seen = [false; 256];
            words().for_each(|word| seen[usize::from(word[at])] = true);
            seen.iter().filter(|seen| **seen).count() as i64
        };
        Self {
            little: little + 2 * (kinds(0) - kinds(1)),
            is_there: true,
        }
    }

    /// A text with a mark.
    pub(super) const fn marked(is_big_endian: bool) -> Self {
        Self {
            little: if is_big_endian { -MARK } else { MARK },
            is_there: false,
        }
    }

    pub(super) const fn with(self, other: &Self) -> Self {
        Self {
            little: self.little + other.little,
            is_there: self.is_there || other.is_there,
        }
    }

    /// The same with what the rest of a folder says: that decides only where a file's own texts leave it open.
    pub(super) fn among(self, folder: &Self) -> Self {
        Self {
            little: self.little + folder.little.clamp(-NEIGHBOURS, NEIGHBOURS),
            is_there: self.is_there,
        }
    }

    /// Whether no text without a mark was seen.
    pub(super) const fn is_empty(self) -> bool {
        !self.is_there
    }

    pub(super) const fn is_certain(self) -> bool {
        self.little.abs() >= CERTAIN
    }

    /// Windows, where such texts come from, puts the smaller byte first.
    pub(super) const fn is_big_endian(self) -> bool {
        self.little < 0
    }
}

/// How likely a unit stands in a name, from 0 to 6.
fn plausible(unit: u16) -> i64 {
    match unit {
        // Latin, Greek and Cyrillic letters.
        0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0xa0..=0x17f | 0x370..=0x45f
        // Hebrew, Arabic, Thai.
        | 0x5d0..=0x5ea | 0x600..=0x6ff | 0xe01..=0xe5b
        // General punctuation, that of China and Japan, kana, full-width forms.
        | 0x2010..=0x2026 | 0x3000..=0x3002 | 0x3008..=0x3011 | 0x3041..=0x30ff
        | 0xff01..=0xff9f => 6,
        // Ideographs and Hangul fill half of all units, of which a third is in use.
        0x4e00..=0x9fff | 0xac00..=0xd7a3 if is_in_use(unit) => 6,
        0x4e00..=0x9fff | 0xac00..=0xd7a3 => 1,
        0x180..=0x36f | 0x460..=0x52f | 0x1e00..=0x1fff => 2,
        _ => 0,
    }
}

/// Whether an ideograph or a syllable is among those that the standards of China, Japan, Taiwan or Korea put first, since
/// people use them (GB 2312 and JIS X 0208, level 1; Big5, frequent ones; KS X 1001).
fn is_in_use(unit: u16) -> bool {
    let Some(letter) = char::from_u32(u32::from(unit)) else {
        return false;
    };
    let mut four = [0; 4];
    let text = letter.encode_utf8(&mut four);
    let firsts = [
        (encoding_rs::GBK, 0xb0..=0xd7),
        (encoding_rs::SHIFT_JIS, 0x88..=0x97),
        (encoding_rs::BIG5, 0xa4..=0xc6),
        (encoding_rs::EUC_KR, 0xb0..=0xc8),
    ];
    firsts.into_iter().any(|(encoding, first)| {
        let (bytes, _, wrong) = encoding.encode(text);
        matches!(*bytes, [lead, trail] if !wrong && first.contains(&lead) && trail >= 0x40)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str, is_big_endian: bool) -> Vec<u8> {
        let order = if is_big_endian {
            u16::to_be_bytes
        } else {
            u16::to_le_bytes
        };
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn the_texts_of_a_file_tell_the_order_of_their_bytes() {
        for texts in [
            ["夜に駆ける", "YOASOBI", "THE BOOK"],
            ["月亮代表我的心", "邓丽君", "淡淡幽情"],
            ["봄날", "방탄소년단", "화양연화"],
            ["津軽海峡・冬景色", "石川さゆり", "全曲集"],
            ["夜来香", "李香兰", "精选"],
            ["Кино", "Группа крови", "Кино"],
            ["愛", "中島美嘉", "雪の華"],
            ["厄立特里亚", "武欢", "新加坡"],
            ["中央区", "田丹丹", "杨"],
        ] {
            for is_big_endian in [false, true] {
                let all = texts.iter().fold(Evidence::default(), |all, text| {
                    all.with(&Evidence::of(&bytes(text, is_big_endian)))
                });
                assert_eq!(all.is_big_endian(), is_big_endian, "{texts:?}: {all:?}");
            }
        }
    }

    #[test]
    fn a_mark_in_the_same_tag_decides_for_a_word_that_reads_in_either_order() {
        let word = Evidence::of(&bytes("一丁", false));
        assert!(!word.is_certain());
        assert!(word.with(&Evidence::marked(true)).is_big_endian());
        assert!(!word.with(&Evidence::marked(false)).is_big_endian());
    }
}
