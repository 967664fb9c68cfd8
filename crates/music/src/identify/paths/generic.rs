//! Names of folders and albums that are no album's.

use crate::identify::text::normalise;

/// Folders that say where files came from and not who made them.
const GENERIC: [&str; 30] = [
    "music",
    "vinyl",
    "records",
    "tapes",
    "cassettes",
    "musik",
    "musique",
    "musica",
    "audio",
    "mp3",
    "flac",
    "ogg",
    "wav",
    "downloads",
    "download",
    "unsorted",
    "new",
    "misc",
    "loose",
    "various",
    "singles",
    "albums",
    "library",
    "media",
    "itunes",
    "collection",
    "tracks",
    "songs",
    "lossless",
    "rips",
];

/// Whether a folder or an album is called as people call what is of no album: `Singles`, `Misc 2`.
pub(crate) fn is_generic(name: &str) -> bool {
    let name = normalise(name);
    GENERIC.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' '))
}

/// Whether an album is called as collections are: `The Very Best of X`, `Greatest Hits`, `My Mix 2007`.
pub(crate) fn is_collection(name: &str) -> bool {
    const WORDS: [&str; 20] = [
        "best",
        "hits",
        "hit",
        "greatest",
        "grandes",
        "exitos",
        "collection",
        "anthology",
        "essential",
        "complete",
        "favourites",
        "favorites",
        "favs",
        "playlist",
        "compilation",
        "charts",
        "top",
        "mixtape",
        "sampler",
        "succes",
    ];
    // Of what others made of the songs there are collections, too.
    const OTHERS: [&str; 10] = [
        "tribute",
        "karaoke",
        "live",
        "covers",
        "cover",
        "instrumental",
        "instrumentals",
        "remixes",
        "style",
        "lullaby",
    ];
    let name = normalise(name);
    if name.split(' ').any(|word| OTHERS.contains(&word)) {
        return false;
    }
    let mut words = name.split(' ');
    name.starts_with("my ") || words.any(|word| WORDS.contains(&word))
}
