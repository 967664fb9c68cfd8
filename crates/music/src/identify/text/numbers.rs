//! Numbers in titles: words, digits and Roman letters for one and the same.

use crate::identify::text::versions;

const UNITS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

/// Numbers as digits: words up to ninety-nine, Roman ones behind another word. Other words that are
/// written in two ways, in one.
pub(super) fn numbered(words: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(words.len());
    let mut tens: Option<u32> = None;
    for (at, word) in words.iter().enumerate() {
        let is_number = |next: &String| next.bytes().all(|c| c.is_ascii_digit());
        if at > 0 && NUMBER.contains(&word.as_str()) && words.get(at + 1).is_some_and(is_number) {
            // `Untitled #2` is `Untitled 2`, and `Symphony Nr. 5` is `Symphony No. 5`.
            continue;
        }
        let is_counted =
            |digits: &&str| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
        let in_one = NUMBER.iter().find_map(|no| word.strip_prefix(no));
        if let Some(digits) = in_one.filter(is_counted).filter(|_| at > 0) {
            out.push(digits.trim_start_matches('0').to_owned());
            continue;
        }
        let spelt = number(word);
        // A movement begins with its number: `II. Adagio`.
        let number = spelt.or_else(|| (words.len() > 1).then(|| roman(word)).flatten());
        // `Part I` is the first; elsewhere it is the pronoun.
        let is_first = word == "i" && at > 0 && OF_PARTS.contains(&words[at - 1].as_str());
        let number = number.or(is_first.then_some(1));
        // `twenty four` is one number.
        let joined = tens.zip(spelt.filter(|unit| (1..10).contains(unit)));
        tens = spelt.filter(|number| number % 10 == 0 && (20..100).contains(number));
        if let Some((tens, unit)) = joined {
            out.pop();
            out.push((tens + unit).to_string());
            continue;
        }
        match number {
            Some(number) => out.push(number.to_string()),
            // `01` is `1`.
            None if word.chars().all(|c| c.is_ascii_digit()) => {
                out.push(word.trim_start_matches('0').to_owned());
            }
            None => {
                if let Some(ordinal) = ordinal(word) {
                    out.push(ordinal);
                    continue;
                }
                let other = versions::SPELT.iter().find(|(one, _)| one == word);
                out.push(other.map_or(word.as_str(), |(_, other)| other).to_owned());
            }
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

/// Words that say no more than that a number follows.
const NUMBER: [&str; 8] = [
    "no", "nr", "nos", "num", "number", "nummer", "numero", "numeros",
];

/// Words behind which a number stands.
const OF_PARTS: [&str; 9] = [
    "part", "pt", "volume", "vol", "act", "chapter", "book", "movement", "no",
];

/// Roman numbers up to 39; `i`, `mix` and the like are words more often.
fn roman(word: &str) -> Option<u32> {
    if !word.chars().all(|c| matches!(c, 'i' | 'v' | 'x')) || word.len() < 2 && word != "v" {
        return None;
    }
    let value = |c| match c {
        'i' => 1,
        'v' => 5,
        _ => 10,
    };
    let letters: Vec<u32> = word.chars().map(value).collect();
    let mut sum = 0;
    for (at, letter) in letters.iter().enumerate() {
        if letters.get(at + 1).is_some_and(|next| next > letter) {
            sum -= i64::from(*letter);
        } else {
            sum += i64::from(*letter);
        }
    }
    u32::try_from(sum)
        .ok()
        .filter(|number| (1..40).contains(number))
}

/// The number that a word is, up to twenty and the tens up to a hundred.
pub(super) fn number(word: &str) -> Option<u32> {
    const TENS: [&str; 8] = [
        "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    ];
    let at = |list: &[&str]| {
        let found = list.iter().position(|one| *one == word)?;
        u32::try_from(found).ok()
    };
    at(&UNITS).or_else(|| at(&TENS).map(|tens| (tens + 3) * 10))
}

/// A word for an ordinal in digits, up to twenty: `fourth` is `4th`.
pub(super) fn ordinal(word: &str) -> Option<String> {
    let at = ORDINALS.iter().position(|one| *one == word)? + 1;
    let end = match at {
        1 => "st",
        2 => "nd",
        3 => "rd",
        _ => "th",
    };
    Some(format!("{at}{end}"))
}

/// How else a number is written, as catalogues index it: `4th` and `fourth`, `7` and `seven`.
pub fn other_spelling(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    if let Some(number) = number(&lower) {
        return Some(number.to_string());
    }
    if let Some(ordinal) = ordinal(&lower) {
        return Some(ordinal);
    }
    let ordinals = ORDINALS
        .iter()
        .find(|one| ordinal(one).as_ref() == Some(&lower));
    let digits: Option<usize> = lower.parse().ok();
    let units = digits.and_then(|at| UNITS.get(at));
    ordinals.or(units).map(|one| (*one).to_owned())
}
