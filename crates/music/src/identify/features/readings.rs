//! Ways to read tags that hold more than a title and an artist.

use crate::identify::text::{Title, is_nobody, normalise, plain_signs};
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

/// Ways to read title and artist, as they stand first.
pub fn readings(heard: &Heard) -> Vec<Reading> {
    let Some(title) = heard.title.as_deref() else {
        return Vec::new();
    };
    let artist = heard.artist.clone().filter(|artist| !is_nobody(artist));
    let title = plain_signs(&title.replace('_', " ").replace(" ~ ", " - "));
    let title = without_quality(without_extension(&title));
    let mut readings = vec![Reading {
        title: Title::parse(title),
        artist: artist.clone(),
        is_plain: true,
    }];
    let mut other = |title: &str, artist: Option<String>| {
        readings.push(Reading {
            title: Title::parse(title),
            artist,
            is_plain: false,
        });
    };
    let bare = without_number(title);
    if bare != title {
        other(bare, artist.clone());
    }
    if let Some((before, after)) = split(bare) {
        // `Artist - Title`, with the artist in its own field or without.
        other(after, Some(before.to_owned()));
        other(before, Some(after.to_owned()));
    }
    if let Some(artist) = &artist {
        if let Some(bare) = without_artist(bare, artist) {
            other(bare, Some(artist.clone()));
        }
        other(artist, Some(title.to_owned()));
    }
    readings
}

/// The two names that a title holds, one of them the artist's: `Artist - Title`, and `Artist / Title` of compilations.
pub fn split(title: &str) -> Option<(&str, &str)> {
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
    let behind = title.rsplit_once(' ');
    behind
        .filter(|(_, word)| QUALITIES.contains(&word.to_ascii_lowercase().as_str()))
        .map_or(title, |(title, _)| title.trim_end())
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
