//! Names of files and folders as people write them, put in one form: parts with ` - ` between them.

/// A file's name with ` - ` between its parts, where people write it otherwise: `01-artist-title-group` as scenes do,
/// `Artist- Title`, `05_Artist_Title`, `Some.Artist-Title`.
pub(super) fn spaced(stem: &str, folder: &str) -> String {
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    if let Some((artist, title)) = stem.split_once(" | ") {
        return format!("{artist} - {title}");
    }
    if stem.contains(" - ") {
        return stem.to_owned();
    }
    if (1..=3).contains(&digits) && stem[digits..].starts_with('_') && stem.contains(' ') {
        return stem.replace('_', " - ");
    }
    if stem.contains(' ') {
        return with_dashes_apart(stem);
    }
    let mut parts: Vec<&str> = stem.split('-').collect();
    let is_counted = (1..=3).contains(&digits) && parts[0].len() == digits;
    if is_counted && parts.len() >= 3 {
        let group = folder.rsplit('-').next().filter(|_| folder.contains('-'));
        if parts.len() > 3
            && group.is_some_and(|group| parts[parts.len() - 1].eq_ignore_ascii_case(group))
        {
            parts.pop();
        }
        return parts.join(" - ");
    }
    if parts.len() == 2 && parts[0].contains('.') {
        return stem.replace('.', " ").replace('-', " - ");
    }
    stem.to_owned()
}

/// `Artist- Title` and `Artist -Title` as `Artist - Title`.
fn with_dashes_apart(stem: &str) -> String {
    let letters: Vec<char> = stem.chars().collect();
    let mut apart = String::with_capacity(stem.len() + 2);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        let (is_word, is_space) = (
            |c: Option<char>| c.is_some_and(char::is_alphabetic),
            |c: Option<char>| c == Some(' '),
        );
        match letter {
            '-' if is_word(before) && is_space(after) => apart.push_str(" -"),
            '-' if is_space(before) && is_word(after) => apart.push_str("- "),
            other => apart.push(*other),
        }
    }
    apart
}

/// A folder whose parts are joined otherwise as people would write it: `Some_Artist-Some_Album-CD-FLAC-2004-GRP` of scenes,
/// `Some Artist-Some Album`, and `01. Some Album` without its number.
pub(super) fn spaced_folder(name: &str) -> Option<String> {
    if name.contains(" - ") {
        return None;
    }
    let parts: Vec<&str> = name.split('-').collect();
    let year = parts.iter().skip(2).find(|part| {
        let number: Option<u32> = part.parse().ok();
        number.is_some_and(|year| (1900..2100).contains(&year))
    });
    if let (Some(year), 4.., false) = (year, parts.len(), name.contains(' ')) {
        return Some(format!("{} - {} ({year})", parts[0], parts[1]).replace('_', " "));
    }
    if let [artist, album] = parts[..] {
        // `Jay-Z` and `Blink-182 Live` are one name.
        let several = artist.trim().contains([' ', '.', '_']);
        return several.then(|| format!("{artist} - {album}").replace(['.', '_'], " "));
    }
    let (number, rest) = name.split_once(". ")?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
    is_number.then(|| rest.trim().to_owned())
}

/// A file's name without what programs and sites add to it: `Copy of X`, `X - Copy`, `X (1)`, `[site.ru] X (mp3.net)`,
/// `X HQ`, `X_320kbps`.
pub(super) fn without_noise(stem: &str) -> String {
    let mut name = stem.trim().to_owned();
    while let Some((open, close)) = name.find(['[', '(']).zip(name.find([']', ')'])) {
        let aside = name.get(open + 1..close).unwrap_or_default();
        let is_copy = close + 1 == name.len() && aside.len() == 1 && aside.parse::<u8>().is_ok();
        if !is_copy && !is_site(aside.trim()) {
            break;
        }
        name.replace_range(open..=close, "");
        name = name.trim().to_owned();
    }
    let bare = name.strip_prefix("Copy of ").unwrap_or(&name);
    let bare = bare.strip_suffix(" - Copy").unwrap_or(bare);
    let bare = match bare.rsplit_once([' ', '_']) {
        Some((before, last)) if is_quality(last) => before,
        _ => bare,
    };
    bare.trim().to_owned()
}

/// Whether a word says how a file is made: `HQ`, `320kbps`.
fn is_quality(word: &str) -> bool {
    let lower = word.to_lowercase();
    let bare = lower.trim_start_matches(|c: char| c.is_ascii_digit());
    ["hq", "hd"].contains(&lower.as_str()) || bare == "kbps"
}

/// Whether a part of a name is where somebody had it from: `y2mate.com`, `www.site.net`.
pub(super) fn is_site(part: &str) -> bool {
    let ends = [".com", ".net", ".org", ".info", ".me", ".cc", ".ru", ".to"];
    let lower = part.to_lowercase();
    !part.contains(' ') && ends.iter().any(|end| lower.ends_with(end))
}

/// A file's name without the id of a video behind it: `Ember-dQw4w9WgXcQ`, `Ember [dQw4w9WgXcQ]`.
pub(super) fn without_id(stem: &str) -> &str {
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

/// The number before a name, and the name: `01 - X`, `1-03 X`, `07. X`, `X`.
pub(super) fn numbered(stem: &str) -> (Option<u32>, &str) {
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
