//! Compares names: titles, artists, albums.
//!
//! Spelling, case, accents and punctuation are nothing; a version (`live`, `demo`) and a number
//! (`Part 2`) are everything.

use std::collections::BTreeSet;

use deunicode::deunicode;
use strsim::jaro_winkler;

/// Words in brackets or behind a dash that make another recording of a title.
const VERSIONS: [(&str, &[&str]); 13] = [
    (
        "live",
        &["live", "concert", "unplugged", "bootleg", "soundcheck"],
    ),
    (
        "remaster",
        &["remaster", "remastered", "remastering", "digitally"],
    ),
    ("demo", &["demo", "demos", "rehearsal", "rough"]),
    ("instrumental", &["instrumental", "backing"]),
    ("karaoke", &["karaoke", "singalong"]),
    ("acoustic", &["acoustic", "acoustique", "unplugged"]),
    (
        "remix",
        &["remix", "remixed", "rmx", "mix", "dub", "rework", "bootleg"],
    ),
    ("edit", &["edit", "edited", "short", "single"]),
    ("extended", &["extended", "long", "12"]),
    ("a cappella", &["acappella", "acapella", "cappella"]),
    (
        "alternative",
        &["alternate", "alternative", "take", "outtake", "early"],
    ),
    ("session", &["session", "sessions", "bbc", "peel"]),
    (
        "cover",
        &["cover", "tribute", "rerecorded", "rerecording", "reprise"],
    ),
];

/// How two titles relate as versions of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Both are the same version.
    Same,
    /// One of them is called a remaster, which may or may not be a recording of its own.
    Unclear,
    /// They are different recordings.
    Different,
}

/// A title taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// What it is called, normalised, without version and guests.
    pub name: String,
    /// What version it is; empty for the plain one.
    pub versions: BTreeSet<&'static str>,
}

impl Title {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Self {
        let mut versions = BTreeSet::new();
        let mut name = String::new();
        for (part, aside) in parts(text) {
            let words = words(&part);
            let is_guest = words
                .first()
                .is_some_and(|word| matches!(word.as_str(), "feat" | "ft" | "featuring" | "with"));
            let found = if aside {
                versions_in(&words)
            } else {
                BTreeSet::new()
            };
            if aside && is_guest {
                continue;
            }
            if found.is_empty() {
                name.push(' ');
                name.push_str(without_guests(&part));
            }
            versions.extend(found);
        }
        let name = normalise(&name);
        if name.is_empty() {
            return Self {
                name: normalise(text),
                versions: BTreeSet::new(),
            };
        }
        Self { name, versions }
    }

    /// The same with what `remark` says of the version, such as MusicBrainz's disambiguation.
    #[must_use]
    pub fn with_remark(mut self, remark: &str) -> Self {
        self.versions.extend(versions_in(&words(remark)));
        self
    }

    /// Whether `other` is the same version; `context` are versions that an album's title allows
    /// `other` to be, though this one does not say so.
    pub fn compare_versions(&self, other: &Self, context: &BTreeSet<&'static str>) -> Versions {
        let differences: BTreeSet<_> = self
            .versions
            .symmetric_difference(&other.versions)
            .filter(|version| self.versions.contains(*version) || !context.contains(*version))
            .copied()
            .collect();
        if differences.is_empty() {
            Versions::Same
        } else if differences.iter().all(|version| *version == "remaster") {
            Versions::Unclear
        } else {
            Versions::Different
        }
    }
}

/// What versions an album's title allows its tracks to be without saying so.
pub fn versions_of_album(album: &str) -> BTreeSet<&'static str> {
    let mut versions = versions_in(&words(album));
    versions.retain(|version| {
        matches!(
            *version,
            "live" | "demo" | "acoustic" | "remaster" | "karaoke" | "instrumental" | "remix"
        )
    });
    versions
}

/// Lower case, ASCII, no punctuation, no article in front.
///
/// What has no letters at all, such as `!!!`, stays as it is.
pub fn normalise(text: &str) -> String {
    let words = words(text);
    let skip = usize::from(words.len() > 1 && matches!(words[0].as_str(), "the" | "a" | "an"));
    if words.is_empty() {
        return text.trim().to_lowercase();
    }
    words[skip..].join(" ")
}

/// How alike two titles' names are, 0 to 1.
pub fn title_similarity(a: &Title, b: &Title) -> f64 {
    similarity(&a.name, &b.name)
}

/// How alike two artists are, 0 to 1; guests count little.
pub fn artist_similarity(a: &str, b: &str) -> f64 {
    let whole = similarity(&normalise(a), &normalise(b));
    let main = similarity(&normalise(without_guests(a)), &normalise(without_guests(b)));
    let first = similarity(&normalise(first_artist(a)), &normalise(first_artist(b)));
    // Who shares the first of several names is probably, not surely, the same.
    whole.max(main * 0.98).max(first * 0.92)
}

/// How alike two normalised names are, 0 to 1; other numbers make another name.
pub fn similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let alike = jaro_winkler(a, b);
    let joined = |text: &str| text.replace(' ', "");
    let alike = if joined(a) == joined(b) { 0.99 } else { alike };
    // Prefixes weigh much in Jaro-Winkler; names of very different length are not the same.
    let (short, long) = (a.len().min(b.len()) as f64, a.len().max(b.len()) as f64);
    let alike = alike * (0.7 + 0.3 * (short / long).sqrt());
    if numbers(a) == numbers(b) {
        alike
    } else {
        alike * 0.6
    }
}

/// Numbers in a name, Roman ones and words among them, in order.
fn numbers(name: &str) -> Vec<u32> {
    const ROMAN: [&str; 10] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"];
    const WORDS: [&str; 10] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    name.split(' ')
        .enumerate()
        .filter_map(|(at, word)| {
            let listed = |list: &[&str]| {
                let found = list.iter().position(|known| *known == word)?;
                u32::try_from(found + 1).ok()
            };
            let roman = (at > 0 && word != "i").then(|| listed(&ROMAN)).flatten();
            word.parse().ok().or(roman).or_else(|| listed(&WORDS))
        })
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let plain = deunicode(text).to_lowercase().replace('&', " and ");
    plain
        .replace(['\'', '`', '.'], "")
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn versions_in(words: &[String]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for (version, names) in VERSIONS {
        if words.iter().any(|word| names.contains(&word.as_str())) {
            found.insert(version);
        }
    }
    let has = |name: &str| words.iter().any(|word| word == name);
    // `single version` and `original mix` are what everybody knows.
    if has("original") && !has("demo") {
        found.clear();
    }
    if has("re") && has("recorded") {
        found.insert("cover");
    }
    found
}

/// The parts of a title: what stands in brackets or behind a dash is an aside.
fn parts(text: &str) -> Vec<(String, bool)> {
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

fn without_guests(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let end = [" feat. ", " feat ", " ft. ", " ft ", " featuring "]
        .iter()
        .filter_map(|word| lower.find(word))
        .min();
    &text[..end.unwrap_or(text.len())]
}

fn first_artist(text: &str) -> &str {
    let text = without_guests(text);
    let end = [" & ", ", ", "; ", " and ", " vs. ", " x ", " / "]
        .iter()
        .filter_map(|word| text.find(word))
        .min();
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Versions {
        Title::parse(a).compare_versions(&Title::parse(b), &BTreeSet::new())
    }

    #[test]
    fn spelling_is_nothing() {
        assert_eq!(normalise("The Sígur-Rós"), "sigur ros");
        assert_eq!(normalise("  Don’t Stop!  "), "dont stop");
        assert_eq!(normalise("Simon & Garfunkel"), "simon and garfunkel");
        assert_eq!(normalise("!!!"), "!!!");
        assert_eq!(normalise("A"), "a");
        assert!(artist_similarity("Beatles", "The Beatles") > 0.99);
        assert!(artist_similarity("Queen feat. David Bowie", "Queen & David Bowie") > 0.8);
        assert!(artist_similarity("Genesis", "The Smiths") < 0.7);
    }

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(
            compare("Roxanne", "Roxanne (live at Hammersmith)"),
            Versions::Different
        );
        assert_eq!(compare("Roxanne - Live", "Roxanne [Live]"), Versions::Same);
        assert_eq!(
            compare("Roxanne (2003 Remaster)", "Roxanne"),
            Versions::Unclear
        );
        assert_eq!(compare("Roxanne (feat. X)", "Roxanne"), Versions::Same);
        assert_eq!(
            compare("Roxanne (karaoke)", "Roxanne (instrumental)"),
            Versions::Different
        );
        assert_eq!(
            compare("Live and Let Die", "Live and Let Die"),
            Versions::Same
        );
        assert_eq!(
            compare("Live Forever", "Live Forever (demo)"),
            Versions::Different
        );
        let live = versions_of_album("Live at Leeds");
        let plain = Title::parse("Magic Bus");
        let other = Title::parse("Magic Bus").with_remark("live, 1970-02-14: Leeds");
        assert_eq!(plain.compare_versions(&other, &live), Versions::Same);
        assert_eq!(other.compare_versions(&plain, &live), Versions::Different);
        assert_eq!(
            plain.compare_versions(&other, &BTreeSet::new()),
            Versions::Different
        );
    }

    #[test]
    fn a_bracket_that_is_no_version_belongs_to_the_name() {
        let title = Title::parse("(I Can't Get No) Satisfaction");
        assert_eq!(title.name, "i cant get no satisfaction");
        assert!(title.versions.is_empty());
        assert_eq!(Title::parse("Demo").name, "demo");
    }

    #[test]
    fn other_numbers_are_other_names() {
        let alike = |a: &str, b: &str| title_similarity(&Title::parse(a), &Title::parse(b));
        assert!(
            alike(
                "Another Brick in the Wall, Part 1",
                "Another Brick in the Wall, Part 2"
            ) < 0.7
        );
        assert!(alike("Symphony IV", "Symphony V") < 0.7);
        assert!(alike("Another Brick in the Wall", "Another Brik in the Wall") > 0.9);
        assert!(alike("Help!", "Helpless") < 0.9);
    }
}
