//! Tags of MP4 files: iTunes' list, and the user data of `QuickTime` and 3GPP.
//!
//! The list is `moov.udta.meta.ilst`; each item holds one or more `data` boxes with a type in front
//! (<https://developer.apple.com/documentation/quicktime-file-format/metadata_item_list_atom>). Where the list has `keys`
//! beside it, as phones and video programs write it, an item's type is the number of its key.

use std::io;

use super::names::{self, Name};
use super::raw::{MAX_VALUE, Raw};
use super::text::Text;
use crate::atoms::{Atom, children, descend, find};
use crate::input::Input;

/// Types of `data` boxes.
const UTF8: u32 = 1;
const UTF16: u32 = 2;
const SHIFT_JIS: u32 = 3;
const IMPLICIT: u32 = 0;

/// Reads the tags of an MP4 file that begins at `start`.
pub(super) fn read(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    raw.begin();
    let top = children(input, start, input.length)?;
    let Some(moov) = find(&top, *b"moov") else {
        return Ok(());
    };
    let inside = children(input, moov.body, moov.end)?;
    let mut parents: Vec<Atom> = inside
        .iter()
        .filter(|atom| &atom.kind == b"udta")
        .copied()
        .collect();
    // Tags may stand in the track as well, or beside the movie.
    for track in inside.iter().filter(|atom| &atom.kind == b"trak") {
        parents.extend(descend(input, *track, &[*b"udta"])?);
    }
    let mut lists = Vec::new();
    for parent in &parents {
        let boxes = children(input, parent.body, parent.end)?;
        lists.extend(find(&boxes, *b"meta"));
        for atom in boxes
            .iter()
            .filter(|atom| names::of_atom(atom.kind).is_some())
        {
            user_data(input, *atom, raw)?;
        }
    }
    lists.extend(find(&inside, *b"meta"));
    lists.extend(find(&top, *b"meta"));
    raw.begin();
    for meta in lists {
        list(input, meta, raw)?;
    }
    // iTunes' list is the fuller one: it is believed first.
    let last = raw.sources.len() - 1;
    raw.sources.swap(last - 1, last);
    Ok(())
}

/// The items of `meta.ilst`; `meta` is a full box in ISO files and a plain one in `QuickTime`'s.
fn list(input: &mut Input, meta: Atom, raw: &mut Raw) -> io::Result<()> {
    for skip in [4, 0] {
        let beside = children(input, meta.body + skip, meta.end)?;
        let Some(list) = find(&beside, *b"ilst") else {
            continue;
        };
        let keys = match find(&beside, *b"keys") {
            Some(keys) => self::keys(input, keys)?,
            None => Vec::new(),
        };
        for item in children(input, list.body, list.end)? {
            let number = u32::from_be_bytes(item.kind) as usize;
            let key = number.checked_sub(1).and_then(|at| keys.get(at));
            self::item(input, item, key.copied().flatten(), raw)?;
        }
        return Ok(());
    }
    Ok(())
}

/// The names behind the entries of `keys`: a version and flags, a count, then keys as boxes of the type `mdta`.
fn keys(input: &mut Input, keys: Atom) -> io::Result<Vec<Option<Name>>> {
    let mut names = Vec::new();
    for key in children(input, keys.body + 8, keys.end)? {
        let length = (key.end - key.body).min(128) as usize;
        let key = input.vec_at(key.body, length)?;
        let key = String::from_utf8_lossy(&key);
        names.push(names::of_key(
            key.strip_prefix("com.apple.quicktime.").unwrap_or(&key),
        ));
    }
    Ok(names)
}

fn item(input: &mut Input, item: Atom, by_key: Option<Name>, raw: &mut Raw) -> io::Result<()> {
    let parts = children(input, item.body, item.end)?;
    let name = if by_key.is_some() {
        by_key
    } else if &item.kind == b"----" {
        match find(&parts, *b"name") {
            Some(name) => {
                let length = (name.end - name.body).saturating_sub(4).min(128) as usize;
                let key = input.vec_at(name.body + 4, length)?;
                names::of_key(&String::from_utf8_lossy(&key))
            }
            None => None,
        }
    } else {
        names::of_atom(item.kind)
    };
    let Some(name) = name else { return Ok(()) };
    for data in parts.iter().filter(|atom| &atom.kind == b"data") {
        let length = (data.end - data.body)
            .saturating_sub(8)
            .min(MAX_VALUE as u64) as usize;
        let kind = input
            .array_at::<4>(data.body)?
            .map_or(0, u32::from_be_bytes)
            & 0xff_ffff;
        let value = input.vec_at(data.body + 8, length)?;
        match (name, kind) {
            (Name::Track | Name::Disc, IMPLICIT | 21) => numbers(name, &value, raw),
            (_, UTF8 | IMPLICIT) => raw.keep(name, Text::utf8(&value)),
            (_, UTF16) => raw.keep(name, Text::utf16(&value, Some(true))),
            (_, SHIFT_JIS) => raw.keep(name, Text::of(&value, encoding_rs::SHIFT_JIS)),
            _ => {}
        }
    }
    Ok(())
}

/// `trkn` and `disk`: two bytes of nothing, the number, the total.
fn numbers(name: Name, value: &[u8], raw: &mut Raw) {
    let word = |at: usize| {
        let two = value.get(at..at + 2);
        two.map_or(0, |two| u16::from_be_bytes([two[0], two[1]]))
    };
    let text = match (word(2), word(4)) {
        (0, 0) => return,
        (number, 0) => number.to_string(),
        (number, total) => format!("{number}/{total}"),
    };
    raw.keep(name, Text::Unicode(text));
}

/// A text of `QuickTime` (a length and a language in front) or of 3GPP (flags and a language).
fn user_data(input: &mut Input, atom: Atom, raw: &mut Raw) -> io::Result<()> {
    let Some(name) = names::of_atom(atom.kind) else {
        return Ok(());
    };
    let length = (atom.end - atom.body).min(MAX_VALUE as u64) as usize;
    let bytes = input.vec_at(atom.body, length)?;
    if atom.kind[0] != 0xa9 {
        let text = bytes.get(6..).unwrap_or_default();
        let text = match text {
            [0xfe, 0xff, ..] => Text::utf16(text, Some(true)),
            _ => Text::utf8(text.split(|byte| *byte == 0).next().unwrap_or_default()),
        };
        // The year of 3GPP is a number of two bytes.
        if &atom.kind == b"yrrc" {
            let year = bytes
                .get(4..6)
                .map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
            raw.keep(name, Text::Unicode(year.to_string()));
        } else {
            raw.keep(name, text);
        }
        return Ok(());
    }
    let said = bytes
        .get(..2)
        .map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    if let Some(text) = bytes.get(4..4 + said) {
        let language = u16::from_be_bytes([bytes[2], bytes[3]]);
        // Languages below 0x400 are Macintosh's, in its own letters; the others are UTF-8.
        let text = match language {
            _ if std::str::from_utf8(text).is_ok() => Text::utf8(text),
            // English to Norwegian, and Finnish: those of Macintosh's Roman letters.
            0..=9 | 13 => Text::of(text, encoding_rs::MACINTOSH),
            0..0x400 => Text::legacy(text),
            _ => Text::utf8(text),
        };
        raw.keep(name, text);
    }
    Ok(())
}
