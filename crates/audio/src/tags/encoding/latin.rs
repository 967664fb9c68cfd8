//! Tells one encoding of Latin letters from another by the languages that its letters make.
//!
//! The byte `0xfe` is `þ`, `ş`, `ţ` or `ž`: what is meant shows in the letters beside it, since `þ` goes with `ð` and `æ`,
//! and `ş` with `ı` and `ğ`. What a tag declares (windows-1252 as a rule) stands unless another reading is better by a
//! clear margin. All figures here are logarithms of likelihoods, rough ones: alphabets in the order of how often their
//! letters occur stand for frequencies that were not counted.

use encoding_rs::{
    Encoding, ISO_8859_2, ISO_8859_4, ISO_8859_13, ISO_8859_15, MACINTOSH, WINDOWS_1250,
    WINDOWS_1252, WINDOWS_1254, WINDOWS_1257,
};

/// The readings that are compared. The first is what is declared, and stands where nothing speaks against it.
pub(super) const READINGS: [&Encoding; 9] = [
    WINDOWS_1252,
    WINDOWS_1250,
    WINDOWS_1254,
    WINDOWS_1257,
    ISO_8859_2,
    ISO_8859_15,
    MACINTOSH,
    ISO_8859_13,
    ISO_8859_4,
];

/// How well texts read in each of [`READINGS`]; more is better.
pub(super) type Scores = [f64; READINGS.len()];

/// By how much another reading must be better than the declared one. A word of four letters that only the other
/// reading has in one alphabet makes as much. A guess, held by this module's tests.
const MARGIN: f64 = 6.0;

/// How many of the readings are those of Windows, which wrote most tags.
const COMMON: usize = 4;

/// What speaks against the others, but for Macintosh's, which is like no other.
const RARE: f64 = 3.0;

/// What the detector's word is worth.
const GUESSED: f64 = 3.0;

/// The same of the texts of a folder.
const GUESSED_OF_MANY: f64 = 12.0;

/// What a further language among the texts costs.
const LANGUAGE: f64 = 3.0;

/// A letter of some language that is not one of those that the texts are in.
const BORROWED: f64 = -4.1;

/// A letter of no language that is known here.
const STRANGE: f64 = -9.0;

/// A sign in the middle of a word.
const IN_WORD: f64 = -12.0;

/// Letters beyond ASCII by language, the most frequent first.
const LANGUAGES: [&str; 24] = [
    // German, French, Spanish, Portuguese, Italian, Catalan, Danish and Norwegian, Swedish and Finnish.
    "üäöß",
    "éèàêçîôûùâëïœæÿ",
    "óáíéñúü",
    "ãçáéíóêõúâàô",
    "àèùòìé",
    "àèéóíòçúïü",
    "øåæé",
    "äöåé",
    // Icelandic, Faroese, Old English, Irish, Dutch, Estonian, Albanian.
    "íáðöéóæþúý",
    "íáðøóúæý",
    "æþð",
    "áíéóú",
    "ëéïöüè",
    "äüõöšž",
    "ëç",
    // Polish, Czech, Slovak, Hungarian, Croatian and Slovene, Romanian.
    "łęąóżśćńź",
    "íáéěýřčšžůúňťďó",
    "áíýéčťžľšúôňďóäŕĺ",
    "áéöíőüóúű",
    "čšžćđ",
    "ăţşîâ",
    // Turkish, Lithuanian, Latvian.
    "ıüşçğöiâîû",
    "ėšųžūįąčę",
    "āīēšūļņžģķč",
];

/// Letters beyond ASCII that are looked at; more do not change the answer.
const LOOKED_AT: usize = 2000;

/// How often a letter occurs among those beyond ASCII of a language.
fn likelihood(alphabet: &str, letter: char) -> Option<f64> {
    let rank = alphabet.chars().position(|one| one == letter)?;
    let weight = |rank: usize| 1.0 / (rank as f64 + 2.0);
    // A small alphabet must not win for being small: its language may be any.
    let all: f64 = (0..alphabet.chars().count().max(10)).map(weight).sum();
    Some((weight(rank) / all).ln())
}

/// The letters beyond ASCII of one word, in small form.
type Word = Vec<char>;

/// How well the texts read in each encoding.
pub(super) fn scores<'a>(texts: &(impl Iterator<Item = &'a [u8]> + Clone)) -> Scores {
    READINGS.map(|encoding| {
        let (mut words, mut score, mut seen) = (Vec::new(), 0.0, 0);
        for text in texts.clone() {
            let letters: Vec<char> = encoding
                .decode_without_bom_handling(text)
                .0
                .chars()
                .collect();
            score += read(&letters, &mut words);
            seen += letters.iter().filter(|letter| !letter.is_ascii()).count();
            if seen > LOOKED_AT {
                break;
            }
        }
        score + by_languages(&words)
    })
}

/// Collects the words of a text, and says how odd its signs and its letters' places are.
fn read(letters: &[char], words: &mut Vec<Word>) -> f64 {
    let mut score = 0.0;
    let mut word = Word::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map_or(' ', |at| letters[at]);
        let after = letters.get(at + 1).copied().unwrap_or(' ');
        if letter.is_alphabetic() && !matches!(letter, 'ª' | 'º' | 'ˆ' | 'ƒ' | 'ˇ') {
            if !letter.is_ascii() {
                word.push(small(*letter));
                score += place(before, *letter, after);
            }
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !letter.is_ascii() {
            score += sign(before, *letter, after);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    score
}

fn small(letter: char) -> char {
    match letter {
        'İ' => 'i',
        other => other.to_lowercase().next().unwrap_or(other),
    }
}

/// What a letter costs for where it stands.
fn place(before: char, letter: char, after: char) -> f64 {
    let mut score = 0.0;
    if letter.is_uppercase() && before.is_lowercase() {
        score -= 4.0;
    }
    if letter.is_lowercase() && after.is_uppercase() {
        score -= 4.0;
    }
    let begins = !before.is_alphabetic();
    match small(letter) {
        // Thorn begins words, and eth, yumuşak ge and sharp s do not.
        'þ' if !begins => score -= 2.0,
        'ð' | 'ğ' | 'ß' if begins => score -= 2.0,
        _ => {}
    }
    score
}

/// What a sign costs for where it stands.
fn sign(before: char, sign: char, after: char) -> f64 {
    let (left, right) = (before.is_alphabetic(), after.is_alphabetic());
    match sign {
        control if control.is_control() => IN_WORD,
        '\u{fffd}' | '\u{e000}'..='\u{f8ff}' => IN_WORD,
        '’' => -1.0,
        '–' | '—' | '…' | '·' | '×' if left && right => -3.0,
        _ if left && right => IN_WORD,
        '–' | '—' if left || right => -3.0,
        '‘' | '“' | '”' | '„' | '–' | '—' | '…' | '•' | '«' | '»' | '‹' | '›' | '\u{a0}' => {
            -1.0
        }
        '¿' | '¡' if right => -1.0,
        'ª' | 'º' | '°' if left || before.is_ascii_digit() => -1.0,
        _ if left || right => -5.0,
        _ => -2.0,
    }
}

/// The likelihood of the words' letters in the few languages that explain them best.
fn by_languages(words: &[Word]) -> f64 {
    let in_any: Vec<f64> = words
        .iter()
        .map(|word| {
            let of = |letter: &char| {
                let is_known = LANGUAGES.iter().any(|alphabet| alphabet.contains(*letter));
                if is_known { BORROWED } else { STRANGE }
            };
            word.iter().map(of).sum()
        })
        .collect();
    let in_each: Vec<Vec<f64>> = LANGUAGES
        .iter()
        .map(|alphabet| {
            let of = |letter: &char| likelihood(alphabet, *letter).unwrap_or(STRANGE);
            words.iter().map(|word| word.iter().map(of).sum()).collect()
        })
        .collect();
    let (mut best, mut cost) = (in_any, 0.0);
    loop {
        let gains = in_each.iter().map(|language| {
            let gain = |(best, with): (&f64, &f64)| (with - best).max(0.0);
            best.iter().zip(language).map(gain).sum::<f64>()
        });
        let most = gains.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        match most {
            Some((language, gain)) if gain > LANGUAGE => {
                for (best, with) in best.iter_mut().zip(&in_each[language]) {
                    *best = best.max(*with);
                }
                cost += LANGUAGE;
            }
            _ => return best.iter().sum::<f64>() - cost,
        }
    }
}

/// The best of the readings; the declared one unless another is better by a clear margin. `guess` is what a detector says.
pub(super) fn best(scores: &Scores, guess: Option<&'static Encoding>) -> &'static Encoding {
    let with_guess = |at: usize| {
        let is_guessed = guess.is_some_and(|guess| is_meant(guess, READINGS[at]));
        let is_rare = at >= COMMON && READINGS[at] != MACINTOSH;
        scores[at] + if is_guessed { GUESSED } else { 0.0 } - if is_rare { RARE } else { 0.0 }
    };
    let others =
        (1..READINGS.len()).max_by(|a, b| with_guess(*a).total_cmp(&with_guess(*b)).then(b.cmp(a)));
    match others {
        Some(at) if with_guess(at) > with_guess(0) + MARGIN => READINGS[at],
        _ => READINGS[0],
    }
}

/// Adds to the scores of a whole folder what a detector takes it for, which knows how letters follow one another.
pub(super) fn add_guess(scores: &mut Scores, guess: &'static Encoding) {
    for (score, reading) in scores.iter_mut().zip(READINGS) {
        if is_meant(guess, reading) {
            *score += GUESSED_OF_MANY;
        }
    }
}

/// Whether a detector's word speaks for a reading. It does not know Macintosh's, and calls that Western.
fn is_meant(guess: &'static Encoding, reading: &'static Encoding) -> bool {
    guess == reading || (guess == WINDOWS_1252 && reading == MACINTOSH)
}

/// Whether texts read as words of Latin letters in one encoding or another: elsewhere (Cyrillic, Chinese) nearly all letters
/// are beyond ASCII, one beside the other, or signs stand within words. Where a detector takes them for another script,
/// they must read well.
pub(super) fn is_latin<'a>(
    texts: &(impl Iterator<Item = &'a [u8]> + Clone),
    scores: &Scores,
    is_guessed: bool,
) -> bool {
    let is_foreign = |byte: &u8| *byte >= 0x80;
    let (mut all, mut beside) = (0, 0);
    for text in texts.clone() {
        all += text.iter().filter(|byte| is_foreign(byte)).count();
        let pairs = text.windows(2);
        beside += pairs.filter(|two| two.iter().all(is_foreign)).count();
    }
    let best = |is_mac: bool| {
        let scores = scores.iter().zip(READINGS);
        scores
            .filter(|(_, encoding)| (*encoding == MACINTOSH) == is_mac)
            .map(|(score, _)| *score)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    // Names of any language have -3 a letter and more. To a Macintosh nearly every byte is a letter.
    let (least, least_mac) = if is_guessed {
        (-6.0, -3.5)
    } else {
        (-3.3, -3.0)
    };
    let count = all as f64;
    beside * 2 <= all && (best(false) >= least * count || best(true) >= least_mac * count)
}
