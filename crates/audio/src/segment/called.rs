//! Whether a file is called one song, by its tags or its name.
//!
//! A song may stop and go on, and by ear such a rest is a gap like that between two songs. Who gives a file of a few minutes
//! a title and an artist of its own, or the number of a track, says that it is one.

use super::{Clues, begins_with_track_number};
use crate::tags::Tags;

/// A numbered or titled file shorter than this is a song, in seconds: a side of a record or a tape is longer. A guess.
const NUMBERED_SECONDS: f64 = 12.0 * 60.0;

/// `Artist - Title` may as well be `Artist - Album`, but no album is shorter than this, in seconds. A guess.
const NAMED_SECONDS: f64 = 6.0 * 60.0;

/// Words for what holds several songs.
const OF_SEVERAL: [&str; 40] = [
    "album",
    "albums",
    "bootleg",
    "cassette",
    "cd",
    "compilation",
    "concert",
    "demo",
    "demos",
    "disc",
    "disk",
    "dj",
    "ep",
    "face",
    "hits",
    "interview",
    "kassette",
    "lp",
    "medley",
    "megamix",
    "mix",
    "mixtape",
    "parts",
    "podcast",
    "radio",
    "recital",
    "recording",
    "rip",
    "sampler",
    "seite",
    "session",
    "sessions",
    "set",
    "show",
    "side",
    "sides",
    "singles",
    "suite",
    "tape",
    "vinyl",
];

fn is_of_several(words: &str) -> bool {
    words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| OF_SEVERAL.contains(&word.to_lowercase().as_str()))
}

impl<'a> Clues<'a> {
    /// What a file's name without its extension, the number of files in its folder and its tags tell.
    pub fn of(name: &'a str, neighbours: usize, tags: &'a Tags) -> Self {
        Self {
            name,
            neighbours,
            track: tags.track,
            track_total: tags.track_total,
            title: tags.title.as_deref(),
            artist: tags.artist.as_deref(),
            album: tags.album.as_deref(),
        }
    }

    /// Whether a file of this length is called one song.
    pub(super) fn call_it_a_song(&self, seconds: f64) -> bool {
        let said =
            |words: Option<&str>| words.map(str::trim).is_some_and(|words| !words.is_empty());
        let names_several = [Some(self.name), self.title]
            .into_iter()
            .flatten()
            .any(is_of_several);
        if names_several || seconds >= NUMBERED_SECONDS {
            return false;
        }
        let is_the_album = said(self.title) && self.title == self.album;
        let is_titled = said(self.title) && said(self.artist) && !is_the_album;
        let is_track = said(self.title) && self.track.is_some() && self.track_total != Some(1);
        let is_named = self.name.contains(" - ") && seconds < NAMED_SECONDS;
        is_titled || is_track || begins_with_track_number(self.name) || is_named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_song_is_told_from_a_side() {
        let named = |name| Clues {
            name,
            ..Clues::default()
        };
        let titled = |title, album| Clues {
            name: "a",
            title: Some(title),
            artist: Some("Mira Lund"),
            album,
            ..Clues::default()
        };
        let songs = [
            named("Mira Lund - Harbor"),
            named("04 Harbor"),
            titled("Harbor", None),
            titled("Harbor", Some("Papers")),
            Clues {
                track: Some(4),
                track_total: Some(10),
                title: Some("Harbor"),
                ..named("x")
            },
        ];
        for clues in songs {
            assert!(clues.call_it_a_song(100.0), "{clues:?}");
            assert!(!clues.call_it_a_song(1500.0), "{clues:?}");
        }
        let others = [
            named("rip"),
            named("Papers"),
            named("03 cassette"),
            named("Mira Lund - Side A"),
            titled("Papers", Some("Papers")),
            titled("Papers (Full Album)", None),
            Clues {
                title: Some("Papers"),
                ..named("x")
            },
            Clues {
                track: Some(1),
                track_total: Some(1),
                title: Some("Papers"),
                ..named("x")
            },
        ];
        for clues in others {
            assert!(!clues.call_it_a_song(100.0), "{clues:?}");
        }
        assert!(!named("Mira Lund - Papers").call_it_a_song(400.0));
    }
}
