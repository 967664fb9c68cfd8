//! Finds out how the undeclared texts of a file are encoded, from all of them together.
//!
//! A title of nine letters proves little; title, artist and album of a whole folder prove much, since one
//! person tagged them with one program. Where a file's own texts are in doubt, those of its neighbours
//! are asked as well.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, MACINTOSH, UTF_8, WINDOWS_1252};

/// Bytes of evidence above which more do not change the answer; a guess (chardetng's own tests use
/// snippets of 10 to 100 bytes).
pub(crate) const ENOUGH: usize = 4096;

/// Foreign letters with which one Western code page is told from another; with fewer it is taken for the usual one. The
/// names in this module's tests need three.
const LITTLE: usize = 3;

/// How texts of these bytes are encoded; `None` when nothing is in them but ASCII.
pub(crate) fn judge<'a>(
    texts: &(impl Iterator<Item = &'a [u8]> + Clone),
) -> Option<&'static Encoding> {
    let foreign = || texts.clone().filter(|text| !text.is_ascii());
    foreign().next()?;
    // Valid UTF-8 with letters of two bytes and more does not come about by accident.
    if foreign().all(|text| std::str::from_utf8(text).is_ok()) {
        return Some(UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut fed = 0;
    for text in foreign() {
        detector.feed(text, false);
        detector.feed(b"\n", false);
        fed += text.len();
        if fed > ENOUGH {
            break;
        }
    }
    detector.feed(b"", true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if is_western(guess) && looks_like_macintosh(foreign()) {
        return Some(MACINTOSH);
    }
    let is_little = foreign().flatten().filter(|byte| !byte.is_ascii()).count() < LITTLE;
    if is_little && is_western(guess) && fits(foreign(), WINDOWS_1252) {
        return Some(WINDOWS_1252);
    }
    if fits(foreign(), guess) {
        return Some(guess);
    }
    Some(WINDOWS_1252)
}

/// Whether all texts are texts in this encoding.
pub(crate) fn fits<'a>(
    mut texts: impl Iterator<Item = &'a [u8]>,
    encoding: &'static Encoding,
) -> bool {
    texts.all(|text| {
        let (decoded, wrong) = encoding.decode_without_bom_handling(text);
        !wrong && !decoded.chars().any(is_no_text)
    })
}

/// Decodes one text; what does not fit is marked, never dropped.
pub(crate) fn decode(bytes: &[u8], encoding: &'static Encoding) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && (text.is_ascii() || encoding == UTF_8)
    {
        return text.to_owned();
    }
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// A text that was declared Unicode and is not what was meant: UTF-8 that somebody read as Latin-1 and
/// encoded once more. `None` where the text is in order.
pub(crate) fn mend(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes = as_single_bytes(text)?;
    let mended = std::str::from_utf8(&bytes).ok()?;
    (!mended.chars().any(is_no_text)).then(|| mended.to_owned())
}

/// The bytes of a text that was read as a code page by mistake; `None` where a letter is in it that no
/// Western code page has.
fn as_single_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        if let Ok(byte) = u8::try_from(u32::from(letter)) {
            bytes.push(byte);
            continue;
        }
        let mut four = [0; 4];
        let (byte, _, wrong) = WINDOWS_1252.encode(letter.encode_utf8(&mut four));
        match (&*byte, wrong) {
            ([byte], false) => bytes.push(*byte),
            _ => return None,
        }
    }
    Some(bytes)
}

/// Bytes of a text declared Unicode that in truth are those of a code page: half of its letters or more
/// are the upper half of Latin-1, which no language writes.
pub(crate) fn misread(text: &str) -> Option<Vec<u8>> {
    let letters = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || u32::from(*letter) > 0x7f);
    let (mut all, mut upper) = (0, 0);
    for letter in letters {
        all += 1;
        upper += u32::from(!letter.is_ascii());
    }
    if upper * 2 <= all || all < 4 {
        return None;
    }
    as_single_bytes(text)
}

/// Whether an encoding is that of a language in Latin letters, or Greek.
pub(crate) fn is_western(encoding: &'static Encoding) -> bool {
    matches!(
        encoding.name(),
        "windows-1252"
            | "windows-1254"
            | "windows-1250"
            | "windows-1257"
            | "windows-1258"
            | "ISO-8859-2"
            | "windows-1253"
            | "ISO-8859-4"
    )
}

/// Macintosh's own Roman letters: `0x8e` is e acute there and no letter of any Western code page, and so
/// on. Only where every foreign byte stands beside a letter and gives one. What stands in words of windows-1252, too,
/// apostrophes, quotes, dashes and `…` (`Don’t`, `“Live”`), tells nothing without another byte.
fn looks_like_macintosh<'a>(texts: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut telling, mut strong) = (0, 0);
    for text in texts {
        for (at, byte) in text.iter().enumerate().filter(|(_, byte)| **byte >= 0x80) {
            let beside = |at: Option<usize>| {
                at.and_then(|at| text.get(at))
                    .is_some_and(u8::is_ascii_alphabetic)
            };
            let in_word = beside(at.checked_sub(1)) || beside(Some(at + 1));
            match byte {
                // Letters to a Macintosh, and quotes, dashes or nothing in windows-1252.
                0x80 | 0x82 | 0x84 | 0x85 | 0x91..=0x97 | 0x99 if in_word => telling += 1,
                0x83 | 0x86..=0x90 | 0x98 | 0x9b | 0x9d | 0x9f if in_word => {
                    telling += 1;
                    strong += 1;
                }
                // Letters in windows-1252, and signs to a Macintosh.
                _ => return false,
            }
        }
    }
    strong > 0 && telling > 1
}

/// What stands in no text: controls, private letters, and the mark of a failure.
fn is_no_text(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\t' | '\r' | '\n' | '\0'))
        || matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes each text, judges them together and decodes them again.
    fn back(label: &str, texts: &[&str]) -> Vec<String> {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let bytes: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| {
                let (bytes, _, wrong) = encoding.encode(text);
                assert!(!wrong, "{text} in {label}");
                bytes.into_owned()
            })
            .collect();
        let judged = judge(&bytes.iter().map(Vec::as_slice)).unwrap_or(UTF_8);
        bytes.iter().map(|text| decode(text, judged)).collect()
    }

    #[test]
    fn the_texts_of_one_file_tell_their_encoding() {
        for (label, texts) in [
            (
                "windows-1251",
                ["Белые розы зимой", "Ласковый апрель", "Лучшие песни"],
            ),
            (
                "koi8-r",
                ["Белые розы зимой", "Ласковый апрель", "Лучшие песни"],
            ),
            ("shift_jis", ["夜空の星", "山田バンド", "冬のアルバム"]),
            ("euc-jp", ["夜空の星", "山田バンド", "冬のアルバム"]),
            ("gbk", ["月亮之上的歌", "测试歌手", "最初的地方"]),
            ("big5", ["夜空的星星", "測試歌手", "冬天的專輯"]),
            ("euc-kr", ["가을 하늘 아래서", "시험 가수", "첫 번째 노래"]),
            ("windows-1252", ["“Café” – déjà vu", "Björk’s", "Señor…"]),
            (
                "windows-1250",
                ["Žluťoučký kůň", "Příliš úpěl", "Ďábelské ódy"],
            ),
            (
                "windows-1253",
                ["Το τραγούδι της θάλασσας", "Νίκος Δοκιμή", "Καλοκαίρι"],
            ),
            (
                "windows-1254",
                ["Güneşin kızı", "Şarkıcı Işık", "İstanbul'un sesi"],
            ),
            ("windows-1255", ["שיר של ערב", "זמר בדיקה", "אלבום ראשון"]),
            (
                "windows-1256",
                ["أغنية المساء", "مطرب التجربة", "الألبوم الأول"],
            ),
            ("windows-874", ["เพลงของทะเล", "นักร้องทดสอบ", "อัลบั้มแรก"]),
            ("macintosh", ["Été", "Noël", "Zoë"]),
            ("windows-1252", ["Don’t Cry", "Guns N’ Roses", "Wait…"]),
            (
                "windows-1252",
                ["“Live” – Part 2", "Rock ’n’ Roll", "Ain’t"],
            ),
            ("utf-8", ["Je čas metat kamení", "Žlutý kůň", "Řeky"]),
        ] {
            assert_eq!(back(label, &texts), texts, "{label}");
        }
    }

    #[test]
    fn western_names_stay_western() {
        for name in [
            "Björk",
            "Mötley Crüe",
            "Café Tacvba",
            "Sigur Rós",
            "Beyoncé",
            "Motörhead",
            "Señor",
            "naïve",
            "Ärzte",
            "Ænima",
        ] {
            assert_eq!(back("windows-1252", &[name]), [name]);
        }
    }

    #[test]
    fn unicode_that_was_encoded_twice_is_mended_and_nothing_else() {
        assert_eq!(mend("CafÃ©").as_deref(), Some("Café"));
        assert_eq!(mend("Å½lutÃ½ kÅ¯Å\u{88}").as_deref(), Some("Žlutý kůň"));
        for right in ["Café", "Björk", "夜空の星", "plain", "Ã", "Белые розы"] {
            assert_eq!(mend(right), None, "{right}");
        }
        assert!(misread("Áåëûå ðîçû").is_some());
        assert_eq!(misread("Белые розы"), None);
        assert_eq!(misread("Mötley Crüe"), None);
    }
}
