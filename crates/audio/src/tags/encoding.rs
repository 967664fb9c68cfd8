//! Finds out how the undeclared texts of a file are encoded, from all of them together.
//!
//! A title of nine letters proves little; title, artist and album of a whole folder prove much, since one
//! person tagged them with one program. Where a file's own texts are in doubt, those of its neighbours
//! are asked as well.

mod latin;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1252};

/// Bytes of evidence above which more do not change the answer; a guess (chardetng's own tests use
/// snippets of 10 to 100 bytes).
pub(crate) const ENOUGH: usize = 4096;

/// Bytes beyond ASCII with which texts tell their script by themselves. Measured with chardetng on the names in this
/// module's tests: below this it takes short words for Western ones.
const TELLING: usize = 16;

/// How texts of these bytes are encoded, by themselves; `None` when nothing is in them but ASCII.
pub(crate) fn judge<'a>(
    texts: &(impl Iterator<Item = &'a [u8]> + Clone),
) -> Option<&'static Encoding> {
    Evidence::of(texts).map(|evidence| evidence.decide(texts, &Folder::default()))
}

/// Bytes beyond ASCII with which they tell it against what a folder says: twenty letters and more. A guess.
const CERTAIN: usize = 64;

/// Letters beyond ASCII with which the detector's word on Western languages is heard. A guess.
const MANY: usize = 12;

/// The most that the rest of a folder says for a reading, against what a file's own letters say: each of those that only
/// the declared reading has in one alphabet makes about 3.
const NEIGHBOURS: f64 = 13.0;

/// What the texts of one file say about their encoding.
#[derive(Debug, Clone)]
pub(crate) enum Evidence {
    /// Valid UTF-8 with letters of two bytes and more, which does not come about by accident.
    Utf8,
    /// Words of Latin letters.
    Latin {
        scores: latin::Scores,
        /// What a detector takes them for.
        guess: &'static Encoding,
        foreign: usize,
    },
    /// Another script.
    Other {
        guess: &'static Encoding,
        foreign: usize,
    },
}

/// What the files of a folder say together.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    latin: latin::Scores,
    /// How many files in another script tell each encoding.
    votes: Vec<(usize, &'static Encoding)>,
    /// Files of Latin letters.
    latin_files: usize,
    /// Texts of Latin letters, and those in another script that tell too little, for all of them together.
    latin_texts: Texts,
    short: Texts,
}

/// Texts of several files, as many as tell.
#[derive(Debug, Default)]
struct Texts {
    all: Vec<Vec<u8>>,
    foreign: usize,
}

impl Texts {
    fn add<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        for text in texts.filter(|text| !text.is_ascii() && !is_utf8(text)) {
            if self.foreign < ENOUGH {
                self.foreign += foreign_bytes(text);
                self.all.push(text.to_vec());
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.all.iter().map(Vec::as_slice)
    }
}

impl Evidence {
    /// `None` when nothing is in the texts but ASCII.
    pub(crate) fn of<'a>(texts: &(impl Iterator<Item = &'a [u8]> + Clone)) -> Option<Self> {
        let foreign = || texts.clone().filter(|text| !text.is_ascii());
        foreign().next()?;
        if foreign().all(is_utf8) {
            return Some(Self::Utf8);
        }
        // One program may have written UTF-8 where another did not.
        let rest = foreign().filter(|text| !is_utf8(text));
        let count = rest.clone().map(foreign_bytes).sum();
        let guess = detect_all(&rest);
        let scores = latin::scores(&rest);
        let is_other = !is_western(guess) && fits(rest.clone(), guess);
        Some(if latin::is_latin(&rest, &scores, !is_other) {
            Self::Latin {
                scores,
                guess,
                foreign: count,
            }
        } else {
            Self::Other {
                guess,
                foreign: count,
            }
        })
    }

    /// Whether the rest of the folder need not be asked.
    pub(crate) const fn is_certain(&self) -> bool {
        match self {
            Self::Utf8 => true,
            Self::Latin { .. } => false,
            Self::Other { foreign, .. } => *foreign >= CERTAIN,
        }
    }

    /// The encoding of the texts that this is the evidence of, with what their neighbours say.
    pub(crate) fn decide<'a>(
        &self,
        texts: &(impl Iterator<Item = &'a [u8]> + Clone),
        folder: &Folder,
    ) -> &'static Encoding {
        let rest = || {
            texts
                .clone()
                .filter(|text| !text.is_ascii() && !is_utf8(text))
        };
        match self {
            Self::Utf8 => UTF_8,
            Self::Latin {
                scores,
                guess,
                foreign,
            } => {
                // A letter alone may be one of another script, as the rest of the folder is.
                let most = folder.script().filter(|_| {
                    let is_sure = *foreign < TELLING || folder.is_sure_of(folder.script());
                    is_sure && *foreign < CERTAIN && folder.latin_files * 2 < folder.voters()
                });
                if let Some(other) = most
                    && fits(rest(), other)
                    && !rest().any(|text| mixes_scripts(text, other))
                {
                    return other;
                }
                latin::best(&folder.with(scores), Some(guess))
            }
            Self::Other { guess, foreign } => {
                let most = folder.script();
                let is_own = *foreign >= TELLING
                    && !is_western(guess)
                    && !(*foreign < CERTAIN && folder.is_sure_of(most) && are_alike(guess, most));
                // Letters of several bytes seldom fit by accident, those of one byte always: a folder must be sure to say so.
                let is_likely = !is_western(guess)
                    && !guess.is_single_byte()
                    && fits(rest(), guess)
                    && !folder.is_sure_of(most);
                let other = if is_own || is_likely {
                    Some(*guess)
                } else {
                    most.or_else(|| folder.together(rest()))
                };
                let guess = other.filter(|other| fits(rest(), other)).unwrap_or(guess);
                let is_among_latin = *foreign < TELLING
                    && folder.latin_files > 2 * folder.voters()
                    && rest().all(|text| mixes_scripts(text, guess));
                if !is_western(guess) && fits(rest(), guess) && !is_among_latin {
                    return guess;
                }
                latin::best(&folder.with(&latin::scores(&rest())), None)
            }
        }
    }
}

impl Folder {
    /// Takes in what another file says.
    pub(crate) fn add<'a>(&mut self, texts: &(impl Iterator<Item = &'a [u8]> + Clone)) {
        match Evidence::of(texts) {
            None | Some(Evidence::Utf8) => {}
            Some(Evidence::Latin { scores, .. }) => {
                self.latin_files += 1;
                for (all, one) in self.latin.iter_mut().zip(scores) {
                    *all += one;
                }
                self.latin_texts.add(texts.clone());
            }
            Some(Evidence::Other { guess, foreign }) => {
                if foreign < TELLING || is_western(guess) {
                    return self.short.add(texts.clone());
                }
                match self.votes.iter_mut().find(|(_, voted)| *voted == guess) {
                    Some((count, _)) => *count += 1,
                    None => self.votes.push((1, guess)),
                }
            }
        }
    }

    /// To be called when all files were added.
    pub(crate) fn settle(mut self) -> Self {
        if self.latin_texts.foreign >= MANY {
            latin::add_guess(&mut self.latin, detect(self.latin_texts.iter()));
        }
        self
    }

    /// A file's scores with what the folder says.
    fn with(&self, scores: &latin::Scores) -> latin::Scores {
        let best = self.latin.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut together = *scores;
        for (one, others) in together.iter_mut().zip(self.latin) {
            *one += (others - best).max(-NEIGHBOURS);
        }
        together
    }

    /// The encoding that more than half of those tell that know.
    fn script(&self) -> Option<&'static Encoding> {
        let winner = self
            .votes
            .iter()
            .max_by_key(|(count, encoding)| (*count, encoding.name()));
        winner
            .filter(|(count, _)| count * 2 > self.voters())
            .map(|(_, encoding)| *encoding)
    }

    fn voters(&self) -> usize {
        self.votes.iter().map(|(count, _)| count).sum()
    }

    /// Whether nearly all of several files tell this encoding.
    fn is_sure_of(&self, encoding: Option<&'static Encoding>) -> bool {
        let mut votes = self.votes.iter();
        let found = votes.find(|(_, voted)| Some(*voted) == encoding);
        found.is_some_and(|(count, _)| *count >= 4 && count * 4 >= self.voters() * 3)
    }

    /// What the texts are together with those of other files that tell too little.
    fn together<'a>(&self, texts: impl Iterator<Item = &'a [u8]>) -> Option<&'static Encoding> {
        let mut all: Vec<&[u8]> = texts.collect();
        all.extend(self.short.iter());
        let guess = detect(all.into_iter());
        (!is_western(guess)).then_some(guess)
    }
}

/// Whether one may be taken for the other: both have letters of one byte, or both of several.
fn are_alike(one: &'static Encoding, other: Option<&'static Encoding>) -> bool {
    other.is_some_and(|other| one.is_single_byte() == other.is_single_byte())
}

/// What a detector takes texts for; half a letter at the end of one would put it off.
fn detect_all<'a>(texts: &(impl Iterator<Item = &'a [u8]> + Clone)) -> &'static Encoding {
    let guess = detect(texts.clone());
    if !is_western(guess) && guess.is_single_byte() && is_shift_jis(texts, guess) {
        return SHIFT_JIS;
    }
    if !is_western(guess) && fits(texts.clone(), guess) {
        return guess;
    }
    let uncut = detect(texts.clone().filter(|text| !CUT.contains(&text.len())));
    if !is_western(uncut) && fits(texts.clone(), uncut) {
        return uncut;
    }
    guess
}

/// The share of signs among what is not ASCII from which a reading in an alphabet is doubted: quotes, dashes and numero
/// signs around Cyrillic names are fewer, and the first halves of Japanese letters, read so, are nearly all signs.
const SIGNS: f64 = 0.2;

/// Whether texts that a detector reads in an alphabet, full of signs, are Japanese, of which nearly all is letters.
fn is_shift_jis<'a>(
    texts: &(impl Iterator<Item = &'a [u8]> + Clone),
    guess: &'static Encoding,
) -> bool {
    let signs = |encoding: &'static Encoding| {
        let (mut all, mut signs) = (0_u32, 0_u32);
        for text in texts.clone() {
            let decoded = encoding.decode_without_bom_handling(text).0;
            for letter in decoded.chars().filter(|letter| !letter.is_ascii()) {
                all += 1;
                signs += u32::from(!letter.is_alphanumeric());
            }
        }
        f64::from(signs) / f64::from(all.max(1))
    };
    fits(texts.clone(), SHIFT_JIS) && signs(guess) > SIGNS && signs(SHIFT_JIS) <= SIGNS
}

/// What a detector takes texts for that are not UTF-8.
fn detect<'a>(texts: impl Iterator<Item = &'a [u8]>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut fed = 0;
    for text in texts.filter(|text| !text.is_ascii()) {
        detector.feed(text, false);
        detector.feed(b"\n", false);
        fed += text.len();
        if fed > ENOUGH {
            break;
        }
    }
    detector.feed(b"", true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Bytes of a text that may have been cut within a letter: fields of `ID3v1` have 30.
const CUT: std::ops::RangeInclusive<usize> = 28..=30;

pub(crate) fn foreign_bytes(text: &[u8]) -> usize {
    text.iter().filter(|byte| !byte.is_ascii()).count()
}

/// Whether a text has letters of UTF-8 and nothing that contradicts it; the last one may be cut, as in fields of 30 bytes.
fn is_utf8(text: &[u8]) -> bool {
    match std::str::from_utf8(text) {
        Ok(text) => !text.is_ascii(),
        Err(error) => error.error_len().is_none() && !text[..error.valid_up_to()].is_ascii(),
    }
}

/// Whether a text is nothing but one or two letters of two bytes in UTF-8, which are an ideograph each elsewhere.
pub(crate) fn may_be_accident(text: &str) -> bool {
    let is_short = |letter: char| matches!(letter, '\u{80}'..='\u{7ff}');
    text.chars().count() <= 2 && text.chars().all(is_short)
}

/// Whether letters of ASCII and of another script stand side by side, as they do in no word.
fn mixes_scripts(text: &[u8], encoding: &'static Encoding) -> bool {
    let decoded = encoding.decode_without_bom_handling(text).0;
    let is_letter = |letter: char| {
        !letter.is_ascii() && !matches!(letter, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{206f}')
    };
    let pairs = decoded.chars().zip(decoded.chars().skip(1));
    pairs.into_iter().any(|(one, other)| {
        (one.is_ascii_alphabetic() && is_letter(other))
            || (is_letter(one) && other.is_ascii_alphabetic())
    })
}

/// Whether all texts are texts in this encoding; the last letter of each may be cut.
pub(crate) fn fits<'a>(
    mut texts: impl Iterator<Item = &'a [u8]>,
    encoding: &'static Encoding,
) -> bool {
    let is_text = |text: &[u8]| {
        let (decoded, wrong) = encoding.decode_without_bom_handling(text);
        !wrong && !decoded.chars().any(is_no_text)
    };
    texts.all(|text| {
        is_text(text)
            || text
                .split_last()
                .is_some_and(|(_, rest)| CUT.contains(&text.len()) && is_text(rest))
    })
}

/// Decodes one text; what does not fit is marked, never dropped, but for the half of a letter at its end.
pub(crate) fn decode(bytes: &[u8], encoding: &'static Encoding) -> String {
    let is_one_byte = encoding.is_single_byte();
    let text = String::from_utf8_lossy(bytes);
    if is_utf8(bytes) && (encoding == UTF_8 || is_one_byte || !may_be_accident(&text)) {
        return text.trim_end_matches('\u{fffd}').to_owned();
    }
    let (text, wrong) = encoding.decode_without_bom_handling(bytes);
    if wrong && !is_one_byte {
        return text.trim_end_matches('\u{fffd}').to_owned();
    }
    text.into_owned()
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

/// Whether an encoding is that of languages in Latin letters.
pub(crate) fn is_western(encoding: &'static Encoding) -> bool {
    matches!(
        encoding.name(),
        "windows-1252"
            | "windows-1254"
            | "windows-1250"
            | "windows-1257"
            | "windows-1258"
            | "ISO-8859-2"
            | "ISO-8859-4"
            | "ISO-8859-15"
            | "macintosh"
    )
}

/// What stands in no text: controls, private letters, and the mark of a failure.
fn is_no_text(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\t' | '\r' | '\n' | '\0'))
        || matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests;
