//! Names that a field, a shelf or two scripts have cut apart.

use std::borrow::Cow;

/// What may be heard with a song and is nobody: it makes another version of it.
pub(super) const HEARD: [&str; 11] = [
    "dialogue",
    "dialog",
    "commentary",
    "vocals",
    "vocal",
    "narration",
    "intro",
    "outro",
    "applause",
    "rain",
    "strings",
];

/// Letters that fields of the first ID3 tags hold; spaces at the end are not kept.
const FIRST_FIELD: usize = 30;

/// What such a field holds of `name`, if that is more; `None` for names that fit into it.
fn of_first_field(name: &str) -> Option<String> {
    (name.chars().count() > FIRST_FIELD).then(|| {
        let cut: String = name.chars().take(FIRST_FIELD).collect();
        cut.trim_end().to_owned()
    })
}

/// Whether `ours` is what a field of thirty letters holds of `theirs`.
pub fn is_cut(ours: &str, theirs: &str) -> bool {
    let cut = of_first_field(theirs);
    cut.is_some_and(|cut| cut.to_lowercase() == ours.trim().to_lowercase())
}

/// A name without the word that such a field has cut, if it is so long; of a space behind it nothing is kept.
pub fn uncut(name: &str) -> &str {
    let before = name.trim_end().rsplit_once(' ');
    before
        .filter(|_| (FIRST_FIELD - 1..=FIRST_FIELD).contains(&name.chars().count()))
        .map_or(name, |(before, _)| before)
}

/// A name whose article stands behind its comma, as lists have it, with the article in front: `Ballad of Lucy Gray, The`.
pub fn with_article_in_front(name: &str) -> Cow<'_, str> {
    const ARTICLES: [&str; 13] = [
        "the", "a", "an", "der", "die", "das", "le", "la", "les", "los", "las", "el", "il",
    ];
    let behind = name.trim_end().rsplit_once(", ");
    let behind = behind.filter(|(_, last)| ARTICLES.contains(&last.to_lowercase().as_str()));
    match behind {
        Some((name, article)) => Cow::Owned(format!("{article} {}", name.trim_start())),
        None => Cow::Borrowed(name),
    }
}

/// Parts of words in other letters that say of which version a song is: they are no other half of its title.
const OF_VERSIONS: [&str; 19] = [
    "バージョン",
    "ヴァージョン",
    "ミックス",
    "カラオケ",
    "ライブ",
    "ライヴ",
    "インスト",
    "版",
    "伴奏",
    "现场",
    "現場",
    "버전",
    "라이브",
    "반주",
    "верси",
    "концерт",
    "ремикс",
    "инструментал",
    "кавер",
];

/// The two halves of a name that is written in Latin letters and in others, as `Spring Letter (봄날의 편지)`; the Latin one
/// first. `None` where they alternate, or where one is no more than a letter or two.
pub fn both_scripts(name: &str) -> Option<(String, String)> {
    if name.is_ascii() {
        return None;
    }
    let is_latin = |c: char| u32::from(c) < 0x250;
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    let mut halves: Vec<(bool, String)> = Vec::new();
    for word in name.split_whitespace() {
        let of_word = word.chars().find(|c| c.is_alphabetic()).map(is_latin);
        let is_mixed = word
            .chars()
            .filter(|c| c.is_alphabetic())
            .map(is_latin)
            .any(|latin| Some(latin) != of_word);
        if is_mixed {
            return None;
        }
        match (halves.last_mut(), of_word) {
            (Some((latin, half)), of_word) if of_word.is_none_or(|word| word == *latin) => {
                half.push(' ');
                half.push_str(word);
            }
            (_, Some(of_word)) => halves.push((of_word, word.to_owned())),
            (None, None) => return None,
            (Some(_), None) => {}
        }
    }
    if OF_VERSIONS.iter().any(|word| name.contains(word)) {
        return None;
    }
    let [one, other] = <[_; 2]>::try_from(halves).ok()?;
    let (latin, foreign) = if one.0 {
        (one.1, other.1)
    } else {
        (other.1, one.1)
    };
    let bare = |half: String| half.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    (letters(&latin) > 2 && letters(&foreign) > 1).then(|| (bare(latin), bare(foreign)))
}

/// A title whose aside stands between dashes, as on sleeves from Japan, with brackets: `X -Solo Ver.-`.
pub(super) fn with_brackets(text: &str) -> String {
    let halves = text.trim_end().strip_suffix('-');
    let halves = halves.and_then(|text| text.rsplit_once(" -"));
    match halves.filter(|(_, aside)| aside.starts_with(|c: char| !c.is_whitespace())) {
        Some((name, aside)) => format!("{name} ({aside})"),
        None => text.to_owned(),
    }
}

/// A name, and who takes part by its own words.
pub(super) fn without_guests(text: &str) -> (&str, &str) {
    let lower = text.to_ascii_lowercase();
    let words = [
        " feat. ",
        " feat ",
        " ft. ",
        " ft ",
        " featuring ",
        " w/ ",
        " prod. ",
        " prod ",
        " prod by ",
    ];
    let found = words
        .iter()
        .filter_map(|word| Some((lower.find(word)?, word.len())))
        .min();
    found.map_or((text, ""), |(at, length)| {
        // Who produced it is not heard.
        let is_heard = !lower[at..].starts_with(" prod");
        (
            &text[..at],
            if is_heard { &text[at + length..] } else { "" },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_in_two_scripts_are_told_apart() {
        let halves = |name| both_scripts(name);
        let both = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        assert_eq!(
            halves("Spring Letter (봄날의 편지)"),
            both("Spring Letter", "봄날의 편지")
        );
        assert_eq!(
            halves("봄날의 편지 (Spring Letter)"),
            both("Spring Letter", "봄날의 편지")
        );
        assert_eq!(halves("HARAM 하람"), both("HARAM", "하람"));
        for name in [
            "Spring Letter",
            "Белая река",
            "Love ドッきゅん Love",
            "夜の E",
            "Glass (日本語バージョン)",
            "ドッKiss",
            "",
            "1 (2)",
        ] {
            assert_eq!(halves(name), None, "{name}");
        }
    }

    #[test]
    fn a_field_of_thirty_letters_cuts_what_is_longer() {
        assert!(is_cut(
            "The Man Who Walked Along the R",
            "The Man Who Walked Along the Railway to the Sea"
        ));
        assert!(!is_cut(
            "The Man Who Walked",
            "The Man Who Walked Along the Railway to the Sea"
        ));
        assert!(!is_cut("Harbour", "Harbour"));
    }
}
