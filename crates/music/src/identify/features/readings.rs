//! Ways to read tags that hold more than a title and an artist.

use crate::identify::text::{Title, both_scripts, is_nobody, is_version, normalise, plain_signs};
use crate::library::values::Heard;

/// A way to read the tags.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The title.
    pub title: Title,
    /// The artist, unless it is what people write for many or for nobody.
    pub artist: Option<String>,
    /// Whether this is what the tags say as they stand.
    pub is_plain: bool,
}

/// A way to read the tags, in their own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The title.
    pub title: String,
    /// The artist, unless it is what people write for many or for nobody.
    pub artist: Option<String>,
    /// Whether this is what the tags say as they stand.
    pub is_plain: bool,
}

/// Ways to read title and artist, as they stand first.
pub fn readings(heard: &Heard) -> Vec<Reading> {
    let reading = |way: Way| Reading {
        title: Title::parse(&way.title),
        artist: way.artist,
        is_plain: way.is_plain,
    };
    ways(heard).into_iter().map(reading).collect()
}

/// The same in words that can be asked for.
pub fn ways(heard: &Heard) -> Vec<Way> {
    let Some(title) = heard.title.as_deref() else {
        return Vec::new();
    };
    let artist = heard.artist.clone().filter(|artist| !is_nobody(artist));
    let mut title = plain_signs(&title.replace('_', " "));
    for sign in [" ~ ", " || ", " | ", " \u{2022} ", " \u{b7} "] {
        title = title.replace(sign, " - ");
    }
    let title = without_quality(without_extension(&title));
    let way = |title: &str, artist: Option<String>, is_plain: bool| Way {
        title: title.to_owned(),
        artist,
        is_plain,
    };
    let mut ways = vec![way(title, artist.clone(), true)];
    if let Some((one, other)) = both_scripts(title) {
        // Either half is the title.
        ways.push(way(&one, artist.clone(), true));
        ways.push(way(&other, artist.clone(), true));
    }
    let mut other = |title: &str, artist: Option<String>| ways.push(way(title, artist, false));
    let bare = without_number(without_key_and_tempo(title));
    if bare != title {
        other(bare, artist.clone());
    }
    if let Some((before, after)) = split(bare) {
        // `Artist - Title`, with the artist in its own field or without.
        other(after, Some(before.to_owned()));
        other(before, Some(after.to_owned()));
    }
    if let Some(artist) = &artist {
        let numbered = without_number(artist);
        if numbered != artist {
            other(bare, Some(numbered.to_owned()));
        }
        if let Some(bare) = without_artist(bare, artist) {
            other(bare, Some(artist.clone()));
        }
        other(artist, Some(title.to_owned()));
    } else {
        if let Some((title, artist)) = with_artist_in_brackets(bare) {
            other(title, Some(artist.to_owned()));
        }
        if let Some((artist, title)) = bare.split_once(": ") {
            other(title, Some(artist.to_owned()));
        }
    }
    if let Some((before, title)) = in_quotes(bare) {
        other(title, Some(before.to_owned()));
    }
    ways
}

/// The artist and the title of `Artist "Title" and more`.
fn in_quotes(title: &str) -> Option<(&str, &str)> {
    let (before, behind) = title.split_once(" \"")?;
    let (inside, _) = behind.split_once('"')?;
    (!before.trim().is_empty() && !inside.trim().is_empty()).then_some((before, inside))
}

/// A title with its artist behind it in brackets, as on samplers: `Angel of the Night (Jorun Vorlind)`.
fn with_artist_in_brackets(title: &str) -> Option<(&str, &str)> {
    let (title, artist) = title.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    let is_name = artist.starts_with(char::is_uppercase) && !is_version(artist);
    is_name.then_some((title, artist))
}

/// A title without the key and the tempo that disc jockeys write before or behind it: `8A - 126 - X`, `X (8A, 126 BPM)`.
fn without_key_and_tempo(title: &str) -> &str {
    let is_key = |word: &str| {
        let bare = word.trim_end_matches(['A', 'B', 'm', 'a', 'b']);
        let is_wheel =
            !bare.is_empty() && bare.len() < word.len() && bare.bytes().all(|c| c.is_ascii_digit());
        let is_letter = word.len() <= 3
            && word.starts_with(|c| ('A'..='G').contains(&c))
            && word[1..].chars().all(|c| "#bm".contains(c));
        is_wheel && bare.len() <= 2 || is_letter
    };
    let is_tempo = |word: &str| {
        let number: Option<f32> = word.parse().ok();
        number.is_some_and(|bpm| (50.0..=220.0).contains(&bpm))
    };
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| c.is_whitespace() || "-,/|()[]".contains(c));
        let words = words.filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("bpm"));
        words.map(str::to_owned).collect()
    };
    // A key alone may be a name; with a tempo it is none.
    let is_both = |text: &str| {
        let words = words(text);
        let tempos = words.iter().filter(|word| is_tempo(word)).count();
        let keys = words.iter().filter(|word| is_key(word)).count();
        let is_told = keys > 0 || text.to_ascii_lowercase().contains("bpm");
        tempos == 1 && is_told && tempos + keys == words.len()
    };
    let mut at = title
        .match_indices(" - ")
        .map(|(at, sign)| (at, at + sign.len()));
    let before = at
        .find(|(at, _)| is_both(&title[..*at]))
        .map(|(_, from)| &title[from..]);
    if let Some(bare) = before {
        return bare;
    }
    let signs = [" - ", " (", " ["].into_iter();
    let ends = signs.flat_map(|sign| title.match_indices(sign));
    let mut ends: Vec<usize> = ends.map(|(at, _)| at).collect();
    ends.sort_unstable();
    let end = ends.into_iter().find(|at| is_both(&title[*at..]));
    end.map_or(title, |end| &title[..end])
}

/// The two names that a title holds, one of them the artist's: `Artist - Title`, and `Artist / Title` of compilations.
fn split(title: &str) -> Option<(&str, &str)> {
    title.split_once(" - ").or_else(|| title.split_once(" / "))
}

/// A title without its artist: `Artist: X`, `X by Artist`; ` - ` is read in either way.
fn without_artist<'a>(title: &'a str, artist: &str) -> Option<&'a str> {
    let is_it = |name: &str| normalise(name) == normalise(artist);
    let before = title.split_once(": ").filter(|(name, _)| is_it(name));
    let behind = title.rsplit_once(" by ").filter(|(_, name)| is_it(name));
    before
        .map(|(_, bare)| bare)
        .or(behind.map(|(bare, _)| bare))
}

fn without_extension(title: &str) -> &str {
    let ends = [".mp3", ".flac", ".ogg", ".m4a", ".wav", ".opus", ".wma"];
    let lower = title.to_ascii_lowercase();
    let end = ends.iter().find(|end| lower.ends_with(**end));
    end.map_or(title, |end| &title[..title.len() - end.len()])
}

/// A title without what sites write of their picture behind it: `X (Lyrics) HQ`, `X 1080p`.
fn without_quality(title: &str) -> &str {
    const QUALITIES: [&str; 7] = ["hq", "hd", "uhd", "4k", "480p", "720p", "1080p"];
    let mut title = title;
    while let Some((before, word)) = title.rsplit_once(' ')
        && QUALITIES.contains(&word.to_ascii_lowercase().as_str())
    {
        title = before.trim_end();
    }
    title
}

/// A title without the number of a track before it: `01 - X`, `01. X`, `01 X`, and `A1 X` on a record.
fn without_number(title: &str) -> &str {
    let of_side = title.strip_prefix(|c| ('A'..='H').contains(&c));
    if let Some((number, bare)) = of_side.and_then(|of_side| of_side.split_once(' ')) {
        let number = number.trim_end_matches(['.', '-', ')']);
        let is_number = number.chars().all(|c| c.is_ascii_digit());
        if is_number && (1..=2).contains(&number.len()) {
            return bare.trim_start_matches(|c: char| " -._)".contains(c));
        }
    }
    let digits = title.len() - title.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !(1..=3).contains(&digits) {
        return title;
    }
    let rest = &title[digits..];
    let bare = rest.trim_start_matches(|c: char| " -._)".contains(c));
    // `7 Seconds` may be all there is to it; `07 Seconds` is not written so.
    let is_number = bare.len() < rest.len()
        && (title.starts_with('0') || !rest.starts_with(' ') || rest.starts_with(" -"));
    if is_number && !bare.is_empty() {
        bare
    } else {
        title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_holds_its_artist_is_read_without() {
        for title in [
            "Harbor by The Falls",
            "The Falls: Harbor",
            "The Falls – Harbor",
        ] {
            let heard = Heard {
                title: Some(title.to_owned()),
                artist: Some("The Falls".to_owned()),
                ..Heard::default()
            };
            let names = readings(&heard).into_iter().map(|one| one.title.name);
            assert!(names.into_iter().any(|name| name == "harbor"), "{title}");
        }
    }

    #[test]
    fn keys_and_tempos_of_disc_jockeys_are_read_away() {
        for (title, bare) in [
            ("8A - 126 - Breaking Alone", "Breaking Alone"),
            ("Breaking Alone (8A, 126 BPM)", "Breaking Alone"),
            ("Breaking Alone [Am - 126.5]", "Breaking Alone"),
            ("126 BPM - Breaking Alone", "Breaking Alone"),
            ("Breaking Alone - 8A - 126", "Breaking Alone"),
            ("Artist - 99", "Artist - 99"),
            ("A - B - C", "A - B - C"),
            ("Route 66 (A)", "Route 66 (A)"),
            ("1979 - Am", "1979 - Am"),
            ("", ""),
        ] {
            assert_eq!(without_key_and_tempo(title), bare, "{title}");
        }
    }

    #[test]
    fn places_on_a_record_and_numbers_of_tracks_are_read_away() {
        for (title, bare) in [
            ("01 - Harbour", "Harbour"),
            ("A4 Sailor in Memphis", "Sailor in Memphis"),
            ("B1. Harbour", "Harbour"),
            ("7 Seconds", "7 Seconds"),
            ("Alpha 5 Centauri", "Alpha 5 Centauri"),
            ("Белая река", "Белая река"),
            ("É 1", "É 1"),
            ("", ""),
        ] {
            assert_eq!(without_number(title), bare, "{title}");
        }
    }
}
