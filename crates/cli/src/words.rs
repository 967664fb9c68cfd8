//! How counts, sizes, times and commands are written for people: one way for each.

use std::borrow::Cow;

/// From here on thousands are set apart: a number of five digits is no longer read at a glance.
const GROUPED: u64 = 10_000;

/// A count: `9999`, `10,000`, `5,213,077`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let digits = number.to_string();
    if number < GROUPED {
        return digits;
    }
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A key as it was copied, without the byte order mark, the spaces and the line ends that came along.
pub(crate) fn bare(copied: &str) -> Option<String> {
    let key = copied.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    (!key.is_empty()).then(|| key.to_owned())
}

/// A count and what is counted: `1 file`, `2 matches`, `12,000 copies`.
pub(crate) fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(number), plural(number, noun))
}

/// The noun as it stands behind a number.
pub(crate) fn plural(number: u64, noun: &str) -> Cow<'_, str> {
    if number == 1 {
        return noun.into();
    }
    let before_y = noun.strip_suffix('y');
    match before_y {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies").into(),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") || noun.ends_with("sh") => {
            format!("{noun}es").into()
        }
        _ => format!("{noun}s").into(),
    }
}

/// What a job cost; its memory only where the system tells.
pub(crate) fn cost(usage: &run::Usage) -> String {
    let cpu = format!("{:.1} s of CPU", usage.cpu_seconds);
    match usage.peak_rss_bytes {
        0 => cpu,
        peak => format!("{cpu}, {} at most", size(peak)),
    }
}

/// A size in decimal units: `812 bytes`, `223 kB`, `8.4 MB`, `1.2 GB`.
pub(crate) fn size(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => counted(bytes, "byte"),
        1_000..1_000_000 => format!("{:.0} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        1_000_000_000..1_000_000_000_000 => format!("{:.1} GB", value / 1e9),
        _ => format!("{:.1} TB", value / 1e12),
    }
}

/// A length of time: `4 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    const DAY: u64 = 86_400;
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..DAY => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / DAY, whole % DAY / 3600),
    }
}

/// A moment: `2026-11-25 09:18:48 UTC`, from what a database holds as `2026-11-25T09:18:48.549434+00:00`, as
/// `2026-11-25T09:18:48Z` or as `2026-11-25 09:18:48`. Anything else stays what it is.
pub(crate) fn moment(stored: &str) -> String {
    const SHAPE: &str = "0000-00-00 00:00:00";
    let digits = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    let Some((time, rest)) = stored.split_at_checked(SHAPE.len()) else {
        return stored.to_owned();
    };
    let time = time.replacen('T', " ", 1);
    let fits = time.bytes().map(digits).eq(SHAPE.bytes());
    let fraction = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    match fraction {
        "" | "Z" | "+00:00" if fits => format!("{time} UTC"),
        _ => stored.to_owned(),
    }
}

/// A word of a command as a shell takes it: in quotes where it has to be.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty()
        && word
            .chars()
            .all(|c| plain(c) || (cfg!(windows) && c == '\\'))
    {
        word.into()
    } else if cfg!(windows) {
        // Neither of Windows' shells lets a path hold this sign.
        format!("\"{}\"", word.replace('"', "")).into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

/// A command to be typed: `accession music show 'Seite A.ogg'`.
pub(crate) fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut typed = String::from("accession");
    for word in words {
        typed.push(' ');
        typed.push_str(&quoted(word));
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators_and_nouns_their_number() {
        assert_eq!(counted(0_u64, "file"), "0 files");
        assert_eq!(counted(1_usize, "file"), "1 file");
        assert_eq!(counted(9999, "copy"), "9999 copies");
        assert_eq!(counted(10_000, "match"), "10,000 matches");
        assert_eq!(counted(5_213_077, "boundary"), "5,213,077 boundaries");
        assert_eq!(counted(2, "day"), "2 days");
        assert_eq!(count(123_456), "123,456");
    }

    #[test]
    fn sizes_and_durations_are_short() {
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(223_256), "223 kB");
        assert_eq!(size(8_403_939), "8.4 MB");
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(59.6), "1 min 00 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
        assert_eq!(duration(273_600.0), "3 d 4 h");
    }

    #[test]
    fn every_stored_time_reads_the_same() {
        for stored in [
            "2026-11-25T09:18:48.549434+00:00",
            "2026-11-25 09:18:48",
            "2026-11-25T09:18:48Z",
        ] {
            assert_eq!(moment(stored), "2026-11-25 09:18:48 UTC", "{stored}");
        }
        for other in [
            "2026-11-25T09:18:48+01:00",
            "yesterday",
            "",
            "ä2026-11-25 09:18:4é",
        ] {
            assert_eq!(moment(other), other);
        }
    }

    #[cfg(unix)]
    #[test]
    fn commands_can_be_pasted_into_a_shell() {
        assert_eq!(
            command(["music", "show", "Seite A.ogg", "it's", "--", ""]),
            r"accession music show 'Seite A.ogg' 'it'\''s' -- ''"
        );
        assert_eq!(quoted("Café/$x"), "'Café/$x'");
        assert_eq!(quoted("a/b-c_1.mp3"), "a/b-c_1.mp3");
    }
}
