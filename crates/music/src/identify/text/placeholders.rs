//! Titles that programs write where they know none.

use crate::identify::text::versions::TRACK;
use crate::identify::text::words;

/// Whether a title is what programs write that know none, such as `Track 01`.
pub fn is_placeholder(title: &str) -> bool {
    let words = words(title);
    let is_number = |word: &String| word.chars().all(|c| c.is_ascii_digit());
    match words.as_slice() {
        [] => true,
        [only] => {
            is_number(only)
                || matches!(
                    only.as_str(),
                    "untitled" | "unknown" | "track" | "audiotrack"
                )
        }
        [first, second] => {
            TRACK.contains(&first.as_str()) && is_number(second)
                || (first == "unknown" && second == "title")
        }
        [first, second, third] => first == "audio" && second == "track" && is_number(third),
        _ => false,
    }
}

/// Whether a title that is nothing but a number may be a song's all the same: `1979`, and `22` as the third track.
pub fn is_number_of_its_own(title: &str, track: Option<u32>) -> bool {
    let number: Option<u32> = title.trim().parse().ok();
    number.is_some_and(|number| match track {
        // `102` is the second track of the first disc.
        Some(track) => number % 100 != track,
        None => number >= 1_000,
    })
}

/// Whether a title that programs write may be a song's where the tags name its artist, and nothing that it could be a
/// number of: `33`, `Untitled 2`. With a zero in front it is one all the same.
pub fn is_perhaps_meant(title: &str) -> bool {
    let words = words(title);
    let is_number =
        |word: &String| word.bytes().all(|c| c.is_ascii_digit()) && !word.starts_with('0');
    match words.as_slice() {
        [only] => is_number(only),
        [first, second] => first == "untitled" && is_number(second),
        _ => false,
    }
}
