//! Names of albums, and how they relate.

use std::collections::BTreeSet;

use crate::identify::text::numbers::number;
use crate::identify::text::versions::{OF_EDITIONS, OF_SOUNDTRACKS, versions_in};
use crate::identify::text::{Likeness, Title, parts, words};

/// An album's name, taken apart: what an edition adds to it is no version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlbumName {
    title: Title,
    /// What stands behind the name of its artist, its composer or its series: `Chopin: 24 Preludes`.
    behind: Option<Title>,
    /// What stands before a subtitle that is no version and has no number: `Kiln` of `Kiln: A Journey`.
    before: Option<Title>,
    /// Years that it names.
    pub years: BTreeSet<u32>,
    /// It says that it was mastered anew, which makes no other album of it, and other recordings now and then.
    pub is_remaster: bool,
}

/// How two albums relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Albums {
    /// Different names.
    Different,
    /// The same name, and one of them is another version: live, instrumental, or what nobody knows.
    OtherVersion,
    /// Nearly the same name.
    Similar,
    /// The same name.
    Same,
}

impl AlbumName {
    /// Takes `text` apart; `remark` tells the release from others of that name.
    pub fn parse(text: &str, remark: &str) -> Self {
        let (text, behind) = without_label(without_disc(text));
        // Complete sessions are an edition with all takes: what the album has is on it.
        let is_complete = words(remark).iter().any(|word| word == "complete");
        let told = if is_complete { "" } else { remark };
        let mut title = Title::parse(text).with_remark(told);
        let mut years: BTreeSet<u32> = BTreeSet::new();
        let of_years = |text: &str| -> Vec<u32> {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            let years = numbers.filter(|word| word.len() == 4);
            years
                .filter_map(|word| word.parse().ok())
                .filter(|year| (1900..2100).contains(year))
                .collect()
        };
        without_edition(&mut title.name);
        if let Some(name) = title.name.strip_suffix(" i") {
            // `Anthology I` is the first one.
            title.name = format!("{name} 1");
        }
        let mut is_remaster = title.versions.remove("remaster");
        // `(Original Soundtrack)`, as behind a colon; a score is another record.
        let of_film = |word: &str| word != "score" && OF_SOUNDTRACKS.contains(&word);
        title.qualifiers.retain(|one| !one.split(' ').all(of_film));
        title.qualifiers.retain(|one| {
            let is_edition = one.split(' ').all(is_of_edition);
            is_remaster |= is_edition && one.contains("remaster");
            if is_edition {
                years.extend(of_years(one));
            }
            !is_edition
        });
        // A title takes a year in brackets for granted; an album is told by it.
        let alone = parts(text).into_iter().filter(|(_, aside)| *aside);
        let alone = alone.filter(|(part, _)| part.trim().len() == 4);
        years.extend(alone.flat_map(|(part, _)| of_years(&part)));
        // `(2018 Mix)` is that year's; a concert's year is when it was played.
        if title.versions.contains("remix") {
            years.extend(title.details.iter().flat_map(|word| of_years(word)));
        }
        years.extend(of_years(remark));
        let before = behind.as_ref().and_then(|behind: &Title| {
            let is_number = |word: &str| word.bytes().all(|c| c.is_ascii_digit());
            let mut words = behind.name.split(' ');
            let tells_one =
                words.any(|word| is_number(word) || ["volume", "part", "disc"].contains(&word));
            let before = text
                .split_once(": ")
                .map(|(before, _)| Title::parse(before));
            let of_it: Vec<_> = behind.name.split(' ').map(str::to_owned).collect();
            before.filter(|_| !tells_one && versions_in(&of_it).is_empty())
        });
        Self {
            title,
            behind,
            before,
            years,
            is_remaster,
        }
    }

    /// Versions that the album's name says its tracks are.
    pub fn versions(&self) -> BTreeSet<&'static str> {
        let words: Vec<_> = self.title.name.split(' ').map(str::to_owned).collect();
        let mut of_name = versions_in(&words);
        // `The Long Run` and `Piano Stories` are names; `Live in Leeds` is a version as well.
        of_name.retain(|one| ["live", "demo", "acoustic", "karaoke", "instrumental"].contains(one));
        of_name.extend(self.title.versions.iter().copied());
        of_name.extend(self.is_remaster.then_some("remaster"));
        of_name
    }

    /// Whether `other` is called the same but for a number: another volume, another year's sessions.
    pub fn is_of_series(&self, other: &Self) -> bool {
        let without_numbers = |name: &str| -> String {
            let words: Vec<_> = name
                .split(' ')
                .filter(|word| !word.chars().all(|c| c.is_ascii_digit()))
                .collect();
            words.join(" ")
        };
        let (ours, theirs) = (&self.title.name, &other.title.name);
        let plain = without_numbers(ours);
        ours != theirs && !plain.is_empty() && plain == without_numbers(theirs)
    }

    /// How `other` relates to this.
    pub fn relation(&self, other: &Self) -> Albums {
        let whole = relation_of(&self.title, &other.title);
        if whole >= Albums::Similar {
            return whole;
        }
        // One of them has the name of its artist before it, or both.
        let (ours, theirs) = (self.behind.as_ref(), other.behind.as_ref());
        let ways = [
            (ours, Some(&other.title)),
            (Some(&self.title), theirs),
            (ours, theirs),
        ];
        let ways = ways.into_iter().filter_map(|(a, b)| a.zip(b));
        let is_same = |(a, b): (&Title, &Title)| relation_of(a, b) == Albums::Same;
        // A tag often leaves a subtitle out.
        let is_subtitled = self.title.qualifiers.is_empty()
            && other
                .before
                .as_ref()
                .is_some_and(|before| is_same((&self.title, before)));
        if ways.into_iter().any(is_same) || is_subtitled {
            Albums::Similar
        } else {
            whole
        }
    }
}

fn relation_of(ours: &Title, theirs: &Title) -> Albums {
    let relation = ours.relation(theirs);
    // An album that only one of them calls mono or stereo may be the same all the same.
    let (first, second) = (&relation.only_first, &relation.only_second);
    let is_channel =
        |version: &String| ["mono", "stereo", "clean", "explicit"].contains(&version.as_str());
    let is_one_told = first.is_empty() || second.is_empty();
    let differ = |only: &BTreeSet<String>| only.iter().any(|one| !is_one_told || !is_channel(one));
    let differ = differ(first) || differ(second);
    match relation.name {
        Likeness::Different => Albums::Different,
        _ if differ || relation.is_told_apart => Albums::OtherVersion,
        Likeness::Longer => {
            // `X` and `X Live in Lisbon`: what stands behind it makes it another album.
            Albums::OtherVersion
        }
        Likeness::Misspelt => Albums::Similar,
        Likeness::Same => Albums::Same,
    }
}

/// Words of which one at least stands in what an edition adds without brackets.
const EDITION: [&str; 14] = [
    "ost",
    "soundtrack",
    "web",
    "320kbps",
    "mixtape",
    "ep",
    "lp",
    "edition",
    "deluxe",
    "remastered",
    "expanded",
    "anniversary",
    "bonus",
    "reissue",
];

fn is_of_edition(word: &str) -> bool {
    let number = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_ordinal = ["st", "nd", "rd", "th"].contains(&&word[number.len()..]);
    OF_EDITIONS.contains(&word)
        || word.parse::<u32>().is_ok()
        || is_ordinal && number.parse::<u32>().is_ok()
}

/// Takes what an edition adds from the end of an album's name: `Kiln Deluxe Edition`, `Kiln + Bonus Tracks`.
fn without_edition(name: &mut String) {
    let words: Vec<_> = name.split(' ').collect();
    let is_added = |word: &&&str| is_of_edition(word) || ["and", "plus"].contains(*word);
    let tail = words
        .iter()
        .rev()
        .take_while(is_added)
        .count()
        .min(words.len() - 1);
    let mut tail = &words[words.len() - tail..];
    // `7 Deluxe` is the album `7`, and what begins with a number may end with it.
    let begins = |word: &&str| *word == "the" || word.parse::<u32>().is_ok();
    while tail.first().is_some_and(begins) && tail.len() > 1 {
        tail = &tail[1..];
    }
    // `Blade OST 2` is another one; `Remastered 2011` is not.
    let last: Option<u32> = tail.last().and_then(|word| word.parse().ok());
    let is_counted = last.is_some_and(|number| number < 1900);
    if !is_counted && tail.iter().any(|word| EDITION.contains(word)) {
        let kept = words.len() - tail.len();
        *name = words[..kept].join(" ");
    }
}

/// An album's name without the disc of a set at its end: `X CD2`, `X - Disc 2`.
fn without_disc(text: &str) -> &str {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let word = digits.trim_end();
    let name = ["cd", "disc", "disk", "disco", "disque"]
        .iter()
        .find_map(|disc| {
            let at = word.len().checked_sub(disc.len())?;
            let end = word.get(at..).filter(|end| end.eq_ignore_ascii_case(disc));
            let before = word.get(..at).filter(|_| end.is_some())?;
            // The word stands by itself, and not all of the name is the disc.
            let name = before.trim_end_matches(|c: char| " -,:;".contains(c));
            (name.len() < before.len() && !name.is_empty()).then_some(name)
        });
    name.filter(|_| digits.len() < text.len()).unwrap_or(text)
}

/// An album's name without what says that it is a film's music, and what stands behind a colon or a dash
/// if that is a name by itself and no version.
fn without_label(text: &str) -> (&str, Option<Title>) {
    // `017/The Blue Ghost` is the seventeenth of its series.
    let is_number = |before: &str| !before.is_empty() && before.bytes().all(|c| c.is_ascii_digit());
    let of_series = || text.split_once('/').filter(|(before, _)| is_number(before));
    let halves = text.split_once(": ").or_else(|| text.split_once(" - "));
    let Some((before, after)) = halves.or_else(of_series) else {
        return (text, None);
    };
    let of_it = words(after);
    let is_soundtrack = |word: &String| OF_SOUNDTRACKS.contains(&word.as_str());
    if !of_it.is_empty() && of_it.iter().all(is_soundtrack) {
        return (before, None);
    }
    let behind = Title::parse(after);
    // `X: A Tribute to Y` has a name behind it; so has nothing else that says a version.
    let versions = versions_in(&of_it);
    let is_name = behind.name.len() >= LEAST_NAME && versions.iter().all(|one| *one == "cover");
    (text, is_name.then_some(behind))
}

/// Letters of a name that may stand for an album without its label. A guess: shorter ones are words that
/// many albums end with, such as `Gold`.
const LEAST_NAME: usize = 6;

/// Words for a disc of a set.
const DISC: [&str; 7] = ["cd", "disc", "disk", "disco", "disque", "dvd", "lp"];

/// Which disc of a set an album's name or a folder says it is: `X CD2`, `X (Disc 2)`, `Disc Two`, `CD 02 - Live`.
pub fn disc_of(text: &str) -> Option<u32> {
    let words = words(text);
    let number = |word: &str| -> Option<u32> {
        let number = word.parse().ok().or_else(|| number(word))?;
        (1..=40).contains(&number).then_some(number)
    };
    let behind = words
        .windows(2)
        .filter(|two| DISC.contains(&two[0].as_str()))
        .find_map(|two| number(&two[1]));
    let in_one = || {
        words.iter().find_map(|word| {
            let kinds = DISC.iter().filter_map(|kind| word.strip_prefix(kind));
            kinds
                .filter(|rest| !rest.is_empty())
                .find_map(|rest| rest.parse().ok())
        })
    };
    // What is a bonus is no first disc.
    let is_bonus = |two: &[String]| two[0] == "bonus" && DISC.contains(&two[1].as_str());
    let bonus = || words.windows(2).any(is_bonus).then_some(2);
    behind
        .or_else(in_one)
        .or_else(bonus)
        .filter(|disc| (1..=40).contains(disc))
}
