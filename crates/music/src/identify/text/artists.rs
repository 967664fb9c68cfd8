//! Names of artists, and how those of a file relate to those of a catalogue.

use std::collections::BTreeSet;

use crate::identify::text::{Likeness, both_scripts, is_cut, likeness, normalise};

/// How two artists relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Artists {
    /// Different.
    Different,
    /// A letter differs.
    Misspelt,
    /// They share one of several.
    Shared,
    /// The same.
    Same,
}

/// How the artist that tags name relates to names that a catalogue has for another.
pub fn artists<'a>(ours: &str, theirs: impl Iterator<Item = &'a str>) -> Artists {
    theirs
        .map(|theirs| artist(ours, theirs))
        .max()
        .unwrap_or(Artists::Different)
}

fn artist(ours: &str, theirs: &str) -> Artists {
    let ours = without_count(ours);
    let (a, b) = (normalise(ours), normalise(theirs));
    if a == b || sorted(&a) == sorted(&b) {
        return Artists::Same;
    }
    let (several, of_theirs) = (members(ours), members(theirs));
    let all: BTreeSet<_> = several.iter().map(|one| sorted(one)).collect();
    let all_theirs: BTreeSet<_> = of_theirs.iter().map(|one| sorted(one)).collect();
    // `A/B` is two, or one whom the catalogue has so.
    let apart = |name: &str| -> BTreeSet<_> {
        let members = members(&name.replace('/', " / "));
        members.iter().map(|one| sorted(one)).collect()
    };
    if all == all_theirs || apart(ours) == apart(theirs) {
        return Artists::Same;
    }
    if all.intersection(&all_theirs).next().is_some() || is_led(&a, &b) || is_led(&b, &a) {
        return Artists::Shared;
    }
    if is_cut(ours, theirs) {
        return Artists::Same;
    }
    if let Some((one, other)) = both_scripts(ours) {
        return artist(&one, theirs).max(artist(&other, theirs));
    }
    match likeness(&a, &b) {
        Likeness::Same => Artists::Same,
        Likeness::Misspelt => Artists::Misspelt,
        Likeness::Longer | Likeness::Different => Artists::Different,
    }
}

/// Words for a group that is called after who leads it.
const GROUPS: [&str; 32] = [
    "and",
    "his",
    "her",
    "their",
    "the",
    "orchestra",
    "orchester",
    "orquesta",
    "orchestre",
    "trio",
    "quartet",
    "quartett",
    "quartetto",
    "cuarteto",
    "quintet",
    "quintett",
    "quintetto",
    "sextet",
    "sextett",
    "septet",
    "octet",
    "nonet",
    "ensemble",
    "group",
    "band",
    "big",
    "combo",
    "all",
    "stars",
    "allstars",
    "players",
    "singers",
];

/// Whether `group` is `leader` and what a group is called: `Lou Farrant`, and the `Lou Farrant Quintet`.
fn is_led(leader: &str, group: &str) -> bool {
    let more = group
        .strip_prefix(leader)
        .filter(|more| more.starts_with(' '));
    // One word may be anybody's.
    leader.contains(' ')
        && more.is_some_and(|more| more.split_whitespace().all(|word| GROUPS.contains(&word)))
}

/// A name without the number by which a catalogue tells artists of one name apart: `Ravens (2)`.
fn without_count(name: &str) -> &str {
    let counted = name.trim_end().strip_suffix(')');
    let counted = counted.and_then(|name| name.rsplit_once(" ("));
    counted
        .filter(|(_, count)| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit()))
        .map_or(name, |(name, _)| name)
}

/// The words of a name in the order of the alphabet: `Last, First` is `First Last`.
fn sorted(name: &str) -> String {
    let mut words: Vec<_> = name.split(' ').filter(|word| *word != "the").collect();
    words.sort_unstable();
    words.join(" ")
}

/// Each of several artists, normalised.
pub fn members(text: &str) -> Vec<String> {
    let mut rest = format!(" {} ", text.replace(['(', ')', '[', ']'], " "));
    // `X feat.Y`.
    for word in [" feat.", " ft."] {
        rest = replace_ignoring_case(&rest, word, &format!("{word} "));
    }
    for join in [
        " feat. ",
        " feat ",
        " ft. ",
        " ft ",
        " featuring ",
        " with ",
        " & ",
        " and ",
        " vs. ",
        " vs ",
        " versus ",
        " pres. ",
        " pres ",
        " presents ",
        " meets ",
        " x ",
        " / ",
        ";",
        ", ",
        " + ",
        " y ",
        " et ",
        " und ",
    ] {
        rest = replace_ignoring_case(&rest, join, "\n");
    }
    let mut members: Vec<_> = rest
        .split('\n')
        .map(normalise)
        // `Brothers, The`.
        .filter(|name| !name.is_empty() && name != "the")
        .collect();
    members.dedup();
    members
}

fn replace_ignoring_case(text: &str, what: &str, with: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(what) {
        out.push_str(&text[from..from + at]);
        out.push_str(with);
        from += at + what.len();
    }
    out.push_str(&text[from..]);
    out
}

/// Who plays with whom, by a file and by a catalogue that have somebody in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Company {
    /// The same people, as far as each of them tells.
    Same,
    /// The file names somebody more.
    More,
    /// The catalogue names somebody more.
    Fewer,
    /// Each names somebody whom the other does not: another guest, another orchestra under another conductor.
    Others,
}

/// Whom a file names, one by one and normalised, against those whom a catalogue credits, each by all of their names.
///
/// Composers are no company: every performance of a work has them. Orchestras and choirs are called differently in every
/// language, so where anybody who performs is named by both, only people are compared beyond that: conductors and soloists.
pub fn company(ours: &[String], theirs: &[Vec<String>], composers: &[String]) -> Company {
    let is_composer = |name: &String| composers.iter().any(|one| is_part(one, name));
    let ours: Vec<_> = ours.iter().filter(|name| !is_composer(name)).collect();
    let theirs: Vec<_> = theirs
        .iter()
        .filter(|names| !names.iter().any(is_composer))
        .collect();
    let is_named = |name: &str, names: &[String]| names.iter().any(|one| is_part(one, name));
    let more: Vec<_> = ours
        .iter()
        .filter(|name| !theirs.iter().any(|names| is_named(name, names)))
        .collect();
    let fewer: Vec<_> = theirs
        .iter()
        .filter(|names| !ours.iter().any(|name| is_named(name, names)))
        .collect();
    let have_in_common = more.len() < ours.len();
    let are_people = more.iter().any(|name| !is_ensemble(name))
        && fewer
            .iter()
            .any(|names| !names.iter().any(|name| is_ensemble(name)));
    let are_ensembles = more.iter().all(|name| is_ensemble(name))
        && fewer
            .iter()
            .all(|names| names.iter().any(|name| is_ensemble(name)));
    match (more.len(), fewer.len()) {
        _ if ours.is_empty() || theirs.is_empty() => Company::Same,
        (0, 0) => Company::Same,
        (_, 0) => Company::More,
        (0, _) => Company::Fewer,
        _ if have_in_common && (!composers.is_empty() && !are_people || are_ensembles) => {
            Company::Same
        }
        _ => Company::Others,
    }
}

/// Beginnings of words that say that a name is one of many people who play or sing together, in several languages.
const ENSEMBLE: [&str; 20] = [
    "orchest",
    "orkest",
    "orquest",
    "philharm",
    "filharm",
    "symphon",
    "sinfon",
    "choir",
    "chor",
    "coro",
    "ensemble",
    "quartet",
    "quintet",
    "trio",
    "kapelle",
    "staatskapelle",
    "academy",
    "consort",
    "singers",
    "kammer",
];

/// Whether a normalised name is that of an orchestra, a choir or the like.
pub fn is_ensemble(name: &str) -> bool {
    let ends = ["chor", "kapelle", "orchester"];
    name.split(' ').any(|word| {
        let begins = ENSEMBLE.iter().any(|begin| word.starts_with(begin));
        begins || ends.iter().any(|end| word.ends_with(end))
    })
}

/// Whether all words of one name are in the other: `Bernstein` and `Leonard Bernstein`.
pub fn is_part(one: &str, other: &str) -> bool {
    let words = |name: &str| -> BTreeSet<String> {
        let words = name.split(' ').filter(|word| *word != "the");
        words.map(str::to_owned).collect()
    };
    // `ACDC` is `AC/DC`.
    let joined = |name: &str| name.replace(' ', "");
    if joined(one) == joined(other) {
        return true;
    }
    let (one, other) = (words(one), words(other));
    !one.is_empty() && !other.is_empty() && (one.is_subset(&other) || other.is_subset(&one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_compared_without_composers() {
        let of = |ours: &str, theirs: &str, composers: &str| {
            let theirs: Vec<_> = members(theirs).into_iter().map(|one| vec![one]).collect();
            company(&members(ours), &theirs, &members(composers))
        };
        for (ours, theirs, composers, company) in [
            ("Kara Moss", "Kara Moss feat. Lil Fern", "", Company::Fewer),
            ("Kara Moss & Lil Fern", "Kara Moss", "", Company::More),
            (
                "Kara Moss & Lil Fern",
                "Kara Moss ft. Old Oak",
                "",
                Company::Others,
            ),
            (
                "Lil Fern, Kara Moss",
                "Kara Moss feat. Lil Fern",
                "",
                Company::Same,
            ),
            (
                "Beethoven; New York Philharmonic, Leonard Bernstein",
                "Ludwig van Beethoven; Wiener Philharmoniker, Carlos Kleiber",
                "Ludwig van Beethoven",
                Company::Others,
            ),
            (
                "Berliner Philharmoniker; Claudio Abbado",
                "Ludwig van Beethoven; Berliner Philharmoniker, Herbert von Karajan",
                "Ludwig van Beethoven",
                Company::Others,
            ),
            (
                "Vienna Philharmonic, Kleiber",
                "Ludwig van Beethoven; Wiener Philharmoniker, Carlos Kleiber",
                "Ludwig van Beethoven",
                Company::Same,
            ),
            ("ACDC", "AC/DC", "", Company::Same),
            (
                "Ludwig van Beethoven",
                "Ludwig van Beethoven; Wiener Philharmoniker, Carlos Kleiber",
                "Ludwig van Beethoven",
                Company::Same,
            ),
        ] {
            assert_eq!(of(ours, theirs, composers), company, "{ours} | {theirs}");
        }
    }
}
