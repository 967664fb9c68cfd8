//! Compares names: titles, artists, albums.
//!
//! Spelling, case, accents, punctuation and the way a number is written are nothing; a version
//! (`live`, `demo`), a qualifier that nobody knows, a number and every whole word are everything.

use std::collections::BTreeSet;

use deunicode::deunicode;
use strsim::osa_distance;

mod albums;
mod artists;
mod cut;
mod folders;
mod medleys;
mod numbers;
mod placeholders;
mod versions;

pub use albums::{AlbumName, Albums, disc_of};
pub use artists::{Artists, Company, artists, company, is_ensemble, is_part, members};

use cut::{HEARD, with_brackets, without_guests};
pub use cut::{both_scripts, is_cut, uncut, with_article_in_front};
pub use numbers::other_spelling;
pub use placeholders::{is_number_of_its_own, is_perhaps_meant, is_placeholder};

pub use folders::{versions_of_folder, versions_of_stem};
use numbers::numbered;
pub use versions::is_known_version;
use versions::{HARMLESS, versions_in};

/// How two names relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Different names.
    Different,
    /// One is the other with more words at its end or its beginning.
    Longer,
    /// A letter in a long word differs.
    Misspelt,
    /// The same name.
    Same,
}

/// A title taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// What it is called, normalised, without version, qualifiers and guests.
    pub name: String,
    /// What version it is; empty for the plain one.
    pub versions: BTreeSet<&'static str>,
    /// What else stands in brackets or behind a dash, normalised.
    pub qualifiers: BTreeSet<String>,
    /// The words that its versions are named with: of `(take 3)` the number, too.
    pub details: BTreeSet<String>,
    /// What else it may be called without being another version: of `(Single Version)` an edit, which the catalogue calls
    /// it or not.
    pub permitted: BTreeSet<&'static str>,
    /// Years that stand in brackets by themselves, and are a release's more often than a version's.
    pub years: BTreeSet<u32>,
    /// Who takes part by the title's own words, normalised.
    pub guests: BTreeSet<String>,
}

/// How two titles relate as titles and as versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The names.
    pub name: Likeness,
    /// Versions that only the first one names.
    pub only_first: BTreeSet<String>,
    /// Versions that only the second one names.
    pub only_second: BTreeSet<String>,
    /// Versions that both name.
    pub shared: BTreeSet<String>,
    /// Whether a qualifier that is in no list is among what only one of them names.
    pub is_unknown: bool,
    /// Whether both name their versions with the same words.
    pub is_word_by_word: bool,
    /// Whether each names its version with words that tell it from the other: `take 3` and `take 5`, another's remix.
    pub is_told_apart: bool,
}

impl Title {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Self {
        let mut title = Self {
            name: String::new(),
            versions: BTreeSet::new(),
            qualifiers: BTreeSet::new(),
            details: BTreeSet::new(),
            permitted: BTreeSet::new(),
            years: BTreeSet::new(),
            guests: BTreeSet::new(),
        };
        let text = medleys::songs_of(text);
        for (part, aside) in parts(text) {
            let words = words(&part);
            if !aside {
                let part = with_article_in_front(&part);
                let (name, guests) = without_guests(&part);
                title.name.push(' ');
                title.name.push_str(name);
                title.guests.extend(members(guests));
                continue;
            }
            let first = words.first().map(String::as_str);
            if first.is_some_and(|first| versions::GUESTS.contains(&first)) {
                let second = words.get(1).map(String::as_str);
                if words.len() == 2 && second.is_some_and(|what| HEARD.contains(&what)) {
                    // `With Dialogue` is nobody.
                    title.qualifiers.insert(numbered(&words).join(" "));
                    continue;
                }
                let plays = first.is_some_and(|first| !versions::PRODUCED.contains(&first));
                let names = part.trim().split_once([' ', '.', '/', ':']);
                let names = names.filter(|_| plays).map(|(_, names)| names);
                title.guests.extend(names.into_iter().flat_map(members));
                continue;
            }
            if is_harmless(&words) {
                let years = words.iter().filter(|word| word.len() == 4);
                title
                    .years
                    .extend(years.filter_map(|word| word.parse::<u32>().ok()));
                title.permitted.extend(versions_in(&words));
                continue;
            }
            if is_of_film(&part, &words) {
                continue;
            }
            let found = versions_in(&words);
            if found.is_empty() && title.name.trim().is_empty() {
                // `(I Can't Get No) Satisfaction`: what stands before the name belongs to it.
                title.name.push_str(&part);
            } else if found.is_empty() {
                title.qualifiers.insert(numbered(&words).join(" "));
            } else {
                title.details.extend(numbered(&words));
            }
            title.versions.extend(found);
        }
        title.name = normalise(&title.name);
        if title.name.is_empty() {
            title.name = normalise(text);
            title.guests.clear();
            title.permitted.clear();
            title.qualifiers.clear();
            title.versions.clear();
            title.details.clear();
        }
        title
    }

    /// The same with what `remark` says of the version, such as MusicBrainz's disambiguation.
    #[must_use]
    pub fn with_remark(mut self, remark: &str) -> Self {
        let words = words(remark);
        let found = versions_in(&words);
        if !found.is_empty() {
            self.details.extend(numbered(&words));
        }
        self.versions.extend(found);
        self
    }

    /// The whole of it: the name with its qualifiers, in the order of the alphabet.
    fn whole(&self) -> String {
        let mut whole = self.name.clone();
        for one in &self.qualifiers {
            whole.push(' ');
            whole.push_str(one);
        }
        whole
    }

    /// Words that say where or when a version was played: `lisbon` and `1984` of `Live in Lisbon 1984`.
    pub fn places(&self) -> BTreeSet<&str> {
        let is_place = |word: &&str| {
            !versions::PLACELESS.contains(word) && versions_in(&[(*word).to_owned()]).is_empty()
        };
        let details = self.details.iter().map(String::as_str);
        details.filter(is_place).collect()
    }

    /// The title with versions at its end taken for such: `Slow Water Live`.
    fn with_versions_at_its_end(&self) -> Option<Self> {
        let words: Vec<_> = self.name.split(' ').map(str::to_owned).collect();
        let is_number = |word: &String| word.chars().all(|c| c.is_ascii_digit());
        // `a cappella`, `en vivo` and `radio edit` are two words; a number at the end is a part or a year.
        let belongs = |at: usize| {
            words.len() - at == 1
                || BEFORE_VERSIONS.contains(&words[at].as_str())
                || !versions_in(&words[at..=at]).is_empty()
        };
        let (at, found) = (1..=2.min(words.len().saturating_sub(1)))
            .rev()
            .map(|count| words.len() - count)
            .filter(|at| !words[*at..].iter().any(is_number) && belongs(*at))
            .map(|at| (at, versions_in(&words[at..])))
            .find(|(_, found)| !found.is_empty())?;
        let mut title = self.clone();
        title.name = words[..at].join(" ");
        title.details.extend(words[at..].iter().cloned());
        title.versions.extend(found);
        Some(title)
    }

    /// How `other` relates to this.
    pub fn relation(&self, other: &Self) -> Relation {
        let plain = self.plain_relation(other);
        if plain.name == Likeness::Same {
            return plain;
        }
        let (ours, theirs) = (
            self.with_versions_at_its_end(),
            other.with_versions_at_its_end(),
        );
        let mut best = plain;
        for (one, two) in [(&ours, &None), (&None, &theirs), (&ours, &theirs)] {
            if one.is_none() && two.is_none() {
                continue;
            }
            let relation = one
                .as_ref()
                .unwrap_or(self)
                .plain_relation(two.as_ref().unwrap_or(other));
            if relation.name > best.name {
                best = relation;
            }
        }
        best
    }

    fn plain_relation(&self, other: &Self) -> Relation {
        let owned = |versions: &BTreeSet<&'static str>| -> BTreeSet<String> {
            versions.iter().map(|one| (*one).to_owned()).collect()
        };
        let (mut ours, mut theirs) = (owned(&self.versions), owned(&other.versions));
        let permitted = |versions: &BTreeSet<String>, by: &Self| -> BTreeSet<String> {
            let permitted = by.permitted.iter().filter(|one| versions.contains(**one));
            permitted.map(|one| (*one).to_owned()).collect()
        };
        let (of_theirs, of_ours) = (permitted(&theirs, self), permitted(&ours, other));
        ours.extend(of_theirs);
        theirs.extend(of_ours);
        let whole = likeness(&self.whole(), &other.whole());
        let mut name = whole;
        let mut is_unknown = false;
        if whole != Likeness::Same {
            name = likeness(&self.name, &other.name);
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> BTreeSet<String> {
                a.difference(b).cloned().collect()
            };
            let (more, fewer) = (
                only(&self.qualifiers, &other.qualifiers),
                only(&other.qualifiers, &self.qualifiers),
            );
            if name < whole {
                name = whole;
            } else {
                is_unknown = !more.is_empty() || !fewer.is_empty();
                ours.extend(more);
                theirs.extend(fewer);
            }
        }
        let shared: BTreeSet<String> = ours.intersection(&theirs).cloned().collect();
        let are_told_apart =
            !shared.is_empty() && are_told_apart(&shared, &self.details, &other.details);
        Relation {
            name,
            is_word_by_word: !self.details.is_empty() && self.details == other.details,
            is_told_apart: are_told_apart,
            shared,
            only_first: ours.difference(&theirs).cloned().collect(),
            only_second: theirs.difference(&ours).cloned().collect(),
            is_unknown,
        }
    }
}

/// Whether the words for a version tell two of one kind apart: another's remix, another concert, another instrument. What only
/// one of them tells more of may be the same, but a remix is whose it is.
fn are_told_apart(
    shared: &BTreeSet<String>,
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) -> bool {
    let plain = |details: &BTreeSet<String>| -> BTreeSet<String> {
        let words = details.iter().map(String::as_str);
        let words = words.filter(|word| !versions::SAYS_NOTHING.contains(word));
        words.map(versions::one_word).map(str::to_owned).collect()
    };
    let (ours, theirs) = (plain(ours), plain(theirs));
    let says_more = |words: &BTreeSet<String>| words.iter().any(|word| !shared.contains(word));
    let differ = if shared.contains("remix") {
        ours != theirs
    } else {
        let is_year = |word: &&String| word.len() == 4 && word.bytes().all(|c| c.is_ascii_digit());
        let years = |words: &BTreeSet<String>| -> BTreeSet<String> {
            words.iter().filter(is_year).cloned().collect()
        };
        let (ours_years, theirs_years) = (years(&ours), years(&theirs));
        let years_differ = !ours_years.is_empty()
            && !theirs_years.is_empty()
            && ours_years.is_disjoint(&theirs_years);
        let is_name = |word: &String| versions_in(std::slice::from_ref(word)).is_empty();
        // A place in common is that place; long remarks tell more of it than a title does.
        let is_elsewhere = !ours.intersection(&theirs).any(is_name);
        let is_part = ours.is_subset(&theirs) || theirs.is_subset(&ours);
        !is_part && (is_elsewhere || years_differ)
    };
    // `alternate version` and `alternate version 2`.
    let is_number = |word: &String| word.bytes().all(|c| c.is_ascii_digit());
    let is_kind = |word: &String| !versions_in(std::slice::from_ref(word)).is_empty();
    let are_bare = ours
        .iter()
        .chain(&theirs)
        .all(|word| is_number(word) || is_kind(word) || shared.contains(word));
    // `alternate take 3` and `take 3` are one.
    let counted = |words: &BTreeSet<String>| -> BTreeSet<String> {
        let numbers = words
            .iter()
            .filter(|word| is_number(word) && word.len() < 4);
        numbers.cloned().collect()
    };
    if are_bare && counted(&ours) != counted(&theirs) {
        return true;
    }
    differ && says_more(&ours) && says_more(&theirs)
}

/// Words that belong to the word for a version behind them.
const BEFORE_VERSIONS: [&str; 9] = [
    "a", "en", "ao", "al", "dal", "re", "album", "original", "sing",
];

/// Whether an aside names a version, and no edition and nothing that everybody takes for granted.
pub fn is_version(aside: &str) -> bool {
    let words = words(aside);
    let is_edition = |word: &String| versions::OF_EDITIONS.contains(&word.as_str());
    !versions_in(&words).is_empty() && !is_harmless(&words) && !words.iter().all(is_edition)
}

/// Whether an artist is what people write for many or for nobody.
pub fn is_nobody(artist: &str) -> bool {
    let name = normalise(artist);
    versions::NOBODY.contains(&name.as_str())
        || versions::UNKNOWN.iter().any(|word| name.contains(word))
        || name.ends_with(" soundtrack")
        || name.ends_with(" ost")
        || name.starts_with("various ")
        || name.starts_with("varios ")
}

/// Whether one of two names is in Latin letters and the other is not: a transliteration has so many ways
/// that they cannot be compared.
pub fn are_other_scripts(one: &str, other: &str) -> bool {
    // Latin letters end with Latin Extended-B; those of full width are Latin, too.
    let is_latin = |c: char| u32::from(c) < 0x250 || (0xff21..=0xff5a).contains(&u32::from(c));
    let is_foreign = |text: &str| {
        let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
        letters.peek().is_some() && letters.all(|c| !is_latin(c))
    };
    let has_letters = |text: &str| text.chars().any(char::is_alphabetic);
    has_letters(one) && has_letters(other) && is_foreign(one) != is_foreign(other)
}

/// Lower case, ASCII, no punctuation, no article in front, numbers as digits.
///
/// What has no letters at all, such as `!!!`, stays as it is.
pub fn normalise(text: &str) -> String {
    let words = numbered(&words(text));
    let skip = usize::from(words.len() > 1 && matches!(words[0].as_str(), "the" | "a" | "an"));
    if words.is_empty() {
        return text.trim().to_lowercase();
    }
    words[skip..].join(" ")
}

/// From here on two titles are so much alike that one is a damaged spelling of the other, unless something else tells them
/// apart: `A Valley ofr Aberdeen`. A guess; a letter in seven.
const DAMAGED: f64 = 0.85;

impl Title {
    /// Whether the letters of two titles are nearly the same, though their words are not.
    pub fn is_damaged_spelling_of(&self, other: &Self) -> bool {
        strsim::normalized_damerau_levenshtein(&self.name, &other.name) >= DAMAGED
    }
}

/// Whether two names are the same but for umlauts that one of them spells with two letters: `Gruesse` and `Grüße`.
fn are_umlauts_spelt(one: &str, other: &str) -> bool {
    const SPELT: [(&str, &str); 3] = [("ue", "u"), ("oe", "o"), ("ae", "a")];
    // Names that have none are compared by the thousand.
    let has = |name: &str| SPELT.iter().any(|(two, _)| name.contains(two));
    let folded = |name: &str| {
        let fold = |name: String, (two, one): &(&str, &str)| name.replace(two, one);
        SPELT.iter().fold(name.to_owned(), fold)
    };
    (has(one) || has(other)) && one.len().min(other.len()) > 4 && folded(one) == folded(other)
}

/// How two normalised names relate.
pub fn likeness(a: &str, b: &str) -> Likeness {
    let joined = |text: &str| text.replace(' ', "");
    let (one, other) = (joined(a), joined(b));
    if one == other || are_umlauts_spelt(&one, &other) {
        return Likeness::Same;
    }
    if a.is_empty() || b.is_empty() {
        return Likeness::Different;
    }
    let (ours, theirs): (Vec<_>, Vec<_>) = (a.split(' ').collect(), b.split(' ').collect());
    if ours.len() == theirs.len() {
        let mut misspelt = 0;
        for (one, other) in ours.iter().zip(&theirs) {
            if one != other {
                if !is_misspelling(one, other) {
                    return Likeness::Different;
                }
                misspelt += 1;
            }
        }
        // Where more is misspelt than is right, it is another name.
        return if misspelt * 2 <= ours.len().max(2) {
            Likeness::Misspelt
        } else {
            Likeness::Different
        };
    }
    let (short, long) = if ours.len() < theirs.len() {
        (&ours, &theirs)
    } else {
        (&theirs, &ours)
    };
    if long.starts_with(short) || long.ends_with(short) {
        return Likeness::Longer;
    }
    Likeness::Different
}

/// A slip in a long word, not at its beginning: `Brik` for `Brick`, and not `Son` for `Sun`.
fn is_misspelling(a: &str, b: &str) -> bool {
    let longest = a.chars().count().max(b.chars().count());
    let has_digit = |word: &str| word.chars().any(|c| c.is_ascii_digit());
    if has_digit(a) || has_digit(b) || a.chars().next() != b.chars().next() || longest < 5 {
        return false;
    }
    // `Williamson` is nobody's `Williams`: an end of its own is no slip.
    let apart = a.chars().count().abs_diff(b.chars().count());
    if apart >= 2 && (a.starts_with(b) || b.starts_with(a)) {
        return false;
    }
    // `major` and `minor` are two slips apart, and words of nine letters take two.
    osa_distance(a, b) <= if longest >= 9 { 2 } else { 1 }
}

fn words(text: &str) -> Vec<String> {
    let plain = deunicode(text).to_lowercase().replace('&', " and ");
    // `Nothin' but` is `Nothing but`.
    let plain = format!("{plain} ").replace("in' ", "ing ");
    with_signs_spelt(&plain)
        .replace(['\'', '`', '.'], "")
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Signs that tell names apart, as words: `C#` and `C++` are not `C`, and `Ke$ha` is written with an s.
fn with_signs_spelt(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut spelt = String::with_capacity(text.len() + 8);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        let is =
            |neighbour: Option<char>, what: fn(&char) -> bool| neighbour.is_some_and(|c| what(&c));
        let behind_letter = is(before, char::is_ascii_alphabetic);
        match letter {
            '#' if is(after, char::is_ascii_digit) => spelt.push_str(" no "),
            // `1,000` is one number.
            ',' if is(before, char::is_ascii_digit) && is(after, char::is_ascii_digit) => {}
            '.' if is(before, char::is_ascii_digit) && is(after, char::is_ascii_digit) => {
                spelt.push_str(" point ");
            }
            '#' if behind_letter => spelt.push_str(" sharp "),
            '$' if behind_letter => spelt.push('s'),
            '+' if is(before, |c| !c.is_whitespace()) => spelt.push_str(" plus "),
            '+' if is(before, |c| c.is_whitespace()) && is(after, |c| c.is_whitespace()) => {
                spelt.push_str(" and ");
            }
            '%' if is(before, char::is_ascii_digit) => spelt.push_str(" percent "),
            _ => spelt.push(*letter),
        }
    }
    spelt
}

/// Whether an aside says what everybody takes for granted: `album version`, `original mix`.
fn is_harmless(words: &[String]) -> bool {
    // `(1967)` is when it came out, `(128 kbps)` how the file is made.
    let is_number = |word: &String| word.chars().all(|c| c.is_ascii_digit());
    let of_file = words.iter().any(|word| word == "kbps");
    let is_year = match words {
        [year] => year
            .parse()
            .is_ok_and(|year: u32| (1900..2100).contains(&year)),
        _ => false,
    };
    // `Japanese Bonus Track` is where it came out, `Japanese Version` what it is sung in.
    let is_bonus = words.iter().any(|word| word == "bonus");
    let is_country = |word: &String| is_bonus && ["japanese", "japan"].contains(&word.as_str());
    let says_nothing = |word: &String| {
        is_country(word) || HARMLESS.contains(&word.as_str()) || of_file && is_number(word)
    };
    is_year || !words.is_empty() && words.iter().all(says_nothing)
}

/// Whether an aside names the film that a song is from: `From "Frozen"`, `From Frozen / Soundtrack`.
fn is_of_film(part: &str, words: &[String]) -> bool {
    let is_from = words.first().is_some_and(|word| word == "from");
    let names_one = ["soundtrack", "film", "movie", "motion", "series", "musical"];
    let has_quotes = part.contains(['"', '“', '”', '‘', '«', '„']);
    is_from && (has_quotes || words.iter().any(|word| names_one.contains(&word.as_str())))
}

/// Brackets, dashes and waves as the Latin ones that mean the same: `（ライブ）`, `X – Live`, `X ～live～`.
pub fn plain_signs(text: &str) -> String {
    let mut waves = text.matches(['～', '〜', '~']).count();
    let are_brackets = waves == 2;
    let sign = |c| match c {
        '（' | '［' | '【' | '〔' => '(',
        '）' | '］' | '】' | '〕' => ')',
        '–' | '—' | '―' | '−' | '‐' => '-',
        '～' | '〜' | '~' if are_brackets => {
            waves -= 1;
            if waves == 1 { '(' } else { ')' }
        }
        other => other,
    };
    text.chars().map(sign).collect()
}

/// The parts of a title: what stands in brackets or behind a dash is an aside.
fn parts(text: &str) -> Vec<(String, bool)> {
    let text = with_brackets(&plain_signs(text));
    let mut parts = Vec::new();
    let mut current = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => {
                if depth == 0 {
                    parts.push((std::mem::take(&mut current), false));
                }
                depth += 1;
            }
            ')' | ']' | '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    parts.push((std::mem::take(&mut current), true));
                }
            }
            _ => current.push(c),
        }
    }
    parts.push((current, depth > 0));
    let mut split = Vec::new();
    for (part, aside) in parts {
        if aside {
            split.push((part, true));
            continue;
        }
        for (at, piece) in part.split(" - ").enumerate() {
            split.push((piece.to_owned(), at > 0));
        }
    }
    split.retain(|(part, _)| !part.trim().is_empty());
    split
}

#[cfg(test)]
mod tests;
