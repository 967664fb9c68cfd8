//! What names of files and folders say of a recording whose tags say nothing.
//!
//! `Artist/Album/01 Title`, `Artist - Album (2004) [FLAC]/03 - Artist - Title`: people write it in many ways, and as many
//! names of files mean nothing (`R3`, `03 cassette`). So what is read here is asked about and speaks for what is found under
//! that name; against anything else only another artist speaks, another album in the artist's own folder, and a word for a
//! version.

mod generic;
mod written;

use crate::identify::text::{
    Artists, artists, disc_of, is_nobody, is_placeholder, is_version, normalise, plain_signs,
    versions_of_folder, versions_of_stem,
};
use audio::tags::Tags;

use crate::library::due::Item;
use crate::library::values::{folder_of, name_of};

pub(crate) use generic::{is_collection, is_generic};
use written::{is_site, numbered, spaced, spaced_folder, without_id, without_noise};

/// What a path says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathNames {
    /// The title, of a file that holds one song.
    pub title: Option<String>,
    /// Who made it.
    pub artist: Option<String>,
    /// The album.
    pub album: Option<String>,
    /// Its number on the disc.
    pub track: Option<u32>,
    /// The year of its folder.
    pub year: Option<i32>,
    /// The folder names the artist, too.
    pub is_folder_of_artist: bool,
}

/// Words of file names that are no names: what somebody recorded, and from what.
const OF_MEDIA: [&str; 20] = [
    "side",
    "cassette",
    "tape",
    "track",
    "record",
    "recording",
    "lp",
    "vinyl",
    "cd",
    "disc",
    "rip",
    "audio",
    "untitled",
    "new",
    "file",
    "part",
    "take",
    "capture",
    "master",
    "unknown",
];

/// Takes in what the path of a file says, where its tags have no title; of a file that holds an album, where they have no
/// album.
pub fn hear(item: &mut Item) {
    let heard = &mut item.heard;
    name_of(folder_of(&item.path)).clone_into(&mut heard.folder);
    if heard.disc.is_none() {
        let in_album = heard.album.as_deref().and_then(disc_of);
        heard.disc = in_album.or_else(|| disc_of(&heard.folder));
    }
    let told = [heard.artist.as_deref(), heard.album.as_deref()];
    heard.said_versions = said_versions(&item.path, told, &item.tags);
    let is_untold = if item.alone {
        heard.title.is_none()
    } else {
        heard.album.is_none()
    };
    let is_marked = [&item.said.title, &item.said.album]
        .iter()
        .any(|(_, source)| *source == Some("marks"));
    if is_marked {
        return;
    }
    if !is_untold {
        // `La vedova (Teatro Ferro 1955)`: tags often have no year.
        let is_of_album = heard.album.as_deref().is_some_and(|album| {
            let album = normalise(album);
            !album.is_empty() && normalise(&heard.folder).contains(&album)
        });
        heard.year = heard
            .year
            .or(year_of(&heard.folder).filter(|_| is_of_album));
        hear_folder(item);
        return;
    }
    let names = read(&item.path, item.alone);
    // `Artist - Album/Track 01`: the album may tell.
    let is_told = names.title.is_some() || names.album.is_some();
    if !is_told {
        return;
    }
    heard.is_by_path = true;
    if item.alone {
        heard.title = names.title;
        heard.track = heard.track.or(names.track);
    }
    let artist = heard.artist.take().filter(|artist| !is_nobody(artist));
    heard.artist = artist.or(names.artist);
    heard.is_album_by_folder = heard.album.is_none() && names.is_folder_of_artist;
    heard.album = heard.album.take().or(names.album);
    heard.year = heard.year.or(names.year);
}

/// Of a song whose tags name no album, what its artist's own folder is called: `Artist - At the Apollo` is none of the
/// studio's albums.
fn hear_folder(item: &mut Item) {
    let heard = &mut item.heard;
    let (Some(ours), None) = (&heard.artist, &heard.album) else {
        return;
    };
    let folders = folders_of(&item.path);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let (Some(artist), Some(album)) = of_folders(&folders) else {
        return;
    };
    let is_of_artist = artists(ours, std::iter::once(artist.as_str())) == Artists::Same;
    let title = heard.title.as_deref().unwrap_or_default();
    // `Artist - Title` holds one song.
    if item.alone && is_of_artist && normalise(&album) != normalise(title) {
        heard.is_album_by_folder = true;
        heard.album = Some(album);
        heard.year = heard
            .year
            .or(folders.last().and_then(|folder| year_of(folder)));
    }
}

/// Versions that the names of the file and of the two folders around it tell of, and a subtitle, a genre and the album's
/// artist; what a folder is called after in the tags is told there.
fn said_versions(path: &str, told: [Option<&str>; 2], tags: &Tags) -> Vec<&'static str> {
    let title = tags.title.as_deref().filter(|title| !is_placeholder(title));
    let name = name_of(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let is_told = |folder: &&str| {
        let mut told = told.iter().flatten();
        told.any(|name| normalise(name) == normalise(folder))
    };
    let folders = folder_of(path).rsplit('/').take(2);
    // There is a genre that is called so, too, and most of it was never anything else.
    let is_genre = |name: &str| normalise(name).trim_end_matches('s') == "chiptune";
    let folders = folders.filter(|folder| !is_told(folder) && !is_genre(folder));
    let mut versions: Vec<_> = folders.flat_map(versions_of_folder).collect();
    versions.extend(versions_of_stem(stem, title));
    let fields = [&tags.subtitle, &tags.genre, &tags.album_artist];
    let fields = fields.into_iter().flatten();
    let fields = fields.filter(|text| !is_genre(text));
    versions.extend(fields.flat_map(|text| versions_of_folder(text)));
    // What the names in the tags say as well is compared there.
    let told: Vec<_> = told
        .iter()
        .flatten()
        .flat_map(|name| versions_of_folder(name))
        .collect();
    versions.retain(|version| !told.contains(version));
    versions.sort_unstable();
    versions.dedup();
    versions
}

impl PathNames {
    /// A number with what its folder is called; nothing where that says no more than the number.
    fn of_folder(self, (artist, album): (Option<String>, Option<String>)) -> Self {
        if artist.is_none() {
            return Self::default();
        }
        Self {
            artist,
            album,
            ..self
        }
    }
}

/// Reads a path of the library; `is_song`: the file holds one song, and not an album.
pub fn read(path: &str, is_song: bool) -> PathNames {
    let name = name_of(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let folders = folders_of(path);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let stem = plain_signs(
        &spaced(&without_noise(without_id(stem)), name_of(folder_of(path))).replace('_', " "),
    );
    let (number, rest) = numbered(&stem);
    let mut parts: Vec<&str> = rest
        .split(" - ")
        .map(str::trim)
        .filter(|part| !part.is_empty() && !is_site(part))
        .collect();
    let mut names = PathNames {
        track: number,
        ..PathNames::default()
    };
    names.track = names
        .track
        .or(take_numbers(&mut parts, is_song, number.is_some()));
    let of_folders = of_folders(&folders);
    names.year = folders.last().and_then(|folder| year_of(folder));
    names.is_folder_of_artist = of_folders.0.is_some();
    if !is_song && is_part_of_album(&stem) {
        return names.of_folder(of_folders);
    }
    let is_number = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let is_title = |(last, before): &(&&str, &[&str])| {
        is_name(last) || is_number(last) && (!before.is_empty() || of_folders.0.is_some())
    };
    let Some((last, before)) = parts.split_last().filter(is_title) else {
        // A number in a folder that has a name.
        let digits = stem.rsplit(|c: char| !c.is_ascii_digit()).next();
        names.track = names
            .track
            .or(digits.and_then(|digits| digits.parse().ok()));
        let is_track = is_song && names.track.is_some_and(|number| number < 100);
        return if is_track {
            names.of_folder(of_folders)
        } else {
            PathNames::default()
        };
    };
    names.artist = before
        .first()
        .map(|artist| (*artist).to_owned())
        .or(of_folders.0);
    if is_song {
        names.title = Some((*last).to_owned());
        names.album = match before {
            [_, album] => Some((*album).to_owned()),
            _ => of_folders.1,
        };
    } else {
        names.album = Some(bare(last));
        if before.is_empty() {
            // `Artist/Album.flac`.
            let artist = folders
                .last()
                .filter(|name| is_told(name) && !is_nobody(name));
            names.artist = artist.map(|name| name.replace('_', " "));
        }
    }
    names
}

/// Takes numbers of tracks out of a name's parts, `Artist - 03 - Title`; `Artist - 1979` and, behind a number, `99` are titles.
fn take_numbers(parts: &mut Vec<&str>, is_song: bool, is_numbered: bool) -> Option<u32> {
    let at_the_end = parts.len().saturating_sub(1);
    let mut at = 0;
    let mut track = None;
    parts.retain(|part| {
        let number: Option<u32> = part.parse().ok();
        let is_title = number.is_some_and(|number| number >= 100 || is_numbered);
        let is_kept = number.is_none() || is_song && at == at_the_end && is_title;
        at += 1;
        if !is_kept {
            track = track.or(number.filter(|number| *number < 100));
        }
        is_kept
    });
    track
}

/// Whether a file that holds several songs is called as a side or a disc of an album is: `Side A`, `CD 1`, `Disc Two - Side 2`.
fn is_part_of_album(stem: &str) -> bool {
    const PARTS: [&str; 9] = [
        "side", "seite", "face", "cara", "lado", "lato", "cd", "disc", "lp",
    ];
    let lower = stem.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let is_part = |word: &&str| {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        PARTS.contains(&bare)
            || word.chars().count() == 1
            || bare.is_empty()
            || ["one", "two", "three", "four", "vinyl"].contains(word)
    };
    words.iter().all(is_part)
        && words
            .iter()
            .any(|word| word.starts_with(char::is_alphabetic))
}

/// Whether a folder's name is one of people or records, as far as one can tell.
fn is_told(folder: &str) -> bool {
    let lower = folder.to_lowercase();
    (is_name(folder) || is_short_name(&lower)) && !is_generic(folder)
}

/// `U2`, `AC_DC`, `REM`: people have such names, and discs and sides others.
fn is_short_name(folder: &str) -> bool {
    const NUMBERED: [&str; 6] = ["cd", "d", "s", "lp", "side", "vol"];
    let is_counted =
        |word: &str| NUMBERED.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let mut words = folder.split(|c: char| !c.is_alphanumeric());
    words.any(|word| {
        word.chars().count() >= 2
            && word.contains(char::is_alphabetic)
            && !is_counted(word)
            && !OF_MEDIA.contains(&word)
    })
}

/// The folders around a file, the innermost last.
fn folders_of(path: &str) -> Vec<String> {
    let mut folders: Vec<String> = folder_of(path)
        .split('/')
        .filter(|name| !name.is_empty())
        .map(|name| spaced_folder(name).unwrap_or_else(|| name.to_owned()))
        .collect();
    // `CD1` is a part of what the folder around it is.
    if folders
        .last()
        .is_some_and(|last| disc_of(last).is_some() && !last.contains(" - "))
    {
        folders.pop();
    }
    folders
}

/// Artist and album by the folders around a file, the innermost last.
fn of_folders(folders: &[&str]) -> (Option<String>, Option<String>) {
    let Some((last, around)) = folders.split_last() else {
        return (None, None);
    };
    let plain = plain_signs(&last.replace('_', " "));
    let is_year = |part: &&str| {
        part.trim()
            .parse()
            .is_ok_and(|year: u32| (1900..2100).contains(&year))
    };
    let parts: Vec<&str> = plain.split(" - ").filter(|part| !is_year(part)).collect();
    match parts.as_slice() {
        [artist, album, ..] if is_told(artist) => (
            Some((*artist).trim().to_owned()),
            Some(bare(album)).filter(|album| is_name(album) && !is_generic(album)),
        ),
        [only] if is_told(only) => {
            let artist = around
                .last()
                .filter(|name| is_told(name) && !is_nobody(name));
            (
                artist.map(|name| name.replace('_', " ")),
                Some(bare(only)).filter(|album| is_name(album)),
            )
        }
        // `Artist/X/01 Title`: an album's name may be a letter, which by itself says nothing.
        [only] if only.trim().chars().count() <= 3 => {
            let artist = around
                .last()
                .filter(|name| is_told(name) && !is_nobody(name));
            (artist.map(|name| name.replace('_', " ")), None)
        }
        _ => (None, None),
    }
}

/// The year that a folder's name tells: `Red (2011)`, `2011 - Red`.
fn year_of(folder: &str) -> Option<i32> {
    let mut numbers = folder.split(|c: char| !c.is_ascii_digit());
    let year = numbers.find(|number| number.len() == 4)?.parse().ok()?;
    (1900..2100).contains(&year).then_some(year)
}

/// A name without what stands in brackets behind it, such as a year and a format, unless that is a version.
fn bare(name: &str) -> String {
    let end = name
        .find(['(', '[', '{'])
        .filter(|at| *at > 0)
        .unwrap_or(name.len());
    let (plain, asides) = name.split_at(end);
    let asides: Vec<_> = asides
        .split(['(', '[', '{', ')', ']', '}'])
        .filter(|aside| is_version(aside))
        .map(|aside| format!(" ({})", aside.trim()))
        .collect();
    format!("{}{}", plain.trim(), asides.concat())
}

/// Whether something is a name at all, and no number, code or medium.
fn is_name(text: &str) -> bool {
    if is_placeholder(text) {
        return false;
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut said = words.filter(|word| {
        let is_long = word.chars().filter(|c| c.is_alphabetic()).count() >= 3 || !word.is_ascii();
        is_long && !OF_MEDIA.contains(&word.to_lowercase().as_str())
    });
    said.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, is_song: bool) -> String {
        let names = read(path, is_song);
        let text = |name: Option<String>| name.unwrap_or_default();
        format!(
            "{}|{}|{}|{}",
            text(names.artist),
            text(names.album),
            names.track.unwrap_or(0),
            text(names.title)
        )
    }

    #[test]
    fn parts_of_names_are_told_apart_however_they_are_joined() {
        for (path, said) in [
            (
                "Gale_Ostrander-Saltworks-CD-FLAC-2004-GRP/01-gale_ostrander-harbor_light-grp.flac",
                "gale ostrander|Saltworks|1|harbor light",
            ),
            ("in/Gale Ostrander- Ember.mp3", "Gale Ostrander||0|Ember"),
            ("in/Gale Ostrander -Ember.mp3", "Gale Ostrander||0|Ember"),
            ("in/Gale.Ostrander-Ember.mp3", "Gale Ostrander||0|Ember"),
            ("in/05_Gale Ostrander_Ember.mp3", "Gale Ostrander||5|Ember"),
            (
                "y2mate.com - Gale Ostrander - Ember.mp3",
                "Gale Ostrander||0|Ember",
            ),
            ("in/Gale Ostrander | Ember.mp3", "Gale Ostrander||0|Ember"),
            (
                "in/Gale Ostrander - Ember (1).mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/Gale Ostrander - Ember - Copy.mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/Copy of Gale Ostrander - Ember.mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/[site.ru] Gale Ostrander - Ember (mp3.net).mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/Gale Ostrander - Ember HQ.mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/Gale Ostrander - Ember_320kbps.mp3",
                "Gale Ostrander||0|Ember",
            ),
            (
                "in/Gale Ostrander - Ember (2nd Version).mp3",
                "Gale Ostrander||0|Ember (2nd Version)",
            ),
            (
                "Gale Ostrander/01. Saltworks/1. Ember.mp3",
                "Gale Ostrander|Saltworks|1|Ember",
            ),
            (
                "Gale.Ostrander-Saltworks/01-ember.mp3",
                "Gale Ostrander|Saltworks|1|ember",
            ),
            (
                "Gale Ostrander-Saltworks/01-Ember.mp3",
                "Gale Ostrander|Saltworks|1|Ember",
            ),
            (
                "Gale Ostrander - Saltworks (2017 Mix) [FLAC]/01 Ember.mp3",
                "Gale Ostrander|Saltworks (2017 Mix)|1|Ember",
            ),
            ("U2 - Saltworks/01 Ember.mp3", "U2|Saltworks|1|Ember"),
            ("AC_DC/Saltworks/01 Ember.mp3", "AC DC|Saltworks|1|Ember"),
            ("Blink-182/01 Ember.mp3", "|Blink-182|1|Ember"),
            ("Nine Bells - 1979.mp3", "Nine Bells||0|1979"),
            (
                "Nine Bells - Counting/1979.mp3",
                "Nine Bells|Counting|0|1979",
            ),
            (
                "Nine Bells - Counting/01 99.mp3",
                "Nine Bells|Counting|1|99",
            ),
            ("Nine Bells - 03.mp3", "||3|Nine Bells"),
            (
                "Nine Bells - 03 - Jay-Z Talks.mp3",
                "Nine Bells||3|Jay-Z Talks",
            ),
        ] {
            assert_eq!(of(path, true), said, "{path}");
        }
    }

    #[test]
    fn paths_are_read_as_people_write_them() {
        for (path, said) in [
            (
                "Gale Ostrander/Saltworks/01 Harbor Light.wav",
                "Gale Ostrander|Saltworks|1|Harbor Light",
            ),
            (
                "Gale Ostrander - Saltworks (2004) [FLAC]/01 - Gale Ostrander - Harbor Light.flac",
                "Gale Ostrander|Saltworks|1|Harbor Light",
            ),
            (
                "in/Gale Ostrander/2004 - Saltworks/CD2/2-07. Tin_Roof.mp3",
                "Gale Ostrander|Saltworks|7|Tin Roof",
            ),
            (
                "Downloads/Gale Ostrander - Pale Engine.mp3",
                "Gale Ostrander||0|Pale Engine",
            ),
            ("Music/Pale Engine.mp3", "||0|Pale Engine"),
            ("R3.wav", "||0|"),
            ("tapes/03 cassette.wav", "||0|"),
            ("x/Track 04.flac", "||0|"),
            (
                "Gale Ostrander - Saltworks/Track 04.wma",
                "Gale Ostrander|Saltworks|4|",
            ),
            (
                "Gale Ostrander - Ember (Official Video)-dQw4w9WgXcQ.opus",
                "Gale Ostrander||0|Ember (Official Video)",
            ),
            (
                "Gale Ostrander - Anniversary.mp3",
                "Gale Ostrander||0|Anniversary",
            ),
            ("rips/Side A.flac", "||0|"),
        ] {
            assert_eq!(of(path, true), said, "{path}");
        }
        assert_eq!(
            of("vinyl/Gale Ostrander - Saltworks (1974).flac", false),
            "Gale Ostrander|Saltworks|0|"
        );
        for path in [
            "vinyl/Gale Ostrander/Saltworks.flac",
            "Gale Ostrander - Saltworks [LP]/Side A.flac",
            "Gale Ostrander - Saltworks (2004)/CD1.flac",
            "Gale Ostrander/Saltworks/LP 1 - Side B.flac",
        ] {
            assert_eq!(of(path, false), "Gale Ostrander|Saltworks|0|", "{path}");
        }
        assert_eq!(of("rips/Side A.flac", false), "||0|");
    }
}
