//! What names of files and folders say of a recording whose tags say nothing.
//!
//! `Artist/Album/01 Title`, `Artist - Album (2004) [FLAC]/03 - Artist - Title`: people write it in many ways, and as many
//! names of files mean nothing (`R3`, `03 cassette`). So what is read here is asked about and speaks for what is found under
//! that name, and never against anything else.

use crate::identify::text::{
    disc_of, is_nobody, is_placeholder, normalise, plain_signs, versions_of_folder,
    versions_of_stem,
};
use audio::tags::Tags;

use crate::library::due::Item;
use crate::library::values::{folder_of, name_of};

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
}

/// Folders that say where files came from and not who made them.
const GENERIC: [&str; 28] = [
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
    if heard.disc.is_none() {
        let in_album = heard.album.as_deref().and_then(disc_of);
        heard.disc = in_album.or_else(|| disc_of(name_of(folder_of(&item.path))));
    }
    if item.alone {
        let told = [heard.artist.as_deref(), heard.album.as_deref()];
        heard.said_versions = said_versions(&item.path, told, &item.tags);
    }
    let is_untold = if item.alone {
        heard.title.is_none()
    } else {
        heard.album.is_none()
    };
    let is_marked = [&item.said.title, &item.said.album]
        .iter()
        .any(|(_, source)| *source == Some("marks"));
    if !is_untold || is_marked {
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
    heard.album = heard.album.take().or(names.album);
    heard.year = heard.year.or(names.year);
}

/// Versions that the names of the file and of the two folders around it tell of, and a subtitle, a genre and the album's artist; what a folder
/// is called after in the tags is told there.
fn said_versions(path: &str, told: [Option<&str>; 2], tags: &Tags) -> Vec<&'static str> {
    let name = name_of(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let is_told = |folder: &&str| {
        let mut told = told.iter().flatten();
        told.any(|name| normalise(name) == normalise(folder))
    };
    let folders = folder_of(path).rsplit('/').take(2);
    let folders = folders.filter(|folder| !is_told(folder));
    let mut versions: Vec<_> = folders.flat_map(versions_of_folder).collect();
    versions.extend(versions_of_stem(stem));
    let fields = [&tags.subtitle, &tags.genre, &tags.album_artist];
    let fields = fields.into_iter().flatten();
    versions.extend(fields.flat_map(|text| versions_of_folder(text)));
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// Reads a path of the library; `is_song`: the file holds one song, and not an album.
pub fn read(path: &str, is_song: bool) -> PathNames {
    let name = name_of(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = plain_signs(&without_id(stem).replace('_', " "));
    let mut folders: Vec<&str> = folder_of(path)
        .split('/')
        .filter(|name| !name.is_empty())
        .collect();
    // `CD1` is a part of what the folder around it is.
    if folders
        .last()
        .is_some_and(|last| disc_of(last).is_some() && !last.contains(" - "))
    {
        folders.pop();
    }
    let (number, rest) = numbered(&stem);
    let mut parts: Vec<&str> = rest
        .split(" - ")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let mut names = PathNames {
        track: number,
        ..PathNames::default()
    };
    // `Artist - 03 - Title`.
    parts.retain(|part| {
        let number: Option<u32> = part.parse().ok();
        names.track = names.track.or(number.filter(|number| *number < 100));
        number.is_none()
    });
    let of_folders = of_folders(&folders);
    names.year = folders.last().and_then(|folder| year_of(folder));
    let Some((last, before)) = parts.split_last().filter(|(last, _)| is_name(last)) else {
        // A number in a folder that has a name.
        let digits = stem.rsplit(|c: char| !c.is_ascii_digit()).next();
        names.track = names
            .track
            .or(digits.and_then(|digits| digits.parse().ok()));
        let is_told =
            is_song && names.track.is_some_and(|number| number < 100) && of_folders.0.is_some();
        return if is_told {
            let (artist, album) = of_folders;
            PathNames {
                artist,
                album,
                ..names
            }
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

/// Whether a folder's name is one of people or records, as far as one can tell.
fn is_told(folder: &str) -> bool {
    is_name(folder) && !GENERIC.contains(&folder.to_lowercase().as_str())
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
            Some(bare(album)).filter(|album| is_name(album)),
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
        _ => (None, None),
    }
}

/// The year that a folder's name tells: `Red (2011)`, `2011 - Red`.
fn year_of(folder: &str) -> Option<i32> {
    let mut numbers = folder.split(|c: char| !c.is_ascii_digit());
    let year = numbers.find(|number| number.len() == 4)?.parse().ok()?;
    (1900..2100).contains(&year).then_some(year)
}

/// A file's name without the id of a video behind it: `Ember-dQw4w9WgXcQ`, `Ember [dQw4w9WgXcQ]`.
fn without_id(stem: &str) -> &str {
    const LETTERS: usize = 11;
    let plain = stem.strip_suffix(']').unwrap_or(stem);
    let Some(at) = plain
        .len()
        .checked_sub(LETTERS)
        .filter(|at| plain.is_char_boundary(*at))
    else {
        return stem;
    };
    let (name, id) = plain.split_at(at);
    let is_id = id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        && id.chars().any(|c| c.is_ascii_digit())
        && id.chars().any(|c| c.is_ascii_uppercase());
    let bare = name.trim_end_matches(['-', '_', '[', ' ']);
    if is_id && bare.len() < name.len() && !bare.is_empty() {
        bare
    } else {
        stem
    }
}

/// A name without what stands in brackets behind it, such as a year and a format.
fn bare(name: &str) -> String {
    let end = name
        .find(['(', '[', '{'])
        .filter(|at| *at > 0)
        .unwrap_or(name.len());
    name[..end].trim().to_owned()
}

/// The number before a name, and the name: `01 - X`, `1-03 X`, `07. X`, `X`.
fn numbered(stem: &str) -> (Option<u32>, &str) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = stem.trim();
    let mut number = None;
    for _ in 0..2 {
        let count = digits(rest);
        let behind = &rest[count..];
        let is_number = (1..=3).contains(&count) && behind.starts_with([' ', '.', '-', ')', ']']);
        if !is_number {
            break;
        }
        number = rest[..count].parse().ok();
        rest = behind.trim_start_matches([' ', '.', '-', ')', ']']);
    }
    if rest.is_empty() {
        (None, stem)
    } else {
        (number, rest)
    }
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

    #[test]
    fn paths_are_read_as_people_write_them() {
        let of = |path: &str, is_song: bool| {
            let names = read(path, is_song);
            let text = |name: Option<String>| name.unwrap_or_default();
            format!(
                "{}|{}|{}|{}",
                text(names.artist),
                text(names.album),
                names.track.unwrap_or(0),
                text(names.title)
            )
        };
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
        assert_eq!(
            of("vinyl/Gale Ostrander/Saltworks.flac", false),
            "Gale Ostrander|Saltworks|0|"
        );
    }
}
